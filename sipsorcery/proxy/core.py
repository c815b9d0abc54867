"""
How the proxy answers what goes no further: what is for itself. Pure.

It answers OPTIONS about itself (:rfc:`3261#section-11`), and refuses the rest with the
status that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ACCEPT,
    ALLOW,
    MAX_FORWARDS,
    PROXY_REQUIRE,
    REQUIRE,
    SUPPORTED,
    UNSUPPORTED,
    Field,
)
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transaction.stateless import make_tag

# The methods of the registry: we know what they mean, and that we do not do it.
_KNOWN_METHODS = frozenset(
    (
        *("BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
        *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
    )
)
_ALLOWED = ((ALLOW, "OPTIONS"),)
# RFC 3261, 11.2 wants to see these in a 200 to OPTIONS. An empty Supported says that
# there is no extension; a session, once there are any, will be described by SDP.
_CAPABILITIES = (*_ALLOWED, (ACCEPT, MediaType("application", "sdp")), (SUPPORTED, ""))

_Fields: TypeAlias = Sequence[tuple[Field[Any] | str, Any]]


class ProxyCore:
    """
    Makes the answer to each request, without remembering any.

    :param own: what Request-URIs mean us.
    :param secret: the key of the tags, random and the same as long as we run.
    """

    def __init__(self, own: OwnAddresses, secret: bytes) -> None:
        self._own = own
        self._secret = secret

    def answer(self, request: Request) -> Response | None:
        """
        Make the final response to a request; None if it gets none, being an ACK.
        """
        if request.method == "ACK":
            return None
        try:
            tag = make_tag(request, self._secret)
        except ParseError:
            return None  # nothing says where an answer goes
        try:
            request.check(REQUIRE, PROXY_REQUIRE)
            status, fields = self._decide(request)
        except ParseError as error:
            return error_response(error, tag)
        return request.respond(status, fields=fields, to_tag=tag)

    def _decide(self, request: Request) -> tuple[int, _Fields]:
        """
        Find the status, and the fields that explain it, in the order of section 16.3.
        """
        if not isinstance(request.uri, SIPURI):
            return 416, ()
        is_ours = self._own.include(request.uri)
        is_last_hop = request.get(MAX_FORWARDS) == 0
        if not is_ours and not is_last_hop:
            return 403, ()
        if request.method == "OPTIONS":
            # "the element MAY act as the final recipient" also of one to somebody
            # else that must not go further: so a route can be traced.
            return self._options(request)
        if not is_ours:
            return 483, ()
        return (405, _ALLOWED) if request.method in _KNOWN_METHODS else (501, _ALLOWED)

    def _options(self, request: Request) -> tuple[int, _Fields]:
        required = request.all(REQUIRE) + request.all(PROXY_REQUIRE)
        if required:
            # In one line, so that the answer is hardly longer than the request.
            return 420, [(UNSUPPORTED.name, ", ".join(dict.fromkeys(required)))]
        return 200, _CAPABILITIES
