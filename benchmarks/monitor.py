"""
Measure the monitor with 5,000 events a second and many who look.

There are 200 users, each with a reader and a filter of their own, and two
administrators who see all; the window is on the disk. A third administrator never takes
anything. Run it with ``python -m benchmarks.monitor``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from time import process_time
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.task import LoopingCall

from sipsorcery.config import Config
from sipsorcery.config.tree import Server
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.service import MonitorService
from sipsorcery.monitor.view import Following

SECONDS = 5
RATE = 5000
USERS = 200
TERMS = 'event dialplan and not regex "[a-f]+z" and server appserver'
_TICK = 0.02


class Looking:
    """
    One who looks, and keeps up.

    :ivar taken: events that came.
    :ivar missed: events that did not.
    """

    def __init__(self, monitor: MonitorService, wanted: Filter) -> None:
        self.taken = self.missed = 0
        self._following = monitor.view.follow(wanted, self._wake)

    def _wake(self) -> None:
        while True:
            missed, events = self._following.take()
            self.missed += missed
            self.taken += len(events)
            if not events:
                return


class Measurement:
    """
    Emits for some seconds, and counts what arrives.
    """

    def __init__(self, reactor: Any, *, watched: bool) -> None:
        self._reactor = reactor
        self._bus = LocalBus(reactor)
        self._emitted = 0
        folder = Path(tempfile.mkdtemp())
        config = Config(server=Server(data_dir=folder))
        self.monitor = MonitorService(reactor, config, self._bus)
        self.monitor.startService()
        self.users: list[Looking] = []
        self.admins: list[Looking] = []
        self.slow: Following | None = None
        if watched:
            self._let_look()
        self._emitting = LoopingCall.withCount(self._emit)

    def run(self) -> None:
        """
        Emit, and print what came of it.
        """
        self._began, self._used = time.monotonic(), process_time()
        self._emitting.start(_TICK)
        self._reactor.callLater(SECONDS, self._end)

    def _let_look(self) -> None:
        names = [f"user{number}" for number in range(USERS)]
        self.users = [Looking(self.monitor, _filter(Viewer(name))) for name in names]
        root = Viewer("root", is_admin=True)
        self.admins = [Looking(self.monitor, _filter(root)) for _ in range(2)]
        self.slow = self.monitor.view.follow(_filter(root), lambda: None)

    def _emit(self, ticks: int) -> None:
        for _ in range(ticks * round(RATE * _TICK)):
            self._bus.emit(_event(self._emitted))
            self._emitted += 1

    def _end(self) -> None:
        self._emitting.stop()
        self._reactor.callLater(1, self._report)

    def _report(self) -> None:
        used = process_time() - self._used
        seconds = time.monotonic() - self._began - 1
        print(
            f"{self._emitted} events in {seconds:.1f} s, {len(self.users)} users: "
            f"{used / self._emitted * 1e6:.1f} us of processor time for each, "
            f"{self.monitor.dropped} not kept"
        )
        if self.slow is not None:
            seen, missed = _sum(self.users)
            print(f"  users have seen {seen} and missed {missed}")
            seen, missed = _sum(self.admins)
            print(f"  two administrators have seen {seen} and missed {missed}")
            print(f"  who never took any has missed {self.slow.take()[0]}")
        self.monitor.stopService().addBoth(lambda _: self._reactor.stop())


def _sum(looking: list[Looking]) -> tuple[int, int]:
    return sum(each.taken for each in looking), sum(each.missed for each in looking)


def _filter(viewer: Viewer) -> Filter:
    return Filter.parse(TERMS, viewer, now=0.0)


def _event(number: int) -> Event:
    return Event(
        time=time.time(),
        server="appserver",
        kind=EventKind.DIALPLAN_STEP,
        owner=f"user{number % USERS}",
        call_id=f"{number // 20}@192.0.2.1",
        dialogue=f"{number // 20:016x}",
        message="dialling 100@example.com",
        detail={"call": f"{number // 20:016x}", "plan": "default"},
    )


def main() -> None:
    """
    Measure with those who look, or without.
    """
    reactor: Any = installed_reactor
    measurement = Measurement(reactor, watched=sys.argv[1:] != ["unwatched"])
    reactor.callWhenRunning(measurement.run)
    reactor.run()


if __name__ == "__main__":
    main()
