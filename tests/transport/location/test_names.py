"""
Tests for `sipsorcery.transport.location.names`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.location.names import (
    is_local,
    is_loopback,
    read_address,
    read_name,
)


class NameTests(SynchronousTestCase):
    """
    What DNS can be asked for.
    """

    def test_spelling(self) -> None:
        """
        Names have no case and no dot at the end; other scripts become A-labels.
        """
        for text, name in (
            ("example.com", "example.com"),
            ("SIP.Example.COM.", "sip.example.com"),
            ("_sip._udp.example.com", "_sip._udp.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("a" * 63 + ".b", "a" * 63 + ".b"),
        ):
            self.assertEqual(read_name(text), name)

    def test_no_names(self) -> None:
        """
        What URIs may hold, yet DNS cannot: empty or long labels, blanks, controls.
        """
        for text in (
            "",
            ".",
            "a..b",
            ".a",
            "*",
            "Blue Face",
            "a\nb",
            "a\0",
            "a" * 64,
            ".".join(["a" * 60] * 5),
            "[2001:db8::1]",
            "a;b",
        ):
            self.assertIsNone(read_name(text), text)

    def test_addresses(self) -> None:
        """
        An address is one in its usual form; other ways to write one, which the
        system's own functions take, are names that nobody has.
        """
        self.assertEqual(read_address("192.0.2.1"), "192.0.2.1")
        self.assertEqual(read_address("2001:DB8:0::1"), "2001:db8::1")
        for text in ("127.1", "2130706433", "0x7f.0.0.1", "192.0.2.01", "1.2.3.4.", ""):
            self.assertIsNone(read_address(text), text)

    def test_local(self) -> None:
        """
        Names without dots and below .local are local; localhost is this machine.
        """
        for name, local, loopback in (
            ("pbx", True, False),
            ("pbx.local", True, False),
            ("localhost", True, True),
            ("pbx.localhost", True, True),
            ("local.example.com", False, False),
            ("notlocalhost", True, False),
        ):
            self.assertEqual((is_local(name), is_loopback(name)), (local, loopback))
