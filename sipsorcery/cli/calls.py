"""
``sipsorcery calls``: the calls in progress.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control.naming import instances
from sipsorcery.control.several import ask_all
from sipsorcery.store.dialogues import DIALOGUES
from sipsorcery.store.live import Record

_COLUMNS = ("id", "owner", "state", "caller", "callee", "seconds", "limit")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs, "calls", with_session(act), "list the calls in progress", reads=True
    )
    parser.add_argument("--owner", metavar="U", help="those of this user alone")


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    List what the application servers have, the oldest first.

    Those of one that does not run are there as well: its next start goes on with them.

    :raises Refused: if one does not answer, when the calls of the others are shown.
    """
    names = instances(session.data_dir, "appserver")
    answers = await ask_all(session.reactor, session.data_dir, names, "calls")
    rows = [row for answer in answers.given.values() for row in answer]
    known = {row["id"] for row in rows}
    rows += [row for row in await _stored(session) if row["id"] not in known]
    if options.owner is not None:
        rows = [row for row in rows if row["owner"] == options.owner]
    rows.sort(key=lambda row: row["started"])
    now = time.time()
    for row in rows:
        row["seconds"] = max(0, round(now - (row["answered"] or row["started"])))
    tables.show(rows, _COLUMNS, as_json=options.json)
    if answers.missing:
        raise Refused(answers.complaint)


async def _stored(session: Session) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with session.live() as live:
        if live is not None:
            async for record in live.scan(DIALOGUES.name):
                rows += _rows(record)
    return rows


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    call = DIALOGUES.read(record)
    caller, callee = call.legs
    yield {
        "id": call.id,
        "owner": call.owner,
        "account": call.account,
        "direction": call.direction,
        "state": "waiting for its server",
        "caller": caller.dialog.remote,
        "callee": callee.dialog.remote,
        "call_ids": [caller.dialog.call_id, callee.dialog.call_id],
        "started": call.started,
        "answered": call.answered,
        "limit": call.limit,
    }
