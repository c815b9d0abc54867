"""
The words of a filter. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipsorcery.monitor.errors import FilterError

#: Characters of a filter; the original's console took 2,000.
MAX_FILTER = 2000
_SPACE = re.compile(r"\s*")
_KEY = re.compile(r"[^\s()\"]+")
_VALUE = re.compile(r"\S+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """
    A word, and where it stands.
    """

    text: str
    position: int


class Tokens:
    """
    Reads a filter from left to right.

    What stands where a value is expected is taken as it is, up to the next space, so
    that values of the original need no quotes, whatever is in them.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_FILTER:
            raise FilterError(
                f"a filter has {MAX_FILTER} characters at most", MAX_FILTER
            )
        self._text = text
        self._at = 0
        self._skip()

    @property
    def position(self) -> int:
        """
        Give where the next word begins.
        """
        return self._at

    @property
    def is_at_end(self) -> bool:
        """
        Tell whether nothing is left.
        """
        return self._at == len(self._text)

    def take(self, *words: str) -> bool:
        """
        Take the next word if it is one of these, in any case of letters.
        """
        word = self._peek()
        if word is None or word.lower() not in words:
            return False
        self._at += len(word)
        self._skip()
        return True

    def key(self) -> Token:
        """
        Take a keyword.

        :raises FilterError: if there is none.
        """
        match = _KEY.match(self._text, self._at)
        if match is None:
            found = repr(self._text[self._at]) if not self.is_at_end else "the end"
            raise FilterError(f"a keyword is expected, not {found}", self._at)
        return self._end(match, match[0])

    def value(self, depth: int) -> Token:
        """
        Take a value, in quotes or up to the next space.

        :param depth: parentheses that are open; a value does not close these.
        :raises FilterError: if there is none, or its quotes do not end.
        """
        if self._text.startswith('"', self._at):
            quoted = _QUOTED.match(self._text, self._at)
            if quoted is None:
                raise FilterError("the quotes do not end", self._at)
            return self._end(quoted, re.sub(r'\\(["\\])', r"\1", quoted[1]))
        match = _VALUE.match(self._text, self._at)
        if match is None:
            raise FilterError("a value is missing", self._at)
        text = match[0]
        while depth and text.endswith(")") and text.count(")") > text.count("("):
            text, depth = text[:-1], depth - 1
        if not text:
            raise FilterError("a value is missing", self._at)
        token = Token(text, self._at)
        self._at += len(text)
        self._skip()
        return token

    def _end(self, match: re.Match[str], text: str) -> Token:
        token = Token(text, self._at)
        self._at = match.end()
        self._skip()
        return token

    def _peek(self) -> str | None:
        if self._text[self._at : self._at + 1] in ("(", ")"):
            return self._text[self._at]
        match = _KEY.match(self._text, self._at)
        return match[0] if match else None

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        assert match is not None  # it matches nothing as well
        self._at = match.end()
