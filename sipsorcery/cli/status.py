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
from sipsorcery.control.naming import servers
from sipsorcery.control.several import Answers, ask_all

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

    :raises Refused: if none runs, or one does not answer.
    """
    verb, rows_of, columns = (
        ("tables", _tables, _TABLES)
        if options.tables
        else ("status", _servers, _COLUMNS)
    )
    names = servers(session.data_dir)
    answers = await ask_all(session.reactor, session.data_dir, names, verb)
    rows = rows_of(answers)
    if rows or options.json:
        tables.show(rows, columns, as_json=options.json)
    if answers.missing:
        raise Refused(answers.complaint)
    if not rows:
        raise Refused(f"no server runs on '{session.data_dir}'")


def _servers(answers: Answers) -> list[dict[str, Any]]:
    now = time.time()
    return [
        {**row, "running": _spell(now - row["started"])}
        for row in answers.given.values()
    ]


def _tables(answers: Answers) -> list[dict[str, Any]]:
    return [
        {"server": server, "table": table, "entries": entries}
        for server, found in answers.given.items()
        for table, entries in found.items()
    ]


def _spell(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}:{seconds:02}"
