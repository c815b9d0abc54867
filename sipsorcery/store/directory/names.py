"""
Which names and passwords the directory accepts.

Each function gives the text as it is stored, or raises `Refused`.
"""

from __future__ import annotations

import re
import unicodedata

from sipsorcery.config.values import read_domain
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.errors import Refused

#: Characters of a password. Those that a program makes are longer than any that a
#: person types, but hashing takes time for each.
MIN_PASSWORD, MAX_PASSWORD = 8, 1024

#: Aliases that are no domains: any host that nobody serves, and "this service".
ANY_HOST, LOCAL = "*", "local"

_USER = re.compile("[a-z0-9][a-z0-9_-]{0,31}")
# The characters of RFC 3261's unreserved, and "+", that nobody has to escape or quote,
# in a URI, in a dial string or on a command line.
_ACCOUNT = re.compile("[A-Za-z0-9_.+~!*-]{1,64}")
# It stands where a host stands in a dial string, so that a dot would make it one.
_PROVIDER = re.compile("[A-Za-z0-9_-]{1,50}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_NO_TEXT = re.compile("[\0\ud800-\udfff]")

# The user part that health probes call.
_RESERVED_ACCOUNTS = frozenset({"dispatcher"})


def is_text(text: str) -> bool:
    """
    Tell whether a database takes something as text.

    None takes bytes of a message that are no UTF-8, and PostgreSQL no NUL.
    """
    return _NO_TEXT.search(text) is None


def user_name(text: str) -> str:
    """
    Read the name of a user: what they log in with, and what owns things.
    """
    name = text.strip().lower()
    if not _USER.fullmatch(name):
        raise Refused(
            f"{excerpt(text)} cannot be the name of a user: up to 32 letters, digits, "
            "'-' and '_' can"
        )
    return name


def account_name(text: str) -> str:
    """
    Read the user part of a SIP account.
    """
    name = text.strip()
    if not _ACCOUNT.fullmatch(name) or name.strip(".") != name or ".." in name:
        raise Refused(
            f"{excerpt(text)} cannot be the name of an account: up to 64 letters, "
            "digits and '_.+~!*-' can, with no dot at an end or beside another"
        )
    if name.lower() in _RESERVED_ACCOUNTS:
        raise Refused(f"{excerpt(text)} is used by the service itself")
    return name


def domain_name(text: str) -> str:
    """
    Read a SIP domain: a host name or an IP address, without a port.
    """
    try:
        name = read_domain(text.strip())
    except ValueError as error:
        raise Refused(str(error)) from None
    if name == LOCAL or len(name) > 255:
        raise Refused(f"{excerpt(text)} cannot be a domain")
    return name


def domain_alias(text: str) -> str:
    """
    Read another name of a domain, which may be ``*`` or ``local``.
    """
    alias = text.strip().lower()
    return alias if alias in (ANY_HOST, LOCAL) else domain_name(text)


def provider_name(text: str) -> str:
    """
    Read the name of a provider.
    """
    name = text.strip()
    if not _PROVIDER.fullmatch(name):
        raise Refused(
            f"{excerpt(text)} cannot be the name of a provider: up to 50 letters, "
            "digits, '-' and '_' can"
        )
    return name


def dialplan_name(text: str) -> str:
    """
    Read the name of a dialplan.
    """
    return _line(text, 64, "the name of a dialplan")


def reason(text: str) -> str:
    """
    Read why something is disabled, which cannot be nothing.
    """
    return _line(text, 256, "a reason")


def password(text: str) -> str:
    """
    Read a password, in Unicode normal form C (:rfc:`7616#section-4`).
    """
    accepted = unicodedata.normalize("NFC", text)
    if len(accepted) < MIN_PASSWORD:
        raise Refused(f"a password has at least {MIN_PASSWORD} characters")
    if len(accepted) > MAX_PASSWORD:
        raise Refused(f"a password has at most {MAX_PASSWORD} characters")
    if _CONTROL.search(accepted):
        raise Refused("a password is one line of text")
    return accepted


def normal(text: str) -> str:
    """
    Bring what somebody gives as their password into the form of those we accept.
    """
    # One character more than a password has is enough to be wrong, as is "?" for what
    # was no UTF-8.
    cut = unicodedata.normalize("NFC", text[: MAX_PASSWORD + 1])
    return cut.encode("utf-8", "replace").decode()


def _line(text: str, limit: int, what: str) -> str:
    line = text.strip()
    if not 0 < len(line) <= limit or _CONTROL.search(line):
        raise Refused(
            f"{excerpt(text)} cannot be {what}: a line of up to {limit} characters can"
        )
    return line
