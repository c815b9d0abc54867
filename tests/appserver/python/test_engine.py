"""
Tests for :mod:`sipsorcery.appserver.python.engine`, with real workers.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.python.engine import PythonEngine, PythonRun
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.testing.threads import SteppedThreads

T = TypeVar("T")

REQUEST = PlanRequest(
    owner="joe",
    plan="main",
    uri="sip:0441234@example.org",
    fields=(("From", '"Al" <sip:al@example.net>;tag=1'), ("X-A", "1")),
)


class EngineCase(SynchronousTestCase):
    """
    An engine whose turns are taken at once.
    """

    def setUp(self) -> None:
        self.workers = Workers(
            None,
            size=1,
            turn_seconds=0.2,
            memory=16 * 1024 * 1024,
            threads=SteppedThreads(waits=False),
        )
        self.workers.start()
        self.addCleanup(self.workers.stop)
        self.engine = PythonEngine(self.workers)

    def start(self, script: str) -> tuple[PythonRun, Step]:
        """
        Start a run.
        """
        return self.now(self.engine.start(script, REQUEST))

    def step(self, script: str) -> Step:
        """
        Give the first step of a run.
        """
        return self.start(script)[1]

    def go_on(self, run: PythonRun, value: Value | HostError) -> Step:
        """
        Give the next step.
        """
        return self.now(run.resume(value))

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine that waits for workers only.
        """
        result: T = self.successResultOf(Deferred.fromCoroutine(coroutine))
        return result


class RunTests(EngineCase):
    def test_dial(self) -> None:
        """
        A dialplan says whom to ring, and goes on when nobody has answered.
        """
        run, step = self.start(
            "number = req.uri.user[3:]\n"
            "result = sys.dial(number + '@trunk', ring=20)\n"
            "if result.status == 486:\n"
            "    sys.respond(486, 'In a call')\n"
        )
        self.assertEqual(step, HostCall("dial", {"to": "1234@trunk", "ring": 20}))
        step = self.go_on(run, {"status": 486, "reason": "Busy Here"})
        self.assertEqual(
            step, HostCall("respond", {"status": 486, "reason": "In a call"})
        )

    def test_end(self) -> None:
        """
        Whoever has had no answer gets a 480, or what the last dial came to.
        """
        self.assertEqual(
            self.step("x = 1"), End(480, "The dialplan has not answered the call")
        )
        run, _ = self.start("sys.dial('a')")
        self.assertEqual(
            self.go_on(run, {"status": 404, "reason": "Gone"}), End(404, "Gone")
        )

    def test_failure_is_known(self) -> None:
        """
        What the last dial came to is known to sys.
        """
        run, _ = self.start(
            "sys.dial('a')\nprint(sys.last_failure_status, sys.last_failure_reason)"
        )
        step = self.go_on(run, {"status": 503, "reason": "Full"})
        self.assertEqual(step.lines, ("503 Full",))

    def test_exit(self) -> None:
        """
        A dialplan may end itself anywhere.
        """
        for script in ("exit()", "raise SystemExit()"):
            step = self.step(f"def give_up():\n    {script}\ngive_up()\nsys.dial('a')")
            self.assertIsInstance(step, End, script)
            self.assertEqual(step.lines, ())

    def test_lines(self) -> None:
        """
        What is logged and printed is for the owner; there is a bound.
        """
        step = self.step("sys.log('one')\nprint('two\\nthree')\nsys.dial('a')")
        self.assertEqual(step.lines, ("one", "two", "three"))
        step = self.step("for i in range(150): print('x' * 1500)")
        self.assertEqual(len(step.lines), 100)
        self.assertEqual(max(map(len, step.lines)), 1000)

    def test_objects(self) -> None:
        """
        What the host gives has attributes, in lists, too; None stays None.
        """
        run, step = self.start(
            "for each in sys.get_bindings('joe'):\n    print(each.contact)\n"
            "print(crm.lookup_contact('https://example.org/'))"
        )
        self.assertEqual(step, HostCall("get_bindings", {"user": "joe"}))
        step = self.go_on(run, [{"contact": "sip:a@b"}])
        self.assertEqual(
            step,
            HostCall(
                "crm.lookup_contact", {"url": "https://example.org/"}, ("sip:a@b",)
            ),
        )
        self.assertEqual(self.go_on(run, None).lines, ("None",))

    def test_request(self) -> None:
        """
        A dialplan sees the request, and asks for any field of it.
        """
        step = self.step("print(req.from_name, req.from_uri.host, req.field('x-a'))")
        self.assertEqual(step.lines, ("Al example.net 1",))

    def test_time_zone(self) -> None:
        """
        The clock shows the owner's time; in a zone that nobody knows it shows UTC.
        """
        script = (
            "from datetime import datetime\nprint(datetime.now().astimezone().tzname())"
        )
        for zone, expected in (("Asia/Tokyo", "JST"), ("Nowhere/At_All", "UTC")):
            request = replace(REQUEST, time_zone=zone)
            _, step = self.now(self.engine.start(script, request))
            self.assertEqual(step.lines, (expected,))

    def test_host_error(self) -> None:
        """
        What the host cannot do is an error that a dialplan may catch.
        """
        script = "try:\n    sys.web_get('http://x')\nexcept Exception as e: print(e)"
        run, _ = self.start(script)
        self.assertEqual(self.go_on(run, HostError("not there")).lines, ("not there",))

    def test_other_worker(self) -> None:
        """
        While it waits a run is nothing but a snapshot: any worker goes on with it.
        """
        run, _ = self.start("greeting = 'hi'\nsys.dial('a')\nprint(greeting)")
        other = Workers(None, size=1, threads=SteppedThreads(waits=False))
        other.start()
        self.addCleanup(other.stop)
        run.workers = other
        step = self.go_on(run, {"status": 480, "reason": ""})
        self.assertEqual(step.lines, ("hi",))
        assert run.waiting is None


