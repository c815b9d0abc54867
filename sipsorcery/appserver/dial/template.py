"""
Texts with variables, such as ``00${dst:1}``.

A template is read before anything is filled in, and what is filled in is never read
again: whatever a caller sends stays inside the place that the variable has. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from sipsorcery.appserver.errors import DialStringError, UnusableValue
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import excerpt

#: Characters of one value. A user part or a display name that is longer belongs to
#: nobody whom we could call.
MAX_VALUE = 256

_VARIABLE = re.compile(r"\$\{([A-Za-z]{1,16})(?::([0-9]{1,3}))?\}")
_HOST_NAME = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]"
)
# What needs no escape in a user part (RFC 3261, 25.1), without those that devices
# take for the end of it or for something else.
_USER_SAFE = "!*'()+"
_CONTROL = dict.fromkeys([*range(32), 127, 0x85, 0x2028, 0x2029], " ")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    What a caller has sent, as far as variables give it.

    :ivar dialled: the user part of the Request-URI, escapes resolved.
    :ivar name: the display name of From.
    :ivar user: the user part of its URI, escapes resolved.
    :ivar host: the host of its URI.
    """

    dialled: str = ""
    name: str = ""
    user: str = ""
    host: str = ""

    @property
    def aor(self) -> str:
        """
        User and host of From; "" if there is no host.
        """
        if not self.host:
            return ""
        return f"{self.user}@{self.host}" if self.user else self.host


_VALUES: Mapping[str, Callable[[Caller], str]] = MappingProxyType(
    {
        "dst": lambda caller: caller.dialled,
        "exten": lambda caller: caller.dialled,
        "fromname": lambda caller: caller.name,
        "fromuriuser": lambda caller: caller.user,
        "fromurihost": lambda caller: caller.host,
        "fromaor": lambda caller: caller.aor,
    }
)


@dataclass(frozen=True, slots=True)
class Variable:
    """
    A variable in a template.

    :ivar name: in lower case.
    :ivar skip: how many leading characters are left out; where the value has no more
        than that, none are.
    """

    name: str
    skip: int = 0

    def value(self, caller: Caller) -> str:
        """
        Give what the caller has sent.

        :raises UnusableValue: if that is too long.
        """
        text = _VALUES[self.name](caller)
        if len(text) > MAX_VALUE:
            raise UnusableValue(f"{self} is longer than {MAX_VALUE} characters")
        return text[self.skip :] if self.skip < len(text) else text

    def __str__(self) -> str:
        return f"${{{self.name}:{self.skip}}}" if self.skip else f"${{{self.name}}}"


Place: TypeAlias = Callable[[Variable, str], str]


def as_text(variable: Variable, value: str) -> str:
    """
    Let a value stand in free text: without control characters, so on one line.
    """
    return value.translate(_CONTROL)


def as_user(variable: Variable, value: str) -> str:
    """
    Let a value stand in the user part of a URI: escaped, so that it cannot end it.
    """
    return grammar.escape(value, _USER_SAFE)


def as_parameter(variable: Variable, value: str) -> str:
    """
    Let a value stand in the parameters or headers of a URI, escaped altogether.
    """
    return grammar.escape(value, "")


def as_host(variable: Variable, value: str) -> str:
    """
    Let a value stand in the host of a URI, where nothing can be escaped.

    :raises UnusableValue: if it is neither part of a name nor an address.
    """
    if _HOST_NAME.fullmatch(value) is None:
        raise UnusableValue(f"{variable} is no host: {excerpt(value)}")
    return value


@dataclass(frozen=True, slots=True)
class Template:
    """
    A text with variables.
    """

    pieces: tuple[str | Variable, ...] = ()

    @classmethod
    def parse(cls, text: str, position: int = 0) -> Template:
        """
        Read a template.

        :param position: where *text* stands in what the user has written.
        :raises DialStringError: if a variable is unknown, or not closed.
        """
        pieces: list[str | Variable] = []
        done = 0
        while (start := text.find("${", done)) >= 0:
            match = _VARIABLE.match(text, start)
            if match is None:
                raise DialStringError(
                    f"{excerpt(text[start : start + 24])} is no variable: they look "
                    "like ${dst} or ${dst:2}",
                    position + start,
                )
            name = match[1].lower()
            if name not in _VALUES:
                raise DialStringError(
                    f"there is no variable {match[0]}, only {', '.join(_VALUES)}",
                    position + start,
                )
            if start > done:
                pieces.append(text[done:start])
            pieces.append(Variable(name, int(match[2] or 0)))
            done = match.end()
        if done < len(text):
            pieces.append(text[done:])
        return cls(tuple(pieces))

    def fill(self, caller: Caller, place: Place = as_text) -> str:
        """
        Put in what the caller has sent, in the form that suits the place; trimmed.

        :raises UnusableValue: if it cannot stand there.
        """
        return "".join(
            piece if isinstance(piece, str) else place(piece, piece.value(caller))
            for piece in self.pieces
        ).strip()

    @property
    def variables(self) -> tuple[Variable, ...]:
        """
        The variables, in order.
        """
        return tuple(each for each in self.pieces if isinstance(each, Variable))

    def __bool__(self) -> bool:
        return bool(self.pieces)

    def __str__(self) -> str:
        return "".join(map(str, self.pieces))
