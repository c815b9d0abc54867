"""
Patterns of extensions: which dialled numbers a line of a dialplan is for. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from sipsorcery.appserver.errors import PatternError
from sipsorcery.appserver.regex import CharacterSet, Regex, read_class
from sipsorcery.sip.errors import excerpt

_CLASS = re.compile(r"\[([^\]]+)\]")
_LETTERS = {"X": "0123456789", "Z": "123456789", "N": "23456789"}
# How many characters more than its places each ending lets a number have.
_ENDINGS = {".": 1, "!": 0}


class Pattern(Protocol):
    """
    Says which numbers it is for.
    """

    def matches(self, number: str) -> bool:
        """
        Tell whether it is for *number*.
        """


@dataclass(frozen=True, slots=True)
class Literal:
    """
    One number, as it stands there.
    """

    number: str

    def matches(self, number: str) -> bool:
        """
        Tell whether it is the same.
        """
        return number == self.number


@dataclass(frozen=True, slots=True)
class Expression:
    """
    A regular expression, which may match anywhere in a number.
    """

    regex: Regex

    def matches(self, number: str) -> bool:
        """
        Search *number* for it.
        """
        return self.regex.search(number)


@dataclass(frozen=True, slots=True)
class Places:
    """
    A pattern of the Asterisk kind: a set of characters for each place.

    :ivar more: None: a number has just these places; else at least so many more.
    """

    places: tuple[CharacterSet, ...]
    more: int | None = None

    @classmethod
    def parse(cls, text: str) -> Places:
        """
        Read a pattern, without the underscore before it.

        X is a digit, Z one of 1 to 9, N one of 2 to 9, ``[13-5]`` any of these; a ``.``
        at the end stands for one character or more, a ``!`` for any number of them.

        :raises PatternError: if it is none.
        """
        places: list[CharacterSet] = []
        position = 0
        while position < len(text):
            character = text[position]
            position += 1
            if character in _ENDINGS:
                if position < len(text):
                    raise PatternError(
                        f"_{text} goes on behind {character!r}, which takes the rest"
                    )
                return cls(tuple(places), _ENDINGS[character])
            if character == "[":
                match = _CLASS.match(text, position - 1)
                if match is None:
                    raise PatternError(f"_{text} has a '[' without ']'")
                places.append(read_class(match[1]))
                position = match.end()
            else:
                characters = _LETTERS.get(character.upper(), character)
                places.append(CharacterSet(frozenset(characters)))
        if not places:
            raise PatternError("'_' alone is no pattern")
        return cls(tuple(places))

    def matches(self, number: str) -> bool:
        """
        Tell whether each character has its place.
        """
        extra = len(number) - len(self.places)
        has_length = extra == 0 if self.more is None else extra >= self.more
        return has_length and all(
            character in place
            for character, place in zip(number, self.places, strict=False)
        )


def read_pattern(text: str, *, is_regex: bool) -> Pattern:
    """
    Read the pattern of an extension.

    :param is_regex: whether it is a regular expression, with or without slashes.
    :raises PatternError: if it is none.
    """
    if not text:
        raise PatternError("the pattern is missing")
    if not is_regex:
        return Places.parse(text[1:]) if text[0] == "_" else Literal(text)
    if text[0] != "/":
        return Expression(Regex.compile(text))
    if len(text) < 3 or text[-1] != "/":
        raise PatternError(f"{excerpt(text)} is no expression between slashes")
    return Expression(Regex.compile(text[1:-1]))
