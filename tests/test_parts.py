"""
Tests that run in several processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.outcome import Outcome
from tests.parts import Module, modules, run

_GOOD = """
from twisted.trial.unittest import SkipTest, SynchronousTestCase

class Tests(SynchronousTestCase):
    def test_passes(self):
        pass

    def test_skips(self):
        raise SkipTest("no peer")
"""
_BAD = """
from twisted.trial.unittest import SynchronousTestCase

class Tests(SynchronousTestCase):
    def test_fails(self):
        self.fail("it is bad")
"""
_DEADLY = """
import os
from twisted.trial.unittest import SynchronousTestCase

class Tests(SynchronousTestCase):
    def test_ends(self):
        os._exit(3)
"""


class PartTests(SynchronousTestCase):
    """
    A package with some modules, in a folder of its own.
    """

    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        (folder / "sample").mkdir(parents=True)
        (folder / "sample/__init__.py").touch()
        self.folder = folder / "sample"
        # A process that is begun has the path of the one that begins it.
        sys.path.insert(0, str(folder))
        self.addCleanup(sys.path.remove, str(folder))
        self.told: list[Module] = []

    def write(self, **texts: str) -> list[str]:
        """
        Write modules; give their names.
        """
        for name, text in texts.items():
            (self.folder / f"{name}.py").write_text(text, "utf-8")
        return [f"sample.{name}" for name in texts]

    def test_all(self) -> None:
        """
        Each module runs once, in whatever process; all outcomes are added up.
        """
        names = self.write(test_a=_GOOD, test_b=_BAD, test_c=_GOOD)
        part = run(names, 2, self.told.append)
        self.assertEqual(part.outcome, Outcome(2, 1, 2))
        self.assertEqual(sorted(each.name for each in self.told), names)
        outcomes = {each.name: each.outcome for each in self.told}
        self.assertEqual(outcomes["sample.test_a"], Outcome(1, 0, 1))
        self.assertEqual(outcomes["sample.test_b"], Outcome(0, 1, 0))

    def test_failure(self) -> None:
        """
        What has failed is named, and what it has said is there to be read.
        """
        part = run(self.write(test_b=_BAD), 2, self.told.append)
        self.assertEqual(part.failed, ["sample.test_b.Tests.test_fails"])
        self.assertIn("it is bad", part.text)

    def test_lost(self) -> None:
        """
        A process that ends in the middle of a module is one failure, and says so.
        """
        part = run(self.write(test_d=_DEADLY), 1, self.told.append)
        self.assertEqual(part.outcome, Outcome(0, 1, 0))
        self.assertEqual(part.failed, ["sample.test_d"])
        self.assertIn("sample.test_d ended with 3", part.text)

    def test_broken(self) -> None:
        """
        A module that cannot be imported is one failure.
        """
        part = run(self.write(test_e="import nothing_like_it"), 1, self.told.append)
        self.assertEqual(part.outcome, Outcome(0, 1, 0))

    def test_modules(self) -> None:
        """
        A package stands for its modules of tests, and for those of packages in it;
        those with peers come first.
        """
        found = modules(["tests.sip", "tests.integration", "tests.test_main.Tests"])
        self.assertEqual(found[-1], "tests.test_main.Tests")
        self.assertIn("tests.sip.digest.test_client", found)
        self.assertNotIn("tests.integration.program", found)
        self.assertTrue(found[0].startswith("tests.integration.test_"))
