"""
The values of the authentication fields: challenges, credentials, information.

The grammar is that of :rfc:`3261#section-25.1` and :rfc:`7235#section-2.1`. Only
grammar lives here; what a digest means is in :mod:`sipsorcery.sip.digest`. Reading is
more tolerant than writing: Ekiga puts values in apostrophes, many devices quote what
the RFC leaves bare (``qop="auth"``, ``nc="00000001"``) or leave bare what it quotes.
The errors never repeat a value, for it may be a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.limits import MAX_FIELD

AuthParameters = tuple[tuple[str, str], ...]

# Values come unfolded, but a line break between two parameters does no harm.
_SWS = r"[ \t\r\n]*+"
_SCHEME = re.compile(rf"{_SWS}({grammar.TOKEN})(?:[ \t\r\n]++|$)")
# Empty list elements say nothing (RFC 7230, 7).
_EMPTY = re.compile(r"[ \t\r\n,]*+")
_END = rf"{_SWS}(?:,{_EMPTY.pattern}|$)"
# auth-param = auth-param-name EQUAL ( token / quoted-string ), and the tolerated
# spellings. An apostrophe is also a legal character of a token, so it only quotes
# when its twin ends the value. No value may hold what would end a header line. Where no
# parameter follows, the last group takes all that is left: so one search reads a list,
# and never looks for a beginning in the middle of what is broken.
_PARAMETERS = re.compile(
    rf"({grammar.TOKEN}){_SWS}={_SWS}"
    r"(?:"
    rf'"((?:[^"\\\r\n\0]++|\\[^\r\n\0])*+)"{_END}'
    rf"|'([^'\r\n\0]*+)'{_END}"
    rf'|([^\s,"\0]++){_END}'
    r")|([\s\S]++)"
).findall
_QUOTED_PAIR = re.compile(r"\\(.)")
_BREAKS_LINE = re.compile(r"[\r\n\0]")
# token68, the one-piece credentials of Basic and Bearer (RFC 7235, 2.1)
_TOKEN68 = r"[A-Za-z0-9\-._~+/]++=*+"
_IS_TOKEN68 = re.compile(_TOKEN68).fullmatch
_WHOLE = re.compile(rf"({_TOKEN68}){_SWS}")


@dataclass(frozen=True, slots=True)
class _Parametric:
    """
    The comma-separated parameters that all three values share.

    :ivar parameters: names in lower case and values without quotes, in order.
    """

    parameters: AuthParameters = ()

    #: Names whose values are written bare, as :rfc:`3261#section-25.1` has them.
    BARE: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        seen = set()
        for name, value in self.parameters:
            if name in seen or name != name.lower() or not grammar.is_token(name):
                raise LocalProtocolError(f"bad or doubled parameter {excerpt(name)}")
            if _BREAKS_LINE.search(value):
                raise LocalProtocolError(f"the value of {name} would break the line")
            seen.add(name)

    def get(self, name: str) -> str | None:
        """
        Return the value of a parameter, unquoted; ``None`` if it is absent.
        """
        for known, value in self.parameters:
            if known == name:
                return value
        return None

    def flag(self, name: str) -> bool:
        """
        Tell whether a parameter such as ``stale`` says ``true``.
        """
        return (self.get(name) or "").lower() == "true"

    def _write(self) -> str:
        return ", ".join(
            f"{name}={value if self._is_bare(name, value) else grammar.quote(value)}"
            for name, value in self.parameters
        )

    def _is_bare(self, name: str, value: str) -> bool:
        # A leading apostrophe would be read as a quote.
        return name in self.BARE and grammar.is_token(value) and value[0] != "'"


@dataclass(frozen=True, slots=True)
class _AuthValue(_Parametric):
    """
    A scheme and what follows it: parameters, or one piece of ``token68``.
    """

    scheme: str = "Digest"
    token: str = ""

    def __post_init__(self) -> None:
        # A slotted dataclass has no zero-argument super().
        _Parametric.__post_init__(self)
        if not grammar.is_token(self.scheme) or (self.token and self.parameters):
            raise LocalProtocolError("a scheme has parameters or one piece, not both")
        if self.token and _IS_TOKEN68(self.token) is None:
            raise LocalProtocolError("the one piece after a scheme must be a token68")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read the value of one field line.

        A line never holds two of them (:rfc:`3261#section-7.3.1`).

        :raises ParseError: if *text* is too long, breaks the grammar or gives a
            parameter twice.
        """
        _check_length(text)
        match = _SCHEME.match(text)
        if match is None:
            raise ParseError("no authentication scheme")
        whole = _WHOLE.fullmatch(text, match.end())
        if whole is not None:
            return cls(scheme=match[1], token=whole[1])
        return cls._read(match[1], _parse_parameters(text, match.end()))

    @classmethod
    def _read(cls, scheme: str, parameters: AuthParameters) -> Self:
        # The grammar has checked all that __post_init__ would.
        self = object.__new__(cls)
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "scheme", scheme)
        object.__setattr__(self, "token", "")
        return self

    @property
    def is_digest(self) -> bool:
        """
        Tell whether the scheme is Digest, in any spelling.
        """
        return self.scheme.lower() == "digest"

    def __str__(self) -> str:
        return f"{self.scheme} {self.token or self._write()}".rstrip(" ")


