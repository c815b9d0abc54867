"""
The lexical ground of SIP: tokens, quoted strings, lists, escapes.

Every pattern here is linear: character runs are possessive, so that a hostile
value costs no more than its length (:rfc:`3261#section-25.1`).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote as _percent_encode
from urllib.parse import unquote as _percent_decode

from sipsorcery.sip.errors import ParseError, excerpt

#: The largest delta-seconds (:rfc:`3261#section-20.19`).
MAX_SECONDS = 2**32 - 1

#: token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
#: Linear white space inside a value; values are unfolded before they are read.
LWS = r"[ \t]++"
#: Optional white space.
SWS = r"[ \t]*+"
#: quoted-string = DQUOTE *(qdtext / quoted-pair) DQUOTE
QUOTED_STRING = r'"(?:[^"\\]++|\\.)*+"'
#: hostname / IPv4address / IPv6reference. The underscore is not in the RFC but
#: in many Windows host names.
HOST = r"(?:\[[0-9A-Fa-f:.]++(?:%[0-9A-Za-z._~\-]++)?\]|[A-Za-z0-9_.\-]++)"

_IS_TOKEN = re.compile(TOKEN).fullmatch
_IS_QUOTED = re.compile(QUOTED_STRING, re.DOTALL).fullmatch
_FOLD = re.compile(r"[ \t]?\r\n[ \t]++")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# What stands in a quoted string only as a pair; CR and LF not even so.
_TO_PAIR = re.compile(r'(["\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f])')
_ELEMENT = {
    separator: re.compile(
        rf'(?:[^"<{separator}]++|{QUOTED_STRING}|<[^>]*+>)*+', re.DOTALL
    )
    for separator in ",;"
}


def is_token(text: str) -> bool:
    """
    Tell whether *text* is one token.
    """
    return _IS_TOKEN(text) is not None


def is_quoted(text: str) -> bool:
    """
    Tell whether *text* is one whole quoted string, its quotes included.
    """
    return _IS_QUOTED(text) is not None


def unfold(text: str) -> str:
    """
    Join the lines of a folded field value with one space for each fold.
    """
    return _FOLD.sub(" ", text) if "\r\n" in text else text


def quote(text: str) -> str:
    """
    Write *text* as a quoted string.
    """
    return '"' + _TO_PAIR.sub(r"\\\1", text) + '"'


def unquote(text: str) -> str:
    """
    Read a quoted string; a text that does not start with a quote is returned as is.

    :raises ParseError: if the quotes are unbalanced.
    """
    if not text.startswith('"'):
        return text
    if not is_quoted(text):
        raise ParseError(f"unbalanced quotes in {excerpt(text)}")
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def split_list(text: str, separator: str = ",") -> list[str]:
    """
    Split *text* at each *separator* outside quotes and angle brackets.

    Elements are stripped; an empty one stays in the list, for its reader to judge.

    :param separator: ``","`` or ``";"``.
    :raises ParseError: if a quote or an angle bracket is not closed.
    """
    if separator not in text:
        return [text.strip(" \t")]
    if '"' not in text and "<" not in text:
        return [element.strip(" \t") for element in text.split(separator)]
    elements = []
    match_element = _ELEMENT[separator].match
    position = 0
    while (match := match_element(text, position)) is not None:
        end = match.end()
        elements.append(text[position:end].strip(" \t"))
        if end == len(text):
            break
        if text[end] != separator:
            raise ParseError(f"unbalanced {text[end]!r} in {excerpt(text)}")
        position = end + 1
    return elements


def number(text: str, maximum: int, what: str) -> int:
    """
    Read a decimal number of 0 to *maximum*; leading zeros are allowed.

    :param what: names the number in the error.
    :raises ParseError: if *text* is no such number.
    """
    if not (text.isascii() and text.isdigit()):
        raise ParseError(f"{what} is no number: {excerpt(text)}")
    # Converting digits costs the square of their count: look at the length first.
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(maximum)) or int(digits) > maximum:
        raise ParseError(f"{what} above {maximum}: {excerpt(text)}")
    return int(digits)


def check_ipv6(host: str) -> None:
    """
    Make sure that the brackets of *host* hold an IPv6 address.

    :raises ParseError: if they do not.
    """
    try:
        ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        raise ParseError(f"bad IPv6 address {excerpt(host)}") from None


def escape(text: str, safe: str) -> str:
    """
    Percent-encode all octets of *text* but letters, digits, ``-_.~`` and *safe*.
    """
    return _percent_encode(text, safe=safe, errors="surrogateescape")


def unescape(text: str) -> str:
    """
    Decode the percent escapes of *text*; a lone ``%`` stays as it is.
    """
    if "%" not in text:
        return text
    return _percent_decode(text, errors="surrogateescape")
