"""
Whether the proxy has more to do than it can do in time.
"""

from __future__ import annotations

import random

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.events import Events
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.parameterised import Seconds

# Seconds from one look at the lag to the next.
_INTERVAL = 0.25
# Seconds that the reactor may be behind: then clients begin to repeat their requests
# (T1), and from there on the work only grows.
_LAG = 0.4
# Seconds after which somebody who was refused may come back, spread so that they do not
# all come at once.
_RETRY_AFTER = (5, 30)
# Seconds from one report to the next.
_PAUSE = 60.0


class Load:
    """
    Measures how far the reactor is behind.
    """

    def __init__(self, clock: IReactorTime, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._due = 0.0
        self._lag = 0.0
        self._reported: float | None = None
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def start(self) -> None:
        """
        Measure from now on.
        """
        self._due = self._clock.seconds() + _INTERVAL
        self._loop.start(_INTERVAL, now=False)

    def stop(self) -> None:
        """
        Measure no more.
        """
        if self._loop.running:
            self._loop.stop()

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
        later = Seconds(random.randint(*_RETRY_AFTER))
        return Refused(503, why, [(RETRY_AFTER, later)])

    def _look(self) -> None:
        now = self._clock.seconds()
        self._lag = max(0.0, now - self._due)
        self._due = now + _INTERVAL
