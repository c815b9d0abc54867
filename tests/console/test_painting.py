"""
What a line looks like.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.painting import Palette, paint
from sipsorcery.monitor.style import Style

COLOURS, NONE = Palette(is_on=True), Palette(is_on=False)


def shown(painted: str) -> tuple[str, int]:
    """
    Give what a terminal shows, and in which column its cursor is.
    """
    text = painted.rstrip("\b")
    assert text[0] == "\r"
    row = text[1:]
    return row, cell_len(row) - (len(painted) - len(text))


class PaintTests(SynchronousTestCase):
    """
    The line on terminals of several widths.
    """

    def test_whole(self) -> None:
        """
        A short line is shown as a whole, and what stood there is wiped.
        """
        row, column = shown(paint("joe> ", "calls", 2, 40))
        self.assertEqual(row, "joe> calls".ljust(39))
        self.assertEqual(column, 7)

    def test_long(self) -> None:
        """
        Of a long line, one sees what is around the cursor.
        """
        text = "".join(chr(97 + place % 26) for place in range(100))
        row, column = shown(paint("joe> ", text, 100, 40))
        self.assertEqual(row[:6], "joe> <")
        self.assertEqual(row[column - 1], text[-1])
        row, column = shown(paint("joe> ", text, 0, 40))
        self.assertEqual(row[column : column + 5], "abcde")

    def test_fault(self) -> None:
        """
        What is wrong is red, from there on.
        """
        painted = paint("> ", "event foo", 9, 40, palette=COLOURS, fault=6)
        self.assertIn("event \x1b[31mfoo\x1b[0m", painted)

    def test_no_colours(self) -> None:
        """
        Without colours there is no escape at all.
        """
        self.assertNotIn("\x1b", paint("> ", "event foo", 9, 40, fault=6))
        self.assertEqual(NONE.put(Style.RED, "x"), "x")

    def test_in_one_piece(self) -> None:
        """
        What is coloured can be searched and copied: no escape is in it.
        """
        self.assertIn(
            "sip:100@example.com", COLOURS.put(Style.RED, "sip:100@example.com")
        )

    @given(st.text(alphabet="ab 漢é", max_size=80), st.data(), st.integers(1, 120))
    def test_any(self, text: str, data: st.DataObject, width: int) -> None:
        """
        At any width the row fits, and the cursor is on the character it is on.
        """
        cursor = data.draw(st.integers(0, len(text)))
        row, column = shown(paint("joe> ", text, cursor, width))
        self.assertLess(cell_len(row), max(width, 20))
        self.assertTrue(5 <= column < max(width, 20))
        if cursor < len(text):
            behind, cells = 0, 0
            while cells < column:
                cells += cell_len(row[behind])
                behind += 1
            self.assertEqual(row[behind], text[cursor])
