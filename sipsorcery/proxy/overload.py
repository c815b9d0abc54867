"""
Whether the proxy has more to do than it can do in time.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from sipsorcery.access.overload import LagMeter, come_back_later
from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.events import Events

# Seconds that the reactor may be behind: then clients begin to repeat their requests
# (T1), and from there on the work only grows.
_LAG = 0.4
# Seconds from one report to the next.
_PAUSE = 60.0


class Load:
    """
    Measures how far the reactor is behind.
    """

    def __init__(self, clock: IReactorTime, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._lag = 0.0
        self._reported: float | None = None
        self._meter = LagMeter(clock, self._note_lag)

    def start(self) -> None:
        """
        Measure from now on.
        """
        self._meter.start()

    def stop(self) -> None:
        """
        Measure no more.
        """
        self._meter.stop()

    @property
    def is_behind(self) -> bool:
        """
        Tell whether nothing new can be taken.
        """
        return self._lag > _LAG

    def check(self) -> None:
        """
        See whether something new can be taken.

        :raises Refused: with 503.
        """
        if self.is_behind:
            raise self.refused(f"the proxy is {self._lag:.2f} s behind")

    def refused(self, why: str) -> Refused:
        """
        Make the refusal of somebody who may come back later, and report why.
        """
        now = self._clock.seconds()
        if self._reported is None or now - self._reported >= _PAUSE:
            self._reported = now
            detail = {"lag": f"{self._lag:.2f}"}
            self._events.emit(EventKind.OVERLOAD, f"Refusing: {why}", detail=detail)
        return Refused(503, why, [come_back_later()])

    def _note_lag(self, lag: float) -> None:
        self._lag = lag
