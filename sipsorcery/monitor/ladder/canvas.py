"""
Lines of a terminal on which things are put at a column, in colours or without.
"""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from sipsorcery.monitor.style import Style


class Line:
    """
    One line, as wide as it is, and no wider.
    """

    def __init__(self, width: int) -> None:
        self._cells = [" "] * width
        self._styles = [Style.PLAIN] * width

    def put(self, at: int, text: str, style: Style = Style.PLAIN) -> None:
        """
        Write from a column on; what does not fit is cut off.
        """
        for character in text:
            size = get_character_cell_size(character)
            if at < 0 or at + size > len(self._cells):
                return
            if not size:  # it joins with what stands before it
                if at:
                    self._cells[at - 1] += character
                continue
            self._clear(at, at + size)
            self._cells[at] = character
            self._cells[at + 1 : at + size] = [""] * (size - 1)
            self._styles[at : at + size] = [style] * size
            at += size

    def _clear(self, start: int, end: int) -> None:
        """
        Make room, where half of a wide character may stand at either end.
        """
        cells = self._cells
        if not cells[start] and start:
            cells[start - 1] = " "
        cells[start:end] = " " * (end - start)
        if end < len(cells) and not cells[end]:
            cells[end] = " "

    def render(self, *, colours: bool) -> str:
        """
        Give the line, without blanks at its end.
        """
        last = len(self._cells)
        while last and self._cells[last - 1] == " ":
            last -= 1
        if not colours:
            return "".join(self._cells[:last])
        parts: list[str] = []
        current = Style.PLAIN
        for cell, style in zip(self._cells[:last], self._styles, strict=False):
            if style is not current and cell:
                parts.append(f"\x1b[0;{style.value}m" if style.value else "\x1b[0m")
                current = style
            parts.append(cell)
        if current is not Style.PLAIN:
            parts.append("\x1b[0m")
        return "".join(parts)


def crop(text: str, room: int, mark: str = "…") -> str:
    """
    Shorten a text to so many columns, and mark that it was longer.
    """
    if cell_len(text) <= room:
        return text
    if room <= len(mark):
        return set_cell_size(text, max(0, room))
    return set_cell_size(text, room - len(mark)).rstrip() + mark
