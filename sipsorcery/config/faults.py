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
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:/*|/*)([^?=#]*)(.*)", re.DOTALL)


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


def shown_url(text: str) -> str:
    """
    Name the URL of a store in a sentence: shortened, and nothing that may be secret.

    It need not be a URL, for that is what is mostly wrong with it. So what could be a
    password is hidden wherever it stands: before an ``@``, in a query, after a ``=``,
    and where a port should be.
    """
    match = _URL.fullmatch(text)
    assert match is not None  # for every part may be empty
    scheme, place, query = match.groups("")
    if "@" in query:
        return excerpt(f"{scheme}***")  # a password may hold a question mark, too
    _userinfo, at, place = place.rpartition("@")
    authority, slash, path = place.partition("/")
    hosts = ",".join(map(_without_password, authority.split(",")))
    query = f"{query[0]}***" if query else ""
    return excerpt(f"{scheme}{at and '***@'}{hosts}{slash}{path}{query}")


def _without_password(host: str) -> str:
    """
    Hide what stands in the place of a port and is none.
    """
    name, colon, port = host.rpartition(":")
    if not colon or port.isdecimal() or host.endswith("]"):
        return host
    return f"{name.partition(':')[0]}:***"


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
