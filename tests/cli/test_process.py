"""
Tests for the ``sipsorcery`` command as a process.
"""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery import __version__
from tests import ROOT


class ProcessTests(SynchronousTestCase):
    """
    What only a process shows.
    """

    def run_command(
        self, *arguments: str, stdout: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """
        Run ``python -m sipsorcery``.
        """
        return subprocess.run(
            [sys.executable, "-m", "sipsorcery", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "20"},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    def test_module(self) -> None:
        """
        The package can be run as a module.
        """
        result = self.run_command("--version")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, f"sipsorcery {__version__}\n")

    def test_pipe(self) -> None:
        """
        Nothing is cut, wrapped or coloured in a pipe, however narrow the terminal.
        """
        file = ROOT / "etc" / "sipsorcery.toml"
        result = self.run_command("check", "--config", str(file))
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.splitlines()[0], f"{file}: ok")
        self.assertNotIn("\x1b", result.stdout)
        for line in result.stdout.splitlines()[1:]:
            self.assertRegex(line, "^(listen|note): ")

    def test_reader_that_has_left(self) -> None:
        """
        A reader that has seen enough gets no complaint, and the status says that not
        all was written.
        """
        reading, writing = os.pipe()
        os.close(reading)
        self.addCleanup(os.close, writing)
        result = self.run_command("check", stdout=writing)
        self.assertEqual((result.returncode, result.stderr), (1, ""))
