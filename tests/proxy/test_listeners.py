"""
Tests for `sipsorcery.proxy.listeners`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import parse
from sipsorcery.proxy.listeners import split_listeners


class SplitListenersTests(SynchronousTestCase):
    """
    What is opened, and what is not yet.
    """

    def test_later_transports(self) -> None:
        """
        WebSocket listeners are set apart, the rest keep their order.
        """
        config = parse(
            b"""
            [proxy]
            listen = ["ws:[::1]:1", "tls:[::1]:2", "wss:[::1]:3", "udp:[::1]:4"]
            """
        )
        now, later = split_listeners(config)
        self.assertEqual([each.port for each in now], [2, 4])
        self.assertEqual([each.port for each in later], [1, 3])
