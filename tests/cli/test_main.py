"""
Tests for `sipsorcery.cli.main`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery import __version__
from tests.cli import run


class UsageTests(SynchronousTestCase):
    """
    What the command makes of its command line.
    """

    def test_version(self) -> None:
        """
        --version tells the version and nothing else.
        """
        result = run("--version")
        self.assertEqual(
            (result.status, result.out), (0, f"sipsorcery {__version__}\n")
        )

    def test_help(self) -> None:
        """
        --help lists the verbs.
        """
        result = run("--help")
        self.assertEqual(result.status, 0)
        self.assertIn("check", result.out)

    def test_wrong_usage(self) -> None:
        """
        No verb, an unknown verb or option: status 2, and the reason on standard error.
        """
        for arguments in ([], ["chekc"], ["check", "--jsno"], ["check", "x"]):
            result = run(*arguments)
            self.assertEqual((result.status, result.out), (2, ""), arguments)
            self.assertIn("sipsorcery", result.error)

    def test_config_before_or_after_the_verb(self) -> None:
        """
        --config may stand on either side of the verb.
        """
        for arguments in (
            ["--config", "missing.toml", "check"],
            ["check", "--config", "missing.toml"],
            ["check", "--config=missing.toml"],
        ):
            result = run(*arguments)
            self.assertEqual(result.status, 1)
            self.assertTrue(result.out.startswith("missing.toml: "), result.out)
