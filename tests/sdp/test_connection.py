"""
Tests for :mod:`sipsorcery.sdp.connection`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.connection import RTCP, Connection
from sipsorcery.sdp.errors import LocalProtocolError, ParseError

GOOD = {
    "IN IP4 192.0.2.1": Connection("192.0.2.1"),
    "IN IP4 0.0.0.0": Connection("0.0.0.0"),
    "IN IP4 224.2.36.42/127": Connection("224.2.36.42", ttl=127),
    "IN IP4 224.2.1.1/127/3": Connection("224.2.1.1", ttl=127, count=3),
    "IN IP4 media.example.com": Connection("media.example.com"),
    "IN IP4 a_b-c.example": Connection("a_b-c.example"),
    "IN IP6 2001:db8::1": Connection("2001:db8::1"),
    "IN IP6 ff15::101/3": Connection("ff15::101", count=3),
    "IN IP6 ::ffff:192.0.2.1": Connection("::ffff:192.0.2.1"),
    "IN IP6 media.example.com": Connection("media.example.com", addrtype="IP6"),
    "in ip4 192.0.2.1": Connection("192.0.2.1", addrtype="ip4", nettype="in"),
    # Other networks: RFC 3108, RFC 7195.
    "ATM NSAP 47.0091.8100": Connection("47.0091.8100", addrtype="NSAP", nettype="ATM"),
    "PSTN E164 +1-713-5550100": Connection(
        "+1-713-5550100", addrtype="E164", nettype="PSTN"
    ),
}

BAD = (
    *("", "IN", "IN IP4", "IN IP4 ", "IN  ", "192.0.2.1"),
    *("IN IP4 1.2.3", "IN IP4 1.2.3.4.5", "IN IP4 999.1.1.1", "IN IP4 010.0.0.1"),
    *("IN IP4 1.2.3.4/", "IN IP4 1.2.3.4/256", "IN IP4 1.2.3.4/-1", "IN IP4 1.2.3.4/x"),
    *("IN IP4 224.0.0.1/1/0", "IN IP4 224.0.0.1/1/2/3", "IN IP4 224.0.0.1/1/65536"),
    *("IN IP4 1.2.3.4 5", "IN IP4 /127", "IN IP4 [::1]", "IN IP4 ::1", "IN IP4 é"),
    *(
        "IN IP6 192.0.2.1",
        "IN IP6 [::1]",
        "IN IP6 :::1",
        "IN IP6 1:2:3",
        "IN IP6 ::1::",
    ),
    *("IN IP6 fe80::1%eth0", "IN IP6 ff15::1/127/3", "IN IP6 ff15::1/0", "IN IP6 g::1"),
    "IN IP4 " + "a" * 254,
    "IN IP6 " + ":" * 8000,
)


class ConnectionTests(SynchronousTestCase):
    def test_good(self) -> None:
        """
        Each form of the grammar gives its parts, and writes itself the same.
        """
        for text, connection in GOOD.items():
            with self.subTest(text=text):
                self.assertEqual(Connection.parse(text), connection)
                self.assertEqual(str(connection), text)

    def test_bad(self) -> None:
        """
        Too short, too long, no address, or one of the other type: refused with 400.
        """
        for text in BAD:
            with self.subTest(text=text[:40]):
                error = self.assertRaises(ParseError, Connection.parse, text)
                self.assertEqual(error.status, 400)
                self.assertLess(len(str(error)), 120)

    def test_address_type_follows_the_address(self) -> None:
        """
        Whoever names no address type gets the right one.
        """
        self.assertEqual(Connection("192.0.2.1").addrtype, "IP4")
        self.assertEqual(Connection("2001:db8::1").addrtype, "IP6")

    def test_with_address(self) -> None:
        """
        Another address brings its type along, and loses what only groups have.
        """
        group = Connection("224.2.1.1", ttl=127, count=3)
        self.assertEqual(str(group.with_address("2001:db8::1")), "IN IP6 2001:db8::1")
        self.assertEqual(str(group.with_address("192.0.2.1")), "IN IP4 192.0.2.1")

    def test_unspecified(self) -> None:
        """
        0.0.0.0 and :: are no address at all; a host name is not looked at.
        """
        for address, expected in (
            ("0.0.0.0", True),
            ("::", True),
            ("0::0", True),
            ("192.0.2.1", False),
            ("0.example", False),
        ):
            with self.subTest(address=address):
                self.assertIs(Connection(address).is_unspecified, expected)

    def test_check(self) -> None:
        """
        What could not be read again is not written.
        """
        Connection("192.0.2.1").check()
        for connection in (
            Connection(""),
            Connection("a b"),
            Connection("192.0.2.1 IN IP4 10.0.0.1"),
            Connection("192.0.2.1", ttl=300),
            Connection("192.0.2.1", count=2),  # the count would be read as a TTL
            replace(Connection("192.0.2.1"), address="2001:db8::1"),
        ):
            with self.subTest(connection=connection):
                self.assertRaises(LocalProtocolError, connection.check)


class RTCPTests(SynchronousTestCase):
    def test_good(self) -> None:
        """
        A port, with or without an address (RFC 3605, 2.1).
        """
        for text, rtcp in (
            ("53020", RTCP(53020)),
            ("53020 IN IP4 192.0.2.1", RTCP(53020, Connection("192.0.2.1"))),
            ("9 IN IP6 2001:db8::1", RTCP(9, Connection("2001:db8::1"))),
        ):
            with self.subTest(text=text):
                self.assertEqual(RTCP.parse(text), rtcp)
                self.assertEqual(str(rtcp), text)

    def test_bad(self) -> None:
        """
        No port, a port too large, half an address: refused.
        """
        for text in ("", "x", "65536", "-1", "1 IN", "1 IN IP4", "1 IN IP4 ::1"):
            with self.subTest(text=text):
                self.assertRaises(ParseError, RTCP.parse, text)
