"""
Tests for `sipsorcery.access.trunks`.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.trunks import Trunks
from sipsorcery.config.tree import Trunk
from sipsorcery.config.values import read_network


class _Seen:
    def __init__(self, host: str, *identities: str) -> None:
        self.address = (host, 5060)
        self.identities = identities


class TrunkTests(SynchronousTestCase):
    """
    Who is a trunk.
    """

    NETWORK = Trunk(name="a", networks=(read_network("192.0.2.0/25"),))
    DOMAIN = Trunk(name="b", tls_domains=("sip.Provider.example",))
    BOTH = Trunk(
        name="c", networks=(read_network("2001:db8::/64"),), tls_domains=("c.example",)
    )

    def is_trunk(self, trunk: Trunk, host: str, *identities: str) -> bool:
        """
        Tell whether somebody is this trunk.
        """
        return Trunks([trunk]).include(cast(Any, _Seen(host, *identities)))

    def test_network(self) -> None:
        """
        A trunk of a network is known by its address.
        """
        self.assertTrue(self.is_trunk(self.NETWORK, "192.0.2.127"))
        self.assertFalse(self.is_trunk(self.NETWORK, "192.0.2.128"))
        self.assertFalse(self.is_trunk(self.NETWORK, "2001:db8::1", "192.0.2.1"))

    def test_domain(self) -> None:
        """
        A trunk of a domain is known by what its certificate proves, wherever it is.
        """
        seen = ("198.51.100.1", "other.example", "SIP.provider.example")
        self.assertTrue(self.is_trunk(self.DOMAIN, *seen))
        self.assertFalse(self.is_trunk(self.DOMAIN, *seen[:2]))

    def test_both(self) -> None:
        """
        A trunk of both has to show both.
        """
        self.assertTrue(self.is_trunk(self.BOTH, "2001:db8::1", "c.example"))
        self.assertFalse(self.is_trunk(self.BOTH, "2001:db8::1"))
        self.assertFalse(self.is_trunk(self.BOTH, "192.0.2.1", "c.example"))

    def test_mapped_address(self) -> None:
        """
        An IPv4 address that came through an IPv6 socket is still that address.
        """
        self.assertTrue(self.is_trunk(self.NETWORK, "::ffff:192.0.2.1"))
        self.assertFalse(self.is_trunk(self.NETWORK, "::ffff:198.51.100.1"))

    def test_which(self) -> None:
        """
        Of several trunks that fit, it is the first.
        """
        other = Trunk(name="e", networks=(read_network("192.0.2.0/24"),))
        trunks = Trunks([self.DOMAIN, self.NETWORK, other])

        def name(*seen: str) -> str | None:
            found = trunks.find(cast(Any, _Seen(*seen)))
            return None if found is None else found.name

        self.assertEqual(name("192.0.2.1"), "a")
        self.assertEqual(name("192.0.2.200"), "e")
        self.assertEqual(name("192.0.2.1", "sip.provider.example"), "b")
        self.assertIsNone(name("198.51.100.1"))

    def test_nobody(self) -> None:
        """
        Without trunks, and for one that says nothing, nobody is.
        """
        self.assertFalse(Trunks([]).include(cast(Any, _Seen("192.0.2.1"))))
        self.assertFalse(self.is_trunk(Trunk(name="d"), "192.0.2.1"))
