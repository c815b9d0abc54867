"""
``sipsorcery cdrs``: the records of calls, a row for each leg.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import CDR

_COLUMNS = (
    *("created", "direction", "owner", "from", "to"),
    *("ringing", "duration", "status", "reason", "call_id"),
)
_LIMIT = 50  # rows, unless somebody wants more


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs, "cdrs", with_session(act), "list the records of calls", reads=True
    )
    add = parser.add_argument
    add("--owner", metavar="U", help="the calls of this user alone")
    add("--call-id", metavar="ID", help="those legs alone that have this Call-ID")
    add("--hours", metavar="N", type=_hours, help="those of the last N hours alone")
    add("--open", action="store_true", help="those alone that are not over")
    add(
        "--limit",
        metavar="N",
        type=_limit,
        default=_LIMIT,
        help=f"show N of them, the latest ones (default: {_LIMIT})",
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    List the records, the latest first.
    """
    since = None
    if options.hours is not None:
        since = datetime.now(UTC) - timedelta(hours=options.hours)
    async with session.directory() as directory:
        owner = options.owner
        scope = directory.everyone if owner is None else directory.of(owner)
        found = await scope.cdrs.recent(
            since=since,
            call_id=options.call_id,
            is_open=options.open,
            limit=options.limit,
        )
    tables.show(map(_row, found), _COLUMNS, as_json=options.json)


def _row(cdr: CDR) -> dict[str, Any]:
    return {
        **asdict(cdr),
        "from": cdr.from_name or cdr.from_user or cdr.from_header,
        "to": _destination(cdr),
        "ringing": _seconds(cdr.ring_duration),
        "duration": _seconds(cdr.duration) if cdr.ended_at else None,
        "status": cdr.answered_status or cdr.ended_status,
        "reason": cdr.ended_reason,
    }


def _destination(cdr: CDR) -> str:
    if not cdr.destination_host:
        return cdr.destination_uri
    return f"{cdr.destination_user}@{cdr.destination_host}"


def _seconds(duration: float) -> int:
    return round(duration)


def _hours(text: str) -> float:
    hours = float(text)
    # Whatever was before has no calendar.
    if not 0 < hours <= 24 * 366 * 100:
        raise ValueError(text)
    return hours


def _limit(text: str) -> int:
    limit = int(text)
    # A row takes 2 kB in memory, and somebody has to read it.
    if not 0 < limit <= 1_000_000:
        raise ValueError(text)
    return limit
