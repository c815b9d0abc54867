"""
Tests for `sipsorcery.cli.bindings`, `sipsorcery.cli.tables` and the verbs of later.
"""

from __future__ import annotations

import io
import json
import time
from contextlib import redirect_stdout

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.cli import tables
from sipsorcery.cli.main import parser
from sipsorcery.store.bindings import Binding, Bindings, make_record
from sipsorcery.store.live import LocalStore
from sipsorcery.testing.threads import SteppedThreads
from tests.cli import CommandCase

HOSTILE = "sip:\x1b[31m\r\n[bold]x[/bold]\ud800@192.0.2.1;" + "x" * 300


class BindingsTests(CommandCase):
    """
    Where phones are.
    """

    def store(self, aor: str, *contacts: str, expires: float = 3600) -> None:
        """
        Have some phones registered, by a server that runs on.
        """
        now = time.time()
        if not hasattr(self, "live"):
            self.clock = Clock()
            threads = SteppedThreads(waits=False)
            self.live = LocalStore(self.clock, self.folder, threads=threads)
            self.live.start()
            self.addCleanup(lambda: self.successResultOf(self.live.stop()))
        bindings = Bindings(
            tuple(
                Binding(contact=each, expiry=now + expires, call_id="a", cseq=1)
                for each in contacts
            )
        )
        stored = self.live.put(make_record(aor, bindings, "joe"))
        self.clock.advance(0)
        self.successResultOf(stored)

    def test_json(self) -> None:
        """
        There is an object for each binding, with the seconds that are left.
        """
        self.store("sip:101@example.com", "sip:101@192.0.2.1", "sip:101@192.0.2.2")
        self.store("sip:100@example.com", "sip:100@192.0.2.1")
        bindings = self.read("bindings")
        self.assertEqual(
            [(each["aor"], each["contact"]) for each in bindings],
            [
                ("sip:100@example.com", "sip:100@192.0.2.1"),
                ("sip:101@example.com", "sip:101@192.0.2.1"),
                ("sip:101@example.com", "sip:101@192.0.2.2"),
            ],
        )
        for each in bindings:
            self.assertTrue(3590 < each["expires"] <= 3600)
            self.assertEqual(each["owner"], "joe")

    def test_one(self) -> None:
        """
        Those of one address-of-record, with or without its scheme.
        """
        self.store("sip:101@example.com", "sip:101@192.0.2.1")
        self.store("sip:100@example.com", "sip:100@192.0.2.1")
        for aor in ("sip:101@example.com", "101@example.com"):
            [binding] = self.read("bindings", aor)
            self.assertEqual(binding["aor"], "sip:101@example.com")

    def test_expired(self) -> None:
        """
        A binding whose time is up is none.
        """
        self.store("sip:101@example.com", "sip:101@192.0.2.1", expires=-100)
        self.assertEqual(self.read("bindings"), [])

    def test_before_the_first_start(self) -> None:
        """
        Without a server there is nothing, and that is no mistake.
        """
        self.assertEqual(self.read("bindings"), [])

    def test_hostile_contact(self) -> None:
        """
        What a phone calls itself does nothing to a terminal.
        """
        self.store("sip:101@example.com", "sip:\x1b[31m@192.0.2.1")
        table = self.do("bindings")
        self.assertIn("sip:\\x1b[31m@192.0.2.1", table)
        [binding] = self.read("bindings")
        self.assertEqual(binding["contact"], "sip:\x1b[31m@192.0.2.1")


class TablesTests(SynchronousTestCase):
    """
    What is printed.
    """

    def show(self, *rows: dict[str, object]) -> list[str]:
        """
        Print a table; give its lines.
        """
        out = io.StringIO()
        with redirect_stdout(out):
            tables.show(rows, ("name", "in_use"), as_json=False)
        return out.getvalue().splitlines()

    def test_pipe(self) -> None:
        """
        Nothing is cut, wrapped or coloured, and nothing in it is a command.
        """
        head, line = self.show({"name": HOSTILE, "in_use": True})
        self.assertEqual(head.split(), ["name", "in", "use"])
        self.assertIn("x" * 300, line)
        self.assertIn("[bold]x[/bold]", line)
        self.assertTrue(line.split()[-1] == "yes")
        self.assertTrue((head + line).isprintable())

    def test_values(self) -> None:
        """
        Nothing is empty, a list is in commas.
        """
        lines = self.show({"name": None, "in_use": ["a", "b"]})
        self.assertEqual(lines[1].strip(), "a, b")

    def test_one_thing(self) -> None:
        """
        One thing is a line for each field, or an object.
        """
        out = io.StringIO()
        with redirect_stdout(out):
            tables.show_one({"name": "x", "in_use": False}, as_json=False)
            tables.show_one({"name": "x", "in_use": False}, as_json=True)
        first, second, *rest = out.getvalue().splitlines()
        self.assertEqual((first, second), ("name:   x", "in use: no"))
        self.assertEqual(json.loads("\n".join(rest)), {"name": "x", "in_use": False})


class VerbTests(SynchronousTestCase):
    """
    All verbs.
    """

    def test_every_verb(self) -> None:
        """
        The help names every verb there will be.
        """
        text = parser().format_help()
        for verb in (
            *("check", "init", "user", "domain", "account", "provider", "dialplan"),
            *("bindings", "calls", "cdrs", "dispatch", "workers", "simulate", "trace"),
        ):
            self.assertRegex(text, rf"(?m)^ +{verb}\b")