@dataclass(frozen=True, slots=True)
class Challenge(_AuthValue):
    """
    One WWW-Authenticate or Proxy-Authenticate value.
    """

    BARE: ClassVar[frozenset[str]] = frozenset(
        {"stale", "algorithm", "userhash", "charset"}
    )

    @property
    def realm(self) -> str | None:
        """
        The protection space that asks.
        """
        return self.get("realm")

    @property
    def nonce(self) -> str | None:
        """
        The server's nonce, opaque to a client.
        """
        return self.get("nonce")

    @property
    def stale(self) -> bool:
        """
        Tell whether only the nonce was wrong, not the password.
        """
        return self.flag("stale")

    @property
    def qop(self) -> tuple[str, ...]:
        """
        The qualities of protection on offer, in lower case; empty if none is named.
        """
        return tuple((self.get("qop") or "").lower().replace(",", " ").split())


@dataclass(frozen=True, slots=True)
class Credentials(_AuthValue):
    """
    One Authorization or Proxy-Authorization value.
    """

    # username* is an ext-value, which RFC 7616 (3.4) leaves bare.
    BARE: ClassVar[frozenset[str]] = frozenset(
        {"algorithm", "qop", "nc", "userhash", "username*"}
    )

    @property
    def realm(self) -> str | None:
        """
        The protection space that these credentials are for.
        """
        return self.get("realm")


@dataclass(frozen=True, slots=True)
class AuthenticationInfo(_Parametric):
    """
    One Authentication-Info value, the server's part of a mutual authentication.
    """

    BARE: ClassVar[frozenset[str]] = frozenset({"qop", "nc"})

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read one field value.

        :raises ParseError: if *text* is empty, too long, breaks the grammar or gives
            a parameter twice.
        """
        _check_length(text)
        parameters = _parse_parameters(text, 0)
        if not parameters:
            raise ParseError("Authentication-Info without a parameter")
        return cls(parameters)

    def __str__(self) -> str:
        return self._write()


def _check_length(text: str) -> None:
    # A message keeps this limit for its own lines; text may also come from elsewhere.
    if len(text) > MAX_FIELD:
        raise ParseError(f"authentication value of {len(text)} characters")


def _parse_parameters(text: str, position: int) -> AuthParameters:
    found: dict[str, str] = {}
    start = _EMPTY.match(text, position)
    assert start is not None  # it matches the empty string
    for name, quoted, apostrophes, bare, rest in _PARAMETERS(text, start.end()):
        if rest:
            position = len(text) - len(rest)
            raise ParseError(f"authentication parameter expected at {position}")
        name = name.lower()
        if name in found:
            raise ParseError(f"authentication parameter {excerpt(name)} given twice")
        if "\\" in quoted:
            quoted = _QUOTED_PAIR.sub(r"\1", quoted)
        found[name] = quoted or apostrophes or bare
    return tuple(found.items())
