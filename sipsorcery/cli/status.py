"""
``sipsorcery status``: which servers run, and how much they hold.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import NotRunning, ask

_COLUMNS: tuple[str, ...] = ("role", "pid", "version", "running", "events_dropped")
_TABLES = ("server", "table", "entries")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs, "status", with_session(act), "tell which servers run", reads=True
    )
    parser.add_argument(
        "--tables", action="store_true", help="tell how much each of them holds instead"
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Ask each server that has a socket.

    :raises Refused: if none runs.
    """
    rows = await (_tables if options.tables else _servers)(session)
    columns = _TABLES if options.tables else _COLUMNS
    if rows or options.json:
        tables.show(rows, columns, as_json=options.json)
    if not rows:
        raise Refused(f"no server runs on '{session.data_dir}'")


async def _servers(session: Session) -> list[dict[str, Any]]:
    return [
        {**row, "running": _spell(time.time() - row["started"])}
        for row in (await _ask_all(session, "status")).values()
    ]


async def _tables(session: Session) -> list[dict[str, Any]]:
    return [
        {"server": server, "table": table, "entries": entries}
        for server, found in (await _ask_all(session, "tables")).items()
        for table, entries in found.items()
    ]


async def _ask_all(session: Session, verb: str) -> dict[str, Any]:
    """
    Ask each server that runs; give the answers by their names.
    """
    answers: dict[str, Any] = {}
    for file in sorted((session.data_dir / "run").glob("*.sock")):
        try:
            answers[file.stem] = await ask(
                session.reactor, session.data_dir, file.stem, verb
            )
        except NotRunning:
            continue  # it was killed
    return answers


def _spell(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}:{seconds:02}"
