"""
What a test does without the program of others that it talks to.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests import ROOT
from tests.peers import require


class RequireTests(SynchronousTestCase):
    """
    Programs that are there, and one that is not.
    """

    def setUp(self) -> None:
        self.environment = {"PATH": os.environ["PATH"]}
        self.patch(os, "environ", self.environment)

    def test_present(self) -> None:
        """
        A program on the path is found, with its whole path.
        """
        self.assertTrue(Path(require("sh", "dash")).is_absolute())

    def test_missing(self) -> None:
        """
        Without its program a test is skipped, and says how to get it.
        """
        with self.assertRaises(SkipTest) as caught:
            require("no-such-peer", "its-package")
        self.assertEqual(
            str(caught.exception),
            "no-such-peer is missing: sudo apt-get install its-package",
        )

    def test_missing_where_required(self) -> None:
        """
        Where every test has to run, a missing program is a failure.
        """
        self.environment["SIPSORCERY_REQUIRE_PEERS"] = "1"
        with self.assertRaises(AssertionError):
            require("no-such-peer", "its-package")


class PackagesTests(SynchronousTestCase):
    """
    The list of Debian packages.
    """

    def test_every_required_package_is_listed(self) -> None:
        """
        What a test requires is among the packages that "make test" installs or unpacks.
        """
        listed = _listed("system-packages.txt") | _listed("unpacked-packages.txt")
        required = {
            package
            for file in (ROOT / "tests" / "integration").rglob("*.py")
            for package in _required(file)
        }
        self.assertIn("sipsak", required)
        self.assertEqual(required - listed, set())


def _listed(name: str) -> set[str]:
    """
    Read the packages of a list.
    """
    lines = (ROOT / "tests" / name).read_text("utf-8").splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def _required(file: Path) -> set[str]:
    """
    Find the packages that the calls of `require` in a file name.
    """
    return {
        str(call.args[1].value)
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] == "require"
        and isinstance(call.args[1], ast.Constant)
    }
