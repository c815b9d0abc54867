"""
Tests for `sipsorcery.store.live.commit`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.errors import StoreOverloaded, StoreUnavailable
from sipsorcery.store.live import Record
from sipsorcery.store.live.commit import GroupCommit
from sipsorcery.store.live.table import Removal
from sipsorcery.testing.threads import SteppedThreads


class DiskFull(Exception):
    """
    What a disk might say.
    """


class GroupCommitTests(SynchronousTestCase):
    """
    Batches to a disk that writes when the test says so.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.threads = SteppedThreads()
        self.threads.start()
        self.batches: list[list[str]] = []
        self.is_full = False
        self.commit = GroupCommit(
            self.clock, self.threads, self.write, timeout=2.0, limit=4
        )

    def write(self, batch: str) -> None:
        """
        Write a batch to the disk; note of each change what it would leave there.
        """
        if self.is_full:
            raise DiskFull
        rows: list[list[Any]] = msgspec.json.decode(batch)
        self.batches.append(
            [f"{row[1]}{row[3] if len(row) > 2 else '-'}" for row in rows]
        )

    def add(self, key: str, expiry: float | None = 1) -> Deferred[str]:
        """
        Add a record, or with None its removal.
        """
        if expiry is None:
            return self.commit.add(Removal("call", key), key)
        return self.commit.add(Record("call", key, b"", expiry), key)

    def turn(self) -> None:
        """
        End the turn of the reactor, and let the disk write.
        """
        self.clock.advance(0)
        self.threads.step()

    def test_one_batch(self) -> None:
        """
        What comes in one turn of the reactor is one batch.
        """
        waiting = [self.add("a"), self.add("b"), self.add("c", None)]
        self.assertEqual(self.threads.calls, [])
        self.turn()
        self.assertEqual(self.batches, [["a1", "b1", "c-"]])
        self.assertEqual(
            [self.successResultOf(each) for each in waiting], ["a", "b", "c"]
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_last_change(self) -> None:
        """
        Of several changes to a record the last is written, and all are answered.
        """
        waiting = [self.add("a"), self.add("a", None), self.add("b"), self.add("a", 3)]
        self.turn()
        self.assertEqual(self.batches, [["a3", "b1"]])
        for each in waiting:
            self.successResultOf(each)

    def test_next_batch(self) -> None:
        """
        What comes while a batch is written is the next one, which begins by itself.
        """
        first = self.add("a")
        self.clock.advance(0)
        second = [self.add("a", 2), self.add("b")]
        self.clock.advance(0)
        self.assertEqual(len(self.threads.calls), 1)
        self.threads.step()
        self.successResultOf(first)
        self.assertNoResult(second[0])
        self.threads.step()
        self.assertEqual(self.batches, [["a1"], ["a2", "b1"]])
        for each in second:
            self.successResultOf(each)

    def test_change_from_an_answer(self) -> None:
        """
        Whoever is answered may ask for the next change at once.
        """
        self.add("a").addCallback(lambda _: self.add("a", 2))
        self.turn()
        self.turn()
        self.assertEqual(self.batches, [["a1"], ["a2"]])

    def test_overload(self) -> None:
        """
        When as many wait as may, the next is refused, until some have their answer.
        """
        for _ in range(4):
            self.add("a")
        self.assertRaises(StoreOverloaded, self.add, "a")
        self.clock.advance(0)
        self.assertRaises(StoreOverloaded, self.add, "b")
        self.threads.step()
        self.assertEqual(self.batches, [["a1"]])
        self.add("b")

    def test_disk_refuses(self) -> None:
        """
        What the disk refuses is written as soon as it can be, with what came meanwhile.
        """
        self.is_full = True
        first = self.add("a")
        other = self.add("b")
        self.turn()
        second = self.add("a", 2)
        self.clock.advance(0.25)
        self.assertEqual(self.threads.calls, [])
        for each in (first, second, other):
            self.assertNoResult(each)
        self.is_full = False
        self.clock.advance(0.25)
        self.threads.step()
        self.assertEqual(self.batches, [["a2", "b1"]])
        for each in (first, second, other):
            self.successResultOf(each)
        self.assertEqual(len(self.flushLoggedErrors(DiskFull)), 1)

    def test_disk_stays_away(self) -> None:
        """
        Whoever waits is told after two seconds; the change is written all the same. The
        log says once that the disk went.
        """
        self.is_full = True
        first = self.add("a")
        for _ in range(3):
            self.clock.advance(0.5)
            self.threads.step()
        second = self.add("b")
        self.assertNoResult(first)
        self.clock.advance(0.5)
        self.failureResultOf(first, StoreUnavailable)
        self.assertNoResult(second)
        self.threads.step()
        third = self.add("c")
        self.is_full = False
        self.clock.advance(0.5)
        self.threads.step()
        self.assertEqual(self.batches, [["a1", "b1", "c1"]])
        self.successResultOf(second)
        self.successResultOf(third)
        self.assertEqual(len(self.flushLoggedErrors(DiskFull)), 1)

    def test_unsaved_records(self) -> None:
        """
        When nobody waits any more, as many records as may wait are kept; only they can
        still change.
        """
        self.is_full = True
        for key in "abcd":
            self.add(key).addErrback(lambda failure: failure.trap(StoreUnavailable))
        for _ in range(5):
            self.clock.advance(0.5)
            self.threads.step(len(self.threads.calls))
        self.assertRaises(StoreOverloaded, self.add, "e")
        changed = self.add("a", 2)
        self.is_full = False
        self.clock.advance(0.5)
        self.threads.step()
        self.successResultOf(changed)
        self.assertEqual(self.batches, [["a2", "b1", "c1", "d1"]])
        self.flushLoggedErrors(DiskFull)

    def test_slow_disk(self) -> None:
        """
        Whoever waits for a disk that does nothing at all is told after two seconds.
        """
        first = self.add("a")
        self.clock.advance(0)
        second = self.add("b")
        self.clock.advance(2)
        self.failureResultOf(first, StoreUnavailable)
        self.failureResultOf(second, StoreUnavailable)
        third = self.add("b", 3)
        self.threads.step(2)
        self.assertEqual(self.batches, [["a1"], ["b3"]])
        self.successResultOf(third)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failing_caller(self) -> None:
        """
        A caller that fails on its answer takes nobody else's away.
        """
        first = self.add("a").addCallback(lambda _: 1 / 0)
        second = self.add("b")
        self.turn()
        self.successResultOf(second)
        self.failureResultOf(first, ZeroDivisionError)

    def test_finish(self) -> None:
        """
        To finish is to write all that was asked for until then.
        """
        self.successResultOf(self.commit.finish())
        self.add("a")
        finished = self.commit.finish()
        self.clock.advance(0)
        self.add("b")
        self.threads.step()
        self.assertNoResult(finished)
        self.threads.step()
        self.successResultOf(finished)
        self.commit.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_writing(self) -> None:
        """
        Whatever becomes of a batch that is under way at the end, no other is begun.
        """
        for self.is_full in (False, True):
            self.commit = GroupCommit(
                self.clock, self.threads, self.write, timeout=2.0, limit=4
            )
            waiting = [self.add("a")]
            self.clock.advance(0)
            waiting.append(self.add("b"))
            self.commit.stop()
            self.threads.step()
            self.assertEqual(self.threads.calls, [])
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.failureResultOf(waiting[1], StoreUnavailable)
            if self.is_full:
                self.failureResultOf(waiting[0], StoreUnavailable)
            else:
                self.successResultOf(waiting[0])
        self.flushLoggedErrors(DiskFull)

    def test_stop(self) -> None:
        """
        Who still waits at the end is told, and nothing is begun any more.
        """
        self.is_full = True
        waiting = self.add("a")
        self.turn()
        self.commit.stop()
        self.failureResultOf(waiting, StoreUnavailable)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.flushLoggedErrors(DiskFull)
