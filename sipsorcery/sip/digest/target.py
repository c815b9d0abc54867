"""
Which digest ``uri`` is accepted for a request: three policies to choose from.

HTTP wants both to be the same resource (:rfc:`7616#section-3.4.6`). In SIP a proxy may
have changed the Request-URI meanwhile, so that a difference is not always a failure
(:rfc:`3261#section-22.4`, 6); but whoever accepts any lets a response that was
overheard on its way be spent on another target.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI, parse_uri

#: Takes the ``uri`` of the credentials and the Request-URI, both as spelled.
TargetPolicy = Callable[[str, str], bool]


def same_aor(uri: str, request_uri: str) -> bool:
    """
    Accept what names the same user at the same host.

    Ports and parameters may differ, because phones leave out ``:5060`` or
    ``;transport=tcp`` in one of the two.
    """
    return uri == request_uri or _same(uri, request_uri, _aor)


def same_host(uri: str, request_uri: str) -> bool:
    """
    Accept what names the same host, for phones that always give their domain.
    """
    return uri == request_uri or _same(uri, request_uri, _host)


def any_target(uri: str, request_uri: str) -> bool:
    """
    Accept every target, where a proxy on the way rewrites the Request-URI.
    """
    return True


def _same(uri: str, request_uri: str, part: Callable[[SIPURI], str]) -> bool:
    try:
        one, other = parse_uri(uri), parse_uri(request_uri)
    except ParseError:
        return False
    if isinstance(one, SIPURI) and isinstance(other, SIPURI):
        return part(one) == part(other)
    return one.is_equivalent(other)


def _aor(uri: SIPURI) -> str:
    return uri.aor


def _host(uri: SIPURI) -> str:
    return uri.host.lower()
