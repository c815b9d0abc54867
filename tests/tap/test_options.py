"""
Tests for `sipsorcery.tap.options`.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.tap.options import CommandOptions


class CommandOptionsTests(SynchronousTestCase):
    """
    What all commands do with their command line.
    """

    def write(self, text: str) -> Path:
        """
        Make a configuration file of that content.
        """
        file = Path(self.mktemp())
        file.write_text(text, "utf-8")
        return file

    def test_config(self) -> None:
        """
        --config names the file.
        """
        file = self.write("sip.udp_mtu = 7")
        for arguments in (["--config", str(file)], ["-c", str(file)]):
            options = CommandOptions()
            options.parseOptions(arguments)
            self.assertEqual(options.settings.config.sip.udp_mtu, 7)

    def test_search(self) -> None:
        """
        Without it, the file of the current folder is read.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "sipsorcery.toml").write_text("sip.udp_mtu = 8", "utf-8")
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(folder)
        options = CommandOptions()
        options.parseOptions([])
        self.assertEqual(options.settings.config.sip.udp_mtu, 8)

    def test_faults(self) -> None:
        """
        Faults end the process with status 1 and nothing but themselves, one a line.
        """
        file = self.write("sip.udp_mtu = -1\nsipp.domains = []")
        ended = self.assertRaises(
            SystemExit, CommandOptions().parseOptions, ["--config", str(file)]
        )
        # Python prints a text that a SystemExit holds, and exits with 1.
        assert isinstance(ended.code, str)
        self.assertEqual(
            [line.split(": ")[:2] for line in ended.code.splitlines()],
            [[str(file), "sip.udp_mtu"], [str(file), "sipp"]],
        )

    def test_no_arguments(self) -> None:
        """
        A word that is no option is wrong usage.
        """
        self.assertRaises(UsageError, CommandOptions().parseOptions, ["start"])
