"""
Tests for `sipsorcery.transport.local`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress
from sipsorcery.transport.local import expand

HERE = ("127.0.0.1", "192.0.2.1", "::1", "2001:db8::1")


class ExpandTests(SynchronousTestCase):
    """
    A wildcard stands for each address of its family.
    """

    def expanded(self, text: str) -> list[str]:
        """
        Give what an address stands for.
        """
        return [str(one) for one in expand(ListenAddress.parse(text), HERE)]

    def test_one_address(self) -> None:
        """
        Any other address stands for itself.
        """
        self.assertEqual(
            self.expanded("udp:192.0.2.9:5060 advertise a.example:5060"),
            ["udp:192.0.2.9:5060 advertise a.example:5060"],
        )

    def test_each_of_its_family(self) -> None:
        """
        0.0.0.0 means those of IPv4, [::] those of IPv6.
        """
        self.assertEqual(
            self.expanded("tcp:0.0.0.0:5060"),
            ["tcp:127.0.0.1:5060", "tcp:192.0.2.1:5060"],
        )
        self.assertEqual(
            self.expanded("udp:[::]:5060"),
            ["udp:[::1]:5060", "udp:[2001:db8::1]:5060"],
        )

    def test_loopback_is_not_advertised(self) -> None:
        """
        The outside address is given for sockets that the outside can reach.
        """
        self.assertEqual(
            self.expanded("udp:0.0.0.0:5060 advertise 203.0.113.1:5060"),
            [
                "udp:127.0.0.1:5060",
                "udp:192.0.2.1:5060 advertise 203.0.113.1:5060",
            ],
        )
