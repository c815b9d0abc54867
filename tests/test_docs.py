"""
The examples in the documentation.
"""

from __future__ import annotations

import doctest

from twisted.trial.unittest import SynchronousTestCase

from tests import ROOT


class ExampleTests(SynchronousTestCase):
    """
    What the documentation shows at a prompt, against what really comes.
    """

    def test_examples(self) -> None:
        """
        Every example in the documentation does what the page says.
        """
        results = {
            page.name: doctest.testfile(str(page), module_relative=False)
            for page in sorted((ROOT / "docs").glob("*.rst"))
        }
        self.assertGreater(results["messages.rst"].attempted, 0)
        # doctest has printed what differs; these are the pages.
        failed = [name for name, result in results.items() if result.failed]
        self.assertEqual(failed, [])
