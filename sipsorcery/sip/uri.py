"""
URIs: sip and sips in full, tel, and any other kept as it is.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import NamedTuple

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.host import same_host
from sipsorcery.sip.parameters import NONE, Parameters

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+\-.]*+):(.*)", re.DOTALL).fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
# The user part may hold all but what delimits it; devices leave "#", "|", "^"
# and UTF-8 unescaped. White space in a host is what the PA168S sends for a
# domain such as "Blue Face".
_SIP = re.compile(
    r"(?:(?P<user>[^@:\s<>\"]++)(?::(?P<password>[^@\s<>\"]*+))?@)?"
    rf"(?P<host>{grammar.HOST}(?: [A-Za-z0-9_.\-]++)*+|\*)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>;[^?\s<>\"]*+)?"
    r"(?:\?(?P<headers>[^\s<>\"]++))?"
).fullmatch
_TEL = re.compile(r"(?P<number>[^;\s][^;<>\"]*+)(?P<parameters>;[^<>\"]*+)?").fullmatch
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-_.!~*'()")
_VISUAL_SEPARATORS = str.maketrans("", "", "-.() ")

# Parameters that never match when only one of two URIs carries them
# (RFC 3261, 19.1.4; "transport" follows from its examples).
_MUST_MATCH = ("user", "ttl", "method", "maddr", "transport")

#: user-unreserved and mark beyond what is never escaped (RFC 3261, 25.1).
_USER_SAFE = "!*'()&=+$,;?/"

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}


class SIPURI(NamedTuple):
    """
    A ``sip`` or ``sips`` URI (:rfc:`3261#section-19.1.1`).

    User, password, parameters and headers are kept as spelled, escapes included.
    ``==`` compares the spelling; :meth:`is_equivalent` compares as 19.1.4 says.

    :ivar scheme: ``"sip"`` or ``"sips"``.
    :ivar host: a name, an IPv4 address, or an IPv6 address in brackets.
    :ivar port: ``None`` where the URI names none.
    :ivar headers: ``(name, value)`` pairs of the part behind ``?``.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    parameters: Parameters = NONE
    headers: tuple[tuple[str, str], ...] = ()
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> SIPURI:
        """
        Read one sip or sips URI.

        :raises ParseError: with 416 for another scheme, else 400.
        """
        uri = parse_uri(text)
        if not isinstance(uri, SIPURI):
            raise ParseError(f"not a SIP URI: {excerpt(text)}", status=416)
        return uri

    @property
    def address(self) -> str:
        """
        The host without the brackets of an IPv6 address.
        """
        return self.host[1:-1] if self.host[0] == "[" else self.host

    @property
    def hostport(self) -> str:
        """
        The host, and the port where there is one.
        """
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def transport(self) -> str | None:
        """
        The transport parameter in lower case, or ``None``.
        """
        value = self.parameters.get("transport")
        return None if value is None else value.lower()

    @property
    def is_loose(self) -> bool:
        """
        Whether the URI names a loose router (:rfc:`3261#section-19.1.1`).
        """
        return "lr" in self.parameters

    @property
    def aor(self) -> str:
        """
        The address-of-record, made canonical as :rfc:`3261#section-10.3` step 5 says.

        Escapes are resolved, the host is in lower case, port, parameters and headers
        are dropped.
        """
        host = self.host.lower()
        if self.user is None:
            return f"{self.scheme}:{host}"
        user = grammar.escape(grammar.unescape(self.user), _USER_SAFE)
        return f"{self.scheme}:{user}@{host}"

    def with_parameter(self, name: str, value: str | None = None) -> SIPURI:
        """
        Return a copy in which the parameter *name* has *value*.
        """
        return self._replace(parameters=self.parameters.set(name, value))

    def is_equivalent(self, other: URI) -> bool:
        """
        Tell whether both URIs mean the same (:rfc:`3261#section-19.1.4`).

        IPv6 addresses are compared as numbers (:rfc:`5954#section-4.2`).
        """
        return isinstance(other, SIPURI) and (
            self.scheme == other.scheme
            and _same_text(self.user, other.user)
            and _same_text(self.password, other.password)
            and same_host(self.host, other.host)
            and self.port == other.port
            and _same_parameters(self.parameters, other.parameters)
            and _folded_headers(self.headers) == _folded_headers(other.headers)
        )

    def __str__(self) -> str:
        secret = "" if self.password is None else f":{self.password}"
        userinfo = "" if self.user is None else f"{self.user}{secret}@"
        text = f"{self.scheme}:{userinfo}{self.hostport}{self.parameters}"
        if not self.headers:
            return text
        return f"{text}?{'&'.join(f'{name}={value}' for name, value in self.headers)}"


