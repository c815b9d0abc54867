"""
Tests for `sipsorcery.proxy.nat`.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.nat import Nat
from sipsorcery.proxy.networks import LocalNetworks
from sipsorcery.sip import Request
from tests.proxy.flows import FROM_A, FROM_B, make_request

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 96\r\nc=IN IP4 %s\r\n"
)
NAT = Nat(LocalNetworks())


def make(*lines: str) -> Request:
    """
    Make an INVITE with fields.
    """
    return make_request("INVITE", "sip:bob@example.com", *lines)


class ContactTests(SynchronousTestCase):
    """
    The address in a Contact.
    """

    def test_hidden(self) -> None:
        """
        Host and port become those of the source; user, parameters and all else stay.
        """
        request = make(
            'Contact: "A" <sip:a%40b@10.0.0.5:5070;transport=udp;ob>'
            ';+sip.instance="<u>"'
        )
        self.assertTrue(NAT.fix_contact(request, FROM_A))
        self.assertEqual(
            request.all("Contact"),
            (
                '"A" <sip:a%40b@198.51.100.7:33000;transport=udp;ob>'
                ';+sip.instance="<u>"',
            ),
        )

    def test_left_alone(self) -> None:
        """
        What others can reach stays as spelled, and so does what is not an address of
        the sender: several Contacts, a star, another scheme.
        """
        for lines in (
            ("Contact: <sip:a@192.0.2.5>",),
            ("Contact: <sip:a@phone.example.com>",),
            ("Contact: <sip:a@10.0.0.5>, <sip:a@10.0.0.6>",),
            ("Contact: *",),
            ("Contact: <tel:112>",),
            (),
        ):
            request = make(*lines)
            before = request.to_bytes()
            self.assertFalse(NAT.fix_contact(request, FROM_A), lines)
            self.assertEqual(request.to_bytes(), before)

    def test_local_network(self) -> None:
        """
        Who is in a local network needs no help.
        """
        nat = Nat(LocalNetworks([ip_network("198.51.100.0/24")]))
        self.assertFalse(nat.fix_contact(make("Contact: <sip:a@10.0.0.5>"), FROM_A))

    def test_ipv6(self) -> None:
        """
        An IPv6 source stands in brackets.
        """
        arrival = replace(FROM_B, remote=Endpoint.parse("tls:[2001:db8::7]:5555"))
        request = make("Contact: <sip:a@[fd00::5]>")
        self.assertTrue(NAT.fix_contact(request, arrival))
        self.assertEqual(request.all("Contact"), ("<sip:a@[2001:db8::7]:5555>",))


class SDPTests(SynchronousTestCase):
    """
    The addresses in a body.
    """

    def make(self, address: bytes, kind: str = "application/sdp") -> Request:
        """
        Make an INVITE with a body whose second stream has an address of its own.
        """
        request = make(f"Content-Type: {kind}")
        request.body = SDP % address
        return request

    def test_hidden(self) -> None:
        """
        Every hidden address for media becomes the source; that in the origin names the
        session and stays. The length is right afterwards.
        """
        request = self.make(b"10.0.0.6")
        self.assertTrue(NAT.fix_sdp(request, FROM_A))
        self.assertEqual(
            request.body,
            (SDP % b"10.0.0.6")
            .replace(b"c=IN IP4 10.0.0.5", b"c=IN IP4 198.51.100.7")
            .replace(b"c=IN IP4 10.0.0.6", b"c=IN IP4 198.51.100.7"),
        )
        self.assertEqual(request.get("Content-Length"), str(len(request.body)))

    def test_others_stay(self) -> None:
        """
        An address that others can reach, a name, and the 0.0.0.0 of a hold stay.
        """
        for address in (b"192.0.2.5", b"media.example.com", b"0.0.0.0"):
            request = self.make(address)
            NAT.fix_sdp(request, FROM_A)
            self.assertIn(b"c=IN IP4 " + address, request.body)

    def test_rtcp(self) -> None:
        """
        Where RTCP goes elsewhere (RFC 3605) its address is changed, not the port.
        """
        request = self.make(b"10.0.0.6")
        request.body += b"a=rtcp:53020 IN IP4 10.0.0.6\r\na=rtcp:53020\r\n"
        self.assertTrue(NAT.fix_sdp(request, FROM_A))
        self.assertIn(b"\r\na=rtcp:53020 IN IP4 198.51.100.7\r\n", request.body)
        self.assertTrue(request.body.endswith(b"\r\na=rtcp:53020\r\n"))

    def test_ice(self) -> None:
        """
        Who has candidates finds a way alone, and does not if other addresses than
        theirs are named.
        """
        request = self.make(b"10.0.0.6")
        request.body += b"a=candidate:1 1 UDP 2130706431 10.0.0.5 4000 typ host\r\n"
        before = request.to_bytes()
        self.assertFalse(NAT.fix_sdp(request, FROM_A))
        self.assertEqual(request.to_bytes(), before)

    def test_other_bodies(self) -> None:
        """
        What is no SDP is not read.
        """
        request = self.make(b"10.0.0.6", "text/plain")
        before = request.to_bytes()
        self.assertFalse(NAT.fix_sdp(request, FROM_A))
        self.assertEqual(request.to_bytes(), before)

    def test_ipv6(self) -> None:
        """
        The family changes with the address.
        """
        arrival = replace(FROM_B, remote=Endpoint.parse("tls:[2001:db8::7]:5555"))
        request = self.make(b"10.0.0.6")
        self.assertTrue(NAT.fix_sdp(request, arrival))
        self.assertEqual(request.body.count(b"c=IN IP6 2001:db8::7"), 2)
