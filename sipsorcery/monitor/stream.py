"""
Streams of events: entries with many of them, and where a reader is. Pure.

A process that emits gives each event of a stream the next number. An entry holds some
with numbers that follow each other; so a reader sees a gap, whoever has made it, and an
entry that comes a second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.event import Event, EventKind

# What an entry holds at most: events, and bytes before the last one. Less would make
# Redis busy with entries, more would make a stream of ten thousand entries too long.
_EVENTS = 32
_SIZE = 16_384
# Processes that a reader remembers: those of a month of restarts.
_PUBLISHERS = 1000
# Traces are most of all, and few read them: the others have a stream of their own.
_TRACES = frozenset({EventKind.SIP_TRACE})
_ENCODER = msgspec.msgpack.Encoder()
_EVENT_LIST = msgspec.msgpack.Decoder(list[Event])


class StreamError(MonitorError):
    """
    Says that an entry cannot be read.
    """


def streams_of(kinds: Collection[EventKind] | None) -> tuple[str, ...]:
    """
    Name the streams that have events of these kinds; None: all of them.
    """
    if kinds is None:
        return ("events", "traces")
    found = frozenset(kinds)
    return (
        *(("events",) if found - _TRACES else ()),
        *(("traces",) if found & _TRACES else ()),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """
    Some events of one process.

    :ivar publisher: names the process; begins with the second of its start.
    :ivar first: the number of the first event; they begin with 1.
    :ivar body: the events.
    """

    publisher: str
    first: int
    count: int
    body: bytes

    @property
    def fields(self) -> tuple[str | int | bytes, ...]:
        """
        The fields of the entry, as Redis takes them.
        """
        head = ("p", self.publisher, "n", self.first, "c", self.count)
        return (*head, "e", self.body)

    @classmethod
    def of(cls, fields: Sequence[bytes]) -> Entry:
        """
        Read the fields of an entry.

        :raises StreamError: if it is none of ours.
        """
        told = dict(zip(fields[::2], fields[1::2], strict=False))
        try:
            numbers = int(told[b"n"]), int(told[b"c"])
            return cls(told[b"p"].decode(), *numbers, told[b"e"])
        except (KeyError, ValueError) as error:
            raise StreamError(f"no entry of ours: {error}") from error

    def events(self) -> list[Event]:
        """
        Read the events.

        :raises StreamError: if they are of another version.
        """
        try:
            return _EVENT_LIST.decode(self.body)
        except msgspec.MsgspecError as error:
            raise StreamError(str(error)) from error


class Outbox:
    """
    Events that wait to be put into a stream.

    :param publisher: names the process.
    :param limit: how many wait; of more, the oldest are dropped.

    :ivar dropped: how many were.
    """

    def __init__(self, publisher: str, limit: int) -> None:
        self.dropped = 0
        self._publisher = publisher
        self._waiting: deque[Event] = deque(maxlen=limit)
        self._next = 1  # the number of the next event

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """
        Let an event wait.
        """
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(event)
        self._next += 1

    def entries(self, limit: int) -> Iterator[Entry]:
        """
        Give what waits, in entries, the first ones.
        """
        number = self._next - len(self._waiting)
        waiting = iter(tuple(self._waiting)[: limit * _EVENTS])
        for _ in range(limit):
            bodies: list[msgspec.Raw] = []
            size = 0
            for event in waiting:
                body = _ENCODER.encode(event)
                bodies.append(msgspec.Raw(body))
                size += len(body)
                if size >= _SIZE or len(bodies) == _EVENTS:
                    break
            if not bodies:
                return
            data = _ENCODER.encode(bodies)
            yield Entry(self._publisher, number, len(bodies), data)
            number += len(bodies)

    def take(self, entry: Entry) -> None:
        """
        Let the events of an entry wait no longer, as far as they still do.
        """
        first = self._next - len(self._waiting)
        for _ in range(max(0, entry.first + entry.count - first)):
            self._waiting.popleft()


@dataclass(slots=True)
class Cursor:
    """
    Where a reader is.

    :ivar since: when it began, in seconds since the epoch.
    :ivar places: the last entry that was read of each stream, as Redis names it.
    :ivar numbers: of each process and stream, the number that comes next.
    """

    since: float
    places: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def take(self, stream: str, entry: Entry) -> tuple[int, list[Event]]:
        """
        Take up the next entry.

        :return: how many events are missing before it, and those that are new in it; if
            these cannot be read, they are missing, too.
        """
        name = f"{entry.publisher}/{stream}"
        following = entry.first + entry.count
        expected = self.numbers.pop(name, None)
        if expected is None:
            # What a process emitted before we began was not for us.
            expected = entry.first if self._is_older(entry.publisher) else 1
        self.numbers[name] = max(expected, following)
        if len(self.numbers) > _PUBLISHERS:
            del self.numbers[next(iter(self.numbers))]
        missed = max(0, entry.first - expected)
        seen = max(0, expected - entry.first)
        try:
            return missed, entry.events()[seen:]
        except StreamError:
            return missed + entry.count - seen, []

    def to_bytes(self) -> bytes:
        """
        Write it down.
        """
        return _ENCODER.encode(self)

    def _is_older(self, publisher: str) -> bool:
        started = publisher.partition("-")[0]
        return not started.isdecimal() or int(started) < int(self.since)


def read_cursor(data: bytes) -> Cursor:
    """
    Read what was written down.

    :raises StreamError: if it is none.
    """
    try:
        return msgspec.msgpack.decode(data, type=Cursor)
    except msgspec.MsgspecError as error:
        raise StreamError(str(error)) from error
