"""
Measure what an event costs: with no reader, and with the readers of many users.

Run it with ``python -m benchmarks.events``. The figures are processor time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

from twisted.internet.task import Clock

from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.readers import Reader, Readers
from sipsorcery.monitor.redis_bus import RedisBus

ROUNDS = 5
EVENTS = 50_000
USERS = 200
TERMS = 'event dialplan and not regex "[a-f]+z" and server appserver'


def main() -> None:
    """
    Print the best round of each.
    """
    bus = LocalBus(Clock())
    event = _event(0)
    readers = _readers()
    events = [_event(number) for number in range(USERS)]

    def ask(number: int) -> None:
        if bus.wants(EventKind.DIALPLAN_STEP):
            bus.emit(event)

    shared = RedisBus(Clock(), "redis://127.0.0.1")

    def ask_shared(number: int) -> None:
        if shared.wants(EventKind.DIALPLAN_STEP):
            shared.emit(event)

    measures: dict[str, Callable[[int], object]] = {
        "asked, and nobody reads": ask,
        "asked by Redis, and nobody reads": ask_shared,
        "emitted, and nobody reads": lambda number: bus.emit(event),
        "built and emitted, and nobody reads": lambda n: bus.emit(_event(n)),
        f"to {USERS} users and 2 administrators": lambda number: readers.offer(
            events[number % USERS]
        ),
    }
    for name, work in measures.items():
        print(f"{name:40}{_best(work):8.2f} us")


def _event(number: int) -> Event:
    return Event(
        time=0.0,
        server="appserver",
        kind=EventKind.DIALPLAN_STEP,
        owner=f"user{number % USERS}",
        message="dialling 100@example.com",
    )


def _readers() -> Readers:
    readers = Readers()
    viewers = [Viewer(f"user{number}") for number in range(USERS)]
    viewers += [Viewer(f"admin{number}", is_admin=True) for number in range(2)]
    for viewer in viewers:
        readers.add(Reader(Filter.parse(TERMS, viewer, now=0.0)))
    return readers


def _best(work: Callable[[int], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = process_time()
        for number in range(EVENTS):
            work(number)
        best = min(best, process_time() - start)
    return best / EVENTS * 1e6


if __name__ == "__main__":
    main()
