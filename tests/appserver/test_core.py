"""
Tests for :mod:`sipsorcery.appserver.core`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.core import Intent, host_of, is_probe, judge, user_of
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.uri import parse_uri
from sipsorcery.store.directory.cdrs import Direction

OURS, THEIRS = "sip:100@example.com", "sip:eve@elsewhere.test"


def decide(
    uri: str, sender: str, *, is_trunk: bool = False, domains: str = "example.com"
) -> Intent:
    """
    Judge a call where one domain is served.
    """

    def served(text: str) -> str | None:
        host = host_of(parse_uri(text))
        return host if host == domains else None

    return judge(
        parse_uri(uri),
        parse_uri(sender),
        calling=served(sender),
        called=served(uri),
        is_trunk=is_trunk,
    )


class JudgeTests(SynchronousTestCase):
    """
    Whose call it is.
    """

    def test_out(self) -> None:
        """
        The From decides: a call from one of ours is theirs, whomever it is for.
        """
        for uri in (OURS, THEIRS):
            self.assertEqual(
                decide(uri, "sip:101@example.com"),
                Intent(Direction.OUT, "101", "example.com"),
            )

    def test_in(self) -> None:
        """
        A call from anybody else is that of the user it is for.
        """
        found = decide("sip:trunk.100@example.com", THEIRS)
        self.assertEqual(found, Intent(Direction.IN, "trunk.100", "example.com"))

    def test_trunk(self) -> None:
        """
        A neighbour calls us, even with a number of ours.
        """
        found = decide(OURS, "sip:101@example.com", is_trunk=True)
        self.assertEqual(found.direction, Direction.IN)

    def test_nobodys(self) -> None:
        """
        Who is none of us calls nobody else through us.
        """
        with self.assertRaises(Refused) as raised:
            decide("sip:bob@third.test", THEIRS)
        self.assertEqual(raised.exception.code, Code.NOT_SERVED)

    def test_no_user(self) -> None:
        """
        A domain alone is nobody (484).
        """
        with self.assertRaises(Refused) as raised:
            decide("sip:example.com", THEIRS)
        self.assertEqual(raised.exception.status, 484)

    def test_escapes(self) -> None:
        """
        An account is found by its name, not by how a phone has spelled it.
        """
        found = decide("sip:%31%30%30@example.com", THEIRS)
        self.assertEqual(found.username, "100")

    def test_number(self) -> None:
        """
        A number local to a domain of ours is of that domain (RFC 3966, 5.1.5).
        """
        found = decide(THEIRS, "tel:100;phone-context=example.com")
        self.assertEqual(found, Intent(Direction.OUT, "100", "example.com"))


class UriTests(SynchronousTestCase):
    """
    What is read of URIs.
    """

    def test_probe(self) -> None:
        """
        A probe is known by its user part alone.
        """
        self.assertTrue(is_probe(parse_uri("sip:dispatcher@127.0.0.1")))
        self.assertFalse(is_probe(parse_uri("sip:dispatcher2@127.0.0.1")))
        self.assertFalse(is_probe(parse_uri("tel:1;phone-context=dispatcher")))

    def test_others(self) -> None:
        """
        What is neither a SIP URI nor a number has neither user nor host.
        """
        uri = parse_uri("mailto:joe@example.com")
        self.assertEqual((user_of(uri), host_of(uri)), ("", ""))
