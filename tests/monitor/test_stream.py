"""
Tests for :mod:`sipsorcery.monitor.stream`.
"""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.stream import (
    Cursor,
    Entry,
    Outbox,
    StreamError,
    read_cursor,
    streams_of,
)
from tests.monitor.bus_contract import event

ME = "100-me"


def sent(entry: Entry) -> Entry:
    """
    Give an entry as Redis gives it back.
    """
    words = [
        each if isinstance(each, bytes) else str(each).encode() for each in entry.fields
    ]
    return Entry.of(words)


def times(events: list[Event]) -> list[float]:
    """
    Give what tells the events of the tests apart.
    """
    return [each.time for each in events]


class OutboxTests(SynchronousTestCase):
    """
    What waits to be sent.
    """

    def test_entries(self) -> None:
        """
        Events come whole, in order and numbered, some to an entry; they wait until they
        are taken.
        """
        outbox = Outbox(ME, 1000)
        for number in range(1, 81):
            outbox.put(event(number))
        entries = [*outbox.entries(10)]
        self.assertEqual(
            [(each.first, each.count) for each in entries],
            [(1, 32), (33, 32), (65, 16)],
        )
        self.assertEqual(sent(entries[0]).events()[0], event(1))
        self.assertEqual(times(sent(entries[2]).events()), [*range(65, 81)])
        self.assertEqual([each.first for each in outbox.entries(1)], [1])
        for each in entries:
            outbox.take(each)
        self.assertEqual((len(outbox), [*outbox.entries(1)]), (0, []))

    def test_long_events(self) -> None:
        """
        Long ones fill an entry sooner, and the longest has one to itself.
        """
        outbox = Outbox(ME, 1000)
        for size in (60_000, 9000, 9000, 9000):
            outbox.put(msgspec.structs.replace(event(1), message="x" * size))
        self.assertEqual([each.count for each in outbox.entries(10)], [1, 2, 1])

    def test_too_many(self) -> None:
        """
        Of more than fit, the oldest go, and are counted; who reads sees it from the
        numbers. What was under way when they went does not take others with it.
        """
        outbox = Outbox(ME, 3)
        for number in (1, 2, 3):
            outbox.put(event(number))
        (first,) = outbox.entries(1)
        for number in (4, 5):
            outbox.put(event(number))
        outbox.take(first)
        self.assertEqual((outbox.dropped, len(outbox)), (2, 2))
        (entry,) = outbox.entries(1)
        self.assertEqual((entry.first, times(entry.events())), (4, [4, 5]))


class CursorTests(SynchronousTestCase):
    """
    Where a reader is.
    """

    def entry(self, first: int, *numbers: int, publisher: str = ME) -> Entry:
        """
        Make an entry.
        """
        body = msgspec.msgpack.encode([event(number) for number in numbers])
        return Entry(publisher, first, len(numbers), body)

    def test_gap(self) -> None:
        """
        What is missing between two entries is counted; each process and each stream
        counts by itself.
        """
        cursor = Cursor(since=0)
        self.assertEqual(cursor.take("events", self.entry(1, 1, 2))[0], 0)
        missed, events = cursor.take("events", self.entry(8, 8))
        self.assertEqual((missed, times(events)), (5, [8]))
        self.assertEqual(cursor.take("traces", self.entry(1, 1))[0], 0)
        other = self.entry(1, 1, publisher="100-you")
        self.assertEqual(cursor.take("events", other)[0], 0)

    def test_again(self) -> None:
        """
        What comes again, or for a part, is taken once.
        """
        cursor = Cursor(since=0)
        cursor.take("events", self.entry(1, 1, 2))
        self.assertEqual(cursor.take("events", self.entry(1, 1, 2)), (0, []))
        missed, events = cursor.take("events", self.entry(2, 2, 3))
        self.assertEqual((missed, times(events)), (0, [3]))

    def test_beginning(self) -> None:
        """
        What a process emitted before the reader began is not missed; the first events
        of one that was started later are.
        """
        cursor = Cursor(since=100.5)
        old, young = (
            self.entry(50, 50, publisher="99-o"),
            self.entry(5, 5, publisher="101-y"),
        )
        self.assertEqual(cursor.take("events", old)[0], 0)
        self.assertEqual(cursor.take("events", young)[0], 4)

    def test_another_version(self) -> None:
        """
        Events that cannot be read are missed, and those that follow are not.
        """
        cursor = Cursor(since=0)
        self.assertEqual(cursor.take("events", Entry(ME, 1, 3, b"?")), (3, []))
        self.assertEqual(cursor.take("events", self.entry(4, 4))[0], 0)
        self.assertRaises(StreamError, Entry.of, [b"x", b"y"])
        self.assertRaises(StreamError, Entry.of, [b"p"])

    def test_written_down(self) -> None:
        """
        A cursor that was written down goes on where it was.
        """
        cursor = Cursor(since=0, places={"events": "7-0"})
        cursor.take("events", self.entry(1, 1))
        again = read_cursor(cursor.to_bytes())
        self.assertEqual(again, cursor)
        self.assertEqual(again.take("events", self.entry(3, 3))[0], 1)
        self.assertRaises(StreamError, read_cursor, b"?")

    def test_many_processes(self) -> None:
        """
        Those that have not been heard of for longest are forgotten.
        """
        cursor = Cursor(since=0)
        for number in range(1500):
            cursor.take("events", self.entry(1, 1, publisher=f"{number}-x"))
        self.assertEqual(len(cursor.numbers), 1000)
        self.assertIn("1499-x/events", cursor.numbers)

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=30))
    def test_nothing_twice_nothing_unnoticed(
        self, sendings: list[tuple[bool, int]]
    ) -> None:
        """
        Whatever is dropped, lost on the way or sent again: each event is read once at
        most, in order, and those that were read and those missed are all that were.
        """
        outbox, cursor = Outbox(ME, 20), Cursor(since=0)
        number, missed, read = 0, 0, list[float]()
        for arrives, count in sendings:
            for _ in range(count):
                number += 1
                outbox.put(event(number))
            for entry in outbox.entries(5):
                gone, events = cursor.take("events", entry)
                missed += gone
                read += times(events)
                if arrives:
                    outbox.take(entry)
        self.assertEqual(read, sorted(set(read)))
        if sendings:
            self.assertEqual(missed + len(read), number)


class StreamsTests(SynchronousTestCase):
    """
    Which stream has what.
    """

    def test_streams(self) -> None:
        """
        Traces have one of their own, so that who wants none does not read them.
        """
        self.assertEqual(streams_of({EventKind.FLOW_CLOSED}), ("events",))
        self.assertEqual(streams_of({EventKind.SIP_TRACE}), ("traces",))
        self.assertEqual(streams_of(frozenset(EventKind)), ("events", "traces"))
        self.assertEqual(streams_of(None), ("events", "traces"))
