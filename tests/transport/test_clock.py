"""
Tests for `sipsorcery.transport.clock`.
"""

from __future__ import annotations

import time

from twisted.internet.base import ReactorBase
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.clock import make_monotonic


class Reactor(ReactorBase):
    """
    A reactor of Twisted that has nothing to watch.
    """

    def installWaker(self) -> None:
        """
        Do nothing: nobody sleeps.
        """


class MakeMonotonicTests(SynchronousTestCase):
    """
    A reactor whose clock has been replaced.
    """

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.now = 100.0  # of the clock that replaces the other
        self.called: list[str] = []

    def seconds(self) -> float:
        """
        Tell the time.
        """
        return self.now

    def turn(self, now: float) -> list[str]:
        """
        Let the reactor run at a time; give what has been called so far.
        """
        self.now = now
        self.reactor.runUntilCurrent()
        return self.called

    def test_call_later(self) -> None:
        """
        What is called later is called by that clock, and no other.
        """
        make_monotonic(self.reactor, self.seconds)
        self.assertEqual(self.reactor.seconds(), 100.0)
        call = self.reactor.callLater(5, self.called.append, "it")
        self.assertEqual(call.getTime(), 105.0)
        self.assertEqual(self.turn(101.0), [])
        self.assertEqual(self.reactor.timeout(), 4.0)
        call.reset(7)
        self.assertEqual(self.turn(107.9), [])
        self.assertEqual(self.turn(108.0), ["it"])

    def test_waiting(self) -> None:
        """
        What waits already is called when it would have been; order is kept.
        """
        self.reactor.callLater(9, self.called.append, "second")
        self.reactor.callLater(5, self.called.append, "first")
        self.reactor.callLater(6, self.called.append, "never").cancel()
        make_monotonic(self.reactor, self.seconds)
        self.assertEqual(self.turn(104.0), [])
        self.assertEqual(self.turn(105.0), ["first"])
        self.assertEqual(self.turn(107.0), ["first"])
        self.assertEqual(self.turn(109.0), ["first", "second"])

    def test_clock(self) -> None:
        """
        The clock is that of the system which nobody can set; twice is as once.
        """
        make_monotonic(self.reactor)
        call = self.reactor.callLater(5, self.called.append, "it")
        before = call.getTime()
        make_monotonic(self.reactor)
        self.assertEqual(call.getTime(), before)
        self.assertLess(abs(self.reactor.seconds() - time.monotonic()), 60)

    def test_others(self) -> None:
        """
        The clock of a test goes on as it did.
        """
        clock = Clock()
        make_monotonic(clock, self.seconds)
        clock.advance(3)
        self.assertEqual(clock.seconds(), 3)
