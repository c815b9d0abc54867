"""
Patterns of extensions: which dialled numbers a line of a dialplan is for. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from sipsorcery.appserver.errors import PatternError
from sipsorcery.appserver.plans.regex import Regex
from sipsorcery.sip.errors import excerpt

_CLASS = re.compile(r"\[([^\]]+)\]")
_LETTERS = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}
# What each ending lets follow.
_ENDINGS = {".": ".+", "!": ".*"}


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


def read_places(text: str) -> Regex:
    """
    Read a pattern of the Asterisk kind, without the underscore before it.

    X is a digit, Z one of 1 to 9, N one of 2 to 9, ``[13-5]`` any of these; a ``.``
    at the end stands for one character or more, a ``!`` for any number of them.

    :raises PatternError: if it is none.
    """
    expression = ""
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character in _ENDINGS:
            if position < len(text):
                raise PatternError(
                    f"_{text} goes on behind {character!r}, which takes the rest"
                )
            return Regex.compile(f"^{expression}{_ENDINGS[character]}$")
        if character == "[":
            match = _CLASS.match(text, position - 1)
            if match is None:
                raise PatternError(f"_{text} has a '[' without ']'")
            expression += match[0]
            position = match.end()
        else:
            expression += _LETTERS.get(character.upper(), re.escape(character))
    if not expression:
        raise PatternError("'_' alone is no pattern")
    return Regex.compile(f"^{expression}$")


def read_pattern(text: str, *, is_regex: bool) -> Pattern:
    """
    Read the pattern of an extension.

    :param is_regex: whether it is a regular expression, with or without slashes.
    :raises PatternError: if it is none.
    """
    if not text:
        raise PatternError("the pattern is missing")
    if not is_regex:
        return Expression(read_places(text[1:])) if text[0] == "_" else Literal(text)
    if text[0] != "/":
        return Expression(Regex.compile(text))
    if len(text) < 3 or text[-1] != "/":
        raise PatternError(f"{excerpt(text)} is no expression between slashes")
    return Expression(Regex.compile(text[1:-1]))
