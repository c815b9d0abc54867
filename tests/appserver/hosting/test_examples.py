"""
The dialplans of ``etc/dialplans``, in the engine and with the functions that they use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sipsorcery.appserver.hosting.accounts import AccountFunctions
from sipsorcery.appserver.hosting.callbacks import CallbackFunctions
from sipsorcery.appserver.hosting.clocks import ClockFunctions
from sipsorcery.appserver.hosting.current import CurrentFunctions
from sipsorcery.appserver.hosting.dressing import dressing
from sipsorcery.appserver.hosting.guest import Functions
from sipsorcery.appserver.hosting.joining import join
from sipsorcery.appserver.hosting.mail import MailFunctions
from sipsorcery.appserver.hosting.numbers import NumberFunctions
from sipsorcery.appserver.hosting.tables import TableFunctions
from sipsorcery.appserver.hosting.values import ValueFunctions
from sipsorcery.appserver.hosting.web import WebFunctions
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Value,
)
from sipsorcery.appserver.python.engine import PythonEngine
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.testing.threads import SteppedThreads
from tests import ROOT
from tests.appserver.hosting.cases import DOMAIN, HostingCase
from tests.appserver.hosting.outside import FakeActions, FakePages, FakePost, naptr

EXAMPLES = ROOT / "etc" / "dialplans"
BUSY: Mapping[str, Value] = {"outcome": "failed", "status": 486, "reason": "Busy Here"}
DOWN: Mapping[str, Value] = {"outcome": "failed", "status": 503, "reason": "Down"}
SILENT: Mapping[str, Value] = {
    "outcome": "timed out",
    "status": 480,
    "reason": "Nobody answers",
}


class ExampleCase(HostingCase):
    """
    An engine, and a world of which the test knows all.

    :ivar dialled: what was dialled.
    """

    def setUp(self) -> None:
        super().setUp()
        self.workers = Workers(None, size=1, threads=SteppedThreads(waits=False))
        self.workers.start()
        self.addCleanup(self.workers.stop)
        self.engine = PythonEngine(self.workers, self.reactor.seconds)
        self.pages, self.post, self.actions = FakePages(), FakePost(), FakeActions()
        self.dialled: list[str] = []
        self.functions = self.make_functions()

    def make_functions(self) -> Functions:
        """
        Make all that the examples use.
        """
        clock = self.reactor.seconds
        return join(
            dressing,
            AccountFunctions(self.accounts, self.directory, self.live, clock).of,
            CallbackFunctions(lambda: self.actions, clock).of,
            ClockFunctions(clock).of,
            CurrentFunctions(self.live, clock).of,
            MailFunctions(self.post, clock).of,
            NumberFunctions(naptr({"4.3.2.1.e164.arpa": "sip:al@enum.example"})).of,
            TableFunctions(self.configured).of,
            ValueFunctions(self.directory).of,
            WebFunctions(self.pages).of,
        )

    def run_example(
        self,
        name: str,
        number: str = "100",
        *,
        caller: str = "sip:+35318881234@example.net",
        outcomes: tuple[Mapping[str, Value], ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> End:
        """
        Run an example; whoever is dialled is busy, unless *outcomes* say otherwise.
        """
        script = (EXAMPLES / f"{name}.py").read_text("utf-8")
        self.do(self.engine.check(script, "joe"))
        request = PlanRequest(
            owner="joe",
            account=f"100@{DOMAIN}",
            plan=name,
            uri=f"sip:{number}@{DOMAIN}",
            fields=(("From", f"<{caller}>;tag=1"), ("Call-ID", "1")),
            time_zone="Europe/Dublin",
        )
        self.guest_of_run = self.guest(options=options, request=request)
        self.dialled.clear()
        return self.do(self._drive(script, request, list(outcomes)))

    async def _drive(
        self, script: str, request: PlanRequest, outcomes: list[Mapping[str, Value]]
    ) -> End:
        run, step = await self.engine.start(script, request)
        functions = self.functions(self.guest_of_run)
        while isinstance(step, HostCall):
            match step:
                case HostCall(
                    "respond", {"status": int(status), "reason": str(reason)}
                ):
                    return End(status, reason)
                case HostCall("dial", {"to": str(to)}):
                    self.dialled.append(to)
                    given: Value | HostError = outcomes.pop(0) if outcomes else BUSY
                case HostCall(name, arguments):
                    given = await functions[name](arguments)
            step = await run.resume(given)
        if step.status == 500:
            raise AssertionError(step.lines)
        return replace(step, lines=())


class ExampleTests(ExampleCase):
    """
    Each does what its first lines say.
    """

    def test_all_are_tested(self) -> None:
        """
        There is a test for every example.
        """
        tested = {name.removeprefix("test_") for name in dir(self)}
        names = {file.stem for file in EXAMPLES.glob("*.py")}
        self.assertEqual(names - tested, set())
        self.assertGreaterEqual(len(names), 8)

    def test_speed_dials(self) -> None:
        """
        A speed dial is dialled, and numbers become international ones.
        """
        options = {
            "speed_dials": {"7": "101@local"},
            "options": {"country": "353", "area": "1"},
        }
        end = self.run_example("speed_dials", "7", options=options)
        self.assertEqual((self.dialled, end.status), (["101@local"], 486))
        for number, dialled in (
            ("8881234", "+35318881234@provider"),
            ("018881234", "+35318881234@provider"),
            ("0044207", "+44207@provider"),
            ("+44207", "+44207@provider"),
            ("101", "101@local"),
        ):
            self.run_example("speed_dials", number, options=options)
            self.assertEqual(self.dialled, [dialled])

    def test_failover(self) -> None:
        """
        A provider that is down is passed over, and one that says busy is believed.
        """
        self.run_example("failover", "0044207", outcomes=(DOWN, BUSY))
        self.assertEqual(self.dialled, ["+44207@british", "+44207@worldwide"])
        self.run_example("failover", "+353188", outcomes=(SILENT,))
        self.assertEqual(self.dialled, ["+353188@irish"])
        end = self.run_example("failover", "+1212", outcomes=(DOWN, DOWN))
        self.assertEqual(self.dialled, ["+1212@worldwide", "+1212@irish"])
        self.assertEqual(end, End(503, "Down"))

    def test_staged_ringing(self) -> None:
        """
        Everything is one dial, and the caller is told to try again.
        """
        end = self.run_example("staged_ringing")
        self.assertEqual(end, End(480, "Please try again later"))
        (dialled,) = self.dialled
        self.assertIn("100@local & 0851234567@provider[dt=5", dialled)

    def test_office_hours(self) -> None:
        """
        On a working day the desk rings first; the clock is that of the owner.
        """
        desk, machine = "100@local", "voicemail@local[cd=120]"
        for moment, dialled in (
            # A Monday in summer, when Dublin is an hour ahead.
            (datetime(2024, 7, 1, 7, 59, tzinfo=UTC), [machine]),
            (datetime(2024, 7, 1, 8, 0, tzinfo=UTC), [desk, machine]),
            (datetime(2024, 7, 1, 16, 0, tzinfo=UTC), [machine]),
            # One in winter, and a Saturday.
            (datetime(2024, 12, 2, 8, 30, tzinfo=UTC), [machine]),
            (datetime(2024, 12, 7, 12, 0, tzinfo=UTC), [machine]),
        ):
            self.reactor.rightNow = moment.timestamp()
            self.run_example("office_hours")
            self.assertEqual(self.dialled, dialled, moment)

    def test_enum_first(self) -> None:
        """
        The owner's table goes first, then ENUM, and then the provider.
        """
        options = {"enum": {"+999": "sip:friend@sip.example.org"}}
        self.run_example("enum_first", "00999", options=options)
        friend = ["sip:friend@sip.example.org", "+999@provider"]
        self.assertEqual(self.dialled, friend)
        self.run_example("enum_first", "+1234")
        self.assertEqual(self.dialled, ["sip:al@enum.example", "+1234@provider"])
        self.run_example("enum_first", "+777")
        self.assertEqual(self.dialled, ["+777@provider"])

    def test_caller_id(self) -> None:
        """
        Known callers have a name, others are asked for, and some are not wanted.
        """
        service = "https://crm.example.com/contact?number="
        options = {
            "caller_names": {"+1": "Mum"},
            "options": {"service": service, "token": "secret"},
        }
        self.pages.pages[service + "+2"] = (
            '{"person_name": "Al", "company_name": "Acme"}'
        )
        for number, name in (("+1", "Mum"), ("+2", "Al (Acme)"), ("+3", None)):
            self.run_example("caller_id", caller=f"sip:{number}@x.net", options=options)
            self.assertEqual(self.guest_of_run.dress.from_parts, (name, None, None))
        self.assertEqual({token for *_, token in self.pages.asked}, {"secret"})
        caller = "sip:+1@x.net"
        self.run_example(
            "caller_id", caller=caller, options=options, outcomes=(SILENT,)
        )
        self.assertEqual(
            self.post.sent, [("me@example.com", "Missed call", "Mum has called you.")]
        )
        self.do(self.joe.values.put("blacklist +4", "sells things"))
        end = self.run_example("caller_id", caller="sip:+4@x.net")
        self.assertEqual((end.status, self.dialled), (603, []))
        end = self.run_example("caller_id", caller="sip:anonymous@anonymous.invalid")
        self.assertEqual((end.status, self.dialled), (433, []))

    def test_call_back(self) -> None:
        """
        Who is in the table is called back, and nobody else.
        """
        options = {"speed_dials": {"+35386": "101@local"}}
        caller = "sip:+35386@x.net"
        end = self.run_example("call_back", caller=caller, options=options)
        self.assertEqual(end, End(480, "You are called back"))
        self.assertEqual(
            self.actions.asked, [(f"100@{DOMAIN}", "+35386", "101@local", 10)]
        )
        end = self.run_example("call_back", options=options)
        self.assertEqual((end.status, len(self.actions.asked)), (403, 1))

    def test_counting(self) -> None:
        """
        The fourth call of a day rings the mobile, too; other days are forgotten.
        """
        self.do(self.joe.values.put("2001-01-01 +1", "9"))
        for _ in range(3):
            self.run_example("counting")
            self.assertEqual(self.dialled, ["100@local"])
        self.run_example("counting", outcomes=(BUSY, BUSY))
        self.assertEqual(self.dialled, ["100@local & mobile@local", "100@local"])
        self.assertEqual(len(self.do(self.joe.values.keys())), 1)