@dataclass(frozen=True, slots=True)
class TelURI:
    """
    A telephone number (:rfc:`3966`), as spelled, visual separators included.
    """

    number: str
    parameters: Parameters = NONE
    scheme: str = "tel"

    @property
    def digits(self) -> str:
        """
        The number without visual separators.
        """
        return self.number.translate(_VISUAL_SEPARATORS)

    def is_equivalent(self, other: URI) -> bool:
        """
        Tell whether both are the same number (:rfc:`3966#section-4`).
        """
        return isinstance(other, TelURI) and (
            self.digits.lower() == other.digits.lower()
            and self.parameters == other.parameters
        )

    def __str__(self) -> str:
        return f"{self.scheme}:{self.number}{self.parameters}"


@dataclass(frozen=True, slots=True)
class OtherURI:
    """
    A URI of a scheme that we only carry: ``urn``, ``http``, ``mailto`` and so on.

    :ivar rest: all behind the first colon, as spelled.
    """

    scheme: str
    rest: str

    def is_equivalent(self, other: URI) -> bool:
        """
        Tell whether both are spelled alike; the scheme without case.
        """
        return isinstance(other, OtherURI) and (
            self.scheme.lower() == other.scheme.lower() and self.rest == other.rest
        )

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


URI = SIPURI | TelURI | OtherURI


def parse_uri(text: str) -> URI:
    """
    Read a URI of any scheme.

    :raises ParseError: if it has no scheme, or breaks the grammar of a scheme we know.
    """
    match = _SCHEME(text)
    if match is None or _CONTROL(text) is not None:
        raise ParseError(f"not a URI: {excerpt(text)}")
    scheme, rest = match.groups()
    low = scheme.lower()
    if low in ("sip", "sips"):
        return _parse_sip(low, rest, text)
    if low == "tel":
        return _parse_tel(rest, text)
    if not rest or any(character in rest for character in ' \t<>"'):
        raise ParseError(f"bad URI {excerpt(text)}")
    return OtherURI(scheme, rest)


def parse_relaxed(text: str) -> SIPURI:
    """
    Read a SIP URI as people type it: the scheme may be missing.

    For configuration and dial strings, never for what came from the network.
    """
    text = text.strip()
    return SIPURI.parse(text if _is_sip(text) else f"sip:{text}")


def _is_sip(text: str) -> bool:
    return text[:4].lower() == "sip:" or text[:5].lower() == "sips:"


def _parse_sip(scheme: str, rest: str, text: str) -> SIPURI:
    match = _SIP(rest)
    if match is None:
        raise ParseError(f"bad SIP URI {excerpt(text)}")
    user, password, host, port, parameters, headers = match.groups()
    if host[0] == "[":
        grammar.check_ipv6(host)
    number = None if port is None else int(port)
    if number is not None and number > 65535:
        raise ParseError(f"port above 65535 in {excerpt(text)}")
    return SIPURI(
        scheme,
        user,
        host,
        number,
        Parameters.parse(parameters) if parameters else NONE,
        _parse_headers(headers, text) if headers else (),
        password,
    )


def _parse_headers(headers: str, text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for header in headers.split("&"):
        name, equals, value = header.partition("=")
        if not name or not equals:
            raise ParseError(f"bad header in {excerpt(text)}")
        pairs.append((name, value))
    return tuple(pairs)


def _parse_tel(rest: str, text: str) -> TelURI:
    match = _TEL(rest)
    if match is None:
        raise ParseError(f"bad tel URI {excerpt(text)}")
    number, parameters = match.groups()
    return TelURI(number, Parameters.parse(parameters) if parameters else NONE)


def _same_text(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or _normalised(one) == _normalised(other)


def _normalised(text: str) -> str:
    # An escaped reserved character is not the character itself (RFC 3261, 19.1.4),
    # so only the escapes of what needs none are resolved.
    return _ESCAPE.sub(_resolve_escape, text)


def _resolve_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _same_parameters(one: Parameters, other: Parameters) -> bool:
    if one == other:
        return True
    ours, theirs = _folded(one), _folded(other)
    if any((name in ours) != (name in theirs) for name in _MUST_MATCH):
        return False
    return all(ours[name] == theirs[name] for name in ours.keys() & theirs.keys())


def _folded(parameters: Parameters) -> dict[str, str]:
    return {
        grammar.unescape(name).lower(): grammar.unescape(value or "").lower()
        for name, value in parameters
    }


def _folded_headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return sorted(
        (grammar.unescape(name).lower(), grammar.unescape(value))
        for name, value in headers
    )
