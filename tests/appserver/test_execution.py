"""
Tests for `sipsorcery.appserver.execution` and `sipsorcery.appserver.plan_leg`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dialling import Answered, Budget
from sipsorcery.appserver.engine import End, HostCall, HostError, PlanRequest, Step
from sipsorcery.appserver.engine import Value as PlanValue
from sipsorcery.appserver.execution import Execution, Story
from sipsorcery.appserver.legs import Listener
from sipsorcery.appserver.line_plan import LineEngine
from sipsorcery.appserver.plans import Plan
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.resolution import Target
from sipsorcery.appserver.template import Caller
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Session
from tests.appserver.test_dialling import FakeLeg
from tests.appserver.test_resolution import Stored, account


class ScriptedEngine:
    """
    An engine whose scripts are lists of host calls, and which keeps what it is told.
    """

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.told: list[PlanValue | HostError] = []
        self.requests: list[PlanRequest] = []

    async def start(
        self, script: str, request: PlanRequest
    ) -> tuple[ScriptedRun, Step]:
        """
        Start a run.
        """
        self.requests.append(request)
        run = ScriptedRun(self, [*self._steps, End(480)])
        return run, await run.resume(None)


class ScriptedRun:
    """
    One run: the steps one after the other.
    """

    def __init__(self, engine: ScriptedEngine, steps: list[Step]) -> None:
        self._engine = engine
        self._steps = steps

    async def resume(self, value: PlanValue | HostError) -> Step:
        """
        Give the next step.
        """
        if value is not None:
            self._engine.told.append(value)
        return self._steps.pop(0)


class FakePlans:
    """
    The incoming dialplans of accounts, by their names.
    """

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans

    async def of(self, called: Account, direction: Direction) -> Plan:
        """
        Find the plan of an account.
        """
        found = self._plans.get(called.in_dialplan or "")
        if found is None:
            raise Refused(Code.PLAN_MISSING)
        return found


def lines(name: str, text: str) -> Plan:
    """
    Make a line plan.
    """
    return Plan("owner", name, 1, LineEngine(), text)


class ExecutionTests(SynchronousTestCase):
    """
    Runs of dialplans: this is the audience.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.legs: dict[str, FakeLeg] = {}
        self.heard: list[tuple[int, str]] = []
        self.steps: list[str] = []
        self.accounts: list[Account] = []
        self.plans: dict[str, Plan] = {}

    def run_plan(self, plan: Plan, *, hops: int = 70, legs: int = 20) -> Execution:
        """
        Run a dialplan for a call of alice to 100; what comes of it is in `result`.
        """
        caller = Caller("100", "Alice", "alice", "example.org")
        stored = Stored(*self.accounts)
        story = Story(
            account=account("alice"),
            plan=plan,
            direction=Direction.OUT,
            caller=caller,
            sender=SIPURI.parse("sip:alice@example.org"),
            network_id="",
            hops=hops,
            before=frozenset({plan.key}),
            request=PlanRequest(caller=caller),
        )
        plans: Any = FakePlans(self.plans)
        execution = Execution(
            self.clock, plans, lambda account: stored, story, Budget(legs), self
        )
        self.result = Deferred.fromCoroutine(execution.run())
        return execution

    def refused(self) -> Refused:
        """
        Give the result, which is none.
        """
        result = self.successResultOf(self.result)
        assert isinstance(result, Refused)
        return result

    def outcome(self) -> tuple[int, Code]:
        """
        Give status and code of it.
        """
        refused = self.refused()
        return refused.status, refused.code

    # As an audience

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Keep the status.
        """
        self.heard.append((response.status, response.reason))

    def responded(self, status: int, reason: str) -> None:
        """
        Likewise.
        """
        self.heard.append((status, reason))

    def stepped(self, story: Story, text: str) -> None:
        """
        Keep the sentence.
        """
        self.steps.append(text)

    def call(self, target: Target, listener: Listener, story: Story) -> FakeLeg:
        """
        Make a leg and keep it by its user.
        """
        leg = self.legs[str(target.uri.user)] = FakeLeg(target, listener)
        return leg

    # Line plans

    def test_answered(self) -> None:
        """
        Who answers what a line dials has the call.
        """
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,${EXTEN}@far.test)"))
        self.legs["100"].ring()
        self.legs["100"].answer()
        self.assertEqual(self.heard, [(180, "Ringing")])
        self.assertIsInstance(self.successResultOf(self.result), Answered)

    def test_not_answered(self) -> None:
        """
        What the legs say is what the caller hears, with a code that says so.
        """
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,${EXTEN}@far.test)"))
        self.legs["100"].fail(486)
        self.assertEqual(self.outcome(), (486, Code.NOT_ANSWERED))

    def test_responses(self) -> None:
        """
        A provisional response is passed on, and a final one ends the run.
        """
        plan = "exten => 100,1,Respond(181,Wait)\nexten => 100,2,Respond(603,Go)"
        self.run_plan(lines("out", plan))
        self.assertEqual(self.heard, [(181, "Wait")])
        self.assertEqual(self.outcome(), (603, Code.PLAN_REFUSED))

    def test_no_extension(self) -> None:
        """
        A number that no line matches is refused by the dialplan.
        """
        self.run_plan(lines("out", "exten => 200,1,Respond(486)"))
        self.assertEqual(self.outcome(), (404, Code.PLAN_REFUSED))

    def test_faulty(self) -> None:
        """
        A script that is none is told as that, and its owner what is wrong.
        """
        self.run_plan(lines("out", "exten => 200"))
        self.assertEqual(self.outcome(), (500, Code.PLAN_FAULTY))
        self.assertIn("line 1", self.steps[-1])

    def test_nobody(self) -> None:
        """
        A dial that leads to nobody is 404 if nobody of the name is there, else 480.
        """
        plan = lines("out", "exten => _X.,1,Dial(,,bob@local)")
        self.run_plan(plan)
        self.assertEqual(self.outcome(), (404, Code.NOBODY_TO_CALL))
        self.accounts = [account("bob", user_disabled="moved")]
        self.run_plan(plan)
        self.assertEqual(self.outcome(), (480, Code.NOBODY_TO_CALL))
        self.assertEqual(self.legs, {})

    # Any engine

    def test_options_of_a_dial(self) -> None:
        """
        A dial says how long it rings and how long the call lasts, unless a leg says
        otherwise.
        """
        arguments: Mapping[str, PlanValue] = {
            "to": "a@far.test&b@far.test[cd=7]",
            "ring": 5,
            "limit": 60,
        }
        engine = ScriptedEngine(HostCall("dial", arguments))
        self.run_plan(Plan("owner", "out", 1, engine, "x"))
        limits = [leg.target.options.max_duration for leg in self.legs.values()]
        self.assertEqual(limits, [60, 7])
        self.clock.advance(5)
        self.assertEqual(engine.told[0]["outcome"], "timed out")  # type: ignore[call-overload, index]  # a mapping

    def test_faults_of_a_dialplan(self) -> None:
        """
        What cannot be done is an error for the dialplan, which goes on.
        """
        engine = ScriptedEngine(
            HostCall("fly", {}),
            HostCall("respond", {"status": 99}),
            HostCall("dial", {"to": "a@[["}),
            HostCall("dial", {}),
        )
        self.run_plan(Plan("owner", "out", 1, engine, "x"))
        kinds = [isinstance(each, HostError) for each in engine.told]
        self.assertEqual(kinds, [True, True, False, False])
        self.assertEqual(self.outcome(), (480, Code.PLAN_ENDED))

    def test_run_again(self) -> None:
        """
        Where a leg says so, a redirection starts the dialplan anew, once.
        """
        engine = ScriptedEngine(HostCall("dial", {"to": "a@far.test[rm=n]"}))
        self.run_plan(Plan("owner", "out", 1, engine, "x"))
        self.legs["a"].fail(302, "sip:b@far.test")
        self.assertEqual(len(engine.requests), 2)
        self.assertEqual(engine.requests[1].redirect_uri, "sip:b@far.test")
        self.legs["a"].fail(302, "sip:b@far.test")
        self.assertEqual(len(engine.requests), 2)
        self.assertEqual(engine.told[0]["redirect_uri"], "sip:b@far.test")  # type: ignore[call-overload, index]  # a mapping

    def test_budget(self) -> None:
        """
        The dials of one call have so many legs together.
        """
        dial = HostCall("dial", {"to": "a@far.test&b@far.test"})
        self.run_plan(Plan("owner", "out", 1, ScriptedEngine(dial, dial), "x"), legs=3)
        for leg in [*self.legs.values()]:
            leg.fail(486)
        self.assertEqual(self.legs["b"].done, ["start"])
        self.legs["a"].fail(486)
        self.assertEqual(self.refused().code, Code.PLAN_ENDED)

    # Dialplans of callees

    def test_callee(self) -> None:
        """
        The callee's own dialplan decides what becomes of a call to their account: it
        sees the callee as dialled, and what it dials rings.
        """
        self.accounts = [account("bob", in_dialplan="bobs")]
        self.plans = {"bobs": lines("bobs", "exten => bob,1,Dial(,,cell@far.test)")}
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,bob@local)"))
        self.legs["cell"].ring()
        self.assertEqual(self.heard, [(180, "Ringing")])
        session = self.legs["cell"].answer()
        result = self.successResultOf(self.result)
        assert isinstance(result, Answered)
        self.assertIs(result.session, session)
        self.assertEqual(result.target.uri.user, "cell")

    def test_callee_refuses(self) -> None:
        """
        What the callee's dialplan responds is the end of that leg.
        """
        self.accounts = [account("bob", in_dialplan="bobs")]
        self.plans = {"bobs": lines("bobs", "exten => _.,1,Respond(603,Never)")}
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,bob@local)"))
        self.assertEqual(self.outcome(), (603, Code.NOT_ANSWERED))

    def test_callee_rings_own_phones(self) -> None:
        """
        A dialplan that dials the account it runs for rings its phones.
        """
        self.accounts = [account("bob", in_dialplan="bobs")]
        self.plans = {"bobs": lines("bobs", "exten => _.,1,Dial(,,bob@local)")}
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,bob@local)"))
        self.assertEqual(self.legs["bob"].target.uri.host, "192.0.2.0")

    def test_loop(self) -> None:
        """
        Two dialplans that dial each other come to an end: 482.
        """
        self.accounts = [
            account("bob", in_dialplan="bobs"),
            account("carol", in_dialplan="carols"),
        ]
        self.plans = {
            "bobs": lines("bobs", "exten => _.,1,Dial(,,carol@local)"),
            "carols": lines("carols", "exten => _.,1,Dial(,,bob@local)"),
        }
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,bob@local)"))
        self.assertEqual(self.refused().status, 482)
        self.assertEqual(self.legs, {})

    def test_hops(self) -> None:
        """
        Each dialplan takes one off Max-Forwards, and the last one is not run: 483.
        """
        names = [f"u{number}" for number in range(5)]
        self.accounts = [account(name, in_dialplan=name) for name in names]
        self.plans = {
            name: lines(name, f"exten => _.,1,Dial(,,{following}@local)")
            for name, following in zip(names, [*names[1:], "phone"], strict=True)
        }
        self.run_plan(lines("out", "exten => _X.,1,Dial(,,u0@local)"), hops=3)
        self.assertEqual(self.refused().status, 483)

    def test_plan_missing(self) -> None:
        """
        A callee whose dialplan is missing is not reached, and the others are.
        """
        self.accounts = [account("bob", in_dialplan="gone")]
        to = {"to": "bob@local&a@far.test"}
        engine = ScriptedEngine(HostCall("dial", to))
        self.run_plan(Plan("owner", "out", 1, engine, "x"))
        self.legs["a"].answer()
        self.assertIsInstance(self.successResultOf(self.result), Answered)

    # The end

    def test_stop(self) -> None:
        """
        When the caller has gone, the phones that callees' dialplans ring stop, too.
        """
        self.accounts = [account("bob", in_dialplan="bobs")]
        self.plans = {"bobs": lines("bobs", "exten => bob,1,Dial(,,cell@far.test)")}
        execution = self.run_plan(lines("out", "exten => _X.,1,Dial(,,bob@local)"))
        self.legs["cell"].ring()
        execution.stop()
        self.result.cancel()
        self.failureResultOf(self.result, CancelledError)
        self.assertEqual(self.legs["cell"].done, ["start", "cancel"])
        self.legs["cell"].fail(487)
        self.assertEqual(self.clock.getDelayedCalls(), [])
