"""
Tests for :mod:`sipsorcery.appserver.plans.execution`, with an engine that says what the
test wants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Listener
from sipsorcery.appserver.dial.dialling import Answered, Budget
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import EngineOverloaded
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.limits.allowance import Allowance
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.plan_request import describe
from sipsorcery.appserver.plans.plans import Plan, Plans
from sipsorcery.appserver.plans.running_time import RunningTime
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.errors import StoreUnavailable
from sipsorcery.ua import Session
from tests.appserver.dial.test_dialling import FakeLeg
from tests.appserver.switchboard import DOMAIN, NOW, Book

ACCOUNT = Account(owner="joe", username="100", domain=DOMAIN, created=NOW, updated=NOW)


class Said:
    """
    An engine, and a run: gives the steps of the test, one after the other.

    :ivar heard: what the run was resumed with.
    :ivar takes: seconds for each step.
    """

    def __init__(self, clock: Clock, *steps: Step | Exception) -> None:
        self._clock = clock
        self._steps = [*steps]
        self.heard: list[Value | HostError] = []
        self.requests: list[PlanRequest] = []
        self.takes = 0.0

    async def start(self, script: str, request: PlanRequest) -> tuple[Said, Step]:
        """
        Start.
        """
        self.requests.append(request)
        return self, await self._next()

    async def resume(self, value: Value | HostError) -> Step:
        """
        Go on.
        """
        self.heard.append(value)
        return await self._next()

    async def _next(self) -> Step:
        self._clock.advance(self.takes)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class ExecutionCase(SynchronousTestCase):
    """
    One run.

    :ivar told: what the owner is told.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.responses: list[int] = []
        self.legs: list[FakeLeg] = []

    # What an audience does

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a response of a leg.
        """
        self.responses.append(response.status)

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a response of the dialplan.
        """
        self.responses.append(status)

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what it does.
        """
        self.told.append(text)

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make a leg.
        """
        leg = FakeLeg(target, listener)
        self.legs.append(leg)
        return leg

    # The run

    def begin(
        self, *steps: Step | Exception, takes: float = 0.0, method: str = "INVITE"
    ) -> Deferred[Any]:
        """
        Begin a run that takes these steps.
        """
        self.said = Said(self.clock, *steps)
        self.said.takes = takes
        book = Book()
        sender = SIPURI("sip", "100", DOMAIN)
        caller = Caller("7", "", "100", DOMAIN)
        plan = Plan("joe", "main", 1, self.said, "script", "Europe/Dublin")
        story = Story(
            account=ACCOUNT,
            plan=plan,
            direction=Direction.OUT,
            caller=caller,
            sender=sender,
            network_id="",
            hops=70,
            before=frozenset({plan.key}),
            request=PlanRequest(method, caller=caller, owner="joe"),
        )
        around = Surroundings(
            self.clock,
            cast(Plans, None),
            lambda account: book,
            Budget(20),
            self,
            self.functions,
            self.outside(),
        )
        return Deferred.fromCoroutine(Execution(around, story).run())

    def outside(self) -> OutsideCalls | None:
        """
        Give what counts calls.
        """
        return None

    def functions(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Offer one function, which sets a header field.
        """

        async def mark(arguments: Arguments) -> Value | HostError:
            guest.dress.set_field("X-Mark", str(arguments["text"]))
            return 7

        return {"mark": mark}

    def refused(self, *steps: Step | Exception, takes: float = 0.0) -> Refused:
        """
        Give what a run ends with.
        """
        refused = self.successResultOf(self.begin(*steps, takes=takes))
        self.assertIsInstance(refused, Refused)
        assert isinstance(refused, Refused)
        return refused


class StepTests(ExecutionCase):
    def test_lines(self) -> None:
        """
        What a dialplan logs and asks for is told to its owner, in order.
        """
        self.refused(
            HostCall("mark", {"text": "x"}, ("one", "two")), End(480, "", ("three",))
        )
        asked = ["asks mark: text 'x'", "mark gives 7"]
        self.assertEqual(self.told, ["says one", "says two", *asked, "says three"])
        self.assertEqual(self.said.heard, [7])

    def test_unknown(self) -> None:
        """
        A function that nobody offers is an error in the dialplan.
        """
        self.refused(HostCall("fly"), End(480))
        self.assertEqual(self.said.heard, [HostError("there is no fly here")])

    def test_ends(self) -> None:
        """
        The code tells a dialplan that has failed from one that has ended.
        """
        for status, code in (
            (480, Code.PLAN_ENDED),
            (500, Code.PLAN_FAILED),
            (404, Code.PLAN_REFUSED),
        ):
            refused = self.refused(End(status, "so"))
            self.assertEqual((refused.code, refused.status), (code, status))

    def test_overloaded(self) -> None:
        """
        Where too much waits for a worker, the caller may try again.
        """
        refused = self.refused(EngineOverloaded("too many"))
        self.assertEqual((refused.code, refused.status), (Code.PLAN_OVERLOADED, 503))

    def test_dial(self) -> None:
        """
        What the dialplan has set is said in what it dials from then on.
        """
        running = self.begin(
            HostCall("mark", {"text": "x"}), HostCall("dial", {"to": f"101@{DOMAIN}"})
        )
        (leg,) = self.legs
        self.assertEqual(leg.target.headers, ("X-Mark: x",))
        session = leg.answer()
        answered = self.successResultOf(running)
        assert isinstance(answered, Answered)
        self.assertIs(answered.session, session)

    def test_respond(self) -> None:
        """
        A final response ends the run, with its fields; a provisional one does not.
        """
        refused = self.refused(
            HostCall("respond", {"status": 183}),
            HostCall("respond", {"status": 486, "headers": ["X-Why: lunch"]}),
        )
        self.assertEqual(self.responses, [183])
        self.assertEqual((refused.code, refused.status), (Code.PLAN_REFUSED, 486))
        self.assertIn(("X-Why", "lunch"), refused.fields)

    def test_taken_by_the_dialplan(self) -> None:
        """
        What is no call a dialplan can answer itself; a call it cannot.
        """
        steps = (HostCall("respond", {"status": 202}), End(480))
        taken = self.successResultOf(self.begin(*steps, method="MESSAGE"))
        self.assertEqual(taken, Delivered(202, "Accepted"))
        self.assertEqual(self.refused(*steps).code, Code.PLAN_ENDED)

    def test_redirect(self) -> None:
        """
        A redirection says where to.
        """
        given: dict[str, Value] = {"status": 302, "redirect_to": "sip:bo@example.net"}
        refused = self.refused(HostCall("respond", given))
        fields = {str(name): str(value) for name, value in refused.fields}
        self.assertIn("<sip:bo@example.net>", fields.values())

    def test_wrong_respond(self) -> None:
        """
        What cannot be said in a response is an error in the dialplan.
        """
        self.refused(
            HostCall("respond", {"status": 486, "headers": ["Via: x"]}),
            HostCall("respond", {"status": 302}),
            HostCall("respond", {"status": 99}),
            End(480),
        )
        self.assertEqual(
            [isinstance(each, HostError) for each in self.said.heard], [True] * 3
        )


class OutsideTests(ExecutionCase):
    """
    Calls that leave the service, of which one may go on.
    """

    def setUp(self) -> None:
        super().setUp()
        self.open: list[str] = []
        self.is_away = False

    async def allowance(self, owner: str) -> Allowance:
        """
        Give what a user may do.
        """
        if self.is_away and self.open:
            raise StoreUnavailable("the directory is away")
        return Allowance(at_once=1)

    async def begin_call(self, owner: str, allowance: Allowance) -> Callable[[], None]:
        """
        Count a call.
        """
        if self.open:
            raise Refused(Code.OUTSIDE_AT_ONCE)
        self.open.append(owner)
        return self.open.clear

    def tell(self, owner: str, refused: Refused) -> None:
        """
        Hear of a limit.
        """

    def outside(self) -> OutsideCalls:
        """
        Give what counts.
        """
        calls = SimpleNamespace(
            allowance=self.allowance, begin=self.begin_call, tell=self.tell
        )
        return cast(OutsideCalls, calls)

    def test_dial(self) -> None:
        """
        A dial counts while it rings, and no longer.
        """
        running = self.begin(HostCall("dial", {"to": "a@example.net"}), End(480))
        self.assertEqual(self.open, ["joe"])
        self.legs[0].fail(486)
        self.successResultOf(running)
        self.assertEqual(self.open, [])

    def test_cancelled(self) -> None:
        """
        Neither does it when the caller gives up.
        """
        running = self.begin(HostCall("dial", {"to": "a@example.net"}))
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(self.open, [])

    def test_store_away(self) -> None:
        """
        Nor when a later stage cannot be judged.
        """
        self.is_away = True
        dialled = "a@example.net|b@example.net"
        refused = self.refused(HostCall("dial", {"to": dialled}))
        self.assertIs(refused.code, Code.STORE_AWAY)
        self.assertEqual(self.open, [])

    def test_refused(self) -> None:
        """
        One too many is an error of the dial, and the caller is told the code.
        """
        self.open.append("joe")
        status, text = 403, "More to the outside than outside_calls_at_once says"
        refused = self.refused(
            HostCall("dial", {"to": "a@example.net"}), End(status, text)
        )
        self.assertIs(refused.code, Code.OUTSIDE_AT_ONCE)
        (given,) = self.said.heard
        assert isinstance(given, dict)
        self.assertEqual((given["outcome"], given["status"]), ("error", 403))
        self.assertEqual(self.legs, [])


class TimeTests(ExecutionCase):
    def test_own_time(self) -> None:
        """
        A dialplan that takes ten seconds for itself is ended at its next host call.
        """
        mark = HostCall("mark", {"text": "x"})
        refused = self.refused(*[mark] * 20, takes=1.5)
        self.assertIs(refused.code, Code.PLAN_TIME)
        self.assertEqual(len(self.said.heard), 6)

    def test_extended(self) -> None:
        """
        It may say that it takes longer.
        """
        mark = HostCall("mark", {"text": "x"})
        extend = HostCall("extend_script_timeout", {"seconds": 60})
        self.refused(extend, *[mark] * 20, End(480), takes=1.5)
        self.assertEqual(len(self.said.heard), 21)

    def test_all_time(self) -> None:
        """
        Dials take 300 seconds in all: what would ring longer is ended before.
        """
        dial = HostCall("dial", {"to": f"101@{DOMAIN}", "ring": 180})
        running = self.begin(dial, dial, dial, End(480))
        self.clock.advance(180)
        self.assertEqual(len(self.legs), 2)
        self.clock.advance(119)
        self.assertNoResult(running)
        self.clock.advance(1)
        for leg in self.legs:
            leg.listener.failed(487, "Request Terminated")
        refused = self.successResultOf(running)
        self.assertIs(refused.code, Code.PLAN_TIME)
        self.assertEqual(len(self.legs), 2)

    def test_running_time(self) -> None:
        """
        No extension goes beyond the 300 seconds, nor does a negative one end a run.
        """
        time = RunningTime(100.0)
        time.extend(1_000_000)
        time.take(250.0)
        self.assertEqual(time.left(350.0), 50.0)
        self.assertEqual(time.left(400.0), 0.0)
        other = RunningTime(0.0)
        other.extend(-5)
        other.take(9.0)
        self.assertEqual(other.left(9.0), 291.0)


class DescriptionTests(SynchronousTestCase):
    def test_no_credentials(self) -> None:
        """
        A dialplan is told all of a request but what proves who calls.
        """
        request = Request(
            "INVITE",
            "sip:7@example.com",
            [
                ("From", "<sip:100@example.com>;tag=1"),
                ("authorization", 'Digest username="100"'),
                ("Proxy-Authorization", 'Digest username="100"'),
                ("X-A", "1"),
            ],
            b"body",
        )
        plan = Plan("joe", "main", 1, cast(Any, None), "", "Europe/Dublin")
        told = describe(
            request,
            Caller("7"),
            direction=Direction.OUT,
            account=ACCOUNT,
            plan=plan,
            received="udp:192.0.2.1:5060",
        )
        names = [name for name, _ in told.fields]
        self.assertEqual(names, ["From", "X-A", "Content-Length"])
        self.assertEqual(told.body, b"body")
        self.assertEqual(told.time_zone, "Europe/Dublin")
        self.assertEqual(told.received, "udp:192.0.2.1:5060")
        self.assertEqual((told.account, told.direction), (f"100@{DOMAIN}", "out"))
