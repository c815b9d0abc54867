"""
Output that is longer than a terminal is high, page after page. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.console.keys import Key, Pressed

_NEXT = frozenset({" ", "f", Key.PAGE_DOWN})
_LINE = frozenset({Key.ENTER, "j", Key.DOWN})
_QUIT = frozenset({"q", "Q", Key.CONTROL_C, Key.CONTROL_D, Key.ESCAPE})


class Pager:
    """
    Gives lines, as many as a terminal shows at a time.

    :param rows: of the terminal.
    """

    def __init__(self, lines: Sequence[str], rows: int) -> None:
        self._lines = lines
        self._shown = 0
        self.rows = rows

    @property
    def is_done(self) -> bool:
        """
        Whether there is nothing more to show.
        """
        return self._shown >= len(self._lines)

    @property
    def prompt(self) -> str:
        """
        Tell how far one is, and what to press.
        """
        percent = 100 * self._shown // max(len(self._lines), 1)
        return f"-- {percent} %: space for more, q to end --"

    def page(self) -> Sequence[str]:
        """
        Give the next page, with a row left for the prompt.
        """
        return self._take(max(self.rows - 1, 1))

    def press(self, key: Pressed) -> Sequence[str]:
        """
        Give what a key asks for.
        """
        if key in _QUIT:
            self._shown = len(self._lines)
        elif key in _NEXT:
            return self.page()
        elif key in _LINE:
            return self._take(1)
        return ()

    def _take(self, count: int) -> Sequence[str]:
        start, self._shown = self._shown, self._shown + count
        return self._lines[start : self._shown]
