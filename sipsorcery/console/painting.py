"""
What a line looks like on a terminal of any width. Pure.

Only carriage returns and backspaces move the cursor, so any terminal will do; colours
are all that a dumb one lacks. A line that is longer than the terminal is wide shows the
part around the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from sipsorcery.monitor.style import Style

# Narrower than this nothing can be typed.
_MIN_WIDTH = 20
_MORE = "<"


@dataclass(frozen=True, slots=True)
class Palette:
    """
    Puts colours on text, or leaves that.

    :ivar is_on: whether there are colours.
    """

    is_on: bool

    def put(self, style: Style, text: str) -> str:
        """
        Colour a text as a whole: what it says stays in one piece.
        """
        if not self.is_on or style is Style.PLAIN or not text:
            return text
        return f"\x1b[{style.value}m{text}\x1b[0m"


def paint(
    prompt: str,
    text: str,
    cursor: int,
    width: int,
    *,
    palette: Palette | None = None,
    fault: int | None = None,
) -> str:
    """
    Paint the line over the one that is there, and put the cursor in its place.

    :param fault: from where on the text is wrong; it is red there.
    """
    palette = palette or Palette(is_on=False)
    room = max(width, _MIN_WIDTH) - 1  # in the last column the cursor would wrap
    prompt = _cut(prompt, room // 2)
    room -= cell_len(prompt)
    start = _start(text, cursor, room)
    lead = _MORE if start else ""
    shown = _cut(text[start:], room - len(lead))
    good = len(shown) if fault is None else min(max(fault - start, 0), len(shown))
    body = shown[:good] + palette.put(Style.RED, shown[good:])
    blank = room - len(lead) - cell_len(shown)
    back = blank + cell_len(shown[cursor - start :])
    head = palette.put(Style.BOLD, prompt) + lead
    return f"\r{head}{body}{' ' * blank}{chr(8) * back}"


def _start(text: str, cursor: int, room: int) -> int:
    """
    Give the first character to show, so that the cursor is among them.
    """
    if cell_len(text) <= room:
        return 0
    # A third of what is right of the cursor, if there is any.
    wanted = room - 1 - min(room // 3, cell_len(text[cursor:]))
    start, cells = cursor, 0
    while start > 0 and cells + cell_len(text[start - 1]) <= wanted:
        start -= 1
        cells += cell_len(text[start])
    return start


def _cut(text: str, cells: int) -> str:
    while cell_len(text) > cells:
        text = text[:-1]
    return text