class FaultTests(EngineCase):
    def check(self, script: str) -> list[tuple[int, str]]:
        """
        Give the faults of a script.
        """
        checking = Deferred.fromCoroutine(self.engine.check(script, "joe"))
        found: list[tuple[int, str]] = []

        def faulty(failure: Failure) -> None:
            failure.trap(PlanErrors)
            assert isinstance(failure.value, PlanErrors)
            found.extend(failure.value.faults)

        self.successResultOf(checking.addErrback(faulty))
        return found

    def test_right(self) -> None:
        """
        A dialplan without faults passes, and does not run.
        """
        self.assertEqual(self.check("while True: sys.dial('100@local')"), [])

    def test_wrong(self) -> None:
        """
        An unknown name, a wrong argument and a syntax error are told with their places.
        """
        cases = [
            ("x = 1\nsys.dail('a')", 2, "column 1: .*dail"),
            ("sys.dial(3)", 1, "column 10: .*str"),
            ("if True\n    pass", 1, "column 8: "),
            ("unheard_of()", 1, "column 1: .*unheard_of"),
            ("req.colour", 1, "column 1: .*colour"),
        ]
        for script, line, text in cases:
            found = self.check(script)
            self.assertEqual(found[0][0], line, script)
            self.assertRegex(found[0][1], text)

    def test_too_long(self) -> None:
        """
        A script that nobody has written by hand is not looked at.
        """
        self.assertIn("characters", self.check("#" * 300_000)[0][1])

    def test_depth(self) -> None:
        """
        What the interpreter cannot read is refused, though the checker can.
        """
        found = self.check("x = " + "(" * 3000 + "1" + ")" * 3000)
        self.assertIn("deeply nested", found[0][1])

    def test_error(self) -> None:
        """
        An error ends the run with a 500 and tells the owner the line.
        """
        step = self.step("x = 1\n1 / 0")
        assert isinstance(step, End)
        self.assertEqual(step.status, 500)
        self.assertIn("line 2: ZeroDivisionError", step.lines[0])

    def test_endless(self) -> None:
        """
        An endless loop, a memory bomb and an endless recursion end in a 500.
        """
        for script in (
            "while True: pass",
            "x = [0]\nwhile True: x += x",
            "def f(): f()\nf()",
            "try:\n    while True: pass\nexcept BaseException:\n    sys.dial('a')",
        ):
            step = self.step(script)
            assert isinstance(step, End), script
            self.assertEqual(step.status, 500, script)
        self.assertIsInstance(self.step("sys.dial('a')"), HostCall)

    def test_worker_dies(self) -> None:
        """
        A worker that is killed costs its run a 500, and the next one nothing.
        """

        def kill(pool: Any) -> None:
            with pool.checkout() as session:
                os.kill(session.worker_pid, signal.SIGKILL)

        self.successResultOf(self.workers.run("joe", kill))
        self.assertIsInstance(self.step("sys.dial('a')"), HostCall)

    def test_bad_arguments(self) -> None:
        """
        What cannot be handed over is an error in the dialplan, not in the host.
        """
        for script in (
            "sys.log(object())",
            "sys.dial()",
            "sys.dial('a', colour=1)",
            "sys.dial('x' * 100_000)",
            "sys.dial(10 ** 30)",
            "sys.dial({1: 2})",
        ):
            step = self.step(script)
            assert isinstance(step, End), script
            self.assertEqual(step.status, 500, script)
