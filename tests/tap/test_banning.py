"""
Tests for `sipsorcery.tap.banning`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.guard import Guard
from sipsorcery.access.offences import OFFENCES, Offence
from sipsorcery.control import ControlError
from sipsorcery.endpoint import Endpoint
from sipsorcery.tap.banning import of_guard


class GuardTests(SynchronousTestCase):
    """
    What a server says of its guard.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.guard = Guard(ban=300)
        self.verbs = of_guard(self.guard, self.clock.seconds)

    def ask(self, verb: str, **arguments: Any) -> Any:
        """
        Ask it.
        """
        return self.verbs[verb](**arguments)

    def ban(self, host: str) -> None:
        """
        Have an address banned.
        """
        remote = Endpoint.parse(f"udp:{host}:5060")
        for _ in range(OFFENCES[Offence.SCANNER].count):
            self.guard.note_failure(remote, Offence.SCANNER, self.clock.seconds())

    def test_bans(self) -> None:
        """
        Bans are listed with the seconds that are left, until they end.
        """
        self.assertEqual(self.ask("bans"), [])
        self.ban("192.0.2.1")
        self.clock.advance(100)
        [ban] = self.ask("bans")
        self.assertEqual((ban["source"], ban["seconds"]), ("192.0.2.1", 200))
        self.assertEqual(ban["offence"], Offence.SCANNER.value)
        self.clock.advance(200)
        self.assertEqual(self.ask("bans"), [])

    def test_unban(self) -> None:
        """
        A ban is ended by what the list shows, IPv6 too; that there is none is told.
        """
        self.ban("192.0.2.1")
        self.ban("[2001:db8::1]")
        for ban in self.ask("bans"):
            self.assertTrue(self.ask("unban", address=ban["source"]))
            self.assertFalse(self.ask("unban", address=ban["source"]))
        self.assertEqual(self.ask("bans"), [])

    def test_explain(self) -> None:
        """
        What becomes of an address is a sentence.
        """
        self.assertIn("stranger", self.ask("explain", address="192.0.2.1"))
        self.ban("192.0.2.1")
        self.assertIn("is banned", self.ask("explain", address="192.0.2.1"))

    def test_no_address(self) -> None:
        """
        What is no address is refused.
        """
        for verb in ("unban", "explain"):
            for text in ("localhost", "", "192.0.2.1/24", "x" * 1000, 7.5):
                self.assertRaises(ControlError, self.ask, verb, address=text)
