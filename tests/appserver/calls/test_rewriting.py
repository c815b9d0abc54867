"""
Tests for `sipsorcery.appserver.calls.rewriting`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.calls.rewriting import (
    NO_REWRITING,
    Rewriting,
    between,
    host_of,
)
from sipsorcery.sdp import SessionDescription
from sipsorcery.ua import audio

PRIVATE = audio("192.168.1.2", 4000)
PUBLIC = audio("203.0.113.5", 4000)


def connection(description: SessionDescription) -> str:
    """
    Give the address that media goes to.
    """
    found = description.media[0].connection
    return "" if found is None else found.address


class RewritingTests(SynchronousTestCase):
    """
    Addresses that cannot be reached.
    """

    def test_seen(self) -> None:
        """
        A private address gives way to the one that was seen; the o= line stays.
        """
        seen = Rewriting("198.51.100.7", "203.0.113.1")(PRIVATE)
        self.assertEqual(connection(seen), "198.51.100.7")
        self.assertEqual(seen.origin, PRIVATE.origin)

    def test_in_our_network(self) -> None:
        """
        Of a party that is in our own network ours is taken, if we have another one.
        """
        near = Rewriting("192.168.1.9", "203.0.113.1")
        self.assertEqual(connection(near(PRIVATE)), "203.0.113.1")
        self.assertIs(Rewriting("192.168.1.9")(PRIVATE), PRIVATE)
        self.assertIs(NO_REWRITING(PRIVATE), PRIVATE)

    def test_reachable(self) -> None:
        """
        What others can reach stays, and so does a hold.
        """
        rewriting = Rewriting("198.51.100.7")
        self.assertIs(rewriting(PUBLIC), PUBLIC)
        held = audio("0.0.0.0", 4000)
        self.assertIs(rewriting(held), held)

    def test_ipv6(self) -> None:
        """
        IPv6 goes the same way, also where one side has it and the other has not.
        """
        local = audio("fd00::5", 4000)
        for seen in ("2001:db8::7", "198.51.100.7"):
            self.assertEqual(connection(Rewriting(seen)(local)), seen)
        self.assertIs(Rewriting("fd00::9")(local), local)
        self.assertEqual(connection(Rewriting("2001:db8::7")(PRIVATE)), "2001:db8::7")

    def test_ice(self) -> None:
        """
        With ICE the ends find the way themselves (RFC 8839, 4.2.5).
        """
        ice = b"a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
        description = SessionDescription.parse(bytes(PRIVATE) + ice)
        self.assertIs(Rewriting("198.51.100.7")(description), description)

    def test_source(self) -> None:
        """
        What a proxy says is taken if it is an address; a name is none.
        """
        self.assertEqual(host_of("tls:[2001:db8::7]:5061"), "2001:db8::7")
        for text in (None, "", "udp:", "anything else"):
            self.assertEqual(host_of(text), "")
        self.assertEqual(Rewriting("phone.example", "host").address, "")

    def test_between(self) -> None:
        """
        Who is in our network is reached by our public address, but not by another one
        who is there, too.
        """
        near, far, public = "192.168.1.9", "198.51.100.7", "203.0.113.1"
        for caller, callee, expected in (
            (near, far, (public, far)),
            (far, near, (far, public)),
            (near, near, ("", "")),
            (near, "", (public, "")),
            (far, far, (far, far)),
        ):
            made = between(caller, callee, public)
            self.assertEqual(tuple(one.address for one in made), expected)
