"""
Tests for the commands that have a service: `sipsorcery.tap.proxy`,
`sipsorcery.tap.registrar` and `sipsorcery.tap.sipsorcery`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.tap import proxy, registrar, sipsorcery
from sipsorcery.tap.main import MainService


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
        for module in (proxy, registrar, sipsorcery):
            options = module.Options()
            options.parseOptions(["--config", str(file)])
            main = module.makeService(options)
            assert isinstance(main, MainService)
            self.assertEqual(list(main), [])
            self.assertFalse(main.running)
        self.assertFalse(folder.exists())
