"""
Tests for `sipsorcery.proxy.public_address`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress
from sipsorcery.proxy.public_address import PublicAddresses
from sipsorcery.transport.flow import Listener

_HOME, _PUBLIC = "192.168.1.2", "203.0.113.1"
_INSIDE = Endpoint.parse(f"udp:{_HOME}:5059")


def listener(text: str) -> Listener:
    """
    Make a listener of a line of the configuration.
    """
    address = ListenAddress.parse(text)
    return Listener(address, address.endpoint)


class PublicAddressesTests(SynchronousTestCase):
    """
    What a listener is called outside.
    """

    udp = listener(f"udp:{_HOME}:5060")
    tcp = listener(f"tcp:{_HOME}:5060")
    fixed = (
        listener("udp:127.0.0.1:5060"),
        listener("udp:[::1]:5060"),
        Listener(ListenAddress.parse(str(_INSIDE)), _INSIDE),
    )
    advertised = listener(f"udp:{_HOME}:5080 advertise sip.example.com:5090")

    def test_nothing_known(self) -> None:
        """
        Without anybody's word each listener has the address it is bound to.
        """
        addresses = PublicAddresses()
        self.assertEqual(addresses.of(self.udp), HostPort(_HOME, 5060))
        self.assertEqual(addresses.of(self.tcp), HostPort(_HOME, 5060))

    def test_configured(self) -> None:
        """
        The configured address holds for all, with the port of each.
        """
        addresses = PublicAddresses(_PUBLIC)
        self.assertEqual(addresses.of(self.udp), HostPort(_PUBLIC, 5060))
        self.assertEqual(addresses.of(self.tcp), HostPort(_PUBLIC, 5060))

    def test_learned(self) -> None:
        """
        What a UDP socket learns is its own, port included; the others of that host
        have the address, and keep their ports.
        """
        addresses = PublicAddresses()
        self.assertTrue(addresses.learn(self.udp, HostPort(_PUBLIC, 61000)))
        self.assertEqual(addresses.of(self.udp), HostPort(_PUBLIC, 61000))
        self.assertEqual(addresses.of(self.tcp), HostPort(_PUBLIC, 5060))
        elsewhere = listener("tcp:192.168.7.2:5060")
        self.assertEqual(addresses.of(elsewhere), HostPort("192.168.7.2", 5060))

    def test_news(self) -> None:
        """
        It is news if the address is another one than before, and only then.
        """
        addresses = PublicAddresses()
        self.assertFalse(addresses.learn(self.udp, HostPort(_HOME, 5060)))
        self.assertTrue(addresses.learn(self.udp, HostPort(_PUBLIC, 5060)))
        self.assertFalse(addresses.learn(self.udp, HostPort(_PUBLIC, 5060)))
        self.assertTrue(addresses.learn(self.udp, HostPort(_PUBLIC, 5061)))

    def test_listeners_that_have_none(self) -> None:
        """
        The loopback, the inside socket and who advertises an address have no other.
        """
        for addresses in (PublicAddresses(_PUBLIC, _INSIDE), PublicAddresses(None)):
            self.assertTrue(addresses.may_differ(self.udp))
            self.assertFalse(addresses.may_differ(self.advertised))
            self.assertEqual(
                addresses.of(self.advertised), HostPort("sip.example.com", 5090)
            )
        addresses = PublicAddresses(_PUBLIC, _INSIDE)
        for one in self.fixed:
            self.assertFalse(addresses.may_differ(one))
            self.assertEqual(addresses.of(one), one.sent_by)
