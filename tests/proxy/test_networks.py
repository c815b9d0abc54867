"""
Tests for `sipsorcery.proxy.networks`.
"""

from __future__ import annotations

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.networks import LocalNetworks, Scope, is_within_reach, scope


class ScopeTests(SynchronousTestCase):
    """
    Kinds of addresses, with the first and last of each.
    """

    def test_kinds(self) -> None:
        """
        Private, shared, link-local, loopback and global addresses are told apart, of
        both families, at their very borders.
        """
        for found, hosts in {
            Scope.LOOPBACK: ["127.0.0.1", "127.255.255.255", "::1", "[::1]"],
            Scope.LINK_LOCAL: ["169.254.0.0", "169.254.255.255", "fe80::1", "febf::1"],
            Scope.PRIVATE: [
                *("10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"),
                *("192.168.0.0", "192.168.255.255"),
            ],
            Scope.UNIQUE_LOCAL: ["fc00::", "fdff::1"],
            Scope.SHARED: ["100.64.0.0", "100.127.255.255"],
            Scope.NOWHERE: ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"],
            Scope.GLOBAL: [
                *("9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
                *("172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"),
                *("169.253.255.255", "169.255.0.0", "2001:db8::1", "fec0::1"),
            ],
        }.items():
            for host in hosts:
                self.assertIs(scope(host), found, host)

    def test_mapped(self) -> None:
        """
        An IPv4 address in an IPv6 one is what it is.
        """
        self.assertIs(scope("::ffff:127.0.0.1"), Scope.LOOPBACK)
        self.assertIs(scope("[::ffff:10.0.0.1]"), Scope.PRIVATE)

    def test_name(self) -> None:
        """
        Of a name nobody knows without asking.
        """
        self.assertIsNone(scope("example.com"))


class ReachTests(SynchronousTestCase):
    """
    Who could send where without us.
    """

    def test_reach(self) -> None:
        """
        The machine and the link are only for those who are there; nothing is for what
        is nobody's address.
        """
        for host, source, reaches in (
            ("192.0.2.1", "198.51.100.7", True),
            ("10.0.0.1", "198.51.100.7", True),
            ("127.0.0.1", "198.51.100.7", False),
            ("::ffff:127.0.0.1", "198.51.100.7", False),
            ("127.0.0.1", "127.0.0.1", True),
            ("127.0.0.1", "::1", True),
            ("169.254.1.1", "10.0.0.1", False),
            ("fe80::1", "fe80::2", True),
            ("0.0.0.0", "127.0.0.1", False),
            ("239.1.1.1", "198.51.100.7", False),
        ):
            self.assertIs(is_within_reach(host, source), reaches, (host, source))


class LocalNetworksTests(SynchronousTestCase):
    """
    Which addresses a NAT hides.
    """

    def test_hidden(self) -> None:
        """
        An address that is not known everywhere, in a packet that came from another one.
        """
        local = LocalNetworks()
        for host, source, hidden in (
            ("10.0.0.5", "198.51.100.7", True),
            ("100.64.0.5", "198.51.100.7", True),
            ("169.254.0.5", "198.51.100.7", True),
            ("127.0.0.1", "198.51.100.7", True),
            ("fd00::5", "2001:db8::7", True),
            ("10.0.0.5", "10.0.0.5", False),
            ("[fd00::5]", "fd00::5", False),
            ("192.0.2.5", "198.51.100.7", False),
            ("phone.example.com", "198.51.100.7", False),
        ):
            self.assertIs(local.hide(host, source), hidden, (host, source))

    def test_local(self) -> None:
        """
        Nothing hides who is on our side, by whichever address.
        """
        local = LocalNetworks([ip_network("10.0.0.0/8")])
        self.assertFalse(local.hide("192.168.0.5", "10.0.0.1"))
        self.assertFalse(local.hide("10.0.0.5", "198.51.100.7"))
        self.assertTrue(local.hide("192.168.0.5", "198.51.100.7"))
