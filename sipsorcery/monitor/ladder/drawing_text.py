"""
A ladder as text, for a terminal of any width or a file.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from sipsorcery.monitor.ladder.canvas import Line, crop
from sipsorcery.monitor.ladder.ladder import (
    TIMES,
    Arrow,
    Gap,
    Ladder,
    Note,
    Participant,
    Row,
    Tone,
)
from sipsorcery.monitor.ladder.wording import clock, day, delta, foot, left_out
from sipsorcery.monitor.style import Style

# Narrower no word fits; wider no eye follows an arrow.
_MIN_WIDTH, _MAX_GAP = 20, 34
# "12:34:56.789", and a column behind it; "+123.456" likewise.
_CLOCK, _DELTA = 13, 9
# What is beside the first lifeline and the last.
_MARGIN = 6
# Lines of one step at most.
_LINES = 3
_LEGS = (Style.CYAN, Style.MAGENTA, Style.YELLOW, Style.BLUE)
_TONES = {
    Tone.SUCCESS: Style.BOLD_GREEN,
    Tone.FAILURE: Style.BOLD_RED,
    Tone.TROUBLE: Style.RED,
    Tone.STEP: Style.GREEN,
}
_IN_ASCII = str.maketrans(
    {
        "│": "|",
        "─": "-",
        "┼": "+",
        "►": ">",
        "◄": "<",
        "◆": "*",
        TIMES: "x",
        "…": "~",
        "→": ">",
    }
)


def text(
    ladder: Ladder, width: int = 100, *, colours: bool = False, ascii: bool = False
) -> str:
    """
    Draw a ladder, in lines that end with LF.

    Where its columns have no room side by side it is a list.

    :param width: columns of the terminal.
    :param colours: whether to use those that every terminal has.
    :param ascii: whether to use no other characters than those.
    """
    width = max(width, _MIN_WIDTH)
    layout = _Layout.of(len(ladder.participants), width)
    drawing = _List(ladder, width) if layout is None else _Drawing(ladder, layout)
    head = _head(ladder, width, _has_legend(ladder, layout))
    lines = [*head, *drawing.lines(), *_foot(ladder, width)]
    drawn = "".join(line.render(colours=colours) + "\n" for line in lines)
    if not ascii:
        return drawn
    return drawn.translate(_IN_ASCII).encode("ascii", "replace").decode("ascii")


@dataclass(frozen=True, slots=True)
class _Layout:
    """
    Where everything stands.

    :ivar width: of all.
    :ivar left: where the ladder begins; before it stands the time.
    :ivar gap: from one lifeline to the next.
    """

    width: int
    left: int
    gap: int
    has_clock: bool
    has_delta: bool

    @classmethod
    def of(cls, columns: int, width: int) -> _Layout | None:
        """
        Choose what fits: the more columns there are, the less is said of time.
        """
        for left, enough in ((_CLOCK + _DELTA, 18), (_CLOCK, 17), (0, 17)):
            room = width - left - 2 * _MARGIN - 1
            gap = min(_MAX_GAP, room // max(1, columns - 1))
            if gap >= enough:
                return cls(width, left, gap, bool(left), left > _CLOCK)
        return None

    def lifeline(self, column: int) -> int:
        """
        Give where the line of a column stands.
        """
        return self.left + _MARGIN + column * self.gap

    @property
    def half(self) -> int:
        """
        Give how far what is above a lifeline may reach to either side.
        """
        return (self.gap - 2) // 2


class _Drawing:
    """
    A ladder with its columns side by side.
    """

    def __init__(self, ladder: Ladder, layout: _Layout) -> None:
        self._ladder = ladder
        self._layout = layout
        self._columns = range(len(ladder.participants))

    def lines(self) -> Iterator[Line]:
        """
        Draw the names and all rows.
        """
        if not self._columns:
            return
        people = self._ladder.participants
        yield self._names([each.name for each in people], Style.BOLD)
        if not _has_legend(self._ladder, self._layout):
            yield self._names([_place(each) for each in people], Style.DIM)
        yield self._line()
        before: float | None = None
        for row in self._ladder.rows:
            yield from self._row(row, before)
            if not isinstance(row, Gap):
                before = row.time
        yield self._line()

    def _row(self, row: Row, before: float | None) -> Iterator[Line]:
        match row:
            case Arrow():
                line = self._timed(row.time, before)
                self._arrow(line, row)
                yield line
                left = self._layout.lifeline(min(row.source, row.target))
                for remark in row.remarks:
                    yield from self._said(self._line(), left + 3, remark, Style.DIM)
            case Note():
                line = self._timed(row.time, before)
                at = self._layout.lifeline(row.column) + 2
                yield from self._said(line, at, f"◆ {row.text}", _TONES[row.tone])
            case Gap():
                yield from self._said(
                    self._line(), self._layout.left + 2, left_out(row), Style.BOLD
                )

    def _arrow(self, line: Line, row: Arrow) -> None:
        style = _LEGS[row.leg % len(_LEGS)]
        left, right = sorted(map(self._layout.lifeline, (row.source, row.target)))
        dashes = ["─"] * (right - left - 1)
        for column in self._columns:
            at = self._layout.lifeline(column) - left - 1
            if 0 <= at < len(dashes):
                dashes[at] = "┼"
        if row.target > row.source:
            dashes[-1:] = "►"
        else:
            dashes[:1] = "◄"
        line.put(left + 1, "".join(dashes), style)
        # A blank is left on each side, then a dash and the head.
        label = f" {_label(row, len(dashes) - 4)} "
        at = left + 1 + (len(dashes) - cell_len(label)) // 2
        line.put(at, label, _TONES.get(row.tone, style))

    def _said(self, line: Line, at: int, text: str, style: Style) -> Iterator[Line]:
        """
        Write a text at a place, or further left if there is not enough room.
        """
        layout = self._layout
        room = layout.width - layout.left
        needed = min(cell_len(text), max(layout.width - at, room * 2 // 3), room)
        at = max(layout.left, min(at, layout.width - needed))
        for part in _wrapped(text, layout.width - at):
            line.put(at, part, style)
            yield line
            line = self._line()

    def _timed(self, time: float, before: float | None) -> Line:
        line = self._line()
        if self._layout.has_clock:
            line.put(0, clock(time), Style.DIM)
        if self._layout.has_delta and before is not None:
            line.put(_CLOCK, f"{delta(time - before):>8}", Style.DIM)
        return line

    def _line(self) -> Line:
        line = Line(self._layout.width)
        for column in self._columns:
            line.put(self._layout.lifeline(column), "│", Style.DIM)
        return line

    def _names(self, names: list[str], style: Style) -> Line:
        """
        Write something above each lifeline, in its middle where there is room.
        """
        layout = self._layout
        line = Line(layout.width)
        for column, name in enumerate(names):
            middle, half = layout.lifeline(column), layout.half
            left = layout.left if column == 0 else middle - half
            right = layout.width - 1 if column == len(names) - 1 else middle + half
            name = crop(name, right - left + 1)
            size = cell_len(name)
            at = max(left, min(middle - size // 2, right - size + 1))
            line.put(at, name, style)
        return line


class _List:
    """
    A ladder without columns: who says what to whom, one below the other.
    """

    def __init__(self, ladder: Ladder, width: int) -> None:
        self._ladder = ladder
        self._width = width

    def lines(self) -> Iterator[Line]:
        """
        Write all rows.
        """
        for row in self._ladder.rows:
            match row:
                case Arrow():
                    style = _TONES.get(row.tone, _LEGS[row.leg % len(_LEGS)])
                    people = self._ladder.participants
                    way = f"{people[row.source].name} → {people[row.target].name}"
                    said = f"{clock(row.time)} {way}: {_label(row, self._width * 2)}"
                    yield from self._indented(said, style)
                    for remark in row.remarks:
                        yield from self._indented(f"  {remark}", Style.DIM)
                case Note():
                    said = f"{clock(row.time)} ◆ {row.text}"
                    yield from self._indented(said, _TONES[row.tone])
                case Gap():
                    yield from self._indented(left_out(row), Style.BOLD)

    def _indented(self, text: str, style: Style) -> Iterator[Line]:
        for number, part in enumerate(_wrapped(text, self._width - 2, _LINES + 1)):
            line = Line(self._width)
            line.put(2 if number else 0, part, style)
            yield line


def _has_legend(ladder: Ladder, layout: _Layout | None) -> bool:
    """
    Tell whether addresses stand above the ladder, for they do not fit into it.
    """
    people = ladder.participants
    return layout is None or any(
        cell_len(_place(each)) > 2 * layout.half for each in people
    )


def _head(ladder: Ladder, width: int, has_legend: bool) -> Iterator[Line]:
    """
    Say which call it is, how it went, and who took part.
    """
    how = ", ".join(filter(None, (day(ladder), ladder.outcome)))
    for said, style in ((ladder.title, Style.BOLD), (how, Style.PLAIN)):
        for part in _wrapped(said, width):
            line = Line(width)
            line.put(0, part, style)
            yield line
    yield Line(width)
    if has_legend and ladder.participants:
        longest = max(cell_len(each.name) for each in ladder.participants)
        column = min(longest, width // 3) + 2
        for each in ladder.participants:
            line = Line(width)
            line.put(0, crop(each.name, column - 2), Style.BOLD)
            places = crop(", ".join(each.places), width - column)
            line.put(column, places, Style.DIM)
            yield line
        yield Line(width)


def _foot(ladder: Ladder, width: int) -> Iterator[Line]:
    """
    Say what is not shown.
    """
    for part in _wrapped(foot(ladder), width):
        line = Line(width)
        line.put(0, part, Style.DIM)
        yield line


def _label(row: Arrow, room: int) -> str:
    times = len(row.times)
    if times == 1:
        return crop(row.label, room)
    again = f" {TIMES}{times}"
    full = f"{row.label}{again} in {row.repeats:.1f} s"
    return (
        full if cell_len(full) <= room else crop(row.label, room - len(again)) + again
    )


def _place(participant: Participant) -> str:
    places = participant.places
    if len(places) < 2:
        return "".join(places)
    return f"{places[0]} +{len(places) - 1}"


def _wrapped(text: str, room: int, lines: int = _LINES) -> list[str]:
    """
    Break a text into lines; the last one says if there was more.
    """
    # Wide characters take two columns each, so that more lines are needed; crop says
    # what is lost then.
    parts = textwrap.wrap(
        text, room, max_lines=lines, placeholder=" …", break_on_hyphens=False
    )
    return [crop(part, room) for part in parts]
