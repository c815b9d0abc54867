"""
Tests for :mod:`sipsorcery.sip.via`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.via import Via
from tests.sip.test_parameters import names, pairs
from tests.sip.test_uri import hosts

vias = st.builds(
    Via,
    transport=names,
    host=hosts,
    port=st.none() | st.integers(0, 65535),
    parameters=pairs.map(Parameters),
    protocol=st.builds("{}/{}".format, names, names),
)


class ReadTests(SynchronousTestCase):
    """
    The parts of a Via.
    """

    def test_all_parts(self) -> None:
        """
        Protocol, transport, sent-by and parameters (RFC 3261, 20.42).
        """
        via = Via.parse(
            "SIP/2.0/UDP erlang.example.com:5070;branch=z9hG4bK87asdks7"
            ";received=192.0.2.207;rport=6000;maddr=224.2.0.1;ttl=16"
        )
        self.assertEqual(via.protocol, "SIP/2.0")
        self.assertEqual(via.transport, "UDP")
        self.assertEqual((via.host, via.port), ("erlang.example.com", 5070))
        self.assertEqual(via.sent_by, "erlang.example.com:5070")
        self.assertEqual(via.branch, "z9hG4bK87asdks7")
        self.assertEqual(via.received, "192.0.2.207")
        self.assertEqual(via.rport, 6000)
        self.assertEqual(via.maddr, "224.2.0.1")
        self.assertEqual(via.ttl, 16)

    def test_least(self) -> None:
        """
        A client of RFC 2543 sends neither port nor branch.
        """
        via = Via.parse("SIP/2.0/UDP iftgw.example.com")
        self.assertEqual(via, Via("UDP", "iftgw.example.com"))
        for value in (
            via.port,
            via.branch,
            via.received,
            via.rport,
            via.maddr,
            via.ttl,
        ):
            self.assertIsNone(value)

    def test_blanks(self) -> None:
        """
        Blanks are allowed round slashes, colon, semicolons and equal signs
        (RFC 4475, 3.1.1.1).
        """
        via = Via.parse("SIP  / 2.0\t/ UDP  192.0.2.2 : 5061  ; branch =  390skdjuw ")
        self.assertEqual(str(via).split()[0], "SIP/2.0/UDP")
        self.assertEqual(via.sent_by, "192.0.2.2:5061")
        self.assertEqual(via.branch, "390skdjuw")

    def test_largest_port(self) -> None:
        """
        A port goes up to 65535.
        """
        self.assertEqual(Via.parse("SIP/2.0/UDP a:65535").port, 65535)

    def test_transports(self) -> None:
        """
        Any transport can be read (RFC 4475, 3.1.1.10), with case as spelled.
        """
        for transport in ("UDP", "tcp", "TLS", "SCTP", "TLS-SCTP", "WSS", "UNKNOWN"):
            self.assertEqual(Via.parse(f"SIP/2.0/{transport} a").transport, transport)

    def test_rport_flag(self) -> None:
        """
        X-Ten asks for rport with a flag (RFC 3581), which has no value yet.
        """
        via = Via.parse("SIP/2.0/UDP 192.168.1.2:5065;rport;branch=z9hG4bKFBB7EAC")
        self.assertIsNone(via.rport)
        self.assertIn("rport", via.parameters)

    def test_missing_semicolon(self) -> None:
        """
        An old X-Lite left out the semicolon before ``branch``.
        """
        via = Via.parse("SIP/2.0/UDP 192.168.1.1:1234branch=z9hG4bKkd8;rport")
        self.assertEqual(via.sent_by, "192.168.1.1:1234")
        self.assertEqual(via.branch, "z9hG4bKkd8")
        self.assertIn("rport", via.parameters)
        self.assertEqual(
            str(via), "SIP/2.0/UDP 192.168.1.1:1234;branch=z9hG4bKkd8;rport"
        )

    def test_unknown_parameters(self) -> None:
        """
        Parameters that nobody knows are kept.
        """
        text = 'SIP/2.0/UDP a;keep;x="y;z";branch=1;alias'
        self.assertEqual(str(Via.parse(text)), text)

    def test_branch_with_rare_characters(self) -> None:
        """
        A branch is any token (RFC 4475, 3.1.1.2 and 3.1.1.5).
        """
        for branch in ("z9hG4bK-.!%66*_+`'~", "z9hG4bK209%fzsnel234", "z9hG4bK1:2@3"):
            self.assertEqual(Via.parse(f"SIP/2.0/TCP a;branch={branch}").branch, branch)

    def test_magic_cookie(self) -> None:
        """
        Only a branch that starts with the magic cookie and goes on identifies a
        transaction (RFC 3261, 17.2.3; RFC 4475, 3.2.1).
        """
        for branch, expected in (
            (";branch=z9hG4bKx", True),
            (";branch=z9hG4bK", False),
            (";branch=Z9HG4BKx", False),
            (";branch=1", False),
            (";branch", False),
            ("", False),
        ):
            via = Via.parse(f"SIP/2.0/UDP a{branch}")
            self.assertIs(via.is_rfc3261, expected, branch)

    def test_broken_numbers(self) -> None:
        """
        An rport or ttl that is no number in range is an error to whoever reads it.
        """
        for name, value in (
            ("rport", "65536"),
            ("rport", "-1"),
            ("rport", "x"),
            ("ttl", "256"),
            ("ttl", "x"),
        ):
            via = Via.parse(f"SIP/2.0/UDP a;{name}={value}")
            with self.assertRaises(ParseError):
                getattr(via, name)

    def test_broken(self) -> None:
        """
        A Via names a protocol, a transport and a host; its port is one, and nothing
        stands loose behind it.
        """
        for text in (
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 192.0.2.1",
            "SIP/2.0/UDP192.0.2.1",
            "UDP 192.0.2.1",
            "SIP//UDP 192.0.2.1",
            "SIP/2.0/UDP 192.0.2.1:",
            "SIP/2.0/UDP 192.0.2.1:65536",
            "SIP/2.0/UDP 192.0.2.1:123456",
            "SIP/2.0/UDP 192.0.2.1:port",
            "SIP/2.0/UDP 192.0.2.1:1234port",
            "SIP/2.0/UDP 192.0.2.1 x",
            "SIP/2.0/UDP 192.0.2.1;;,;,,",
            "SIP/2.0/UDP 192.0.2.1;",
            "SIP/2.0/UDP user@192.0.2.1",
            "SIP/2.0/UDP <192.0.2.1>",
            "SIP/2.0/UDP a, SIP/2.0/UDP b",
        ):
            with self.assertRaises(ParseError, msg=text):
                Via.parse(text)

    def test_broken_port_from_aastra(self) -> None:
        """
        Aastra has sent a Via whose port runs on into the next number.
        """
        with self.assertRaises(ParseError):
            Via.parse("SIP/2.0/UDP 192.168.1.1:50605060;branch=z9hG4bK1")


class IPv6Tests(SynchronousTestCase):
    """
    IPv6 addresses in a Via (RFC 5118).
    """

    def test_sent_by(self) -> None:
        """
        The brackets are kept in host, and gone in address.
        """
        for text, address, port in (
            ("[2001:db8::9:1]", "2001:db8::9:1", None),
            ("[2001:db8::9:1]:5070", "2001:db8::9:1", 5070),
            ("[::ffff:192.0.2.10]:19823", "::ffff:192.0.2.10", 19823),
            ("[fe80::1%eth0]", "fe80::1%eth0", None),
        ):
            via = Via.parse(f"SIP/2.0/UDP {text};branch=z9hG4bKas3")
            self.assertEqual((via.address, via.port), (address, port))
            self.assertEqual(via.sent_by, text)

    def test_received(self) -> None:
        """
        ``received`` is read with brackets and without (RFC 5118, 4.5).
        """
        for value in ("[2001:db8::9:255]", "2001:db8::9:255"):
            via = Via.parse(f"SIP/2.0/UDP [2001:db8::9:1];received={value};branch=1")
            self.assertEqual(via.received, "2001:db8::9:255")

    def test_broken(self) -> None:
        """
        An address without brackets, or brackets without an address, is refused.
        """
        for host in ("2001:db8::9:1", "[]", "[:::1]", "[::1", "[1.2.3.4]", "[::1]:x"):
            with self.assertRaises(ParseError, msg=host):
                Via.parse(f"SIP/2.0/UDP {host};branch=z9hG4bKas3")


class SourceTests(SynchronousTestCase):
    """
    Noting where a request came from (RFC 3261, 18.2.1; RFC 3581, 4).
    """

    def check(self, parameters: str, expected: str, host: str = "192.0.2.1") -> None:
        """
        Compare what is noted for a request from 192.0.2.1, port 6000.
        """
        via = Via.parse(f"SIP/2.0/UDP {host}{parameters}")
        self.assertEqual(
            str(via.seen_from("192.0.2.1", 6000)), f"SIP/2.0/UDP {host}{expected}"
        )

    def test_as_it_says(self) -> None:
        """
        Nothing is noted where sent-by is right and nobody asks.
        """
        self.check(";branch=1", ";branch=1")

    def test_other_address(self) -> None:
        """
        ``received`` is noted where sent-by differs, or is a name.
        """
        self.check(";branch=1", ";branch=1;received=192.0.2.1", host="192.0.2.9:5060")
        self.check(";branch=1", ";branch=1;received=192.0.2.1", host="example.com")

    def test_rport(self) -> None:
        """
        Who asks for rport gets it, and received with it, always.
        """
        self.check(";rport;b", ";rport=6000;b;received=192.0.2.1")

    def test_what_the_sender_wrote(self) -> None:
        """
        A sender cannot choose where the answer goes.
        """
        for parameters in (
            ";received=203.0.113.9;branch=1",
            ";rport=7000;RECEIVED=203.0.113.9;received=203.0.113.8",
            ";rport;rport=7000;received",
        ):
            via = Via.parse(f"SIP/2.0/UDP 192.0.2.1{parameters}")
            seen = via.seen_from("192.0.2.1", 6000)
            self.assertEqual(seen.received or seen.address, "192.0.2.1")
            self.assertEqual(seen.rport, 6000 if "rport" in parameters else None)
            self.assertNotIn("203.0.113", str(seen))
            self.assertNotIn("7000", str(seen))

    def test_spellings_of_ipv6(self) -> None:
        """
        Two spellings of one IPv6 address are one address.
        """
        via = Via.parse("SIP/2.0/UDP [2001:DB8:0::1]:5060;branch=1")
        self.assertEqual(via.seen_from("2001:db8::1", 5060), via)
        self.assertEqual(via.seen_from("2001:db8::2", 1).received, "2001:db8::2")


class WriteTests(SynchronousTestCase):
    """
    Vias as text.
    """

    def test_with_parameter(self) -> None:
        """
        A parameter is set in a copy.
        """
        via = Via("TCP", "a", 5060)
        self.assertEqual(
            str(via.with_parameter("branch", "z9hG4bK1")),
            "SIP/2.0/TCP a:5060;branch=z9hG4bK1",
        )
        self.assertEqual(str(via), "SIP/2.0/TCP a:5060")

    @given(vias)
    def test_round_trip(self, via: Via) -> None:
        """
        What is written is read again.
        """
        self.assertEqual(Via.parse(str(via)), via)
