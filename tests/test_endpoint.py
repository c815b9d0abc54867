"""
Tests for `sipsorcery.endpoint`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport

_ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)
_PORTS = st.integers(0, 65535)
_NAMES = st.from_regex(r"([a-z][a-z0-9]{0,8}\.){0,3}[a-z][a-z0-9]{1,8}", fullmatch=True)


class TransportTests(SynchronousTestCase):
    """
    What is known of each transport.
    """

    def test_reliable(self) -> None:
        """
        UDP alone leaves retransmission to SIP.
        """
        unreliable = [each for each in Transport if not each.is_reliable]
        self.assertEqual(unreliable, [Transport.UDP])

    def test_secure(self) -> None:
        """
        TLS, and WebSocket over TLS, are the two that a sips URI may use.
        """
        secure = {each for each in Transport if each.is_secure}
        self.assertEqual(secure, {Transport.TLS, Transport.WSS})

    def test_default_ports(self) -> None:
        """
        The ports of RFC 3261, section 19.1.2, and of RFC 7118.
        """
        ports = {str(each): each.default_port for each in Transport}
        self.assertEqual(
            ports, {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
        )


class HostPortTests(SynchronousTestCase):
    """
    A host by name or address, and a port.
    """

    def test_name(self) -> None:
        """
        A host name is kept as it is written.
        """
        self.assertEqual(
            HostPort.parse("SIP.example.com:5070"), HostPort("SIP.example.com", 5070)
        )

    def test_ipv6(self) -> None:
        """
        An IPv6 address loses its brackets and takes its shortest form.
        """
        self.assertEqual(
            HostPort.parse("[2001:DB8:0::1]:80"), HostPort("2001:db8::1", 80)
        )

    def test_default_port(self) -> None:
        """
        A missing port is the default one, and a fault where there is none.
        """
        for text in ("192.0.2.1", "192.0.2.1:"):
            self.assertEqual(HostPort.parse(text, default_port=9).port, 9)
            with self.assertRaisesRegex(ValueError, "has no port"):
                HostPort.parse(text)

    def test_wrong(self) -> None:
        """
        What is neither a name nor an address, or has no port number, is refused.
        """
        for text in (
            "",
            ":5060",
            "192.0.2.300:1",  # looks like an address, so it is no name
            "-a.example:1",
            "a_b:1",
            "a..b:1",
            "é.example:1",
            "[sip.example.com]:1",
            "[192.0.2.1]:1",
            "[::1",
            "[::1]x:1",
            "::1:5060",
            "a:b:1",
            "a:-1",
            "a:65536",
            "a:1e3",
            "a:٣",
            f"{'a.' * 127}a:1",
            f"{'a' * 64}:1",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                HostPort.parse(text)

    def test_error_is_short(self) -> None:
        """
        An error repeats the offending value, but not all of a long one.
        """
        with self.assertRaisesRegex(ValueError, "'xxx.*no port number") as caught:
            HostPort.parse("a:" + "x" * 100_000)
        self.assertLess(len(str(caught.exception)), 120)

    @given(_NAMES | _ADDRESSES.map(str), _PORTS)
    def test_round_trip(self, host: str, port: int) -> None:
        """
        What is written can be read back.
        """
        value = HostPort(host, port)
        self.assertEqual(HostPort.parse(str(value)), value)


class EndpointTests(SynchronousTestCase):
    """
    A transport, an IP address and a port.
    """

    def test_ipv4(self) -> None:
        """
        The parts stand in their order, with a colon between.
        """
        self.assertEqual(
            Endpoint.parse("udp:127.0.0.1:5060"),
            Endpoint(Transport.UDP, "127.0.0.1", 5060),
        )

    def test_ipv6(self) -> None:
        """
        Brackets are for the text; the value is without.
        """
        end = Endpoint.parse("TLS:[::1]:5061")
        self.assertEqual(end, Endpoint(Transport.TLS, "::1", 5061))
        self.assertTrue(end.is_ipv6)
        self.assertEqual(str(end), "tls:[::1]:5061")

    def test_ipv6_needs_brackets(self) -> None:
        """
        Without brackets nobody knows where the port begins; the error says so.
        """
        with self.assertRaisesRegex(ValueError, "stands in brackets"):
            Endpoint.parse("udp:2001:db8::1:5060")

    def test_default_port(self) -> None:
        """
        A missing port is the default one, and a fault where there is none.
        """
        self.assertEqual(Endpoint.parse("udp:[::1]", default_port=0).port, 0)
        with self.assertRaisesRegex(ValueError, "'udp:127.0.0.1' has no port"):
            Endpoint.parse("udp:127.0.0.1")

    def test_wrong(self) -> None:
        """
        An end point is numeric and its transport known.
        """
        for text in (
            "",
            "udp",
            "udp:",
            "127.0.0.1:5060",
            "sctp:127.0.0.1:5060",
            "udp:localhost:5060",
            "udp:127.0.0.1:70000",
            "udp:[127.0.0.1:5060",
            "udp:127.0.0.1]:5060",
            "udp:[[::1]]:5060",
            "udp:[127.0.0.1]:5060",
            "udp: 127.0.0.1:5060",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                Endpoint.parse(text)

    @given(st.sampled_from(Transport), _ADDRESSES, _PORTS)
    def test_round_trip(
        self, transport: Transport, host: IPv4Address | IPv6Address, port: int
    ) -> None:
        """
        What is written can be read back.
        """
        end = Endpoint(transport, str(host), port)
        self.assertEqual(Endpoint.parse(str(end)), end)
        self.assertEqual(end.is_ipv6, host.version == 6)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """
        Nothing but a ValueError comes of any text.
        """
        try:
            Endpoint.parse(f"udp:{text}")
        except ValueError:
            pass


class ListenAddressTests(SynchronousTestCase):
    """
    Where to listen.
    """

    def test_plain(self) -> None:
        """
        Without more, the address that is bound is the one that is told to others.
        """
        address = ListenAddress.parse("udp:0.0.0.0:5060")
        self.assertEqual(address, ListenAddress(Transport.UDP, "0.0.0.0", 5060))
        self.assertEqual(address.endpoint, Endpoint(Transport.UDP, "0.0.0.0", 5060))

    def test_advertise(self) -> None:
        """
        A name or address, with a port, can be told to others instead.
        """
        text = "tls:[::]:5061 advertise sip.example.com:443"
        address = ListenAddress.parse(text)
        self.assertEqual(address.advertise, HostPort("sip.example.com", 443))
        self.assertEqual(str(address), text)

    def test_any_white_space(self) -> None:
        """
        The words may stand apart as far as the operator likes.
        """
        self.assertEqual(
            ListenAddress.parse(" udp:127.0.0.1:0  advertise\t[::1]:1 "),
            ListenAddress(Transport.UDP, "127.0.0.1", 0, HostPort("::1", 1)),
        )

    def test_wildcard(self) -> None:
        """
        The unspecified address of either family stands for every local one.
        """
        for text, expected in (
            ("udp:0.0.0.0:1", True),
            ("udp:[::]:1", True),
            ("udp:[0:0:0:0:0:0:0:0]:1", True),
            ("udp:127.0.0.1:1", False),
        ):
            self.assertIs(ListenAddress.parse(text).is_wildcard, expected, text)

    def test_default_port(self) -> None:
        """
        A port left empty may be one that is chosen later, for listening only.
        """
        self.assertEqual(
            ListenAddress.parse("udp:127.0.0.1:", default_port=0),
            ListenAddress(Transport.UDP, "127.0.0.1", 0),
        )
        with self.assertRaisesRegex(ValueError, "has no port"):
            ListenAddress.parse("udp:127.0.0.1 advertise a.example", default_port=0)

    def test_wrong(self) -> None:
        """
        Whatever else is in the text is refused, with what is wrong.
        """
        for text, expected in (
            ("", "is not 'TRANSPORT:ADDRESS:PORT'"),
            ("udp:0.0.0.0:5060 advertise", "is not 'TRANSPORT:ADDRESS:PORT'"),
            ("udp:0.0.0.0:5060 announce a.example:1", "'advertise HOST:PORT'"),
            ("udp:0.0.0.0:5060 advertise a.example:0", "advertises port 0"),
            ("udp:0.0.0.0:5060 advertise a.example:1 b", "'advertise HOST:PORT'"),
            ("udp:localhost:5060", "'localhost' is no IP address"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ValueError, expected):
                ListenAddress.parse(text)

    @given(
        st.sampled_from(Transport),
        _ADDRESSES.map(str),
        _PORTS,
        st.none() | st.builds(HostPort, _NAMES, st.integers(1, 65535)),
    )
    def test_round_trip(
        self, transport: Transport, host: str, port: int, advertise: HostPort | None
    ) -> None:
        """
        What is written can be read back.
        """
        address = ListenAddress(transport, host, port, advertise)
        self.assertEqual(ListenAddress.parse(str(address)), address)
