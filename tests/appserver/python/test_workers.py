"""
Tests for :mod:`sipsorcery.appserver.python.workers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.errors import EngineOverloaded
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.testing.threads import SteppedThreads


class RestTests(SynchronousTestCase):
    """
    What a long turn costs its owner.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.threads = SteppedThreads()
        self.workers = Workers(self.clock, size=2, threads=self.threads)
        self.workers.start()
        self.addCleanup(self.workers.stop)
        self.begun: list[str] = []

    def ask(self, owner: str, seconds: float = 0.0) -> None:
        """
        Ask for a turn that takes some time.
        """

        def work(_: Any) -> None:
            self.begun.append(owner)
            self.clock.rightNow += seconds

        self.workers.run(owner, work)

    def step_to_end(self) -> None:
        """
        Let every turn be taken that may be.
        """
        while self.threads.calls:
            self.threads.step()

    def test_rest(self) -> None:
        """
        Whoever had a long turn waits four times as long for the next one; meanwhile
        everybody else is served.
        """
        self.ask("joe", 1.0)
        self.ask("joe")
        self.step_to_end()
        self.ask("ann")
        self.step_to_end()
        self.assertEqual(self.begun, ["joe", "ann"])
        self.clock.advance(3.9)
        self.assertEqual(self.threads.calls, [])
        self.clock.advance(0.2)
        self.step_to_end()
        self.assertEqual(self.begun, ["joe", "ann", "joe"])

    def test_short(self) -> None:
        """
        After a turn of the usual length the next one follows at once.
        """
        for _ in range(3):
            self.ask("joe", 0.1)
        self.step_to_end()
        self.assertEqual(len(self.begun), 3)

    def test_stop(self) -> None:
        """
        Nothing is left of a rest when all is stopped.
        """
        self.ask("joe", 1.0)
        self.ask("joe")
        self.step_to_end()
        self.workers.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FairnessTests(SynchronousTestCase):
    """
    The order in which turns are taken.
    """

    def setUp(self) -> None:
        self.threads = SteppedThreads()
        self.threads.start()
        self.workers = Workers(None, size=4, threads=self.threads)
        self.begun: list[str] = []

    def ask(self, owner: str, name: str = "") -> Deferred[None]:
        """
        Ask for a turn of an owner.
        """

        def work(_: Any) -> None:
            self.begun.append(name or owner)

        done: Deferred[None] = self.workers.run(owner, work)
        return done

    def step_to_end(self) -> None:
        """
        Let every turn be taken.
        """
        while self.threads.calls:
            self.threads.step()

    def test_order(self) -> None:
        """
        The turns of one owner are taken in their order.
        """
        for name in "abc":
            self.ask("joe", name)
        self.step_to_end()
        self.assertEqual(self.begun, ["a", "b", "c"])

    def test_share(self) -> None:
        """
        One owner has at most half of the workers; another one is served at once.
        """
        for _ in range(10):
            self.ask("joe")
        self.assertEqual(len(self.threads.calls), 2)
        self.ask("ann")
        self.assertEqual(len(self.threads.calls), 3)

    def test_in_turn(self) -> None:
        """
        Owners who wait are served in turn, however much one of them asks.
        """
        for _ in range(6):
            self.ask("joe")
        for _ in range(3):
            self.ask("ann")
            self.ask("bob")
        self.step_to_end()
        self.assertLess(self.begun.index("bob"), 5)
        self.assertEqual(sorted(self.begun), ["ann"] * 3 + ["bob"] * 3 + ["joe"] * 6)

    def test_bound(self) -> None:
        """
        Too many turns of one owner are refused, and others are not.
        """
        refused: list[object] = []
        for _ in range(300):
            self.ask("joe").addErrback(
                lambda failure: refused.append(failure.trap(EngineOverloaded))
            )
        self.assertEqual(len(refused), 98)  # 2 run and 200 wait
        self.assertNoResult(self.ask("ann"))

    def test_cancelled(self) -> None:
        """
        A turn that nobody waits for any more takes no worker.
        """
        self.ask("joe", "1")
        self.ask("joe", "2")
        unwanted = self.ask("joe", "3")
        self.ask("joe", "4")
        unwanted.cancel()
        self.failureResultOf(unwanted, CancelledError)
        self.step_to_end()
        self.assertEqual(self.begun, ["1", "2", "4"])

    def test_failure(self) -> None:
        """
        A turn that fails frees its worker.
        """

        def fail(_: Any) -> None:
            raise ValueError

        turns: list[Callable[[Any], None]] = [fail, fail, fail]
        failing = [self.workers.run("joe", each) for each in turns]
        self.step_to_end()
        for each in failing:
            self.failureResultOf(each, ValueError)
