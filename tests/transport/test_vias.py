"""
Tests for `sipsorcery.transport.vias`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.via import Via
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.vias import (
    check_unicast,
    leads_back,
    response_address,
)
from tests.transport.messages import options

UDP, TCP = Transport.UDP, Transport.TCP


class SourceTests(SynchronousTestCase):
    """
    RFC 3261, section 18.2.1, and RFC 3581, section 4: what the layer asks of a request.
    """

    def stamped(
        self, via: str, host: str = "192.0.2.2", port: int = 4444
    ) -> str | None:
        """
        Give the Via of a request that came from this address.
        """
        request = options(via)
        request.note_source(host, 4444)
        return request.get("Via")

    def test_same_address_without_rport(self) -> None:
        """
        A Via that tells the source already is left as it was spelled.
        """
        spelled = "SIP/2.0/UDP  192.0.2.2 : 5060 ; branch=z9hG4bK1"
        self.assertEqual(self.stamped(spelled), spelled)

    def test_other_address(self) -> None:
        """
        The source is noted if sent-by is another address, or a name.
        """
        for host in ("10.0.0.1", "phone.example"):
            self.assertEqual(
                self.stamped(f"SIP/2.0/UDP {host};branch=z9hG4bK1"),
                f"SIP/2.0/UDP {host};branch=z9hG4bK1;received=192.0.2.2",
            )

    def test_rport(self) -> None:
        """
        Asked for the port, we note it, and the address too, even if it is the same.
        """
        self.assertEqual(
            self.stamped("SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bK1"),
            "SIP/2.0/UDP 192.0.2.2;rport=4444;branch=z9hG4bK1;received=192.0.2.2",
        )

    def test_forged_parameters(self) -> None:
        """
        What the sender wrote itself is replaced, however often it did so.
        """
        self.assertEqual(
            self.stamped(
                "SIP/2.0/UDP 192.0.2.2;received=198.51.100.1;RPORT=1;branch=z9hG4bK1"
            ),
            "SIP/2.0/UDP 192.0.2.2;RPORT=4444;branch=z9hG4bK1;received=192.0.2.2",
        )
        doubled = self.stamped(
            "SIP/2.0/UDP 192.0.2.2;received=198.51.100.1;Received=198.51.100.2"
        )
        self.assertNotIn("198.51.100", str(doubled))

    def test_ipv6(self) -> None:
        """
        An address of IPv6 is noted without brackets; two spellings are one address.
        """
        self.assertEqual(
            self.stamped("SIP/2.0/TCP [2001:db8::9]", "2001:db8::1"),
            "SIP/2.0/TCP [2001:db8::9];received=2001:db8::1",
        )
        same = "SIP/2.0/TCP [2001:DB8:0:0::1];branch=z9hG4bK1"
        self.assertEqual(self.stamped(same, "2001:db8::1"), same)

    def test_only_the_first(self) -> None:
        """
        The Vias below are those of others.
        """
        request = options(
            "SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP/2.0/UDP b.example"
        )
        request.note_source("192.0.2.2", 5060)
        self.assertIn(b"Via: SIP/2.0/UDP b.example\r\n", request.to_bytes())

    def test_broken(self) -> None:
        """
        A Via that cannot be read is the sender's fault.
        """
        request = options("SIP/2.0/UDP")
        self.assertRaises(ParseError, request.note_source, "192.0.2.2", 5060)


class ResponseAddressTests(SynchronousTestCase):
    """
    RFC 3261, section 18.2.2, and RFC 3581, section 4.
    """

    def where(
        self,
        via: str,
        transport: Transport = UDP,
        source: str = "192.0.2.2",
        follow_maddr: bool = False,
    ) -> tuple[str, int] | None:
        """
        Give the address for a response with this Via.
        """
        return response_address(
            Via.parse(via), transport, source, follow_maddr=follow_maddr
        )

    def test_sent_by(self) -> None:
        """
        Without parameters the response goes to sent-by, by its port or the usual one.
        """
        self.assertEqual(self.where("SIP/2.0/UDP 192.0.2.2:5070"), ("192.0.2.2", 5070))
        self.assertEqual(self.where("SIP/2.0/UDP 192.0.2.2"), ("192.0.2.2", 5060))
        self.assertEqual(
            self.where("SIP/2.0/TLS 192.0.2.2", Transport.TLS), ("192.0.2.2", 5061)
        )
        self.assertEqual(
            self.where("SIP/2.0/UDP [2001:db8::1]:5070"), ("2001:db8::1", 5070)
        )

    def test_received(self) -> None:
        """
        The address noted comes before sent-by; the port is that of sent-by.
        """
        via = "SIP/2.0/UDP a.example:5070;received=192.0.2.2"
        self.assertEqual(self.where(via), ("192.0.2.2", 5070))

    def test_rport(self) -> None:
        """
        Over UDP the port noted counts; a new connection goes to that of sent-by.
        """
        via = "SIP/2.0/UDP a.example:5070;received=192.0.2.2;rport=4444"
        self.assertEqual(self.where(via), ("192.0.2.2", 4444))
        self.assertEqual(self.where(via, TCP), ("192.0.2.2", 5070))

    def test_rport_unreadable(self) -> None:
        """
        A port that is none is as good as absent.
        """
        via = "SIP/2.0/UDP a.example:5070;received=192.0.2.2;rport=x"
        self.assertEqual(self.where(via), ("192.0.2.2", 5070))

    def test_maddr(self) -> None:
        """
        The address of maddr comes first, with the port of sent-by, if it is the
        sender's own; another one only where that is allowed.
        """
        via = "SIP/2.0/UDP a.example:5070;maddr=192.0.2.2;received=192.0.2.2;rport=4444"
        self.assertEqual(self.where(via), ("192.0.2.2", 5070))
        for other in ("192.0.2.9", "10.0.0.1", "169.254.1.1", "127.0.0.1"):
            via = f"SIP/2.0/UDP a.example:5070;maddr={other};received=192.0.2.2"
            self.assertEqual(self.where(via), ("192.0.2.2", 5070))
        via = "SIP/2.0/UDP a.example:5070;maddr=192.0.2.9;received=192.0.2.2;rport=4444"
        self.assertEqual(self.where(via), ("192.0.2.2", 4444))
        self.assertEqual(self.where(via, follow_maddr=True), ("192.0.2.9", 5070))

    def test_maddr_of_a_stream(self) -> None:
        """
        Over TCP the address noted is tried, and maddr is not asked.
        """
        via = "SIP/2.0/TCP a.example:5070;maddr=192.0.2.9;received=192.0.2.2"
        for follow_maddr in (False, True):
            where = self.where(via, TCP, follow_maddr=follow_maddr)
            self.assertEqual(where, ("192.0.2.2", 5070))

    def test_maddr_nowhere(self) -> None:
        """
        A maddr that is a group, everybody or a name is always passed over.
        """
        for maddr in ("224.0.1.75", "255.255.255.255", "ff02::1", "0.0.0.0", "a.test"):
            via = f"SIP/2.0/UDP a.example;maddr={maddr};received=192.0.2.2"
            for follow_maddr in (False, True):
                where = self.where(via, follow_maddr=follow_maddr)
                self.assertEqual(where, ("192.0.2.2", 5060))

    def test_maddr_inside(self) -> None:
        """
        Nobody outside can make us send to ourselves; those inside may be allowed to.
        """
        via = "SIP/2.0/UDP 192.0.2.2;maddr=127.0.0.1"
        for source, host in (("192.0.2.2", "192.0.2.2"), ("127.0.0.9", "127.0.0.1")):
            where = self.where(via, source=source, follow_maddr=True)
            self.assertEqual(where, (host, 5060))

    def test_name(self) -> None:
        """
        Where there is only a name, somebody else has to find its address.
        """
        self.assertIsNone(self.where("SIP/2.0/UDP a.example"))

    def test_never_to_everybody(self) -> None:
        """
        A sent-by that is no single peer's gets nothing (RFC 4475, "bcast").
        """
        for host in ("255.255.255.255", "224.0.1.75", "0.0.0.0", "[ff02::1]", "[::]"):
            self.assertRaises(TransportError, self.where, f"SIP/2.0/UDP {host}")


class LeadsBackTests(SynchronousTestCase):
    """
    The look that spares the answer to a usual request the parsing of its Via.
    """

    def test_noted(self) -> None:
        """
        A Via in which the source was noted leads back to it, and nowhere else.
        """
        for via in (
            "SIP/2.0/UDP a.example:9;branch=z9hG4bK1;rport",
            "SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bK1",
        ):
            request = options(via)
            request.note_source("192.0.2.2", 5062)
            text = request.get("Via")
            self.assertTrue(leads_back(text, "192.0.2.2", 5062))
            self.assertFalse(leads_back(text, "192.0.2.2", 506))
            self.assertFalse(leads_back(text, "192.0.2.20", 5062))
            self.assertFalse(leads_back(text, "192.0.2.", 5062))

    def test_right_as_it_is(self) -> None:
        """
        A Via in which nothing had to be noted leads back by its sent-by.
        """
        for via, port in (
            ("SIP/2.0/UDP 192.0.2.2:5062;branch=z9hG4bK1", 5062),
            ("SIP/2.0/UDP 192.0.2.2:5062", 5062),
            ("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1", 5060),
            ("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1", 5060),
        ):
            self.assertTrue(leads_back(via, "192.0.2.2", port))
            self.assertFalse(leads_back(via, "192.0.2.2", 506))
            self.assertFalse(leads_back(via, "192.0.2.20", port))
            self.assertFalse(leads_back(via, "192.0.2.", port))
            self.assertFalse(leads_back(via, "2.0.2.2", port))

    @given(
        st.sampled_from(["192.0.2.2", "192.0.2.1", "a.example", "[2001:db8::1]"]),
        st.sampled_from(["", ":5060", ":5062", ":62"]),
        st.lists(
            st.sampled_from(
                [
                    *(
                        "rport",
                        "rport=5062",
                        "RPORT=5060",
                        "rport=x",
                        "maddr=192.0.2.9",
                    ),
                    *(
                        "received=192.0.2.2",
                        "Received=192.0.2.1",
                        "received = 192.0.2.2",
                    ),
                    *("branch=z9hG4bK1", "MAddr=192.0.2.2", "x=192.0.2.2:5062"),
                ]
            ),
            unique_by=lambda text: text[:3].lower(),
        ),
        st.sampled_from([5060, 5062]),
    )
    def test_never_elsewhere(
        self, host: str, port: str, parameters: list[str], source: int
    ) -> None:
        """
        Where it says that a Via leads back, so does the Via when it is parsed.
        """
        text = ";".join((f"SIP/2.0/UDP {host}{port}", *parameters))
        if leads_back(text, "192.0.2.2", source):
            where = response_address(Via.parse(text), UDP, "192.0.2.2")
            self.assertEqual(where, ("192.0.2.2", source))

    def test_wants_a_look(self) -> None:
        """
        What is out of the ordinary is parsed.
        """
        noted = ";rport=5062;received=192.0.2.2"
        for text in (
            None,
            "",
            "SIP/2.0/UDP 192.0.2.2:5062;received=192.0.2.9",
            "SIP/2.0/UDP 192.0.2.2:5062;rport",
            "SIP/2.0/UDP 192.0.2.2:5062;maddr=192.0.2.9",
            f"SIP/2.0/UDP a.example{noted};MAddr=192.0.2.9",
            f"SIP/2.0/UDP a.example, SIP/2.0/UDP b.example{noted}",
        ):
            self.assertFalse(leads_back(text, "192.0.2.2", 5062))


class HostTests(SynchronousTestCase):
    """
    Addresses as texts.
    """

    def test_check_unicast(self) -> None:
        """
        A peer's address passes; a name is none.
        """
        check_unicast("192.0.2.1")
        check_unicast("2001:db8::1")
        self.assertRaises(TransportError, check_unicast, "a.example")

    @given(st.ip_addresses(), st.integers(1, 65535))
    def test_answer_goes_back(self, address: object, port: int) -> None:
        """
        A noted source leads back to where the request came from, whatever it said.
        """
        host = str(address)
        request = options("SIP/2.0/UDP nat.example:1;rport;received=198.51.100.1")
        request.note_source(host, port)
        via = Via.parse(str(request.get("Via")))
        try:
            self.assertEqual(response_address(via, UDP, host), (host, port))
        except TransportError:
            self.assertRaises(TransportError, check_unicast, host)
