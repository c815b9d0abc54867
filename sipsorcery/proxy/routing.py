"""
What a proxy finds out about a request before anybody decides. Pure.

It is the validation and the route information of :rfc:`3261#section-16.3` and 16.4,
with flow tokens in the Routes that are ours (:rfc:`5626#section-5.3`).
"""

from __future__ import annotations

from typing import NamedTuple

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.arrival import Arrival
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.privileged import strip_claims
from sipsorcery.proxy.token import (
    INSIDE,
    ConnectionFlow,
    DatagramFlow,
    OutwardFlow,
    Token,
    TokenFlow,
    Tokens,
    call_mark,
)
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.fields import (
    MAX_FORWARDS,
    PROXY_REQUIRE,
    PROXY_SEND_FROM,
    ROUTE,
    TO,
    UNSUPPORTED,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI

# "If the copy does not contain a Max-Forwards header field, the proxy MUST add one with
# a field value, which SHOULD be 70" (16.6).
_HOPS = 70
# Two for each time that a request of so many hops can pass here.
_MAX_OWN_ROUTES = 2 * _HOPS


class Routed(NamedTuple):
    """
    A request without what was meant for us, and what that said.

    A named tuple, for it is made for every request and a frozen dataclass takes three
    times as long to make.

    :ivar request: its own Routes and untrusted claims are gone.
    :ivar uri: the Request-URI.
    :ivar hops: how many more it may take.
    :ivar loop: see `Branches.loop_hash`.
    :ivar flow: the way that a token of ours demands; None: the next Route, or else the
        Request-URI, says where it goes.
    :ivar is_ours: whether it has arrived: nothing but us, in all our names, is left in
        the Routes and the Request-URI.
    :ivar send_from: the listener that a role wants it to leave by.
    :ivar is_plain: whether nothing is left in it that a proxy acts on.
    """

    request: Request
    arrival: Arrival
    uri: SIPURI
    hops: int
    loop: str
    flow: TokenFlow | None
    is_ours: bool
    send_from: Endpoint | None = None
    is_plain: bool = False

    @property
    def next_hop(self) -> SIPURI:
        """
        Give the URI that says where the request goes: the next Route, if there is one.

        :raises Refused: with 416, if the Route is of a scheme that is not ours.
        """
        route = self.request.get(ROUTE)
        if route is None:
            return self.uri
        if not isinstance(route.uri, SIPURI):
            raise Refused(416, f"a Route to {excerpt(str(route.uri))}")
        return route.uri


class Router:
    """
    Reads requests.

    :param own: what URIs mean us.
    """

    def __init__(self, own: OwnAddresses, tokens: Tokens, branches: Branches) -> None:
        self._own = own
        self._tokens = tokens
        self._branches = branches

    def route(self, request: Request, arrival: Arrival) -> Routed:
        """
        Validate a request, and take from it what is meant for us.

        :param request: is changed.
        :raises Refused: with the status to answer it with.
        :raises ParseError: if a field that matters cannot be read.
        """
        if not isinstance(request.uri, SIPURI):
            raise Refused(416, f"a request to {excerpt(request.request_uri)}")
        hops = request.get(MAX_FORWARDS)
        if hops == 0 and request.method != "OPTIONS":
            raise Refused(483, "Max-Forwards is 0")
        loop = self._check_loop(request, arrival)
        _check_extensions(request)
        send_from = None
        if arrival.is_trusted:
            send_from = _send_from(request)
        else:
            strip_claims(request, keep_identity=arrival.is_trunk)
        flow = self._take_routes(request, arrival)
        if not isinstance(request.uri, SIPURI):
            raise Refused(416, f"a last Route to {excerpt(request.request_uri)}")
        is_ours = self._is_own_target(request, arrival)
        if flow == INSIDE and not (arrival.is_trusted or is_ours):
            raise Refused(403, "a request through us inside that is not for us")
        return Routed(
            request,
            arrival,
            request.uri,
            _HOPS if hops is None else hops,
            loop,
            flow,
            is_ours and request.get(ROUTE) is None,
            send_from,
        )

    def _check_loop(self, request: Request, arrival: Arrival) -> str:
        side = "inside" if arrival.is_trusted else "outside"
        loop = self._branches.loop_hash(request, side)
        if self._branches.has_looped(request, loop):
            raise Refused(482, "the request has been here as it is")
        return loop

    def _take_routes(self, request: Request, arrival: Arrival) -> TokenFlow | None:
        """
        Pop all of our own Routes, and find the flow that they choose.
        """
        if request.get(ROUTE) is None:
            return None
        # As values, and as spelled: those of others leave as they came.
        values = list(request.all(ROUTE))
        texts = [text for line in request.all("Route") for text in ROUTE.split(line)]
        own: list[SIPURI] = []
        if self._is_of_strict_router(request.uri):
            # "the proxy MUST replace the Request-URI in the request with the last
            # value from the Route header field" (16.4)
            assert isinstance(request.uri, SIPURI)
            own.append(request.uri)
            request.uri = values.pop().uri
            texts.pop()
        for value in values:
            if not (isinstance(value.uri, SIPURI) and self._own.name_us(value.uri)):
                break
            own.append(value.uri)
            texts.pop(0)
        if len(own) > _MAX_OWN_ROUTES:
            raise Refused(400, f"more than {_MAX_OWN_ROUTES} Routes to us")
        if own:
            request.set_all("Route", texts)
        return self._flow(own, request, arrival)

    def _is_of_strict_router(self, uri: object) -> bool:
        # What we put into a Record-Route has "lr"; a strict router, which knows only
        # the Request-URI, puts it there.
        return isinstance(uri, SIPURI) and uri.is_loose and self._own.name_us(uri)

    def _flow(
        self, own: list[SIPURI], request: Request, arrival: Arrival
    ) -> TokenFlow | None:
        tokens = [self._token(uri, request, arrival) for uri in own]
        last = tokens[-1] if tokens else None
        if last is None or (len(tokens) == 1 and last.flow == arrival.flow):
            # A Route that was there from the start, or the sender's own: outgoing.
            return None
        if isinstance(last.flow, OutwardFlow) and not arrival.is_trusted:
            check_call(last.flow, tokens[:-1], request, arrival)
        return last.flow

    def _token(self, uri: SIPURI, request: Request, arrival: Arrival) -> Token | None:
        if uri.user is None:
            return None
        token = self._tokens.read(uri.user)
        trusted = arrival.is_trusted
        token.check(is_trusted=trusted, in_dialog=trusted or _is_in_dialog(request))
        return token

    def _is_own_target(self, request: Request, arrival: Arrival) -> bool:
        uri = request.uri
        assert isinstance(uri, SIPURI)
        means_us = self._own.name_us if arrival.is_at_home else self._own.include
        maddr = uri.parameters.get("maddr")
        if maddr is not None and not (maddr and means_us(uri._replace(host=maddr))):
            # It would be sent there, whatever the host says.
            return False
        return means_us(uri)


def _check_extensions(request: Request) -> None:
    if PROXY_REQUIRE not in request or request.method in ("ACK", "CANCEL"):
        return
    # We have none; and in one line, so that the answer is hardly longer than this.
    unsupported = ", ".join(dict.fromkeys(request.all(PROXY_REQUIRE)))
    if unsupported:
        text = f"Proxy-Require: {excerpt(unsupported)}"
        raise Refused(420, text, [(UNSUPPORTED.name, unsupported)])


def check_call(
    flow: OutwardFlow, before: list[Token | None], request: Request, arrival: Arrival
) -> None:
    """
    See that a request which is let out is of the call, and of the caller, that was.
    """
    if flow.call != call_mark(request.call_id()):
        raise Refused(403, "a token of one call came in another")
    own = [one.flow for one in before if one is not None]
    if not any(_may_be_of(each, arrival) for each in own):
        raise Refused(403, "a token of a call came from somebody else")


def _may_be_of(flow: TokenFlow, arrival: Arrival) -> bool:
    # A NAT may have given the caller another port, or a connection ended.
    if isinstance(flow, DatagramFlow):
        return flow.remote.host == arrival.remote.host
    return isinstance(flow, ConnectionFlow)


def _send_from(request: Request) -> Endpoint | None:
    text = request.get(PROXY_SEND_FROM)
    if text is None:
        return None
    try:
        return Endpoint.parse(text)
    except ValueError as error:
        raise ParseError(f"Proxy-SendFrom: {error}", partial=request) from None


def _is_in_dialog(request: Request) -> bool:
    return request[TO].tag is not None
