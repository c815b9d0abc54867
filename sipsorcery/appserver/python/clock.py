"""
Telling a dialplan the time, where it is not that of the system. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from sipsorcery.appserver.plans.time_zone import find_zone


def tell_time(
    function: str, arguments: Sequence[Any], zone: str, now: float
) -> datetime | date | float | None:
    """
    Answer a question of the interpreter to its system; None: it is not about the time.

    :param function: such as ``datetime.now``.
    :param zone: of the owner: what the local time is.
    :param now: seconds since the epoch.
    """
    match function, arguments:
        case "datetime.now", [tzinfo() as its]:
            return datetime.fromtimestamp(now, its)
        case "datetime.now", _:
            return datetime.fromtimestamp(now, find_zone(zone)).replace(tzinfo=None)
        case "date.today", _:
            return datetime.fromtimestamp(now, find_zone(zone)).date()
        case "time.time", _:
            return now
    return None
