"""
What owners, and other administrators, are told of what an administrator does.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.console.seats import Seat
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind


class Telling:
    """
    Emits events about administrators.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, bus: Bus, clock: Callable[[], float]) -> None:
        self._bus = bus
        self._clock = clock

    def tell(self, seat: Seat, owner: str, action: str) -> None:
        """
        Let an owner see what an administrator does to what is theirs.
        """
        if seat.is_admin and owner not in ("", seat.user):
            self._emit(seat, owner, action)

    def note(self, seat: Seat, action: str) -> None:
        """
        Let other administrators see what is done.
        """
        self._emit(seat, "", action)

    def _emit(self, seat: Seat, owner: str, action: str) -> None:
        self._bus.emit(
            Event(
                time=self._clock(),
                server="ssh",
                kind=EventKind.ADMIN_ACTION,
                owner=owner,
                message=f"administrator {seat.user} {action}",
                detail={"user": seat.user, "action": action},
            )
        )
