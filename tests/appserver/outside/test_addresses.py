"""
Tests for :mod:`sipsorcery.appserver.outside.addresses`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.outside.addresses import is_public


class PublicTests(SynchronousTestCase):
    def test_public(self) -> None:
        """
        Addresses of the public network may be reached.
        """
        for host in ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"):
            self.assertTrue(is_public(host), host)

    def test_private(self) -> None:
        """
        No address that only this machine or its network reaches may, in any spelling.
        """
        for host in (
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1:7f00:0:100:808:808",
            "fec0::1",
            "3fff::1",
            "::ffff:0:127.0.0.1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "not an address",
            "",
            "0x7f000001",
            "2130706433",
        ):
            self.assertFalse(is_public(host), host)

    def test_embedded(self) -> None:
        """
        An IPv6 address that leads to a public IPv4 address may be reached.
        """
        self.assertTrue(is_public("::ffff:1.1.1.1"))
        self.assertTrue(is_public("64:ff9b::101:101"))

    def test_own(self) -> None:
        """
        Our own public addresses may not be reached.
        """
        self.assertFalse(is_public("1.1.1.1", ["1.1.1.1"]))
        self.assertFalse(is_public("::ffff:1.1.1.1", ["1.1.1.1"]))
