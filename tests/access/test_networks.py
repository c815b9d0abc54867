"""
Tests for `sipsorcery.access.networks`.
"""

from __future__ import annotations

import ipaddress

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.networks import Address, Networks, read, source_of
from sipsorcery.store.directory.types import Network

V4 = st.ip_addresses(v=4)


class NetworksTests(SynchronousTestCase):
    """
    Access lists.
    """

    @given(st.ip_addresses(), st.lists(st.ip_addresses(v=6) | V4, max_size=4))
    def test_as_ipaddress(self, address: Address, others: list[Address]) -> None:
        """
        An address is in a network exactly if the standard library says so.
        """
        networks = [network(each, 24) for each in (address, *others)]
        assume(not any(map(is_mapped, (address, *others))))
        self.assertTrue(Networks(networks).include(str(address)))
        expected = any(address in each for each in networks[1:])
        self.assertIs(Networks(networks[1:]).include(str(address)), expected)

    def test_mapped(self) -> None:
        """
        IPv4 through an IPv6 socket is in networks of IPv4, however these are spelled.
        """
        for text in ("192.0.2.0/24", "::ffff:192.0.2.0/120"):
            networks = Networks([ipaddress.ip_network(text)])
            self.assertTrue(networks.include("::ffff:192.0.2.9"), text)
            self.assertTrue(networks.include("192.0.2.9"), text)
            self.assertFalse(networks.include("::ffff:192.0.3.9"), text)

    def test_nothing(self) -> None:
        """
        What is no address is in no network, and no network has any address.
        """
        everywhere = Networks([ipaddress.ip_network("0.0.0.0/0")])
        for host in ("", "example.com", "[::1]", "1.2.3.4.example.com", "::1"):
            self.assertFalse(everywhere.include(host), host)
        self.assertFalse(Networks([]).include("192.0.2.1"))
        self.assertFalse(Networks([]))


class SourceTests(SynchronousTestCase):
    """
    What is counted as one source.
    """

    def test_source(self) -> None:
        """
        IPv4 counts by address, IPv6 by the network of one household.
        """
        for host, source in (
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("no address", "no address"),
        ):
            self.assertEqual(source_of(host), source)

    def test_read(self) -> None:
        """
        An address is read as what it is.
        """
        self.assertEqual(read("::ffff:1.2.3.4"), ipaddress.ip_address("1.2.3.4"))
        self.assertIsNone(read("1.2.3"))


def network(address: Address, length: int) -> Network:
    """
    Make the network that an address is in.
    """
    return ipaddress.ip_network(f"{address}/{length}", strict=False)


def is_mapped(address: Address) -> bool:
    """
    Tell whether an address of IPv6 is one of IPv4 in another spelling.
    """
    return getattr(address, "ipv4_mapped", None) is not None
