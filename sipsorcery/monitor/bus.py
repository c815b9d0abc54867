"""
The way of events from those who emit them to those who want them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol, TypeAlias

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from sipsorcery.monitor.event import Event, EventKind

Callback: TypeAlias = Callable[[Event], object]

# The traces of a busy second fit in, and every connection of a proxy that loses its
# network; at most some 20 MB of them.
_WAITING = 10_000
# Events for one subscriber in one turn of the reactor: at some microseconds each, less
# than a millisecond in which nobody else is served.
_AT_ONCE = 100
# Where turns are slow more comes in each: this part of what waits, some 10 ms at most.
_PART = 10


class Subscription(Protocol):
    """
    One subscriber's place at a bus.

    """

    @property
    def dropped(self) -> int:
        """
        Events that this subscriber was too slow for, or that were lost on the way.
        """

    def stop(self) -> None:
        """
        Deliver nothing any more, not even what waits.
        """


class Bus(Protocol):
    """
    Takes events from servers and hands them to subscribers.
    """

    @property
    def dropped(self) -> int:
        """
        Events that any subscriber was too slow for, or that were lost on the way.
        """

    @property
    def here(self) -> Bus:
        """
        The part of it that has the events of this process alone.
        """

    def wants(self, kind: EventKind) -> bool:
        """
        Tell whether anybody listens to a kind; else an event need not be built.
        """

    def emit(self, event: Event) -> None:
        """
        Hand an event over. This never blocks and never raises.
        """

    def subscribe(
        self, callback: Callback, kinds: Collection[EventKind] | None = None
    ) -> Subscription:
        """
        Have *callback* called with each event, in order, in a later turn.

        :param kinds: which to deliver; None: all.
        """


class LocalBus:
    """
    The bus of one process, to be used in the thread of its reactor.

    :param reactor: has time.
    :param waiting: how many events wait for one subscriber; of more, the oldest are
        dropped.

    """

    def __init__(self, reactor: IReactorTime, waiting: int = _WAITING) -> None:
        self._dropped = 0
        self._reactor = reactor
        self._waiting = waiting
        self._places: dict[EventKind, tuple[_Place, ...]] = {}

    @property
    def dropped(self) -> int:
        """
        Events that any subscriber was too slow for.
        """
        return self._dropped

    @property
    def here(self) -> Bus:
        """
        Itself.
        """
        return self

    def count_dropped(self) -> None:
        """
        Count one more.
        """
        self._dropped += 1

    def wants(self, kind: EventKind) -> bool:
        """
        Tell whether anybody listens to a kind.
        """
        return kind in self._places

    @property
    def backlog(self) -> int:
        """
        The most events that wait for any one subscriber.
        """
        places = {place for places in self._places.values() for place in places}
        return max((len(place) for place in places), default=0)

    def emit(self, event: Event) -> None:
        """
        Put an event in the queue of each subscriber who wants its kind.
        """
        for place in self._places.get(event.kind, ()):
            place.put(event)

    def subscribe(
        self, callback: Callback, kinds: Collection[EventKind] | None = None
    ) -> Subscription:
        """
        Have *callback* called with each event from now on.

        One that raises is reported in the log and goes on to be called.
        """
        place = _Place(self._reactor, callback, self._waiting, self)
        for kind in EventKind if kinds is None else frozenset(kinds):
            self._places[kind] = (*self._places.get(kind, ()), place)
        return place

    def forget(self, place: _Place) -> None:
        """
        Deliver nothing to a subscriber any more.
        """
        self._places = {
            kind: rest
            for kind, places in self._places.items()
            if (rest := tuple(each for each in places if each is not place))
        }


class _Place:
    """
    The queue of one subscriber.
    """

    _log = Logger(namespace="sipsorcery.monitor.bus.LocalBus")

    def __init__(
        self,
        reactor: IReactorTime,
        callback: Callback,
        waiting: int,
        bus: LocalBus,
    ) -> None:
        self.dropped = 0
        self._reactor = reactor
        self._callback = callback
        self._bus = bus
        self._queue: deque[Event] = deque(maxlen=waiting)
        self._turn: IDelayedCall | None = None  # there while something waits

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, event: Event) -> None:
        """
        Let an event wait for the next turn.
        """
        if len(self._queue) == self._queue.maxlen:
            self._count_dropped()
        self._queue.append(event)
        if self._turn is None:
            self._turn = self._reactor.callLater(0, self._deliver)

    def stop(self) -> None:
        """
        Deliver nothing any more.
        """
        self._bus.forget(self)
        self._queue.clear()
        turn, self._turn = self._turn, None
        if turn is not None and turn.active():
            turn.cancel()

    def _deliver(self) -> None:
        count = max(_AT_ONCE, len(self._queue) // _PART)
        for _ in range(min(len(self._queue), count)):
            # The subscriber may stop in the middle.
            if not self._queue:
                return
            event = self._queue.popleft()
            try:
                self._callback(event)
            except Exception:
                self._log.failure("A subscriber fails at {kind}", kind=event.kind)
        self._turn = self._reactor.callLater(0, self._deliver) if self._queue else None

    def _count_dropped(self) -> None:
        # Once for each power of ten: the log must not drown with it.
        self.dropped += 1
        self._bus.count_dropped()
        if str(self.dropped).strip("0") == "1":
            self._log.warn(
                "{count} events dropped: {subscriber} is too slow",
                count=self.dropped,
                subscriber=self._callback,
            )
