"""
Tests for `sipsorcery.transport.location.sought`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Transport
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.sought import Sought, seek_uri, seek_via

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
ALL = (UDP, TCP, TLS)


class URITests(SynchronousTestCase):
    """
    What a URI says (RFC 3263, 4 and 4.1).
    """

    def seek(
        self, text: str, available: tuple[Transport, ...] = ALL, reliable: bool = False
    ) -> Sought:
        """
        Read a URI.
        """
        return seek_uri(SIPURI.parse(text), available, reliable=reliable)

    def test_host_and_port(self) -> None:
        """
        The host is a name or an address without brackets.
        """
        for text, host, port, numeric in (
            ("sip:alice@Example.COM", "example.com", None, False),
            ("sip:example.com.:5070", "example.com", 5070, False),
            ("sip:192.0.2.1", "192.0.2.1", None, True),
            ("sip:[2001:DB8::1]:5070", "2001:db8::1", 5070, True),
        ):
            sought = self.seek(text)
            self.assertEqual((sought.domain, sought.host), (host, host))
            self.assertEqual((sought.port, sought.is_numeric), (port, numeric))

    def test_maddr(self) -> None:
        """
        "We define TARGET as the value of the maddr parameter of the URI, if present";
        what has to be proved stays the host.
        """
        sought = self.seek("sip:example.com;maddr=192.0.2.1")
        self.assertEqual((sought.domain, sought.host), ("example.com", "192.0.2.1"))
        sought = self.seek("sip:example.com;maddr=[2001:db8::1]")
        self.assertEqual(sought.host, "2001:db8::1")

    def test_transports(self) -> None:
        """
        The transport parameter settles it; sips is TLS; otherwise it is UDP, or what
        DNS says.
        """
        for text, transports, presumed, settled in (
            ("sip:a.b", (UDP, TCP), (UDP,), False),
            ("sip:a.b;transport=udp", (UDP,), (UDP,), True),
            ("sip:a.b;transport=TCP", (TCP,), (TCP,), True),
            ("sip:a.b;transport=tls", (TLS,), (TLS,), True),
            ("sips:a.b", (TLS,), (TLS,), False),
            ("sips:a.b;transport=tcp", (TLS,), (TLS,), True),
            ("sips:a.b;transport=tls", (TLS,), (TLS,), True),
        ):
            sought = self.seek(text)
            self.assertEqual(sought.transports, transports, text)
            self.assertEqual(sought.presumed, presumed, text)
            self.assertEqual(sought.is_settled, settled, text)
            self.assertEqual(sought.is_secure, text.startswith("sips"), text)

    def test_reliable(self) -> None:
        """
        A long request tries TCP first, and UDP if that is not answered
        (RFC 3261, 18.1.1), where the URI leaves it open.
        """
        sought = self.seek("sip:a.b", reliable=True)
        self.assertEqual((sought.transports, sought.presumed), ((TCP, UDP), (TCP, UDP)))
        sought = self.seek("sip:a.b;transport=udp", reliable=True)
        self.assertEqual(sought.presumed, (UDP,))

    def test_without_udp(self) -> None:
        """
        Who has no UDP socket presumes TCP.
        """
        sought = self.seek("sip:a.b", (TCP, TLS))
        self.assertEqual((sought.transports, sought.presumed), ((TCP,), (TCP,)))

    def test_websocket(self) -> None:
        """
        Over sips a WebSocket is a secure one, once we can open any.
        """
        everything = tuple(Transport)
        sought = self.seek("sips:a.b;transport=ws", everything)
        self.assertEqual(sought.transports, (Transport.WSS,))
        sought = self.seek("sip:a.b;transport=ws", everything)
        self.assertEqual(sought.transports, (Transport.WS,))

    def test_refused(self) -> None:
        """
        What nobody, or we, cannot do is refused with a sentence that says so.
        """
        for text, said in (
            ("sips:a.b;transport=udp", "a sips URI does not go over UDP: 'a.b'"),
            ("sip:a.b;transport=sctp", "no transport is called 'sctp'"),
            ("sip:a.b;transport=ws", "nothing can be sent over ws from here"),
            ("sips:a.b;transport=ws", "nothing can be sent over wss from here"),
            ("sip:a.b:0", "nothing listens on port 0: 'a.b:0'"),
            ("sip:*", "'*' is no name that DNS could know"),
            ("sip:Blue Face", "'Blue Face' is no name"),
            ("sip:a.b;maddr=c..d", "'c..d' is no name"),
            ("sip:a.b;maddr", "no error"),
        ):
            try:
                self.seek(text)
            except LocationError as error:
                self.assertIn(said, str(error))
            else:
                self.assertEqual(said, "no error")


class ViaTests(SynchronousTestCase):
    """
    What a Via says (RFC 3263, 5).
    """

    def test_sent_by(self) -> None:
        """
        Its transport is the one to answer by; no NAPTR is asked for.
        """
        for text, sought in (
            (
                "SIP/2.0/TLS Example.com;maddr=192.0.2.9",
                Sought("example.com", "example.com", None, (TLS,), (TLS,), True),
            ),
            (
                "SIP/2.0/udp [2001:db8::1]:5070",
                Sought("2001:db8::1", "2001:db8::1", 5070, (UDP,), (UDP,), True),
            ),
        ):
            self.assertEqual(seek_via(Via.parse(text), ALL), sought)

    def test_refused(self) -> None:
        """
        An unknown transport, or a sent-by that is nowhere, is refused.
        """
        for text in ("SIP/2.0/SCTP a.b", "SIP/2.0/WS a.invalid", "SIP/2.0/UDP a.b:0"):
            with self.assertRaises(LocationError):
                seek_via(Via.parse(text), ALL)
