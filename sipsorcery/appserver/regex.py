r"""
Regular expressions of users, in time proportional to the text. Pure.

The module :mod:`re` tries one way after the other, and a user can write an expression
that has more ways than the universe has time. Here all ways are followed at once, so
that a match costs at most the length of the text times the size of the expression.

There are characters, ``.``, classes, ``\d \w \s`` and their opposites, ``^``, ``$``,
groups, ``|``, ``* + ?`` and ``{m,n}``; no back references and no look-around.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.appserver.errors import PatternError
from sipsorcery.sip.errors import excerpt

#: Characters of an expression, as many as a line of a dialplan needs.
MAX_EXPRESSION = 512
#: Steps of the machine that repetitions may make of it: many times what a number
#: plan needs, and a match still takes milliseconds.
MAX_STEPS = 1024
#: Groups inside groups.
MAX_DEPTH = 32
#: Repetitions by count: longer than any number.
MAX_COUNT = 255

_DIGITS = frozenset("0123456789")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") | _DIGITS
_SPACE = frozenset(" \t\r\n\f\v")
_CONTROLS = {"t": "\t", "r": "\r", "n": "\n", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """
    Some characters, or all but some.
    """

    characters: frozenset[str]
    is_negated: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.characters) != self.is_negated


ANY = CharacterSet(frozenset(), is_negated=True)
DIGITS = CharacterSet(_DIGITS)
_SETS = {"d": _DIGITS, "w": _WORD, "s": _SPACE}


@dataclass(frozen=True, slots=True)
class _Split:
    """
    Go on at either step.
    """

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class _Anchor:
    """
    Go on at the start of the text only, or at its end only.
    """

    is_start: bool


_Step: TypeAlias = CharacterSet | _Split | _Anchor


@dataclass(frozen=True, slots=True)
class Regex:
    """
    A regular expression.
    """

    text: str
    _steps: tuple[_Step, ...]

    @classmethod
    def compile(cls, text: str) -> Regex:
        """
        Read an expression.

        :raises PatternError: if it is none, or too large.
        """
        if len(text) > MAX_EXPRESSION:
            raise PatternError(
                f"a regular expression has {MAX_EXPRESSION} characters at most"
            )
        return cls(text, tuple(_Reader(text).read()))

    @property
    def size(self) -> int:
        """
        The number of its steps.
        """
        return len(self._steps)

    def search(self, text: str) -> bool:
        """
        Tell whether the expression matches anywhere in *text*.
        """
        steps = self._steps
        current: set[int] = set()
        for position, character in enumerate(text):
            self._follow(0, current, position, len(text))
            if len(steps) in current:
                return True
            following: set[int] = set()
            for index in current:
                step = steps[index]
                if isinstance(step, CharacterSet) and character in step:
                    self._follow(index + 1, following, position + 1, len(text))
            current = following
        self._follow(0, current, len(text), len(text))
        return len(steps) in current

    def _follow(self, start: int, reached: set[int], position: int, end: int) -> None:
        """
        Add what is reached from a step without a character.
        """
        waiting = [start]
        while waiting:
            index = waiting.pop()
            if index in reached:
                continue
            reached.add(index)
            match self._steps[index] if index < len(self._steps) else None:
                case _Split(first, second):
                    waiting += (second, first)
                case _Anchor(is_start) if position == (0 if is_start else end):
                    waiting.append(index + 1)


class _Reader:
    """
    Makes steps of an expression. Steps of parts are relative to their own start.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0

    def read(self) -> list[_Step]:
        """
        Read all of it.
        """
        steps = self._alternatives()
        if self._position < len(self._text):
            raise self._fault("there is a ')' too many")
        return steps

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise self._fault("it ends too early")
        self._position += 1
        return character

    def _fault(self, text: str) -> PatternError:
        return PatternError(f"{excerpt(self._text)} is no regular expression: {text}")

    def _checked(self, steps: list[_Step]) -> list[_Step]:
        if len(steps) > MAX_STEPS:
            raise self._fault("its repetitions make it too large")
        return steps

    def _alternatives(self) -> list[_Step]:
        steps = self._sequence()
        while self._peek() == "|":
            self._position += 1
            other = self._sequence()
            jump = len(other) + 1
            steps = self._checked(
                [
                    _Split(1, len(steps) + 2),
                    *_moved(steps, 1),
                    _Split(len(steps) + 1 + jump, len(steps) + 1 + jump),
                    *_moved(other, len(steps) + 2),
                ]
            )
        return steps

    def _sequence(self) -> list[_Step]:
        steps: list[_Step] = []
        while self._peek() not in ("", "|", ")"):
            part = self._repeated(self._atom())
            steps = self._checked([*steps, *_moved(part, len(steps))])
        return steps

    def _atom(self) -> list[_Step]:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return [self._class()]
            case ".":
                return [ANY]
            case "^" | "$":
                return [_Anchor(character == "^")]
            case "\\":
                return [self._escaped()]
            case "*" | "+" | "?":
                raise self._fault(f"there is nothing for {character!r} to repeat")
        return [CharacterSet(frozenset(character))]

    def _group(self) -> list[_Step]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault("its groups are too deep")
        if self._text.startswith("?:", self._position):
            self._position += 2
        steps = self._alternatives()
        if self._peek() != ")":
            raise self._fault("a ')' is missing")
        self._position += 1
        self._depth -= 1
        return steps

    def _escaped(self) -> CharacterSet:
        character = self._next()
        if character.lower() in _SETS:
            return CharacterSet(_SETS[character.lower()], character.isupper())
        if character in _CONTROLS:
            return CharacterSet(frozenset(_CONTROLS[character]))
        if character in _WORD:
            raise self._fault(f"'\\{character}' means nothing here")
        return CharacterSet(frozenset(character))

    def _class(self) -> CharacterSet:
        end = self._text.find("]", self._position + 1)
        while end > 0 and self._text[end - 1] == "\\":
            end = self._text.find("]", end + 1)
        if end < 0:
            raise self._fault("a ']' is missing")
        inner = self._text[self._position : end]
        self._position = end + 1
        return read_class(inner)

    def _repeated(self, atom: list[_Step]) -> list[_Step]:
        while (sign := self._peek()) and sign in "*+?{":
            counts = self._counts()
            if counts is None:
                break
            atom = self._checked(self._repeat(atom, *counts))
            if self._peek() == "?":  # a lazy one: whether it matches is the same
                self._position += 1
        return atom

    def _counts(self) -> tuple[int, int | None] | None:
        sign = self._next()
        if sign != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        inner, closed, _ = self._text[self._position :].partition("}")
        low, comma, high = inner.partition(",")
        is_count = all(
            each.isascii() and each.isdigit() and len(each) < 6
            for each in (low, *([high] if high else []))
        )
        if not closed or not is_count:
            raise self._fault("'{' starts a count, such as {3,6}")
        self._position += len(inner) + 1
        first, last = int(low), int(high) if high else (None if comma else int(low))
        if max(first, last or 0) > MAX_COUNT or (last is not None and last < first):
            raise self._fault(f"a count has {MAX_COUNT} at most, the smaller first")
        return first, last

    def _repeat(self, atom: list[_Step], first: int, last: int | None) -> list[_Step]:
        count = first if last is None else last
        if (len(atom) + 1) * (count + 1) > MAX_STEPS:
            raise self._fault("its repetitions make it too large")
        steps: list[_Step] = []
        for _ in range(first):
            steps += _moved(atom, len(steps))
        if last is None:
            here, size = len(steps), len(atom)
            steps.append(_Split(here + 1, here + size + 2))
            steps += _moved(atom, here + 1)
            steps.append(_Split(here, here))
            return steps
        end = len(steps) + (last - first) * (len(atom) + 1)
        for _ in range(last - first):
            steps.append(_Split(len(steps) + 1, end))
            steps += _moved(atom, len(steps))
        return steps


