"""
Tests for `sipsorcery.transport.location.reach`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress, Transport
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.location.reach import Reach
from sipsorcery.transport.location.records import Kind


def listeners(*addresses: str) -> list[Listener]:
    """
    Make listeners of addresses.
    """
    configured = map(ListenAddress.parse, addresses)
    return [Listener(one, one.endpoint) for one in configured]


class ReachTests(SynchronousTestCase):
    """
    What can be sent by which transport.
    """

    def reach(self, *addresses: str) -> Reach:
        """
        Make the reach of some listeners, where only IPv4 leads anywhere.
        """
        here = listeners(*addresses)
        return Reach(lambda: here, lambda to: None if ":" in to else "192.0.2.1")

    def test_transports(self) -> None:
        """
        UDP needs a socket; TCP and TLS connect without one.
        """
        self.assertEqual(
            self.reach("udp:192.0.2.1:5060").transports(),
            (Transport.UDP, Transport.TCP, Transport.TLS),
        )
        self.assertEqual(
            self.reach("tcp:192.0.2.1:5060").transports(),
            (Transport.TCP, Transport.TLS),
        )

    def test_kinds(self) -> None:
        """
        UDP reaches the families of its sockets, the others both.
        """
        for addresses, kinds in (
            ([], ()),
            (["tcp:192.0.2.1:5060"], ()),
            (["udp:192.0.2.1:5060"], (Kind.A,)),
            (["udp:[2001:db8::1]:5060"], (Kind.AAAA,)),
            (["udp:192.0.2.1:5060", "udp:[::1]:5060"], (Kind.AAAA, Kind.A)),
        ):
            reach = self.reach(*addresses)
            self.assertEqual(reach.kinds(Transport.UDP), kinds)
            self.assertEqual(reach.kinds(Transport.TCP), (Kind.AAAA, Kind.A))

    def test_listeners_of_the_moment(self) -> None:
        """
        A layer that starts later counts from then on.
        """
        here: list[Listener] = []
        reach = Reach(lambda: here, lambda to: to)
        self.assertNotIn(Transport.UDP, reach.transports())
        here += listeners("udp:192.0.2.1:5060")
        self.assertIn(Transport.UDP, reach.transports())

    def test_arrange(self) -> None:
        """
        Chance says which one of several comes first, among those that can be used.
        """
        found = ["2001:db8::1", "192.0.2.7", "192.0.2.8"]
        arranged = self.reach().arrange(found, lambda: 0.4)
        self.assertEqual(arranged, ["192.0.2.8", "192.0.2.7", "2001:db8::1"])
