"""
Whom a leg calls: a URI with variables, its scheme and user part optional. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipsorcery.appserver.dial.template import (
    Caller,
    Template,
    as_host,
    as_parameter,
    as_text,
    as_user,
)
from sipsorcery.appserver.errors import DialStringError, UnusableValue
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.uri import SIPURI

_SCHEME = re.compile(r"(sips?):", re.IGNORECASE)
_VARIABLE = r"\$\{[^}]{0,24}\}"
_DESTINATION = re.compile(
    rf"(?:(?P<user>(?:{_VARIABLE}|[^@$]|\$(?!\{{))*+)@)?"
    rf"(?P<host>(?:{_VARIABLE}|\[[^\]]*+\]|[^;?@\[\]])*+)"
    r"(?P<tail>.*+)",
    re.DOTALL,
)
_AOR = re.compile(r"\$\{fromaor\}", re.IGNORECASE).fullmatch
# What stands for any caller when we try whether the rest is a URI.
_SAMPLE = Caller("0", "0", "0", "0")


@dataclass(frozen=True, slots=True)
class Destination:
    """
    A destination, not yet filled in.

    :ivar scheme: "" where the dial string has none.
    :ivar user: None: there is none. Without a scheme that stands for what the caller
        has dialled.
    :ivar host: a provider, a domain or any other host, and a port.
    :ivar tail: the parameters and headers of the URI.
    """

    scheme: str
    user: Template | None
    host: Template
    tail: Template

    @classmethod
    def parse(cls, text: str, position: int = 0) -> Destination:
        """
        Read a destination.

        :param position: where *text* stands in what the user has written.
        :raises DialStringError: if no caller could make a URI of it.
        """
        match = _SCHEME.match(text)
        scheme, start = (match[1].lower(), match.end()) if match else ("", 0)
        if _AOR(text, start):
            # The only variable that is more than one part of a URI.
            rest, offset = "${fromuriuser}@${fromurihost}", position
        else:
            rest, offset = text[start:], position + start
        found = _DESTINATION.fullmatch(rest)
        if found is None:
            raise DialStringError(f"{excerpt(text)} is no destination", position)
        user, host, tail = found.group("user", "host", "tail")
        destination = cls(
            scheme,
            None if user is None else Template.parse(user, offset),
            Template.parse(host, offset + found.start("host")),
            Template.parse(tail, offset + found.start("tail")),
        )
        try:
            destination.fill(_SAMPLE)
        except (ParseError, UnusableValue):
            raise DialStringError(
                f"{excerpt(text)} is no destination", position
            ) from None
        return destination

    @property
    def takes_dialled(self) -> bool:
        """
        Tell whether the user part is what the caller has dialled.
        """
        return self.user is None and not self.scheme

    def fill(self, caller: Caller) -> SIPURI:
        """
        Make the URI.

        :raises UnusableValue: if what the caller has sent does not make one.
        """
        if self.takes_dialled:
            user = f"{_DIALLED.fill(caller, as_user)}@" if caller.dialled else ""
        else:
            user = "" if self.user is None else f"{self.user.fill(caller, as_user)}@"
        host = self.host.fill(caller, as_host)
        tail = self.tail.fill(caller, as_parameter)
        try:
            return SIPURI.parse(f"{self.scheme or 'sip'}:{user}{host}{tail}")
        except ParseError as error:
            raise UnusableValue(f"{self} makes no URI: {error.text}") from None

    def __str__(self) -> str:
        scheme = f"{self.scheme}:" if self.scheme else ""
        user = "" if self.user is None else f"{self.user}@"
        return f"{scheme}{user}{self.host}{self.tail}"


_DIALLED = Template.parse("${dst}")


@dataclass(frozen=True, slots=True)
class FromTemplate:
    """
    A From, not yet filled in: a URI, or a display name and a URI in angle brackets.
    """

    name: Template | None
    address: Destination

    @classmethod
    def parse(cls, text: str, position: int = 0) -> FromTemplate:
        """
        Read it.

        :raises DialStringError: if no caller could make an address of it.
        """
        start = text.rfind("<")
        if start < 0:
            return cls(None, Destination.parse(text.strip(), position))
        name, inner = text[:start].strip(), text[start + 1 :].rstrip()
        if not inner.endswith(">"):
            raise DialStringError("this bracket is not closed", position + start)
        if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
            name = name[1:-1]
        return cls(
            Template.parse(name, position) if name else None,
            Destination.parse(inner[:-1].strip(), position + start + 1),
        )

    def fill(self, caller: Caller) -> tuple[str, SIPURI]:
        """
        Give display name and URI.

        :raises UnusableValue: if what the caller has sent does not make a URI.
        """
        name = "" if self.name is None else self.name.fill(caller, as_text)
        return name, self.address.fill(caller)
