"""
Header fields that users may write into what is sent for them. Pure.
"""

from __future__ import annotations

from sipsorcery.appserver.errors import DressError
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import excerpt
from sipsorcery.sip.fields import KEYS

#: Header fields of a user, and characters of one value: more than anybody has had a use
#: for, and small beside what an INVITE has room for over UDP.
MAX_FIELDS, MAX_VALUE = 20, 512
_MAX_NAME = 64  # no name that is in use has half of that

# These make the request what it is: they are ours to write.
_OURS = frozenset(
    (
        *("via", "from", "to", "contact", "cseq", "call-id", "max-forwards"),
        *("route", "record-route", "require", "supported", "allow", "path"),
        *("mime-version", "www-authenticate", "session-expires", "min-se", "rack"),
        *("rseq", "refer-to", "replaces", "expires", "service-route"),
        *("p-asserted-identity", "identity", "max-breadth", "history-info"),
    )
)
_OURS_BEGIN = ("content-", "authorization", "proxy-")


def check_field(name: str, value: str) -> None:
    """
    Check that a user may write a header field.

    :raises DressError: if not.
    """
    key = KEYS.get(name.lower(), name.lower())
    if not grammar.is_token(name) or len(name) > _MAX_NAME:
        raise DressError(f"{excerpt(name)} is no name of a header field")
    if key in _OURS or key.startswith(_OURS_BEGIN):
        raise DressError(f"{name} is none of the fields that users set")
    if len(value) > MAX_VALUE or not value.isprintable():
        raise DressError(f"{name}: a value is one line of at most {MAX_VALUE} letters")
