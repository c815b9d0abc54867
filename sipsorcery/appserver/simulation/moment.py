"""
When a simulated call is made: ``Sat 23:10``, as the owner's clock shows it. Pure.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.sip.errors import excerpt

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHAPE = re.compile(
    r"(?:(?P<day>[a-z]{3})[a-z]{0,6} )?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
)


def read_moment(text: str, zone: ZoneInfo, now: float) -> float:
    """
    Give the seconds since the epoch that are meant.

    :param text: ``23:10`` of today, ``Sat 23:10`` of today or the next Saturday,
        ``2026-12-24 23:10``, or any of ISO 8601; "": now.
    :param zone: of the clock that shows it, where the text has none.
    :param now: seconds since the epoch.
    :raises WorldError: if it is none of these.
    """
    text = " ".join(text.split())
    if not text:
        return now
    today = datetime.fromtimestamp(now, zone)
    if shape := _SHAPE.fullmatch(text.lower()):
        return _of_week(shape, today, text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(text) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        raise _wrong(text) from None


def _of_week(shape: re.Match[str], today: datetime, text: str) -> float:
    day, ahead = shape["day"], 0
    if day is not None:
        if day not in _DAYS:
            raise _wrong(text)
        ahead = (_DAYS.index(day) - today.weekday()) % 7
    try:
        clock = time(int(shape["hour"]), int(shape["minute"]))
    except ValueError:
        raise _wrong(text) from None
    date = (today + timedelta(days=ahead)).date()
    return datetime.combine(date, clock, today.tzinfo).timestamp()


def _wrong(text: str) -> WorldError:
    return WorldError(
        f"{excerpt(text)} is no time such as 23:10, Sat 23:10 or 2026-12-24 23:10"
    )
