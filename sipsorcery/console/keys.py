"""
What a terminal sends, as keys. Pure.

A text is a key that inserts itself. Everything else has a name: so no control character
ever gets into a line.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TypeAlias

from sipsorcery.monitor.neutral import for_line


class Key(Enum):
    """
    Name a key that does something.
    """

    ENTER = auto()
    TAB = auto()
    BACKSPACE = auto()
    DELETE = auto()
    LEFT = auto()
    RIGHT = auto()
    WORD_LEFT = auto()
    WORD_RIGHT = auto()
    UP = auto()
    DOWN = auto()
    HOME = auto()
    END = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    ESCAPE = auto()
    CONTROL_C = auto()
    CONTROL_D = auto()
    CONTROL_G = auto()
    CONTROL_K = auto()
    CONTROL_L = auto()
    CONTROL_R = auto()
    CONTROL_U = auto()
    CONTROL_W = auto()


@dataclass(frozen=True, slots=True)
class Pasted:
    """
    Text that was pasted, in one line: it never ends one, whatever it holds.
    """

    text: str


Pressed: TypeAlias = str | Key | Pasted

_CONTROLS = MappingProxyType(
    {
        "\r": Key.ENTER,
        "\n": Key.ENTER,
        "\t": Key.TAB,
        "\x01": Key.HOME,
        "\x02": Key.LEFT,
        "\x03": Key.CONTROL_C,
        "\x04": Key.CONTROL_D,
        "\x05": Key.END,
        "\x06": Key.RIGHT,
        "\x07": Key.CONTROL_G,
        "\x08": Key.BACKSPACE,
        "\x0b": Key.CONTROL_K,
        "\x0c": Key.CONTROL_L,
        "\x0e": Key.DOWN,
        "\x10": Key.UP,
        "\x12": Key.CONTROL_R,
        "\x15": Key.CONTROL_U,
        "\x17": Key.CONTROL_W,
        "\x7f": Key.BACKSPACE,
    }
)
# What xterm, the Linux console and PuTTY send after ESC, without "1;" of modifiers.
_SEQUENCES = MappingProxyType(
    {
        "[A": Key.UP,
        "[B": Key.DOWN,
        "[C": Key.RIGHT,
        "[D": Key.LEFT,
        "[H": Key.HOME,
        "[F": Key.END,
        "OA": Key.UP,
        "OB": Key.DOWN,
        "OC": Key.RIGHT,
        "OD": Key.LEFT,
        "OH": Key.HOME,
        "OF": Key.END,
        "[1~": Key.HOME,
        "[7~": Key.HOME,
        "[4~": Key.END,
        "[8~": Key.END,
        "[3~": Key.DELETE,
        "[5~": Key.PAGE_UP,
        "[6~": Key.PAGE_DOWN,
        "[1;5C": Key.WORD_RIGHT,
        "[1;5D": Key.WORD_LEFT,
        "[1;3C": Key.WORD_RIGHT,
        "[1;3D": Key.WORD_LEFT,
        "b": Key.WORD_LEFT,
        "f": Key.WORD_RIGHT,
    }
)
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O\x1b])", re.DOTALL)
_PASTE, _PASTE_END = "[200~", "\x1b[201~"
# Longer than any sequence of a keyboard; what is longer is no sequence.
_MAX_SEQUENCE = 32
# As much as fits in a line, and what a selection of several lines has around it.
_MAX_PASTE = 8192


class Keyboard:
    """
    Reads keys from bytes as they come, cut anywhere.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._pasted: str | None = None  # what has come of something pasted

    def feed(self, data: bytes) -> list[Pressed]:
        """
        Give the keys that are complete now.
        """
        self._rest += self._decoder.decode(data)
        keys: list[Pressed] = []
        while self._rest:
            key = self._next()
            if key is None:
                break
            if key != "":
                keys.append(key)
        return keys

    def _next(self) -> Pressed | None:
        """
        Take one key; None: it has yet to come whole; empty: what was taken is none.
        """
        if self._pasted is not None:
            return self._paste()
        first = self._rest[0]
        if first == "\x1b":
            return self._sequence()
        self._rest = self._rest[1:]
        if first in _CONTROLS:
            return _CONTROLS[first]
        return first if for_line(first) == first else ""

    def _sequence(self) -> Pressed | None:
        if self._rest == "\x1b":
            # Alone in a packet it is the key; those of a sequence come together.
            self._rest = ""
            return Key.ESCAPE
        if self._rest[1] == "\x1b":
            self._rest = self._rest[1:]
            return Key.ESCAPE
        match = _SEQUENCE.match(self._rest)
        if match is None:
            if len(self._rest) < _MAX_SEQUENCE:
                return None
            self._rest = self._rest[1:]
            return ""
        self._rest = self._rest[match.end() :]
        name = match[0][1:]
        if name == _PASTE:
            self._pasted = ""
            return ""
        return _SEQUENCES.get(name, "")

    def _paste(self) -> Pressed | None:
        text, end, rest = self._rest.partition(_PASTE_END)
        if end:
            whole = ((self._pasted or "") + text)[:_MAX_PASTE]
            self._pasted, self._rest = None, rest
            return Pasted(_in_one_line(whole))
        # The end may be here in part.
        keep = len(_PASTE_END) - 1
        taken, self._rest = self._rest[:-keep], self._rest[-keep:]
        self._pasted = ((self._pasted or "") + taken)[:_MAX_PASTE]
        return None


def _in_one_line(text: str) -> str:
    words = re.sub(r"[\r\n\t]+", " ", text)
    return "".join(each for each in words if for_line(each) == each).strip()
