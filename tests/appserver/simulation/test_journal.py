"""
Tests for :mod:`sipsorcery.appserver.simulation.journal`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Value,
)
from sipsorcery.appserver.plans.engine import Step as Next
from sipsorcery.appserver.simulation.journal import Journal, JournalledEngine

T = TypeVar("T")

REQUEST = PlanRequest(owner="joe", plan="main")
KEY = ("joe", "main")


class Scripted:
    """
    An engine, and its one run, that gives what it is told to.
    """

    def __init__(self, *steps: Next) -> None:
        self._steps = [*steps]
        self.given: list[Value | HostError] = []

    async def start(self, script: str, request: PlanRequest) -> tuple[Scripted, Next]:
        """
        Give the first step.
        """
        return self, self._steps.pop(0)

    async def resume(self, value: Value | HostError) -> Next:
        """
        Give the next one.
        """
        self.given.append(value)
        return self._steps.pop(0)


class JournalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.seconds = 0.0
        self.journal = Journal(lambda: self.seconds, self.foresee)

    async def foresee(self, request: PlanRequest, call: HostCall) -> tuple[str, ...]:
        """
        Foresee one target.
        """
        return ("sip:101@example.com",)

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run what does not wait.
        """
        result: T = self.successResultOf(Deferred.fromCoroutine(coroutine))
        return result

    def test_steps(self) -> None:
        """
        Each host call is written down with its result and its times, and what the
        dialplan has said before it.
        """
        end = End(480, "x", ("bye",))
        engine = Scripted(
            HostCall("dial", {"to": "101"}, ("hello",)), HostCall("db_read"), end
        )
        run, _ = self.now(JournalledEngine(engine, self.journal).start("", REQUEST))
        self.seconds = 3.0
        self.now(run.resume({"status": 486}))
        self.assertIs(self.now(run.resume(HostError("no"))), end)
        self.assertEqual(engine.given, [{"status": 486}, HostError("no")])
        self.assertEqual(
            [
                (each.call, each.result, each.targets, each.at, each.ended)
                for each in self.journal.steps
            ],
            [
                ("log", None, (), 0, 0),
                ("dial", {"status": 486}, ("sip:101@example.com",), 0, 3),
                ("db_read", {"error": "no"}, (), 3, 3),
                ("log", None, (), 3, 3),
            ],
        )

    def test_notes(self) -> None:
        """
        What happens is noted at the step of that dialplan that is under way.
        """
        step = self.now(self.journal.begin(REQUEST, HostCall("dial")))
        self.seconds = 1.0
        self.journal.note(KEY, "rings")
        self.journal.note(("eve", "main"), "rings, too")
        self.journal.end(step, None)
        self.journal.note(KEY, "is over")
        self.assertEqual(step.notes, [(1, "rings")])

    def test_close(self) -> None:
        """
        In the end, dials of those who lead to the answer are answered, others are
        cancelled.
        """
        home = PlanRequest(owner="joe", plan="home")
        steps = [
            self.now(self.journal.begin(REQUEST, HostCall("dial"))),
            self.now(self.journal.begin(home, HostCall("dial"))),
            self.now(self.journal.begin(REQUEST, HostCall("respond"))),
        ]
        self.journal.close({KEY})
        self.assertEqual(
            [each.result for each in steps],
            [
                {"outcome": "answered", "status": 200, "reason": "OK"},
                {"outcome": "cancelled", "status": 487},
                None,
            ],
        )

    def test_bound(self) -> None:
        """
        A dialplan that never ends does not fill the memory.
        """
        for _ in range(10_001):
            self.journal.say(REQUEST, "x")
        self.assertEqual(len(self.journal.steps), 10_000)
