"""
Tests for :mod:`sipsorcery.cli.simulate`, with a real sandbox.
"""

from __future__ import annotations

import time
from pathlib import Path

from twisted.internet.task import Clock

from sipsorcery.store.bindings import Binding, Bindings, make_record
from sipsorcery.store.live import LocalStore
from sipsorcery.testing.threads import SteppedThreads
from tests.cli import CommandCase

PLAN = """
import datetime
print(datetime.datetime.now().strftime("%a %H:%M"))
sys.dial("101@local|102@example.com", ring=20)
sys.dial(req.uri.user + "@trunk")
"""
WORLD = """
at = "Sat 12:00"
[legs]
"101@example.com" = "busy after 3 s"
"102@example.com" = "answer after 4 s"
"""


class SimulationCase(CommandCase):
    """
    A user with three accounts, of which none is registered, and a provider.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do("user", "add", "joe", "--password-stdin", given="12345678")
        for name in ("100", "101", "102"):
            address = f"{name}@example.com"
            self.do(
                *("account", "add", address, "--owner", "joe", "--password-stdin"),
                given="12345678",
            )
        self.do(
            *("provider", "add", "trunk", "--owner", "joe", "--server"),
            *("sip:trunk.example", "--username", "42", "--password-stdin"),
            given="12345678",
        )
        self.put("main", PLAN)
        self.do("account", "set", "100@example.com", "--out-dialplan", "main")

    def put(self, name: str, text: str, *options: str) -> str:
        """
        Put a dialplan.
        """
        return self.do(
            *("dialplan", "put", name, "--owner", "joe", "--file", "-", *options),
            given=text,
        )

    def write(self, text: str) -> str:
        """
        Write a file; give its name.
        """
        file = Path(self.mktemp())
        file.write_text(text, "utf-8")
        return str(file)


class SimulateTests(SimulationCase):
    def test_json(self) -> None:
        """
        As JSON it is an object of steps and the answer; an account without bindings is
        a target, too.
        """
        found = self.read(
            *("simulate", "--user", "joe", "--dialplan", "main", "--direction", "out"),
            *("--to", "0123456", "--at", "2026-11-28 23:10"),
        )
        first, second, third = found["steps"]
        self.assertEqual(
            first,
            {
                "call": "log",
                "arguments": {"text": "Sat 23:10"},
                "result": None,
                "targets": [],
            },
        )
        self.assertEqual(second["call"], "dial")
        self.assertEqual(
            second["arguments"], {"to": "101@local|102@example.com", "ring": 20}
        )
        self.assertEqual(
            second["targets"], ["sip:101@example.com", "sip:102@example.com"]
        )
        self.assertEqual(second["result"]["status"], 480)
        self.assertEqual(third["targets"], ["sip:0123456@trunk.example"])
        self.assertEqual(found["answer"], {"status": 200, "reason": "OK"})

    def test_text(self) -> None:
        """
        For people it is a line for each thing that happens, with its time.
        """
        text = self.do(
            *("simulate", "--user", "joe", "--dialplan", "Main", "--to", "0123456"),
            *("--world", self.write(WORLD)),
        )
        lines = text.splitlines()
        self.assertEqual(lines[0], "sip:100@example.com calls sip:0123456@example.com")
        self.assertIn("Sat", lines[1])
        self.assertEqual(
            lines[2:],
            [
                '0 s      log text="Sat 12:00"',
                '0 s      dial to="101@local|102@example.com" ring=20',
                "         to sip:101@example.com",
                "         to sip:102@example.com",
                "         0 s sip:101@example.com is called",
                "         0 s sip:101@example.com rings",
                "         3 s sip:101@example.com says 486 Busy Here",
                "         3 s sip:102@example.com is called",
                "         3 s sip:102@example.com rings",
                "         7 s sip:102@example.com answers",
                '         gives {"outcome":"answered","status":200,"reason":"OK"}',
                "200 OK after 7 s",
            ],
        )

    def test_terminal_is_safe(self) -> None:
        """
        What a dialplan writes cannot give orders to a terminal.
        """
        self.put("odd", "sys.log('a\\x1b[2Jb')")
        text = self.do("simulate", "--user", "joe", "--dialplan", "odd", "--to", "1")
        self.assertNotIn("\x1b", text)
        self.assertIn("a\\x1b[2Jb", text)

    def test_incoming(self) -> None:
        """
        A call to an account comes from whom --from says.
        """
        self.put("home", "print(req.from_uri.user)\nsys.dial('101@local')")
        found = self.read(
            *("simulate", "--user", "joe", "--dialplan", "home", "--direction", "in"),
            *("--to", "101", "--from", "+353123", "--world", self.write(WORLD)),
        )
        self.assertEqual(found["steps"][0]["arguments"], {"text": "+353123"})
        self.assertEqual(found["answer"]["status"], 486)

    def test_account(self) -> None:
        """
        The account is the one that is named, else the one that has the dialplan.
        """
        self.put("who", "print(sys.account)")
        self.do("account", "set", "102@example.com", "--out-dialplan", "who")
        cases = {
            (): "102@example.com",
            ("--from", "101"): "101@example.com",
            ("--account", "100@example.com"): "100@example.com",
        }
        for options, account in cases.items():
            found = self.read(
                *("simulate", "--user", "joe", "--dialplan", "who", "--to", "1"),
                *options,
            )
            self.assertEqual(found["steps"][0]["arguments"], {"text": account})

    def test_limits(self) -> None:
        """
        What the service does not let out is not called in a simulation either.
        """
        found = self.read(
            *(
                "simulate",
                "--user",
                "joe",
                "--dialplan",
                "main",
                "--to",
                "00442071234567",
            )
        )
        self.assertEqual(found["steps"][-1]["result"]["status"], 403)
        self.assertEqual(found["answer"]["status"], 403)

    def test_nothing_is_stored(self) -> None:
        """
        What a dialplan keeps in a simulation is forgotten with it.
        """
        self.put("keep", "print(sys.db_get_keys())\nsys.db_write('a', 'b')")
        for _ in range(2):
            found = self.read(
                "simulate", "--user", "joe", "--dialplan", "keep", "--to", "1"
            )
            self.assertEqual(found["steps"][1]["arguments"], {"text": "[]"})

    def test_refusals(self) -> None:
        """
        An unknown user or dialplan, and what is no world, time or number, are told.
        """
        base = ("simulate", "--user", "joe", "--dialplan", "main")
        cases: list[tuple[tuple[str, ...], str]] = [
            (("simulate", "--user", "al", "--dialplan", "main"), "no user 'al'"),
            (("simulate", "--user", "joe", "--dialplan", "x"), "no dialplan 'x'"),
            ((*base, "--at", "soon"), "'soon' is no time"),
            ((*base, "--world", self.write("[legs]\na = 1")), r"at `$.legs"),
            ((*base, "--world", "/nowhere.toml"), "/nowhere.toml: No such file"),
        ]
        for arguments, reason in cases:
            self.assertIn(reason, self.refuse(*arguments, "--to", "1"))
        self.assertIn("is no address", self.refuse(*base, "--to", "sip:"))


class ReplayTests(SimulationCase):
    """
    ``dialplan put --replay``, without calls; `test_replaying` has some.
    """

    def test_nothing_to_replay(self) -> None:
        """
        A dialplan that nobody has called by is put as ever.
        """
        self.assertEqual(
            self.put("main", "sys.respond(486)", "--replay", "5"),
            "0 of 0 calls would differ\nmain: version 2\n",
        )

    def test_dry_run(self) -> None:
        """
        A dry run puts nothing in force.
        """
        self.put("main", "sys.respond(486)", "--replay", "5", "--dry-run")
        (plan,) = self.read("dialplan", "list")
        self.assertEqual(plan["version"], 1)

    def test_new_plan(self) -> None:
        """
        A dialplan that is new has no calls, which is said.
        """
        error = self.refuse(
            *("dialplan", "put", "new", "--owner", "joe", "--file", "-"),
            *("--replay", "5"),
            given="sys.respond(486)",
        )
        self.assertIn("has no dialplan 'new' whose calls", error)

    def test_count(self) -> None:
        """
        The number of calls is one, and not too large.
        """
        for count in ("0", "-1", "1001", "x"):
            result = self.run_command(
                *("dialplan", "put", "main", "--owner", "joe", "--file", "-"),
                *("--replay", count),
                given="sys.respond(486)",
            )
            self.assertEqual(result.status, 2, count)


class BindingTests(SimulationCase):
    """
    What the live state of a service says, be it running or not.
    """

    def test_bindings(self) -> None:
        """
        A phone that is registered is called where it is.
        """
        clock = Clock()
        live = LocalStore(clock, self.folder, threads=SteppedThreads(waits=False))
        live.start()
        contact = "sip:101@192.0.2.1:5062"
        until = time.time() + 60
        binding = Binding(contact=contact, expiry=until, call_id="a", cseq=1)
        record = make_record("sip:101@example.com", Bindings((binding,)), "joe")
        stored = live.put(record)
        clock.advance(0)
        self.successResultOf(stored)
        try:
            text = self.do(
                *("simulate", "--user", "joe", "--dialplan", "main", "--to", "0123"),
                *("--at", "2035-01-01 12:00"),
            )
        finally:
            self.successResultOf(live.stop())
        self.assertIn("         to sip:101@example.com\n", text)
        self.assertIn(f"         5 s {contact} answers\n", text)
        self.assertTrue(text.endswith("200 OK after 5 s\n"))
