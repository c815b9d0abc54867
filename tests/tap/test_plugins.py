"""
Tests for the commands that twistd finds.
"""

from __future__ import annotations

import subprocess
import sys

from twisted.application.service import IServiceMaker, ServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.tap.options import CommandOptions
from tests import ROOT

#: Each command, and whether this version has its service.
COMMANDS = {
    "sipappserver": True,
    "sipmonitor": True,
    "sipnotifier": False,
    "sipproxy": True,
    "sipregagent": False,
    "sipregistrar": True,
    "sipsorcery": True,
    "sipssh": True,
    "sipwatchtower": True,
    "sipweb": False,
}


class PluginsTests(SynchronousTestCase):
    """
    The ten commands.
    """

    def setUp(self) -> None:
        self.makers = {
            maker.tapname: maker
            for maker in getPlugins(IServiceMaker)
            if isinstance(maker, ServiceMaker)
            and maker.module.startswith("sipsorcery.")
        }

    def test_all_are_there(self) -> None:
        """
        The nine roles and the whole suite are found, and nothing else of ours.
        """
        self.assertEqual(sorted(self.makers), sorted(COMMANDS))

    def test_options(self) -> None:
        """
        Each command takes a configuration and has words for its help.
        """
        for name, maker in self.makers.items():
            options = maker.options()
            self.assertIsInstance(options, CommandOptions)
            self.assertTrue(options.longdesc.endswith("."), name)
            self.assertIn("--config", str(options))
            self.assertTrue(maker.description.endswith("."))

    def test_later_services(self) -> None:
        """
        A command without a service yet ends with one sentence and status 1.
        """
        for name, is_there in COMMANDS.items():
            if is_there:
                continue
            maker = self.makers[name]
            ended = self.assertRaises(SystemExit, maker.makeService, maker.options())
            self.assertRegex(
                str(ended.code), rf"^{name} will .*; sipsorcery .* not have it yet\.$"
            )

    def test_listing_imports_nothing_heavy(self) -> None:
        """
        To list the commands, twistd reads the plugin file and nothing more of ours.
        """
        script = (
            "import sys\n"
            "from twisted.application.service import IServiceMaker\n"
            "from twisted.plugin import getPlugins\n"
            "names = [maker.tapname for maker in getPlugins(IServiceMaker)]\n"
            "assert 'sipproxy' in names\n"
            "print([name for name in sys.modules if name.startswith('sipsorcery')])\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        self.assertEqual(result.stdout.strip(), "[]")
