"""
Tests for `sipsorcery.proxy.stepping`.
"""

from __future__ import annotations

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    NotACoroutineError,
    fail,
    succeed,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.stepping import begin


class BeginTests(SynchronousTestCase):
    """
    Coroutines that wait, or do not.
    """

    def setUp(self) -> None:
        self.done: list[object] = []

    async def run_through(self, *waiting: Deferred[object]) -> None:
        """
        Wait for some things, and note what comes of them.
        """
        for one in waiting:
            try:
                self.done.append(await one)
            except ZeroDivisionError:
                self.done.append("failed")
        self.done.append("end")

    def test_nothing_to_wait_for(self) -> None:
        """
        A coroutine that waits for nothing, or for what is there, has ended at once.
        """
        self.assertIsNone(begin(self.run_through()))
        self.assertIsNone(
            begin(self.run_through(succeed(1), fail(ZeroDivisionError())))
        )
        self.assertEqual(self.done, ["end", 1, "failed", "end"])

    def test_waiting(self) -> None:
        """
        One that waits goes on with what comes: a result, or an error.
        """
        first: Deferred[object] = Deferred()
        second: Deferred[object] = Deferred()
        ended = begin(self.run_through(first, succeed(2), second, succeed(3)))
        assert ended is not None
        self.assertNoResult(ended)
        first.callback(1)
        self.assertEqual(self.done, [1, 2])
        second.errback(ZeroDivisionError())
        self.assertEqual(self.done, [1, 2, "failed", 3, "end"])
        self.assertIsNone(self.successResultOf(ended))

    def test_error(self) -> None:
        """
        An error ends it: at once it is raised, later the Deferred fails with it.
        """

        async def fails(waiting: Deferred[None]) -> None:
            await waiting
            raise KeyError("x")

        self.assertRaises(KeyError, begin, fails(succeed(None)))
        waiting: Deferred[None] = Deferred()
        ended = begin(fails(waiting))
        assert ended is not None
        waiting.callback(None)
        self.failureResultOf(ended, KeyError)

    def test_cancelled(self) -> None:
        """
        Who gives up waiting ends what the coroutine waits for, and the coroutine.
        """
        cancelled: list[object] = []
        waiting: Deferred[object] = Deferred(cancelled.append)
        ended = begin(self.run_through(waiting))
        assert ended is not None
        clock = Clock()
        ended.addTimeout(1, clock)
        clock.advance(1)
        self.assertEqual(cancelled, [waiting])
        self.assertEqual(self.done, [])
        self.failureResultOf(ended)

    def test_other_things(self) -> None:
        """
        A Deferred is waited for as it is; what is nothing to wait for is an error.
        """
        waiting: Deferred[None] = Deferred()
        self.assertIs(begin(waiting), waiting)
        self.assertRaises(NotACoroutineError, begin, 7)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
