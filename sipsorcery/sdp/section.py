"""
What the session level and a media section have in common: a row of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from sipsorcery.sdp.connection import Connection
from sipsorcery.sdp.direction import DIRECTIONS, Direction
from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sdp.line import CRLF, ORDER, Attribute, Line, number
from sipsorcery.sdp.origin import Origin

_MAX_BANDWIDTH = 10**20 - 1


@dataclass(frozen=True, slots=True)
class Section:
    """
    Lines in order, with views of what they say and ways to change it.

    A changed section is a new value; the lines that the change does not touch stay as
    they are. New lines end as the section's first line does.
    """

    lines: tuple[Line, ...] = field(default=(), kw_only=True)

    @property
    def line_end(self) -> str:
        """
        Give the line end for new lines.
        """
        return line_end(self.lines)

    def values(self, type: str) -> tuple[str, ...]:
        """
        Give the values of all lines of a type, without blanks around them.
        """
        return tuple(line.value.strip(" ") for line in self.lines if line.type == type)

    @property
    def information(self) -> str | None:
        """
        Give the text of the ``i=`` line.
        """
        return next(iter(self.values("i")), None)

    @property
    def bandwidth(self) -> dict[str, int]:
        """
        Give the ``b=`` lines by type, such as ``AS``, ``TIAS``, ``RS`` and ``RR``.

        AS counts kilobits, the others bits in a second (:rfc:`3556`, :rfc:`3890`).
        """
        found: dict[str, int] = {}
        for name, rate in map(parse_bandwidth, self.values("b")):
            found.setdefault(name, rate)
        return found

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """
        Give all attributes, in order.
        """
        return tuple(
            Attribute.parse(line.value) for line in self.lines if line.type == "a"
        )

    def attribute(self, name: str) -> str | None:
        """
        Give the value of an attribute, empty for a property; ``None`` if it is absent.
        """
        return next(iter(self.attribute_values(name)), None)

    def attribute_values(self, name: str) -> tuple[str, ...]:
        """
        Give the values of all attributes of one name, in order.
        """
        found = []
        for line in self.lines:
            # The second test is a quick one, that leaves few lines for the third.
            if line.type == "a" and name in line.value:
                attribute = Attribute.parse(line.value)
                if attribute.name == name:
                    found.append(attribute.value or "")
        return tuple(found)

    @property
    def own_connection(self) -> Connection | None:
        """
        Give the ``c=`` value of this section itself, the first if there are several.
        """
        for line in self.lines:
            if line.type == "c":
                return Connection.parse(line.value.strip(" "))
        return None

    @property
    def own_direction(self) -> Direction | None:
        """
        Give the direction that this section itself states.
        """
        for line in self.lines:
            if line.type == "a" and line.value.strip(" ") in DIRECTIONS:
                return DIRECTIONS[line.value.strip(" ")]
        return None

    def with_values(self, type: str, *values: str) -> Self:
        """
        Return the section with these lines of a type, in place of those it has.
        """
        return self._with(
            [Line(type, value, end=self.line_end) for value in values],
            lambda line: line.type == type,
        )

    def with_connection(self, connection: Connection) -> Self:
        """
        Return the section with one ``c=`` line.

        :raises LocalProtocolError: if *connection* cannot be written.
        """
        connection.check()
        return self.with_values("c", str(connection))

    def with_origin(self, origin: Origin) -> Self:
        """
        Return the section with another ``o=`` line.

        :raises LocalProtocolError: if *origin* cannot be written.
        """
        origin.check()
        return self.with_values("o", str(origin))

    def with_attribute(self, name: str, value: str | None = None) -> Self:
        """
        Return the section with one attribute of a name, in place of those it has.

        :param value: ``None`` makes a property.
        """
        return self._with_attributes((Attribute(name, value),), {name})

    def without_attribute(self, *names: str) -> Self:
        """
        Return the section without the attributes of these names.
        """
        return self._with_attributes((), set(names))

    def with_direction(self, direction: Direction) -> Self:
        """
        Return the section with an attribute that states this direction.
        """
        return self._with_attributes((Attribute(str(direction)),), set(DIRECTIONS))

    def _with_attributes(self, new: Iterable[Attribute], old: set[str]) -> Self:
        return self._with(
            [Line("a", str(attribute), end=self.line_end) for attribute in new],
            lambda line: line.type == "a" and Attribute.parse(line.value).name in old,
        )

    def _with(self, new: list[Line], is_old: Callable[[Line], bool]) -> Self:
        """
        Put *new* where the first old line is, or where lines of that type belong.
        """
        places = [place for place, line in enumerate(self.lines) if is_old(line)]
        if not places and not new:
            return self
        place = places[0] if places else self._place_for(new[0].type)
        kept = [line for line in self.lines[place:] if not is_old(line)]
        lines = (*self.lines[:place], *new, *kept)
        return self if lines == self.lines else replace(self, lines=lines)

    def _place_for(self, type: str) -> int:
        """
        Find the place after the last line that comes before *type*, or is of it.
        """
        if type not in ORDER:
            raise LocalProtocolError(f"no line of type {excerpt(type)} belongs here")
        before = set(ORDER[: ORDER.index(type) + 1])
        for place in range(len(self.lines), 0, -1):
            if self.lines[place - 1].type in before:
                return place
        return 0


def line_end(lines: Sequence[Line]) -> str:
    """
    Give the line end of the first of some lines, CRLF if it has none.
    """
    return (lines[0].end if lines else "") or CRLF


def parse_bandwidth(text: str) -> tuple[str, int]:
    """
    Read the value of a ``b=`` line (:rfc:`8866#section-5.8`).

    :return: type and rate.
    :raises ParseError: if *text* breaks the grammar.
    """
    name, colon, rate = text.strip(" ").partition(":")
    if not (name and colon):
        raise ParseError(f"bad bandwidth {excerpt(text)}")
    return name, number(rate, _MAX_BANDWIDTH, "bandwidth")
