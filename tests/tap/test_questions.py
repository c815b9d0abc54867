"""
Tests for `sipsorcery.tap.questions`.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery import __version__
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.tap.questions import of_every_server


class StatusTests(SynchronousTestCase):
    """
    What every server says of itself.
    """

    def test_status(self) -> None:
        """
        It says which server it is, in which process and of which version.
        """
        bus = LocalBus(Clock())
        verbs = of_every_server("proxy", bus)
        status: Any = verbs["status"]()
        self.assertEqual((status["role"], status["events_dropped"]), ("proxy", 0))
        self.assertEqual((status["pid"], status["version"]), (os.getpid(), __version__))
        for _ in range(7):
            bus.count_dropped()
        later: Any = verbs["status"]()
        self.assertEqual(later, {**status, "events_dropped": 7})
