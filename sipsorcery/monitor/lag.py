"""
How far the reactor is behind, what waits for it, and what is lost on the bus.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.figures import Figure, Histogram, counter, of_tables

# Seconds from one look to the next.
_INTERVAL = 0.25


class ProcessFigures(Service):
    """
    Measures the lag of the reactor, as long as it runs.
    """

    name = "lag"

    def __init__(self, clock: IReactorTime, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._lag = Histogram()
        self._next: IDelayedCall | None = None  # None: it does not measure

    def startService(self) -> None:
        """
        Begin as soon as the reactor runs: what else is started takes its time.
        """
        super().startService()
        self._next = self._clock.callLater(0, self._wait)

    def stopService(self) -> None:
        """
        Measure no more.
        """
        super().stopService()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        yield Figure("event_loop_lag", "How late the reactor calls.", self._lag)
        yield counter("events_dropped", "Events that were lost.", self._bus.dropped)
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count what waits for its time.
        """
        return {"delayed_calls": len(self._clock.getDelayedCalls())}

    def _wait(self) -> None:
        due = self._clock.seconds() + _INTERVAL
        self._next = self._clock.callLater(_INTERVAL, self._look, due)

    def _look(self, due: float) -> None:
        self._lag.observe(max(0.0, self._clock.seconds() - due))
        self._wait()
