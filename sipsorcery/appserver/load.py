"""
Whether there is more to do than can be done in time.
"""

from __future__ import annotations

from sipsorcery.access.overload import come_back_later
from sipsorcery.appserver.calls.calls import Calls
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.refusals import Code, Refused

# Seconds that the reactor may be behind. By then a phone has sent its INVITE twice, and
# from then on the work only grows.
_LAG = 1.0


class Load:
    """
    Turns new calls away while there is too much to do.
    """

    def __init__(self, calls: Calls, events: Events) -> None:
        self._calls = calls
        self._events = events
        self._lag = 0.0
        self._is_over = False

    def __str__(self) -> str:
        return f"{self._lag:.2f} s behind, {len(self._calls)} calls"

    def note_lag(self, lag: float) -> None:
        """
        Hear how many seconds too late the reactor has called.
        """
        self._lag = lag

    def check(self) -> None:
        """
        See whether another call can be taken.

        It is told once, and not for each call, that there is too much to do.

        :raises Refused: with 503, and when to come back.
        """
        if self._lag <= _LAG and not self._calls.is_full:
            self._is_over = False
            return
        if not self._is_over:
            self._is_over = True
            self._events.overloaded(str(self))
        raise Refused(Code.OVERLOADED, more=(come_back_later(),))
