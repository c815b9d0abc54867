"""
Which digest ``uri`` is accepted for a request: three policies to choose from.

HTTP wants both to be the same resource (:rfc:`7616#section-3.4.6`). In SIP a proxy may
have changed the Request-URI on the way, so a difference is no failure in itself
(:rfc:`3261#section-22.4`, 6). But a server that accepts any lets whoever holds a
request up on its way spend its response on another callee.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.grammar import unescape
from sipsorcery.sip.uri import SIPURI, parse_uri

#: Takes the ``uri`` of the credentials and the Request-URI, both as spelled.
TargetPolicy = Callable[[str, str], bool]


def same_user(uri: str, request_uri: str) -> bool:
    """
    Accept what names the same user, or no user at all, at whatever host.

    What stands for the host differs too often to be of use: the domain, an alias of
    it, the address of a proxy. SIPp gives the address it sends to, whatever it asks
    for; sipsak does so too and loses the last digit of the port.
    """
    return uri == request_uri or _compare(uri, request_uri, _is_same_user)


def same_aor(uri: str, request_uri: str) -> bool:
    """
    Accept what names the same user at the same host.

    Ports and parameters may differ, because phones leave out ``:5060`` or
    ``;transport=tcp`` in one of the two.
    """
    return uri == request_uri or _compare(uri, request_uri, _is_same_aor)


def any_target(uri: str, request_uri: str) -> bool:
    """
    Accept every target, where a proxy on the way may have rewritten the user.
    """
    return True


def _compare(
    uri: str, request_uri: str, compare: Callable[[SIPURI, SIPURI], bool]
) -> bool:
    try:
        one, other = parse_uri(uri), parse_uri(request_uri)
    except ParseError:
        return False
    if isinstance(one, SIPURI) and isinstance(other, SIPURI):
        return compare(one, other)
    return one.is_equivalent(other)


def _is_same_user(one: SIPURI, other: SIPURI) -> bool:
    return not one.user or unescape(one.user) == unescape(other.user or "")


def _is_same_aor(one: SIPURI, other: SIPURI) -> bool:
    return one.aor == other.aor
