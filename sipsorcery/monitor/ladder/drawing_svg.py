"""
A ladder as a picture that stands alone: SVG without scripts, for light and dark pages.

Its text can be selected, and is read aloud in order; pointing at a message tells more.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from sipsorcery.monitor.ladder.ladder import (
    TIMES,
    Arrow,
    Gap,
    Ladder,
    Note,
    Participant,
)
from sipsorcery.monitor.ladder.style import STYLE
from sipsorcery.monitor.ladder.wording import clock, day, foot, left_out
from sipsorcery.monitor.neutral import for_page

# Pixels. The font is monospaced, and a character six tenths of its size wide.
_CHARACTER = 7.2
_TIME, _PAD = 176, 24
_MIN_GAP, _MAX_GAP = 150, 300
# The least that a title needs, and what a step may have to the right of its lifeline.
_MIN_WIDTH, _BESIDE = 480, 400
_ROW, _LINE, _BOX, _HEAD = 30, 16, 44, 76
_LINES = 3
_LEGS = 6
# Below these many rows everybody sees who stands above a column.
_SCREEN = 24
# Not in XML, not even escaped (XML 1.0, section 2.2); the other ones are gone already.
_NO_CHARACTER = re.compile("[\ufffe\uffff]")


def svg(ladder: Ladder, *, name: str = "ladder") -> str:
    """
    Draw a ladder.

    :param name: begins the identifiers in it; another one for each on the same page.
    """
    return "\n".join(_Picture(ladder, name).lines()) + "\n"


class _Picture:
    """
    What is worked out before anything is drawn.
    """

    def __init__(self, ladder: Ladder, name: str) -> None:
        self._ladder = ladder
        self._name = _escape(name)
        self._gap = _gap(ladder)
        count = len(ladder.participants)
        self._first = _TIME + self._gap // 2
        right = self._first + max(0, count - 1) * self._gap + self._gap // 2 + _PAD
        beside = max(
            (
                self._x(row.column) + min(_needed(row), _BESIDE) + _PAD
                for row in ladder.rows
                if isinstance(row, Note)
            ),
            default=0,
        )
        self._width = max(right, beside, _MIN_WIDTH)
        self._bottom = 0

    def lines(self) -> Iterator[str]:
        """
        Write the file.
        """
        rows = list(self._rows())  # first, for they say how high it is
        ends = [_HEAD]
        if len(self._ladder.rows) > _SCREEN:
            ends.append(self._bottom + 8)
            self._bottom = ends[-1] + _BOX
        end = self._bottom
        missing = foot(self._ladder)
        height = end + _PAD + (_ROW if missing else 0)
        yield from self._head(height)
        for number, participant in enumerate(self._ladder.participants):
            x = self._x(number)
            yield f'<path class="rail" d="M{x} {_HEAD + _BOX}V{end}"/>'
            for top in ends:
                yield from self._box(x, top, participant)
        yield '<g role="list">'
        yield from rows
        yield "</g>"
        if missing:
            yield _text(_PAD, height - _PAD, missing, "dim")
        yield "</svg>"

    # Inside

    def _head(self, height: int) -> Iterator[str]:
        """
        Say what it is a picture of, to those who see it and to those who hear it.
        """
        ladder, name, width = self._ladder, self._name, self._width
        said = ", ".join(filter(None, (day(ladder), ladder.outcome)))
        between = ", ".join(each.name for each in ladder.participants)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="graphics-document" aria-roledescription="ladder diagram" '
            f'aria-labelledby="{name}-title {name}-description">'
        )
        yield f'<title id="{name}-title">{_escape(ladder.title or "A call")}</title>'
        yield (
            f'<desc id="{name}-description">'
            f"{_escape(said)}. Messages between {_escape(between)}, first to last."
            "</desc>"
        )
        yield f"<style>{STYLE}</style>"
        yield f'<rect class="paper" width="{width}" height="{height}"/>'
        room = int((width - 2 * _PAD) / _CHARACTER)
        # The title has larger characters.
        yield _text(_PAD, 32, _crop(ladder.title, room * 3 // 4), "title")
        yield _text(_PAD, 54, _crop(said, room), "dim")

    def _x(self, column: int) -> int:
        return self._first + column * self._gap

    def _box(self, x: int, top: int, participant: Participant) -> Iterator[str]:
        width = self._gap - 16
        room = int((width - 8) / _CHARACTER)
        kind = "box ours" if participant.is_ours else "box"
        listed = "\n".join((participant.name, *participant.places))
        yield f"<g><title>{_escape(listed)}</title>"
        yield (
            f'<rect class="{kind}" x="{x - width // 2}" y="{top}" width="{width}" '
            f'height="{_BOX}" rx="6"/>'
        )
        places = participant.places
        place = places[0] if places else ""
        if len(places) > 1:
            place += f" +{len(places) - 1}"
        yield _text(x, top + 18, _crop(participant.name, room), "name")
        yield _text(x, top + 35, _crop(place, room), "dim middle")
        yield "</g>"

    def _rows(self) -> Iterator[str]:
        y = _HEAD + _BOX + 12
        before: float | None = None
        for row in self._ladder.rows:
            match row:
                case Arrow():
                    y += _ROW
                    yield from self._arrow(row, y, before)
                    y += _LINE * len(row.remarks)
                case Note():
                    parts, x, width = self._parts(row)
                    yield from self._note(row, y, parts, x, width, before)
                    y += _LINE * len(parts) + 10
                case Gap():
                    y += _ROW
                    yield '<g role="listitem">'
                    yield _text(_TIME + _PAD, y, left_out(row), "left-out")
                    yield "</g>"
            if not isinstance(row, Gap):
                before = row.time
        self._bottom = y + _PAD

    def _arrow(self, row: Arrow, y: int, before: float | None) -> Iterator[str]:
        start, end = self._x(row.source), self._x(row.target)
        back = -8 if end > start else 8
        people = self._ladder.participants
        way = f"{people[row.source].name} to {people[row.target].name}: {_label(row)}"
        told = "\n".join((way, *_repeats(row), *row.details, *row.remarks))
        again = " again" if len(row.times) > 1 else ""
        room = int((abs(end - start) - 20) / _CHARACTER)
        yield f'<g role="listitem"><title>{_escape(told)}</title>'
        yield from self._time(row.time, y, before)
        yield (
            f'<g class="leg{row.leg % _LEGS}">'
            f'<path class="line{again}" d="M{start} {y}H{end + back}"/>'
            f'<path class="head" d="M{end} {y}l{back} -4v8z"/></g>'
        )
        middle = (start + end) // 2
        kind = f"middle {row.tone}"
        yield _text(middle, y - 6, _crop(_label(row), room), kind)
        left = min(start, end) + 10
        for number, remark in enumerate(row.remarks, 1):
            room = int((self._width - left - 8) / _CHARACTER)
            yield _text(left, y + _LINE * number, _crop(remark, room), "dim")
        yield "</g>"

    def _parts(self, row: Note) -> tuple[list[str], int, int]:
        """
        Break what was done into lines: beside its lifeline, or further left.
        """
        whole = self._width - _TIME - _PAD
        beside = self._width - self._x(row.column) - 10 - 8
        width = min(_needed(row), max(beside, whole * 2 // 3), whole)
        x = min(self._x(row.column) + 10, self._width - 8 - width)
        room = int((width - 16) / _CHARACTER)
        parts = textwrap.wrap(
            row.text, room, max_lines=_LINES, placeholder=" …", break_on_hyphens=False
        )
        return parts or [""], x, width

    def _note(
        self,
        row: Note,
        y: int,
        parts: list[str],
        x: int,
        width: int,
        before: float | None,
    ) -> Iterator[str]:
        who = self._ladder.participants[row.column].name
        height = _LINE * len(parts) + 6
        yield f'<g role="listitem"><title>{_escape(f"{who}: {row.text}")}</title>'
        yield from self._time(row.time, y + 25, before)
        yield (
            f'<rect class="box" x="{x}" y="{y + 10}" width="{width}" '
            f'height="{height}" rx="4"/>'
        )
        for number, part in enumerate(parts):
            yield _text(x + 8, y + 25 + _LINE * number, part, str(row.tone))
        yield "</g>"

    def _time(self, time: float, y: int, before: float | None) -> Iterator[str]:
        yield _text(_PAD, y, clock(time), "dim")
        if before is not None:
            said = f"+{time - before:.3f}"
            yield _text(_PAD + 94, y, said, "dim")


def _needed(row: Note) -> int:
    """
    Give the width of what was done, on one line.
    """
    return int(len(row.text) * _CHARACTER) + 20


def _gap(ladder: Ladder) -> int:
    """
    Choose the way between two columns, so that what goes between them is read.
    """
    longest = max(
        (
            len(_label(row)) / abs(row.source - row.target)
            for row in ladder.rows
            if isinstance(row, Arrow) and row.source != row.target
        ),
        default=0,
    )
    names = [
        text for each in ladder.participants for text in (each.name, *each.places[:1])
    ]
    longest = max([longest, *(len(name) + 3 for name in names)])
    return int(min(_MAX_GAP, max(_MIN_GAP, longest * _CHARACTER + 24)) // 2 * 2)


def _label(row: Arrow) -> str:
    if len(row.times) == 1:
        return row.label
    return f"{row.label} {TIMES}{len(row.times)} in {row.repeats:.1f} s"


def _repeats(row: Arrow) -> list[str]:
    if len(row.times) == 1:
        return []
    return ["at " + ", ".join(clock(time) for time in row.times[:20])]


def _crop(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(1, room - 1)]}…"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{_escape(text)}</text>'


def _escape(text: str) -> str:
    return for_page(_NO_CHARACTER.sub("\ufffd", text))
