"""
Tests for `sipsorcery.config.values`.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config.values import (
    Number,
    Rate,
    WholeNumber,
    read_address,
    read_domain,
    read_inside,
    read_listen,
    read_network,
    read_path,
    read_paths,
    read_pattern,
    read_pin,
    read_route,
    read_stun_server,
    read_target,
)
from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport

# What a reader of strings may be given instead.
NO_TEXT: tuple[object, ...] = (None, 0, 1.5, True, [], ["udp:127.0.0.1:1"], {})


class RateTests(SynchronousTestCase):
    """
    So many in so much time.
    """

    def test_units(self) -> None:
        """
        Seconds, minutes and hours, any number of them or one.
        """
        for text, expected in (
            ("60/2s", Rate(60, 2)),
            ("5/s", Rate(5, 1)),
            ("10/m", Rate(10, 60)),
            ("100/24h", Rate(100, 86400)),
            ("3/0.5s", Rate(3, 0.5)),
        ):
            self.assertEqual(Rate.parse(text), expected)

    def test_wrong(self) -> None:
        """
        Neither the number nor the time can be left out or be nothing.
        """
        for text in (
            *("", "60", "60/", "/2s", "60/2", "s", "60/2d", "-1/2s", "6 0/2s"),
            *("0/2s", "1/0s", "1/0.0s", "1/.5s", "1/1e3s", "9" * 10 + "/s", "٣/s"),
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                Rate.parse(text)


class NumberTests(SynchronousTestCase):
    """
    Numbers within bounds.
    """

    @given(st.integers())
    def test_whole(self, value: int) -> None:
        """
        Whole numbers pass between the bounds and on them, and nowhere else.
        """
        reader = WholeNumber(-5, 5)
        if -5 <= value <= 5:
            self.assertEqual(reader(value), value)
        else:
            with self.assertRaises(ValueError):
                reader(value)

    @given(st.floats() | st.integers())
    def test_any(self, value: float) -> None:
        """
        So do others, and what is not a number at all never does.
        """
        reader = Number(0.01, 60)
        if 0.01 <= value <= 60:
            self.assertEqual(reader(value), value)
        else:
            with self.assertRaises(ValueError):
                reader(value)

    def test_other_types(self) -> None:
        """
        A truth value is no number, whatever Python thinks; nor is a string of digits.
        """
        for value in (True, False, "1", None, [1]):
            for reader in (WholeNumber(0, 5), Number(0, 5)):
                with self.subTest(repr(value)), self.assertRaises(ValueError):
                    reader(value)

    def test_float_is_not_whole(self) -> None:
        """
        1.0 is no whole number in TOML.
        """
        with self.assertRaises(ValueError):
            WholeNumber(0, 5)(1.0)


class TextTests(SynchronousTestCase):
    """
    Readers of strings.
    """

    def test_other_types(self) -> None:
        """
        No reader of strings takes anything else.
        """
        for reader in (
            *(read_address, read_domain, read_inside, read_listen),
            *(read_network, read_path, read_pin, read_stun_server, read_target),
        ):
            for value in NO_TEXT:
                with self.assertRaisesRegex(ValueError, "expected a string, not"):
                    reader(value)

    def test_stun_server(self) -> None:
        """
        A server of STUN is a name or an address, on port 3478 unless it says another.
        """
        for text, expected in (
            ("stun.example.com", HostPort("stun.example.com", 3478)),
            ("192.0.2.1:19302", HostPort("192.0.2.1", 19302)),
            ("[2001:db8::1]", HostPort("2001:db8::1", 3478)),
        ):
            self.assertEqual(read_stun_server(text), expected)
        for wrong in ("", "stun:stun.example.com", "a:0", "a b", "2001:db8::1"):
            with self.assertRaises(ValueError):
                read_stun_server(wrong)

    def test_path(self) -> None:
        """
        A file name stays relative, and "~" is the home folder.
        """
        self.assertEqual(read_path("var/sip"), Path("var/sip"))
        self.assertEqual(read_path("~/sip"), Path.home() / "sip")
        for wrong in ("", "a\0b"):
            with self.assertRaises(ValueError):
                read_path(wrong)

    def test_paths(self) -> None:
        """
        One file, several, or none.
        """
        self.assertEqual(read_paths(""), ())
        self.assertEqual(read_paths("a"), (Path("a"),))
        self.assertEqual(read_paths(["a", "b"]), (Path("a"), Path("b")))
        refused: tuple[object, ...] = ([""], [5], 5, {})
        for wrong in refused:
            with self.assertRaises(ValueError):
                read_paths(wrong)

    def test_network(self) -> None:
        """
        CIDR notation of either family; an address alone is a network of one.
        """
        self.assertEqual(read_network("10.0.0.0/8"), IPv4Network("10.0.0.0/8"))
        self.assertEqual(read_network("::1"), IPv6Network("::1/128"))
        for wrong in ("", "10.0.0.0/33", "10.0.0/8", "example.com", "[::1]/128"):
            with self.assertRaisesRegex(ValueError, "expected a network"):
                read_network(wrong)

    def test_network_with_host_bits(self) -> None:
        """
        Host bits are refused, since they leave open what is meant; the error helps.
        """
        with self.assertRaisesRegex(ValueError, "the network is '10.1.0.0/16'"):
            read_network("10.1.2.3/16")

    @given(st.ip_addresses(), st.integers(0, 128))
    def test_network_round_trip(self, address: IPv6Address, prefix: int) -> None:
        """
        Each network that can be written is read.
        """
        prefix = min(prefix, address.max_prefixlen)
        network = ip_network(f"{address}/{prefix}", strict=False)
        self.assertEqual(read_network(str(network)), network)

    def test_address(self) -> None:
        """
        An address takes its shortest form.
        """
        self.assertEqual(read_address("2001:DB8:0:0::1"), "2001:db8::1")
        for wrong in ("sip.example.com", "1.2.3.4:5060", "[::1]", ""):
            with self.assertRaisesRegex(ValueError, "expected an IP address"):
                read_address(wrong)

    def test_address_of_nobody(self) -> None:
        """
        An address that stands for all hosts, or for a group, is nobody's own.
        """
        for wrong in ("0.0.0.0", "::", "224.0.0.1", "ff02::1"):
            with self.assertRaisesRegex(ValueError, "not the address of one host"):
                read_address(wrong)

    def test_domain(self) -> None:
        """
        A domain is ready to be compared: small letters, no brackets.
        """
        for text, expected in (
            ("Example.COM", "example.com"),
            ("localhost", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
        ):
            self.assertEqual(read_domain(text), expected)

    def test_domain_wrong(self) -> None:
        """
        A port, a scheme or a wildcard is not part of a domain.
        """
        for wrong in (
            *("", "example.com:5060", "[::1]:5060", "example.com:", "sip:a.example"),
            *("*.example.com", "a b", "@a", "1.2.3.4.5", "a/b"),
        ):
            with self.subTest(wrong), self.assertRaises(ValueError):
                read_domain(wrong)

    def test_pattern(self) -> None:
        """
        A regular expression is searched for without regard to case.
        """
        self.assertIsNotNone(read_pattern("^nokia").search("NokiaN97"))
        for wrong in ("", "*", "(", "[a", 1):
            with self.assertRaisesRegex(ValueError, "expected a"):
                read_pattern(wrong)

    def test_route(self) -> None:
        """
        A route names a loose router by a SIP URI.
        """
        self.assertEqual(read_route("sips:a.example;lr"), "sips:a.example;lr")
        for wrong in ("", "sip:a.example", "a.example;lr", "tel:+1;lr", "sip:;lr"):
            with self.assertRaisesRegex(ValueError, "expected a SIP URI"):
                read_route(wrong)

    def test_pin(self) -> None:
        """
        A fingerprint as openssl prints it, or bare.
        """
        bare = "0123456789abcdef" * 4
        colons = ":".join(bare[i : i + 2].upper() for i in range(0, 64, 2))
        self.assertEqual(read_pin(bare), bare)
        self.assertEqual(read_pin(colons), bare)
        for wrong in ("", bare[1:], bare + "0", bare.replace("0", "g")):
            with self.assertRaises(ValueError):
                read_pin(wrong)


class AddressTests(SynchronousTestCase):
    """
    Where to listen and where to send.
    """

    def test_inside(self) -> None:
        """
        A loopback or private UDP address, whose port may be left empty.
        """
        for text, host, port in (
            ("udp:127.0.0.1:5070", "127.0.0.1", 5070),
            ("udp:10.1.2.3", "10.1.2.3", 0),
            ("udp:[::1]:", "::1", 0),
            ("udp:[fd00::1]:0", "fd00::1", 0),
        ):
            self.assertEqual(
                read_inside(text), ListenAddress(Transport.UDP, host, port)
            )

    def test_inside_not_public(self) -> None:
        """
        Who is inside is trusted, so the world must not reach that socket.
        """
        for text in ("udp:0.0.0.0:5070", "udp:[::]:5070", "udp:8.8.8.8:5070"):
            with self.assertRaisesRegex(ValueError, "loopback or private"):
                read_inside(text)

    def test_inside_udp_alone(self) -> None:
        """
        The inside socket is one of UDP, and is what it says.
        """
        for text in ("tcp:127.0.0.1:5070", "udp:127.0.0.1:1 advertise a.example:1"):
            with self.assertRaisesRegex(ValueError, "'udp:ADDRESS:PORT' alone"):
                read_inside(text)

    def test_listen(self) -> None:
        """
        A listener that is not one of SIP needs an address of this host and a port.
        """
        self.assertEqual(read_listen("[::1]:80"), HostPort("::1", 80))
        for wrong in ("localhost:80", "127.0.0.1", ":80", "tcp:127.0.0.1:80"):
            with self.assertRaises(ValueError):
                read_listen(wrong)

    def test_target(self) -> None:
        """
        One can only send to a real address and port.
        """
        self.assertEqual(
            read_target("udp:127.0.0.1:9060"),
            Endpoint(Transport.UDP, "127.0.0.1", 9060),
        )
        for wrong in (
            "udp:127.0.0.1:0",
            "udp:0.0.0.0:9060",
            "udp:[::]:1",
            "127.0.0.1:1",
        ):
            with self.assertRaises(ValueError):
                read_target(wrong)
