"""
IPv6 in whole messages, in the shapes of RFC 5118.

What is in a session description is read elsewhere; here it is a body like any other.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, VIA
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.uri import SIPURI
from tests.sip.samples import message

IDENTITY = (
    "From: sip:alice@example.com;tag=6",
    "To: sip:alice@example.com",
    "Call-ID: 1a2b@2001:db8::20",
    "CSeq: 6 REGISTER",
    "Max-Forwards: 70",
)


class MessageTests(SynchronousTestCase):
    """
    Requests with IPv6 addresses.
    """

    def read(self, uri: str, *lines: str, body: bytes = b"") -> Request:
        """
        Read and check a REGISTER of *uri*.
        """
        made = parse(message(f"REGISTER {uri} SIP/2.0", *lines, *IDENTITY, body=body))
        assert isinstance(made, Request)
        made.check(CONTACT)
        return made

    def uri(self, value: object) -> SIPURI:
        """
        Make sure that *value* is a SIP URI.
        """
        assert isinstance(value, SIPURI)
        return value

    def test_references(self) -> None:
        """
        References in Request-URI, Via and Contact (section 4.1).
        """
        made = self.read(
            "sip:[2001:db8::10]",
            "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6",
            'Contact: "Alice" <sip:alice@[2001:db8::1]>',
        )
        uri = self.uri(made.uri)
        self.assertEqual((uri.host, uri.address), ("[2001:db8::10]", "2001:db8::10"))
        self.assertEqual(made[VIA].address, "2001:db8::9:1")
        contact = made[CONTACT]
        assert isinstance(contact, Address)
        self.assertEqual(self.uri(contact.uri).address, "2001:db8::1")

    def test_no_brackets(self) -> None:
        """
        An address without brackets is no host: 400 (section 4.2).
        """
        with self.assertRaises(ParseError) as caught:
            self.read(
                "sip:2001:db8::10",
                "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6",
            )
        self.assertEqual(caught.exception.status, 400)
        answer = error_response(caught.exception)
        assert answer is not None
        self.assertEqual(answer[VIA].address, "2001:db8::9:1")

    def test_port_ambiguous(self) -> None:
        """
        A port inside the brackets is part of the address (section 4.3).
        """
        uri = self.uri(self.read("sip:[2001:db8::10:5070]", *VIAS).uri)
        self.assertEqual(IPv6Address(uri.address), IPv6Address("2001:db8::10:5070"))
        self.assertIsNone(uri.port)

    def test_port_unambiguous(self) -> None:
        """
        A port behind the brackets is the port (section 4.4).
        """
        uri = self.uri(self.read("sip:[2001:db8::10]:5070", *VIAS).uri)
        self.assertEqual((uri.address, uri.port), ("2001:db8::10", 5070))

    def test_received(self) -> None:
        """
        ``received`` comes with brackets and without (section 4.5).
        """
        for value in ("[2001:db8::9:255]", "2001:db8::9:255"):
            made = self.read(
                "sip:[2001:db8::10]",
                f"Via: SIP/2.0/UDP [2001:db8::9:1];received={value};branch=z9hG4bKv6",
            )
            self.assertEqual(made[VIA].received, "2001:db8::9:255")
            self.assertIn(f"received={value};", made.respond(200).head)

    def test_body(self) -> None:
        """
        Addresses in a body stay as they are (sections 4.6 and 4.8).
        """
        body = (
            b"v=0\r\no=- 1 1 IN IP6 2001:db8::20\r\ns=-\r\nt=0 0\r\n"
            b"c=IN IP4 192.0.2.1\r\nm=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"
        )
        made = self.read("sip:[2001:db8::10]", *VIAS, f"l: {len(body)}", body=body)
        self.assertEqual(made.body, body)

    def test_both_families(self) -> None:
        """
        Vias of both families, with ports and ``received`` (section 4.7).
        """
        made = self.read(
            "sip:user@host.example.net",
            "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKv6",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKv4",
            "Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK3;received=192.0.2.200",
        )
        self.assertEqual(
            [(via.address, via.port, via.received) for via in made.all(VIA)],
            [
                ("2001:db8::9:1", 6050, None),
                ("192.0.2.1", None, None),
                ("2001:db8::9:255", None, "192.0.2.200"),
            ],
        )

    def test_mapped(self) -> None:
        """
        An IPv4 address mapped into IPv6 is an IPv6 address (section 4.9).
        """
        made = self.read(
            "sip:user@example.com",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKv6",
            'Contact: "Bob" <sip:[::ffff:192.0.2.10]:19823>',
        )
        via = made[VIA]
        self.assertEqual((via.address, via.port), ("::ffff:192.0.2.10", 19823))
        self.assertEqual(
            IPv6Address(via.address).ipv4_mapped,
            IPv6Address("::ffff:c000:20a").ipv4_mapped,
        )

    def test_three_colons(self) -> None:
        """
        The grammar of RFC 3261 would have three colons in a mapped address, which is
        none; two are right (section 4.10, RFC 5954).
        """
        self.read("sip:user@[2001:db8::192.0.2.1]", *VIAS)
        with self.assertRaises(ParseError):
            self.read("sip:user@[2001:db8:::192.0.2.1]", *VIAS)

    def test_zone(self) -> None:
        """
        A link-local address may name its zone.
        """
        made = self.read(
            "sip:[fe80::1%eth0]:5060", "Via: SIP/2.0/UDP [fe80::2%eth0];branch=z9hG4bK1"
        )
        self.assertEqual(self.uri(made.uri).address, "fe80::1%eth0")
        self.assertEqual(made[VIA].address, "fe80::2%eth0")

    def test_source(self) -> None:
        """
        Where a request came from is noted without brackets (RFC 5118, 4.5; the grammar
        of RFC 3261 has none).
        """
        made = self.read("sip:[2001:db8::10]", "Via: SIP/2.0/UDP [2001:db8::9:1];rport")
        made.note_source("2001:db8::ffff", 6000)
        self.assertEqual(made[VIA].received, "2001:db8::ffff")
        self.assertEqual(made[VIA].rport, 6000)
        self.assertIn("received=2001:db8::ffff", made.head)
        self.assertEqual(parse(made.to_bytes())[VIA], made[VIA])


VIAS = ("Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6",)
