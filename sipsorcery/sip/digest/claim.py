"""
Digest credentials as a server reads them: who somebody says they are, and the proof.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import unquote_to_bytes

from sipsorcery.sip.digest.algorithm import Algorithm
from sipsorcery.sip.errors import ParseError, excerpt

# nc-value = 8LHEX; that some devices leave out zeros or write capitals does no harm.
_IS_NC = re.compile(r"[0-9A-Fa-f]{1,8}").fullmatch
# ext-value of RFC 5987, the form of username*
_EXT_VALUE = re.compile(r"utf-8'[^']*+'([^'\s]*+)", re.IGNORECASE).fullmatch


class Claim(NamedTuple):
    """
    Well-formed digest credentials, not yet verified.

    There is one for every request: a tuple is made in a third of the time of a data
    class.

    :ivar username: the name to look up; ``None`` if it came hashed.
    :ivar userhash: the hash to look up, in lower case, made with the hash function of
        *algorithm*; ``None`` if the name came in clear.
    :ivar qop: ``None`` where the client gave none, as before :rfc:`2617`; then *nc* and
        *cnonce* are empty. Else as spelled, like *nc*, for they are hashed so.
    """

    username: str | None
    userhash: str | None
    algorithm: Algorithm
    nonce: str
    uri: str
    response: str
    qop: str | None = None
    nc: str = ""
    cnonce: str = ""

    @property
    def nonce_count(self) -> int | None:
        """
        The nonce count as a number; ``None`` without *qop*.
        """
        return None if self.qop is None else int(self.nc, 16)

    @classmethod
    def read(cls, values: Mapping[str, str], algorithm: Algorithm) -> Self:
        """
        Read the parameters that :rfc:`7616#section-3.4` wants.

        :param values: the parameters of the credentials, by their names.
        :raises ParseError: if one is missing or makes no sense.
        """
        username, userhash = _read_name(values)
        qop, nc, cnonce = _read_qop(values)
        if algorithm.is_session and qop is None:
            raise ParseError(f"{algorithm.value} credentials without qop")
        return cls(
            username,
            userhash,
            algorithm,
            _read(values, "nonce"),
            _read(values, "uri"),
            _read(values, "response").lower(),
            qop,
            nc,
            cnonce,
        )


def _read(values: Mapping[str, str], name: str) -> str:
    value = values.get(name)
    if value is None:
        raise ParseError(f"digest credentials without {name}")
    return value


def _read_name(values: Mapping[str, str]) -> tuple[str | None, str | None]:
    plain, extended = values.get("username"), values.get("username*")
    is_hashed = values.get("userhash", "").lower() == "true"
    if plain is None and extended is not None and not is_hashed:
        return _read_extended(extended), None
    if extended is not None:
        raise ParseError("digest credentials with two forms of the user name")
    name = _read(values, "username")
    if is_hashed:
        return None, name.lower()
    if not name.isascii() and _has_surrogates(name):
        # No account can have such a name, and stores refuse to look it up.
        raise ParseError("the user name of the credentials is not UTF-8")
    return name, None


def _read_extended(value: str) -> str:
    match = _EXT_VALUE(value)
    if match is None:
        raise ParseError("bad username* in digest credentials")
    try:
        name = unquote_to_bytes(match[1]).decode("utf-8")
    except UnicodeError:
        raise ParseError("bad username* in digest credentials") from None
    if any(character in name for character in "\r\n\0"):
        raise ParseError("bad username* in digest credentials")
    return name


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _read_qop(values: Mapping[str, str]) -> tuple[str | None, str, str]:
    qop = values.get("qop")
    if qop is None:
        return None, "", ""
    nc, cnonce = _read(values, "nc"), _read(values, "cnonce")
    if _IS_NC(nc) is None or int(nc, 16) == 0:
        raise ParseError(f"bad nonce count {excerpt(nc)}")
    return qop, nc, cnonce
