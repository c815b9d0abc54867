"""
Tests for `sipsorcery.monitor.targets`.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.targets import Targets


class TargetsTests(SynchronousTestCase):
    """
    Two processes on one machine.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.proxy = Targets(self.folder, "proxy")
        self.worker = Targets(self.folder, "appserver-5071")

    def test_all(self) -> None:
        """
        Each knows all that have announced themselves, and goes by taking that back.
        """
        self.assertEqual(self.proxy.all(), {})
        self.proxy.announce(9090)
        self.worker.announce(9091)
        self.worker.announce(9092)
        for each in (self.proxy, self.worker):
            self.assertEqual(each.all(), {"appserver-5071": 9092, "proxy": 9090})
        self.worker.withdraw()
        self.worker.withdraw()
        self.assertEqual(self.proxy.all(), {"proxy": 9090})

    def test_foreign_file(self) -> None:
        """
        A file that holds no port is passed over.
        """
        self.proxy.announce(9090)
        (self.folder / "run" / "monitor.pages").write_text("soon", "utf-8")
        self.assertEqual(self.worker.all(), {"proxy": 9090})

    def test_json(self) -> None:
        """
        Prometheus is told to come by the way by which it asks.
        """
        self.proxy.announce(9090)
        for host, target in (
            ("127.0.0.1", "127.0.0.1:9090"),
            ("::1", "[::1]:9090"),
            ("sip.example.com", "sip.example.com:9090"),
        ):
            self.assertEqual(
                json.loads(self.worker.as_json(host)),
                [{"targets": [target], "labels": {"process": "proxy"}}],
            )
