"""
Tests for the commands that have a service: `sipsorcery.tap.proxy`,
`sipsorcery.tap.registrar`, `sipsorcery.tap.monitor` and `sipsorcery.tap.sipsorcery`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.tap import monitor, proxy, registrar, sipsorcery
from sipsorcery.tap.main import MainService
from sipsorcery.tap.monitor import make_monitor
from sipsorcery.tap.settings import Settings


class MakeServiceTests(SynchronousTestCase):
    """
    What a command does before it runs.
    """

    def test_nothing_is_touched(self) -> None:
        """
        Nothing is opened nor written before the start: twistd changes its user between.
        """
        folder = Path(self.mktemp())
        file = Path(self.mktemp())
        file.write_text(f"server.data_dir = '{folder}'", "utf-8")
        for module in (monitor, proxy, registrar, sipsorcery):
            options = module.Options()
            options.parseOptions(["--config", str(file)])
            main = module.makeService(options)
            assert isinstance(main, MainService)
            self.assertEqual(list(main), [])
            self.assertFalse(main.running)
        self.assertFalse(folder.exists())

    def test_monitor_that_hears_nobody(self) -> None:
        """
        A monitor of its own is refused where it would hear nobody, plainly.
        """
        with self.assertRaises(MonitorError) as caught:
            list(make_monitor(Clock(), Settings(Config)))
        self.assertIn("by Redis", str(caught.exception))
