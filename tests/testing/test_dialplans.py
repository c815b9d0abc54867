"""
Tests for :mod:`sipsorcery.testing.dialplans`, with a real sandbox.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.simulation.errors import SimulationError, WorldError
from sipsorcery.testing import Answer, Email, World, simulate

FAILOVER = """
sys.dial("101@local", ring=20)
sys.dial(req.uri.user + "@trunk")
sys.respond(480, "Nobody is there")
"""
TRUNK = World(
    providers={"trunk": "sip:trunk.example"},
    legs={"101@example.com": "busy after 3 s", "*@trunk": "answer after 5 s"},
)


class TraceTests(SynchronousTestCase):
    def test_failover(self) -> None:
        """
        The trace has each host call with its result, and who was called when.
        """
        trace = simulate(FAILOVER, to="0123", world=TRUNK)
        first, second = trace.steps
        self.assertEqual(first.arguments, {"to": "101@local", "ring": 20})
        self.assertEqual(first.targets, ("sip:101@example.com",))
        self.assertEqual(first.result["status"], 486)  # type: ignore[index,call-overload]  # a mapping
        self.assertEqual((first.at, first.ended), (0, 3))
        self.assertEqual(second.targets, ("sip:0123@trunk.example",))
        self.assertEqual((second.at, second.ended), (3, 8))
        self.assertEqual(
            second.notes,
            [
                (3, "sip:0123@trunk.example is called"),
                (3, "sip:0123@trunk.example rings"),
                (8, "sip:0123@trunk.example answers"),
            ],
        )
        self.assertEqual(trace.answer, Answer(200, "OK"))
        self.assertEqual(trace.lasted, 8)

    def test_json(self) -> None:
        """
        As JSON it has steps of four fields, and the answer.
        """
        trace = simulate(FAILOVER, to="0123", world=TRUNK)
        found = json.loads(json.dumps(trace.as_json()))
        self.assertEqual(found.keys(), {"steps", "answer"})
        for step in found["steps"]:
            self.assertEqual(step.keys(), {"call", "arguments", "result", "targets"})
        self.assertEqual(found["steps"][0]["targets"], ["sip:101@example.com"])
        self.assertEqual(found["answer"], {"status": 200, "reason": "OK"})

    def test_final_response(self) -> None:
        """
        What the dialplan responds is the answer.
        """
        world = World(legs={"*": "busy", "101@example.com": "unavailable"})
        trace = simulate(FAILOVER, to="0123", world=world)
        self.assertEqual(trace.answer, Answer(480, "Nobody is there"))
        self.assertEqual(trace.steps[-1].call, "respond")

    def test_unregistered(self) -> None:
        """
        An account that nobody is registered for is a target, and is not called.
        """
        world = World(accounts={"101@example.com": {}})  # type: ignore[dict-item]
        trace = simulate("sys.dial('101@local')", to="1", world=world)
        (step,) = trace.steps
        self.assertEqual(step.targets, ("sip:101@example.com",))
        self.assertEqual(
            step.notes, [(0, "leaves 101@local out: the account is not registered")]
        )
        self.assertEqual(trace.answer.status, 480)

    def test_ring_for_ever(self) -> None:
        """
        Who rings for ever rings as long as the dial lets them; no time passes.
        """
        world = World(legs={"101@example.com": "ring for ever"})
        trace = simulate(FAILOVER, to="101", world=world)
        self.assertEqual(trace.steps[0].ended, 20)
        self.assertEqual(trace.steps[0].result["outcome"], "timed out")  # type: ignore[index,call-overload]  # a mapping

    def test_redirect(self) -> None:
        """
        A redirection is followed, to somebody of whom the world knows.
        """
        world = World(
            legs={
                "101@example.com": "redirect to sip:0555@far.example",
                "0555@far.example": "answer after 2 s",
            }
        )
        trace = simulate("sys.dial('101@local')", to="101", world=world)
        self.assertEqual(trace.answer.status, 200)
        self.assertEqual(trace.lasted, 2)
        self.assertIn(
            (0, "sip:101@example.com leads to sip:0555@far.example"),
            trace.steps[0].notes,
        )

    def test_forking(self) -> None:
        """
        Those who are rung together are all called, and the slower one is given up.
        """
        world = World(
            legs={
                "101@example.com": "answer at 5 s",
                "102@example.com": "answer at 9 s",
            }
        )
        trace = simulate("sys.dial('101@local&102@local')", to="1", world=world)
        self.assertEqual(trace.dialled, ["sip:101@example.com", "sip:102@example.com"])
        self.assertIn((5, "sip:102@example.com is given up"), trace.steps[0].notes)

    def test_caller_gives_up(self) -> None:
        """
        A caller who hangs up ends the dialplan at once.
        """
        world = World(gives_up=4, legs={"101@example.com": "ring for ever"})
        trace = simulate(FAILOVER, to="1", world=world)
        self.assertEqual(trace.answer.status, 487)
        self.assertEqual(trace.lasted, 4)
        self.assertEqual(trace.steps[0].result["outcome"], "cancelled")  # type: ignore[index,call-overload]  # a mapping
        self.assertEqual(len(trace.steps), 1)

    def test_incoming(self) -> None:
        """
        A call to the account has the caller in its From, and can ring its own phones.
        """
        plan = (
            "sys.log(req.from_uri.user + ' ' + str(sys.is_in))\nsys.dial('100@local')"
        )
        trace = simulate(
            plan,
            to="100",
            caller="+353123@far.example",
            direction="in",
            world=World(legs={"100@example.com": "answer"}),
        )
        self.assertEqual(trace.said, ["+353123 True"])
        self.assertEqual(trace.answer.status, 200)


class WorldTests(SynchronousTestCase):
    def test_clock(self) -> None:
        """
        The dialplan has the clock and the time zone of the world, which goes on while
        somebody rings.
        """
        plan = (
            "import datetime, time\n"
            "def now():\n"
            "    return datetime.datetime.now().strftime('%a %H:%M:%S')\n"
            "print(now(), sys.get_timezone())\n"
            "sys.dial('101@local', ring=30)\n"
            "print(now(), sys.get_timezone_offset_minutes())\n"
        )
        world = World(
            at="2026-07-04 23:10",
            time_zone="Europe/Dublin",
            legs={"101@example.com": "ring for ever"},
        )
        trace = simulate(plan, to="1", world=world)
        self.assertEqual(trace.said, ["Sat 23:10:00 Europe/Dublin", "Sat 23:10:30 60"])

    def test_outside(self) -> None:
        """
        Web, ENUM, tables, values and mail are those of the world, and nothing else is.
        """
        plan = (
            "print(sys.web_get('https://example.com/a'))\n"
            "print(sys.web_get('https://example.com/b'))\n"
            "print(sys.enum_lookup('+44 1234.e164.arpa'))\n"
            "print(sys.enum_lookup('+44 1235.e164.arpa'))\n"
            "print(lookup.speed_dial('1'), lookup.excluded_prefixes())\n"
            "print(sys.db_read('old'), sys.db_read('none'))\n"
            "sys.db_write('new', 'b')\n"
            "sys.db_delete('old')\n"
            "print(sys.db_get_keys())\n"
            "print(sys.email('al@example.com', 'A call', 'of ' + req.uri.user))\n"
        )
        world = World(
            web={"https://example.com/a": "a page"},
            enum={"441234.e164.arpa": "sip:al@example.net"},
            lookup={"speed_dials": {"1": "101@local"}, "excluded_prefixes": ["0900"]},
            values={"old": "a"},
        )
        trace = simulate(plan, to="0123", world=world)
        self.assertEqual(
            trace.said,
            [
                *("a page", "None", "sip:al@example.net", "None"),
                *("101@local ['0900']", "a None", "['new']", "True"),
            ],
        )
        self.assertEqual(trace.emails, [Email("al@example.com", "A call", "of 0123")])
        self.assertEqual(trace.values, {"new": "b"})

    def test_no_mail(self) -> None:
        """
        Without a mail server no e-mail is sent, as in such a service.
        """
        plan = "print(sys.email('al@example.com', 'x', 'y'))"
        trace = simulate(plan, to="1", world=World(has_mail=False))
        self.assertEqual(trace.said, ["False"])
        self.assertEqual(trace.emails, [])

    def test_accounts(self) -> None:
        """
        Accounts have the bindings of the world; those who can be called have one.
        """
        plan = (
            "print([each.aor for each in sys.get_sip_accounts()])\n"
            "print([each.contact for each in sys.get_bindings('101')])\n"
            "print([sys.is_available(each) for each in ('101', '102', '103', '104')])\n"
            "print([sys.is_mine(each) for each in ('101', '104')])\n"
        )
        world = World(
            bindings={"101@example.com": ["sip:101@192.0.2.7:5062"]},
            legs={"102@example.com": "busy"},
            accounts={
                "103@example.com": {},  # type: ignore[dict-item]  # as users write it
                "104@example.com": {"owner": "eve"},  # type: ignore[dict-item]
            },
        )
        trace = simulate(plan, to="1", world=world)
        addresses = [f"{name}@example.com" for name in ("100", "101", "102", "103")]
        self.assertEqual(
            trace.said,
            [
                str(addresses),
                "['sip:101@192.0.2.7:5062']",
                "[True, True, False, False]",
                "[True, False]",
            ],
        )

    def test_dialplan_of_callee(self) -> None:
        """
        A callee with a dialplan has it run within, and all its steps are told.
        """
        world = World(
            accounts={"101@example.com": {"in_dialplan": "home"}},  # type: ignore[dict-item]  # as users write it
            plans={"home": {"script": "sys.dial('102@local')"}},  # type: ignore[dict-item]  # likewise
            legs={"102@example.com": "answer after 2 s"},
        )
        trace = simulate("sys.dial('101@local')", to="1", world=world)
        outer, inner = trace.steps
        self.assertEqual(outer.plan, ("me", "main"))
        self.assertEqual(outer.targets, ("sip:101@example.com",))
        self.assertEqual(inner.plan, ("me", "home"))
        self.assertEqual(inner.targets, ("sip:102@example.com",))
        self.assertEqual(
            [each.result["outcome"] for each in (outer, inner)],  # type: ignore[index,call-overload]  # mappings
            ["answered", "answered"],
        )

    def test_request(self) -> None:
        """
        A request gets what the world says of who gets it.
        """
        plan = (
            "for to in ('al@far.example', 'bo@far.example', 'cy@far.example'):\n"
            "    response = sys.send_request('MESSAGE', to, body='x')\n"
            "    print(None if response is None else response.status)\n"
        )
        legs = {"bo@far.example": "not found", "cy@far.example": "no response"}
        trace = simulate(plan, to="1", world=World(legs=legs))
        self.assertEqual(trace.said, ["200", "404", "None"])


class LanguageTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """
        A line plan is tried as a dialplan in Python is.
        """
        plan = "exten => _0X.,1,Dial(me,secret,${dst:1}@far.example)"
        trace = simulate(plan, to="0123", kind="lines", world=TRUNK)
        self.assertEqual(trace.dialled, ["sip:123@far.example"])
        self.assertEqual(trace.answer.status, 200)

    def test_password(self) -> None:
        """
        A trace holds no password.
        """
        trace = simulate(
            "exten => 1,1,Dial(me,secret,1@far.example)", to="1", kind="lines"
        )
        self.assertEqual(trace.steps[0].arguments, {"account": "1@far.example"})
        plan = "sys.send_request('OPTIONS', 'a@far.example', password='secret')"
        self.assertNotIn("secret", str(simulate(plan, to="1").steps))

    def test_wizard(self) -> None:
        """
        So are rules, which have the clock of the world.
        """
        rules = json.dumps(
            [
                {
                    "direction": "out",
                    "hours": "Sa",
                    "action": {"do": "reject", "status": 480, "reason": "Weekend"},
                },
                {"direction": "out", "action": {"do": "dial", "to": "101@local"}},
            ]
        )
        legs = {"101@example.com": "answer"}
        for day, status in (("Sat 12:00", 480), ("Mon 12:00", 200)):
            world = World(at=day, legs=legs)
            trace = simulate(rules, to="1", kind="wizard", world=world)
            self.assertEqual(trace.answer.status, status, day)


class AddressTests(SynchronousTestCase):
    def test_to(self) -> None:
        """
        Whom a caller dials can be a number, an address or a URI.
        """
        cases = {
            "0123": "sip:0123@example.com",
            "#31#0123": "sip:%2331%230123@example.com",
            "al@far.example": "sip:al@far.example",
            "sip:al@far.example;x=1": "sip:al@far.example;x=1",
            "tel:+353123": "tel:+353123",
        }
        for to, uri in cases.items():
            self.assertEqual(simulate("print(req.uri.text)", to=to).said, [uri])

    def test_caller(self) -> None:
        """
        Who calls can be that, or a whole From; nobody is anonymous, or the account.
        """
        plan = "print(req.from_name, req.from_uri.text)"
        cases = {
            ("in", ""): " sip:anonymous@anonymous.invalid",
            ("in", "+353123"): " sip:+353123@anonymous.invalid",
            ("in", '"Al" <sip:al@far.example>'): "Al sip:al@far.example",
            ("out", ""): " sip:100@example.com",
            ("out", "101"): " sip:101@example.com",
        }
        for (direction, caller), said in cases.items():
            trace = simulate(plan, to="100", direction=direction, caller=caller)
            self.assertEqual(trace.said, [said])


class FaultTests(SynchronousTestCase):
    def test_faulty_plan(self) -> None:
        """
        A dialplan that could not be saved is not tried either.
        """
        with self.assertRaisesRegex(PlanErrors, "line 2"):
            simulate("sys.log('x')\nsys.dail('101')", to="1")

    def test_faulty_world(self) -> None:
        """
        Nor is one in a world that cannot be.
        """
        world = World(at="soon")
        self.assertRaises(WorldError, simulate, "sys.log('x')", to="1", world=world)

    def test_faulty_address(self) -> None:
        """
        Nor is one that somebody calls who cannot be.
        """
        with self.assertRaises(SimulationError):
            simulate("sys.log('x')", to="sip:1@", caller="x")

    def test_endless(self) -> None:
        """
        A dialplan that asks for ever ends as one does that has taken too long.
        """
        trace = simulate("while True:\n    sys.get_timezone()", to="1")
        self.assertEqual(trace.answer, Answer(480, "The dialplan has taken too long"))

    def test_error(self) -> None:
        """
        An error in a dialplan is a 500, as in a real call, and its log says which.
        """
        trace = simulate("print(1)\nx = [][int(req.uri.user)]", to="1")
        self.assertEqual(trace.answer.status, 500)
        self.assertIn("line 2", trace.said[-1])
