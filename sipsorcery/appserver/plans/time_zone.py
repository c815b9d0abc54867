"""
Time zones of users.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UTC = ZoneInfo("UTC")


def find_zone(name: str) -> ZoneInfo:
    """
    Find a time zone by its name in the IANA database; UTC, if there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _UTC
