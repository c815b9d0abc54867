"""
``sipsorcery events``: what the monitor has heard.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import ask

_PAGE = 1000


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    summary = "show what the monitor has heard"
    parser = add_verb(verbs, "events", with_session(act), summary, reads=True)
    parser.add_argument(
        "filter", metavar="FILTER", nargs="*", help="such as 'event trouble'"
    )
    parser.add_argument("--user", metavar="U", default="", help="as this user sees it")
    parser.add_argument(
        "--hours", metavar="N", type=float, default=1.0, help="of the last (1)"
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Print a line for each event, for people or of JSON.
    """
    asked = {
        "filter": " ".join(options.filter),
        "user": options.user,
        "since": time.time() - options.hours * 3600,
    }
    async for event in _found(session, asked):
        if options.json:
            print(json.dumps(event))
        else:
            print(_line(event))


async def _found(
    session: Session, asked: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    cursor, is_last = 0, False
    while not is_last:
        page: dict[str, Any] = await ask(
            *(session.reactor, session.data_dir, "monitor", "events"),
            **asked,
            cursor=cursor,
            limit=_PAGE,
        )
        for event in page["events"]:
            yield event
        cursor, is_last = page["cursor"], page["is_last"]


def _line(event: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(event["time"]).astimezone()
    words = [
        when.isoformat(" ", "milliseconds"),
        event["kind"],
        event.get("owner", "-"),
        event.get("message", "") or event.get("call_id", ""),
    ]
    return tables.printable(" ".join(words))