def _moved(steps: Iterable[_Step], offset: int) -> list[_Step]:
    return [
        _Split(step.first + offset, step.second + offset)
        if isinstance(step, _Split)
        else step
        for step in steps
    ]


def read_class(inner: str) -> CharacterSet:
    """
    Read what stands between the brackets of a class, such as ``2-57-9``.

    :raises PatternError: if a range runs backwards or the class is empty.
    """
    is_negated = inner.startswith("^")
    found: set[str] = set()
    rest = iter(inner[is_negated:])
    pending: list[str | None] = []  # None is a hyphen
    for character in rest:
        if character == "\\":
            escaped = next(rest, "\\")
            if escaped in _SETS:
                found |= _SETS[escaped]
            else:
                pending.append(_CONTROLS.get(escaped, escaped))
        else:
            pending.append(None if character == "-" else character)
    index = 0
    while index < len(pending):
        first = pending[index] or "-"
        is_range = pending[index + 1 : index + 2] == [None] and index + 2 < len(pending)
        last = (pending[index + 2] or "-") if is_range else first
        if not ord(first) <= ord(last) < ord(first) + 0x100:
            raise PatternError(f"[{inner}] has the range {first}-{last}")
        found.update(map(chr, range(ord(first), ord(last) + 1)))
        index += 3 if is_range else 1
    if not found:
        raise PatternError(f"[{inner}] is an empty class")
    return CharacterSet(frozenset(found), is_negated)
