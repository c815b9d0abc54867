"""
The Via field: which way a request came and a response must go.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.host import same_host
from sipsorcery.sip.parameters import NONE, Parameters

#: What a branch of a client of RFC 3261 starts with (:rfc:`3261#section-8.1.1.7`).
MAGIC_COOKIE = "z9hG4bK"

# via-parm = sent-protocol LWS sent-by *( SEMI via-params ), white space allowed
# round "/" and ":". An old X-Lite left out the semicolon before "branch".
_VIA = re.compile(
    rf"(?P<name>{grammar.TOKEN}){grammar.SWS}/{grammar.SWS}"
    rf"(?P<version>{grammar.TOKEN}){grammar.SWS}/{grammar.SWS}"
    rf"(?P<transport>{grammar.TOKEN}){grammar.LWS}"
    rf"(?P<host>{grammar.HOST})"
    rf"(?:{grammar.SWS}:{grammar.SWS}(?P<port>[0-9]{{1,5}}))?{grammar.SWS}"
    r"(?P<parameters>;.*+|branch=.*+)?",
    re.DOTALL,
).fullmatch

# At one glance: a sent-by that is kept as it is spelled, one branch that identifies,
# and no parameter that could hide another.
_PARAMETER = r"[a-z]++(?:=[A-Za-z0-9.\-_~:\[\]]++)?+"
_BUT_BRANCH = rf"(?:;(?!branch){_PARAMETER})*+"
_GLANCE = re.compile(
    r"SIP/2\.0/[A-Z]++ "
    r"([A-Za-z0-9.\-]++(?::(?:[1-5][0-9]{4}|6[0-4][0-9]{3}|[1-9][0-9]{0,3}))?+)"
    rf"{_BUT_BRANCH};branch=({MAGIC_COOKIE}[A-Za-z0-9\-.!%*_+`'~]++){_BUT_BRANCH}"
).fullmatch


def glance_at_via(text: str) -> tuple[str, str] | None:
    """
    Give branch and sent-by of a Via that is written as usual; None for any other.
    """
    seen = _GLANCE(text)
    return None if seen is None else (seen[2], seen[1])


def received_at_glance(text: str) -> str | None:
    """
    Give the received of a Via that `glance_at_via` has seen; "" where it has none.

    :return: None where that takes a longer look.
    """
    _, begin, rest = text.partition(";received")
    if not begin:
        return ""
    value = rest.partition(";")[0]
    return value[1:] if value[:1] == "=" and value[1:2] not in ("", "[") else None


class Via(NamedTuple):
    """
    One Via value (:rfc:`3261#section-20.42`).

    A named tuple, for it is made for every message and a frozen dataclass takes
    three times as long to make.

    :ivar transport: as spelled, mostly in capitals.
    :ivar host: of sent-by; an IPv6 address in brackets.
    :ivar port: of sent-by, ``None`` where it names none.
    """

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = NONE
    protocol: str = "SIP/2.0"

    @classmethod
    def parse(cls, text: str) -> Via:
        """
        Read one Via value.

        :raises ParseError: if *text* breaks the grammar.
        """
        match = _VIA(text)
        if match is None:
            raise ParseError(f"bad Via {excerpt(text)}")
        if match["host"][0] == "[":
            grammar.check_ipv6(match["host"])
        name, version, transport, host, port, parameters = match.groups()
        number = None if port is None else int(port)
        if number is not None and number > 65535:
            raise ParseError(f"port above 65535 in Via {excerpt(text)}")
        if not parameters:
            parsed = NONE
        elif parameters[0] == ";":
            parsed = Parameters.parse(parameters)
        else:
            parsed = Parameters.parse(f";{parameters}")
        return cls(transport, host, number, parsed, f"{name}/{version}")

    @property
    def branch(self) -> str | None:
        """
        The branch, ``None`` where a client of RFC 2543 sent none.
        """
        return self.parameters.get("branch")

    @property
    def is_rfc3261(self) -> bool:
        """
        Whether the branch identifies a transaction (:rfc:`3261#section-17.2.3`).

        A branch that is the magic cookie and nothing else does not
        (:rfc:`4475#section-3.2.1`).
        """
        branch = self.branch or ""
        return branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE)

    @property
    def received(self) -> str | None:
        """
        The source address the next hop saw, an IPv6 address without brackets.
        """
        value = self.parameters.get("received")
        return value[1:-1] if value and value[0] == "[" else value

    @property
    def rport(self) -> int | None:
        """
        The source port the next hop saw; ``None`` if absent or only asked for.

        :raises ParseError: if it is no port.
        """
        value = self.parameters.get("rport")
        return None if value is None else grammar.number(value, 65535, "rport")

    @property
    def maddr(self) -> str | None:
        """
        The maddr parameter.
        """
        return self.parameters.get("maddr")

    @property
    def ttl(self) -> int | None:
        """
        The ttl parameter, 0 to 255.

        :raises ParseError: if it is none.
        """
        value = self.parameters.get("ttl")
        return None if value is None else grammar.number(value, 255, "ttl")

    @property
    def address(self) -> str:
        """
        The host of sent-by without the brackets of an IPv6 address.
        """
        return self.host[1:-1] if self.host[0] == "[" else self.host

    @property
    def sent_by(self) -> str:
        """
        Host, and port where there is one, as spelled.
        """
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def with_parameter(self, name: str, value: str | None = None) -> Via:
        """
        Return a copy in which the parameter *name* has *value*.
        """
        return self._replace(parameters=self.parameters.set(name, value))

    def with_branch(self, branch: str) -> Via:
        """
        Return a copy of a Via that has no branch yet, with one of our own making.

        :param branch: a token, which is not checked.
        """
        text = f"{self.parameters};branch={branch}"
        return self._replace(parameters=Parameters.trusted(text))

    def seen_from(self, address: str, port: int) -> Via:
        """
        Return this Via with the source that its request came from noted in it.

        See :meth:`~sipsorcery.sip.request.Request.note_source`.
        """
        parameters = self.parameters
        if "received" in parameters:
            parameters = parameters.remove("received")
        if "rport" in parameters:
            # "When a server inserts an rport parameter into the response, it MUST also
            # insert a 'received' parameter, even if the source IP address is identical"
            parameters = parameters.set("rport", str(port))
            parameters = parameters.set("received", address)
        elif not same_host(self.host, address):
            parameters = parameters.set("received", address)
        return self._replace(parameters=parameters)

    def __str__(self) -> str:
        return f"{self.protocol}/{self.transport} {self.sent_by}{self.parameters}"
