"""
What a proxy writes into a message that it sends on. Pure.

It is :rfc:`3261#section-16.6`, but for the Via and the Max-Forwards, which differ
between forwarding and relaying.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sipsorcery.proxy.arrival import Arrival, Departure, Side
from sipsorcery.proxy.privileged import (
    hide_identity,
    strip_challenges,
    strip_claims,
    strip_private,
)
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.token import (
    ConnectionFlow,
    OutwardFlow,
    TokenFlow,
    Tokens,
    Use,
    call_mark,
)
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import (
    PATH,
    PROXY_RECEIVED_FROM,
    PROXY_RECEIVED_ON,
    PROXY_RECEIVED_TRUNK,
    RECORD_ROUTE,
    ROUTE,
    TO,
    VIA,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI

#: What begins a dialog outside of one; a NOTIFY can begin one anywhere (RFC 6665, 4.3:
#: who wants to stay in the way of a subscription has to say so in each).
BEGINNINGS = ("INVITE", "SUBSCRIBE", "REFER")

#: The statuses that ask for credentials.
CHALLENGES = (401, 407)


class Outgoing:
    """
    Prepares messages for their next hop.

    :param is_our_realm: tells whether nobody but us may ask for credentials for it.
    """

    def __init__(
        self, tokens: Tokens, is_our_realm: Callable[[str], bool] = lambda realm: False
    ) -> None:
        self._tokens = tokens
        self._is_our_realm = is_our_realm

    def prepare(
        self,
        routed: Routed,
        departure: Departure,
        uri: SIPURI | None = None,
        routes: Sequence[Address] = (),
    ) -> Request:
        """
        Make the request for one next hop; its Via and Max-Forwards are still to come.

        :param uri: the new Request-URI, if it changes.
        :param routes: what it has to pass on the way there.
        :return: the request of *routed* itself if nothing of it changes, else a copy.
        """
        request = routed.request.copy()
        before = request.head
        if uri is not None:
            request.uri = uri
        if routes:
            request.set_all(ROUTE, [*routes, *request.all(ROUTE)])
        _address_strict_router(request)
        self._sign(request, routed.arrival, departure)
        _tell_sides(request, routed.arrival, inside=departure.is_inside)
        if not (departure.is_inside or departure.is_trunk):
            hide_identity(request)
        return routed.request if request.head is before else request

    def answer(self, response: Response, arrival: Arrival, *, inside: bool) -> None:
        """
        Prepare a response, whose next Via says where it goes.

        :param arrival: the way that it came.
        :param inside: whether it goes to a role.
        """
        if not arrival.is_trusted:
            strip_claims(response, keep_identity=arrival.is_trunk)
            if response.status in CHALLENGES and not arrival.is_trunk:
                strip_challenges(response, self._is_our_realm)
        _tell_sides(response, arrival, inside=inside)
        if not inside:
            hide_identity(response)

    def _sign(self, request: Request, arrival: Arrival, departure: Departure) -> None:
        """
        Put down the way back: for the registrar, or for both ends of a dialog.
        """
        if request.method == "REGISTER":
            if departure.is_inside and not arrival.is_inside:
                request.prepend(PATH, self._path(request, arrival, departure))
        elif _begins_dialog(request):
            secure = _is_secure(request)
            # The lower one faces whom it came from, the upper one the next hop.
            for side, flow in (
                (arrival.side, _back(request, arrival, departure)),
                (departure.side, departure.flow or outward(request, arrival)),
            ):
                request.prepend(RECORD_ROUTE, self._record_route(side, flow, secure))

    def record_route(self, side: Side, flow: TokenFlow | None) -> str:
        """
        Write the line of one side for a request without sips URIs.
        """
        return (
            f"{RECORD_ROUTE.name}: {self._record_route(side, flow, secure=False)}\r\n"
        )

    def _path(
        self, request: Request, arrival: Arrival, departure: Departure
    ) -> Address:
        # "if the Edge Proxy is the first SIP node after the UAC, the edge proxy [...]
        # MUST [...] add an 'ob' URI parameter" (RFC 5626, 5.1).
        flags = ("lr", "ob") if len(request.all(VIA)) == 1 else ("lr",)
        token = self._tokens.write(Use.PATH, arrival.flow)
        return Address(departure.side.uri(token, *flags))

    def _record_route(
        self, side: Side, flow: TokenFlow | None, secure: bool
    ) -> Address:
        # Without one the next Route, or the Request-URI, will lead there.
        user = None if flow is None else self._tokens.write(Use.RECORD_ROUTE, flow)
        return Address(side.uri(user, "lr", secure=secure))


def _back(request: Request, arrival: Arrival, departure: Departure) -> TokenFlow:
    """
    Give the way back to whom a request came from.

    A neighbour's connection may end while a call lasts. Then its own Record-Route, or
    its Contact, leads to it by another; the callee's flow shows who may go that way.
    """
    is_stream = isinstance(arrival.flow, ConnectionFlow)
    if arrival.is_trunk and is_stream and departure.flow is not None:
        return OutwardFlow(call_mark(request.call_id()))
    return arrival.flow


def outward(request: Request, arrival: Arrival) -> OutwardFlow | None:
    """
    Let the caller's further requests out, who would not be let out without a call.

    Roles and trunks always are.
    """
    if arrival.is_trusted or arrival.is_trunk:
        return None
    return OutwardFlow(call_mark(request.call_id()))


def _begins_dialog(request: Request) -> bool:
    if request.method == "NOTIFY":
        return True
    return request.method in BEGINNINGS and request[TO].tag is None


def _is_secure(request: Request) -> bool:
    """
    Tell whether Record-Routes have to be sips URIs, as far as TLS goes (16.6, 4).

    That is up to where the request goes now. Inside there is no TLS, nor a need of it.
    """
    route = request.get(ROUTE)
    uri = request.uri if route is None else route.uri
    return "sips" in (_scheme(request.uri), _scheme(uri))


def _scheme(uri: URI) -> str:
    return uri.scheme if isinstance(uri, SIPURI) else ""


def _address_strict_router(request: Request) -> None:
    """
    Swap Request-URI and Route for a next hop that knows only the former (16.6, 6).
    """
    route = request.get(ROUTE)
    if route is None or not isinstance(route.uri, SIPURI) or route.uri.is_loose:
        return
    request.add(ROUTE, Address(request.uri))
    request.uri = request.pop_first(ROUTE).uri


def _tell_sides(message: Message, arrival: Arrival, *, inside: bool) -> None:
    """
    Tell a role where a message came from; tell nobody else anything.
    """
    if not inside:
        strip_private(message)
    elif not arrival.is_inside:
        message.set(PROXY_RECEIVED_FROM, str(arrival.remote))
        message.set(PROXY_RECEIVED_ON, str(arrival.local))
        if arrival.is_trunk:
            # Roles cannot see the certificate that some trunks have to show.
            message.set(PROXY_RECEIVED_TRUNK, "yes")
