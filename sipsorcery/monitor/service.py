"""
The monitor: hears every server, keeps what it hears, and shows each viewer their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from sipsorcery.config import Config
from sipsorcery.monitor.bus import Bus, Subscription
from sipsorcery.monitor.catalogue import ORDINARY
from sipsorcery.monitor.claims import Unclaimed
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.figures import Figure, counter, gauge, of_tables
from sipsorcery.monitor.keeping import NAME, Keeping
from sipsorcery.monitor.readers import Readers
from sipsorcery.monitor.view import View
from sipsorcery.monitor.window import Bounds
from sipsorcery.store.files import FileLock
from sipsorcery.store.threads import Threads

# Turns of the reactor that the last events may take to get here: a bus delivers a
# hundred in each, and no more wait in it than these.
_LAST_TURNS = 200
# Without one for so many turns, none is on its way: what was emitted comes in the next.
_QUIET_TURNS = 2


class MonitorService(Service):
    """
    Collects the events of a bus in a window, and serves them live.

    It starts before those who emit, and stops after them, to hear their last words.

    :param reactor: has time, and threads unless there are *threads*.
    :param threads: one thread, for the disk.
    :param clock: gives the seconds since the epoch.

    :ivar view: for those who look.
    """

    name = "monitor"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        bus: Bus,
        *,
        threads: Threads | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._bus = bus
        self._folder = config.server.data_dir
        self._lock = FileLock(self._folder / "events.lock")
        self._keeping = Keeping(
            *(reactor, self._folder / NAME, _bounds(config)),
            clock=clock,
            threads=threads,
        )
        self._readers = Readers()
        self._unclaimed = Unclaimed()
        self._is_tracing = True
        self._subscription: Subscription | None = None
        self._heard = 0
        self._lost = 0  # by subscriptions of before
        self.view = View(reactor, self._keeping, self._readers)

    def reconfigure(self, config: Config) -> None:
        """
        Keep as much as another configuration says.
        """
        self._keeping.change(_bounds(config))

    @property
    def dropped(self) -> int:
        """
        Events that were lost on the way here, or could not be kept.
        """
        lost = 0 if self._subscription is None else self._subscription.dropped
        return self._lost + lost + self._keeping.dropped

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        yield counter("events_heard", "Events that came.", self._heard)
        yield counter("events_not_kept", "Events that were lost.", self.dropped)
        yield gauge("events_waiting", "Events not written yet.", self._keeping.waiting)
        yield gauge("readers", "Those who look live.", len(self._readers))
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count what waits for the disk, and those who look live.
        """
        return {
            "events_waiting": self._keeping.waiting,
            "readers": len(self._readers),
        }

    @property
    def is_tracing(self) -> bool:
        """
        Whether the messages of SIP are collected, too.
        """
        return self._is_tracing

    def trace(self, wanted: bool) -> None:
        """
        Collect the messages of SIP, or leave that: each costs the proxy something.
        """
        if wanted != self._is_tracing:
            self._is_tracing = wanted
            if self._subscription is not None:
                self._lost += self._subscription.dropped
                self._subscription.stop()
                self._subscribe()

    def startService(self) -> None:
        """
        Listen.

        :raises StoreInUse: if another process has the window.
        :raises OSError: if its folder cannot be made.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.take()
        self._keeping.start()
        self._subscribe()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Hear what was said last, write it, and close the window.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        quiet = 0
        for _ in range(_LAST_TURNS):
            before = self._heard
            await deferLater(self._reactor, 0)
            quiet = quiet + 1 if self._heard == before else 0
            if quiet == _QUIET_TURNS:
                break
        if self._subscription is not None:
            self._subscription.stop()
        await self._keeping.stop()
        self._lock.release()

    def _subscribe(self) -> None:
        kinds = None if self._is_tracing else ORDINARY
        self._subscription = self._bus.subscribe(self._take, kinds)

    def _take(self, event: Event) -> None:
        self._heard += 1
        event, late = self._unclaimed.settle(event)
        self._keeping.put(event)
        self._readers.offer(event)
        for each in late:
            self._readers.offer_late(each)


def _bounds(config: Config) -> Bounds:
    kept = config.monitor
    return Bounds(kept.count, kept.bytes, kept.age)
