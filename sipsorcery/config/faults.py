"""
What can be wrong with a configuration, and how it is told to the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sipsorcery.sip.errors import excerpt

# user:password@ in the URL of a store: an error never shows a password.
_USERINFO = re.compile(r"(?<=://).*@")


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that is wrong: where, and a sentence that says what is expected.
    """

    path: str  # of the key, such as "proxy.listen[1]"; empty: the file as a whole
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class ConfigError(Exception):
    """
    Says all that is wrong with a configuration.

    :ivar file: the file that was read; None for the built-in defaults.
    :ivar faults: at least one, in the order of the file's sections.
    """

    def __init__(self, file: Path | None, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """
        Give one line for each fault, ``FILE: key.path: sentence``.
        """
        prefix = f"{self.file}: " if self.file else ""
        return [f"{prefix}{fault}" for fault in self.faults]


def shown(value: object) -> str:
    """
    Name a TOML value in a sentence: shortened, in TOML's spelling, without password.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return excerpt(_USERINFO.sub("***@", value))
        case dict():
            return "a table"
        case list():
            return "an array"
        case _:
            return excerpt(value)
