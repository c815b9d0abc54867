"""
What a dialplan can know of the owner's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.appserver.plans.time_zone import find_zone


class ClockFunctions:
    """
    Tells the time zone.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        zone = find_zone(guest.plan.time_zone)

        async def name(arguments: Arguments) -> Value:
            return zone.key

        async def offset(arguments: Arguments) -> Value:
            now = datetime.fromtimestamp(self._clock(), zone)
            return int((now.utcoffset() or timedelta()).total_seconds() // 60)

        return {"get_timezone": name, "get_timezone_offset_minutes": offset}
