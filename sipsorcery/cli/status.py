"""
``sipsorcery status``: which servers run.
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

_COLUMNS = ("role", "pid", "version", "running", "events_dropped")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    add_verb(verbs, "status", with_session(act), "tell which servers run", reads=True)


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Ask each server that has a socket.

    :raises Refused: if none runs.
    """
    folder = session.data_dir / "run"
    rows: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.sock")):
        try:
            row = await ask(session.reactor, session.data_dir, file.stem, "status")
        except NotRunning:
            continue  # it was killed
        rows.append({**row, "running": _spell(time.time() - row["started"])})
    if rows or options.json:
        tables.show(rows, _COLUMNS, as_json=options.json)
    if not rows:
        raise Refused(f"no server runs on '{session.data_dir}'")


def _spell(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}:{seconds:02}"
