"""
Output that is longer than a terminal is high.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.keys import Key
from sipsorcery.console.pager import Pager


class PagerTests(SynchronousTestCase):
    """
    Page after page.
    """

    def setUp(self) -> None:
        self.pager = Pager([str(number) for number in range(25)], rows=11)

    def test_pages(self) -> None:
        """
        Space gives the next page, until there is none.
        """
        pages = [self.pager.page(), self.pager.press(" "), self.pager.press(" ")]
        self.assertEqual([len(page) for page in pages], [10, 10, 5])
        self.assertTrue(self.pager.is_done)

    def test_line(self) -> None:
        """
        Enter gives a line.
        """
        self.pager.page()
        self.assertEqual(self.pager.press(Key.ENTER), ["10"])
        self.assertIn("44 %", self.pager.prompt)

    def test_quit(self) -> None:
        """
        With q one has seen enough.
        """
        self.pager.page()
        self.assertEqual(self.pager.press("q"), ())
        self.assertTrue(self.pager.is_done)

    def test_other_keys(self) -> None:
        """
        Other keys do nothing.
        """
        self.pager.page()
        self.assertEqual(self.pager.press("x"), ())
        self.assertFalse(self.pager.is_done)

    def test_other_size(self) -> None:
        """
        A terminal that has grown shows more.
        """
        self.pager.page()
        self.pager.rows = 6
        self.assertEqual(len(self.pager.press(" ")), 5)
