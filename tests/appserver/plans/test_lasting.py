"""
Tests for runs of dialplans that another process goes on with, engine by engine.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import SnapshotError
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    LastingEngine,
    LastingRun,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.plans.implicit_plan import ImplicitEngine
from sipsorcery.appserver.plans.line_plan import LineEngine
from sipsorcery.appserver.plans.run_state import InnerRun, RunState
from sipsorcery.appserver.python.engine import PythonEngine
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.appserver.wizard.engine import WizardEngine
from sipsorcery.testing.threads import SteppedThreads

T = TypeVar("T")

REQUEST = PlanRequest(owner="joe", plan="main", caller=Caller("7"))
FAILED: Mapping[str, Value] = {"outcome": "failed", "status": 404, "reason": "Gone"}


class LastingTests(SynchronousTestCase):
    """
    What a run does next is the same there as here.
    """

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine that waits for workers only.
        """
        result: T = self.successResultOf(Deferred.fromCoroutine(coroutine))
        return result

    def dumped(self, engine: LastingEngine, script: str) -> bytes:
        """
        Run a dialplan to its first dial, and dump it.
        """
        run, step = self.now(engine.start(script, REQUEST))
        assert isinstance(step, HostCall)
        assert isinstance(run, LastingRun)
        dumped = run.dump()
        assert dumped is not None
        return dumped

    def after(self, engine: LastingEngine, script: str) -> Step:
        """
        Give what a dialplan does after its first dial, in another process.
        """
        dumped = self.dumped(engine, script)
        return self.now(engine.restore(dumped, REQUEST).resume(FAILED))

    def test_implicit(self) -> None:
        """
        What is done without a dialplan passes the failure on.
        """
        step = self.after(ImplicitEngine(), "7@example.com")
        self.assertEqual(step, End(404, "Gone"))

    def test_lines(self) -> None:
        """
        So does a line plan.
        """
        script = "exten => _X,1,Dial(,,a@b)\nexten => _X,2,Dial(,,c@d)"
        self.assertEqual(self.after(LineEngine(), script), End(404, "Gone"))

    def test_lines_between(self) -> None:
        """
        It cannot go on elsewhere with what is no dial.
        """
        script = "exten => _X,1,Respond(180)\nexten => _X,2,Dial(,,c@d)"
        run, step = self.now(LineEngine().start(script, REQUEST))
        assert isinstance(step, HostCall)
        self.assertEqual(step.name, "respond")
        self.assertIsNone(run.dump())

    def test_rules(self) -> None:
        """
        Rules go on with the next one, and end with the failure of the last.
        """
        rules = [
            {"direction": "out", "action": {"do": "dial", "to": to}}
            for to in ("a@b", "c@d")
        ]
        engine = WizardEngine()
        request = PlanRequest(caller=Caller("7"))
        run, _ = self.now(engine.start(json.dumps(rules), request))
        again = engine.restore(run.dump(), request)
        step = self.now(again.resume(FAILED))
        assert isinstance(step, HostCall)
        self.assertEqual(step.arguments["to"], "c@d")
        last = engine.restore(again.dump(), request)
        self.assertEqual(self.now(last.resume(None)), End(404, "Gone"))
        for broken in (b"", b"\x93", b"\x93\x90\x01\xc0"):
            with self.assertRaises(SnapshotError):
                engine.restore(broken, request)

    def test_python(self) -> None:
        """
        A script goes on with all that it knows, in another worker and another engine.
        """
        script = (
            "numbers = ['a@b', 'c@d']\n"
            "for number in numbers:\n"
            "    result = sys.dial(number)\n"
            "sys.respond(486, number + str(sys.last_failure_status))\n"
        )
        first, second = self.python(), self.python()
        run, _ = self.now(first.start(script, REQUEST))
        dumped = run.dump()
        assert dumped is not None
        again = second.restore(dumped, REQUEST)
        step = self.now(again.resume(FAILED))
        assert isinstance(step, HostCall)
        self.assertEqual(step.arguments["to"], "c@d")
        last = self.now(again.resume(FAILED))
        assert isinstance(last, HostCall)
        self.assertEqual(last.arguments["reason"], "c@d404")

    def test_python_has_its_turn(self) -> None:
        """
        A script that does not wait cannot be dumped.
        """
        engine = self.python()
        run, _ = self.now(engine.start("sys.dial('a@b')", REQUEST))
        run.waiting = None
        self.assertIsNone(run.dump())

    def test_python_broken(self) -> None:
        """
        What is of another version, or damaged, does not go on.
        """
        engine = self.python()
        with self.assertRaises(SnapshotError):
            engine.restore(b"\x91\x01", REQUEST)
        dumped = self.dumped(engine, "sys.dial('a@b')")
        damaged = dumped.replace(dumped[40:60], bytes(20))
        step = self.now(engine.restore(damaged, REQUEST).resume(FAILED))
        assert isinstance(step, End)
        self.assertEqual(step.status, 500)

    def python(self) -> PythonEngine:
        """
        Give an engine with a worker of its own.
        """
        workers = Workers(None, size=1, threads=SteppedThreads(waits=False))
        workers.start()
        self.addCleanup(workers.stop)
        return PythonEngine(workers)


class RunStateTests(SynchronousTestCase):
    """
    The state of a run.
    """

    def test_later(self) -> None:
        """
        Time that has passed is taken by it, and by those within it.
        """
        within = RunState(run=b"", taken=1.0, own=10.0, legs=20)
        inner = InnerRun(
            uri="sip:a",
            to="sip:a",
            sender="sip:b",
            sender_name=None,
            options="",
            username="a",
            domain="b",
            plan="in",
            version=1,
            language="python",
            state=within,
        )
        state = RunState(run=b"", taken=2.0, own=10.0, legs=20, inner=(inner,))
        later = state.later(5.0)
        self.assertEqual((later.taken, later.own), (7.0, 10.0))
        self.assertEqual(later.inner[0].state.taken, 6.0)
