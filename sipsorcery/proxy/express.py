"""
The hot path of the proxy: what is usual and needs no transaction, over UDP.

For nearly every datagram it finds out and writes the very same as `Router`, `Outgoing`
and `Forwarder` do, without making text, fields or values of it; where it cannot be sure
it leaves the message to them, as it came. What it has found out about an address, a
flow or a URI it remembers. ``benchmarks/proxy.py`` says what that buys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

from sipsorcery.proxy.arrival import Arrival, Side
from sipsorcery.proxy.branch import Branches, Kind
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.outgoing import BEGINNINGS, CHALLENGES, Outgoing, outward
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.routing import Routed, check_call
from sipsorcery.proxy.token import (
    INSIDE,
    DatagramFlow,
    OutwardFlow,
    Token,
    TokenFlow,
    Tokens,
    Use,
)
from sipsorcery.proxy.way_back import origin_below, read_own
from sipsorcery.proxy.ways import Hop, Ways
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import MAX_BREADTH
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, parse_uri
from sipsorcery.sip.usual import UsualRequest, parse_usual
from sipsorcery.sip.usual_response import UsualResponse
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target

K = TypeVar("K")
V = TypeVar("V")

# Things remembered of a kind: those of a few thousand phones. Each takes some 500
# bytes, all kinds together 10 MB. Whoever forges many only makes us start anew.
_REMEMBERED = 4096

# Fields that a proxy acts on: Proxy-Require, Proxy-Received..., Proxy-Send..., those of
# RFC 3325, and what a script may be told by a role. See `privileged`.
_ACTED_ON = re.compile(rb"\n(?:[Pp][Rr][Oo][Xx][Yy]-(?:[Rr][Ee]|[Ss])|[Pp]-[AaPp])")
_MAX_BREADTH = re.compile(rb"\n[Mm][Aa][Xx]-[Bb]")
_RECORD_ROUTE = re.compile(rb"\n[Rr][Ee][Cc][Oo][Rr][Dd]-")
# A Route that we may have written, alone in its line.
_ROUTE = re.compile(
    rb"Route: <sip:(?:([A-Za-z0-9\-_]++)@)?+([A-Za-z0-9\-.:]++);lr>\r\n"
)
_FIRST, _BETWEEN = b"Route: ", "\r\nRoute: "
_ROUTES = re.compile(rb"(?:" + _ROUTE.pattern + rb")++").fullmatch
# What has a CSeq that can be read; whoever registers has to be noted.
_CSEQ = re.compile(rb"\nCSeq: [0-9]{1,9} (?!REGISTER)[A-Z]++\r")


class Express:
    """
    Routes, forwards and passes back, if it can.

    :ivar looks: tells whether anybody wants to look at responses.
    """

    looks: Callable[[], bool] = staticmethod(lambda: False)

    def __init__(
        self,
        transport: TransportLayer,
        ways: Ways,
        own: OwnAddresses,
        tokens: Tokens,
        branches: Branches,
        outgoing: Outgoing,
    ) -> None:
        self._transport = transport
        self._ways = ways
        self._own = own
        self._tokens = tokens
        self._branches = branches
        self._outgoing = outgoing
        self.forget()

    def forget(self) -> None:
        """
        Find everything out again: a key or an address has changed.
        """
        self._generation = self._tokens.generation
        self._ways.forget()
        self._back: dict[str, Flow | None] = {}
        self._read: dict[str, Token] = {}
        self._vias: dict[str, str] = {}
        self._loops: dict[tuple[str, str, bytes], str] = {}
        self._signed: dict[tuple[Side, TokenFlow | None], str] = {}

    # Requests

    def route(self, request: Request, flow: Flow) -> Routed | None:
        """
        Do what `Router.route` does, or nothing.

        :return: None: somebody else has to.
        """
        if not isinstance(request, UsualRequest) or flow.number:
            return None
        if not request.is_untouched or not (hops := request.hops):
            return None
        uri = _plain_uri(request.request_uri)
        if uri is None or request.finds(_ACTED_ON):
            return None
        arrival = self._ways.arrival(flow)
        to: TokenFlow | None = None
        routes = request.routes
        if routes:
            tokens = self._tokens_of(routes, request, arrival)
            if tokens is None:
                return None
            to = _chosen(tokens, arrival)
            if isinstance(to, OutwardFlow):
                try:
                    check_call(to, tokens[:-1], request, arrival)
                except (Refused, ParseError):
                    return None
        trusted = arrival.is_trusted
        at_home = arrival.is_at_home
        is_ours = (self._own.name_us if at_home else self._own.include)(uri)
        if to == INSIDE and not (trusted or is_ours):
            return None
        loop = self._loop("inside" if trusted else "outside", request, routes)
        if request.has(loop.encode()):
            return None
        if routes:
            request.drop_routes()
        return Routed(request, arrival, uri, hops, loop, to, is_ours, is_plain=True)

    def forward(self, routed: Routed, flow: Flow, hop: Hop) -> bool:
        """
        Do what `Forwarder.forward` does, or nothing.

        :return: whether it is done.
        :raises TransportError: if it could not be sent.
        """
        way = hop.way
        if isinstance(way, Target):
            return False
        data = self._write(
            Kind.FORWARDED, routed, hop, way, f";flow={self._came(flow)}"
        )
        if data is None:
            return False
        way.send(data)
        return True

    def relayed(self, routed: Routed, hop: Hop, breadth: int) -> Request | None:
        """
        Make the request that a relay sends to one hop, with our Via.

        :param breadth: the Max-Breadth for that branch.
        :return: None: others have to.
        """
        request = routed.request
        if isinstance(hop.way, Target) or not isinstance(request, UsualRequest):
            return None
        if not request.is_untouched or request.finds(_MAX_BREADTH):
            return None
        line = f"{MAX_BREADTH.name}: {breadth}\r\n"
        data = self._write(Kind.RELAYED, routed, hop, hop.way, line=line)
        return None if data is None else parse_usual(data)

    # Responses

    def pass_back(self, response: Response, flow: Flow) -> bool:
        """
        Do what `Forwarder.pass_back` does, or nothing.

        :return: whether it is done.
        """
        if not isinstance(response, UsualResponse) or not response.is_untouched:
            return False
        own, below = response.vias
        ours = read_own(own)
        if ours is None or self.looks():
            return False
        branch, token = ours
        back = self._way_back(token)
        origin = None if back is None else origin_below(below, *back.address)
        if (
            back is None
            or origin is None
            or not self._branches.made_for(Kind.FORWARDED, branch, *origin)
            or not response.finds(_CSEQ)
        ):
            return False
        peers = self._ways.recognise(flow), self._ways.recognise(back)
        if peers[1].is_inside and not peers[0].is_inside:
            return False  # it has to say where it came from
        if response.status in CHALLENGES and not peers[0].is_inside:
            return False  # it may ask for what is ours
        with suppress(TransportError):  # who is gone needs no answer
            back.send(response.passed_back())
        return True

    # Inside

    def _write(
        self,
        kind: Kind,
        routed: Routed,
        hop: Hop,
        way: Flow,
        more: str = "",
        line: str = "",
    ) -> bytes | None:
        """
        Write a request for one hop; None: others have to.

        :param more: parameters of our Via.
        :param line: one more field.
        """
        request = routed.request
        if (
            not routed.is_plain
            or not isinstance(request, UsualRequest)
            or not request.is_untouched
            or request.routes
            or way.number
            or hop.routes
        ):
            return None
        arrival, departure = routed.arrival, hop.departure
        if departure.is_inside and not arrival.is_inside:
            return None
        origin = request.origin()
        lines = self._lines(routed, hop)
        if origin is None or lines is None:
            return None
        uri = None if hop.uri is None else str(hop.uri)
        target = f"{departure.target} {request.request_uri if uri is None else uri}"
        branch = self._branches.make_for(
            kind, routed.loop, target, *origin, request.received
        )
        text = f"{self._via(way, departure.target)};branch={branch}{more}"
        return request.forwarded(text, routed.hops - 1, lines + line, uri)

    def _tokens_of(
        self, routes: bytes, request: UsualRequest, arrival: Arrival
    ) -> list[Token | None] | None:
        """
        Read the tokens of Routes that are all ours; None: that takes a longer look.
        """
        if _ROUTES(routes) is None:
            return None
        found = _ROUTE.findall(routes)
        if len(found) > _MAX_ROUTES:
            return None
        tokens: list[Token | None] = []
        for user, address in found:
            # Each call has tokens of its own; the few addresses come again and again.
            uri = _plain_route(address)
            if uri is None or not self._own.name_us(uri):
                return None
            if not user:
                tokens.append(None)
                continue
            token = self._token(user.decode())
            if token is None:
                return None
            tokens.append(token)
        if any(tokens):
            try:
                in_dialog = arrival.is_trusted or request.to_tag() is not None
                for token in filter(None, tokens):
                    token.check(is_trusted=arrival.is_trusted, in_dialog=in_dialog)
            except (Refused, ParseError):
                return None
        return tokens

    def _lines(self, routed: Routed, hop: Hop) -> str | None:
        """
        Write the fields that a request gets on its way; None: others have to.
        """
        request = routed.request
        method = request.method
        if method != "NOTIFY" and method not in BEGINNINGS:
            return ""
        assert isinstance(request, UsualRequest)  # forward() has looked
        uri = routed.uri if hop.uri is None else hop.uri
        if request.finds(_RECORD_ROUTE) or uri.scheme != "sip":
            return None
        if method != "NOTIFY" and request.to_tag() is not None:
            return ""
        arrival, departure = routed.arrival, hop.departure
        # The lower one faces whom it came from, the upper one the next hop.
        lower = self._line(arrival.side, arrival.flow)
        out = departure.flow or outward(request, arrival)
        if isinstance(out, OutwardFlow):  # another one for each call
            token = self._tokens.write(Use.RECORD_ROUTE, out)
            line = self._line(departure.side, None)
            return line.replace("<sip:", f"<sip:{token}@", 1) + lower
        return self._line(departure.side, out) + lower

    def _line(self, side: Side, flow: TokenFlow | None) -> str:
        self._keep_up()
        line = self._signed.get((side, flow))
        if line is None:
            line = self._outgoing.record_route(side, flow)
            self._remember(self._signed, (side, flow), line)
        return line

    def _loop(self, side: str, request: Request, routes: bytes) -> str:
        key = (side, request.request_uri, routes)
        loop = self._loops.get(key)
        if loop is None:
            texts = routes[len(_FIRST) : -2].decode().split(_BETWEEN) if routes else ()
            loop = self._branches.loop_of(side, request.request_uri, *texts)
            self._remember(self._loops, key, loop)
        return loop

    def _came(self, flow: Flow) -> str:
        self._keep_up()
        peer = self._ways.recognise(flow)
        if peer.came_by is None:
            peer.came_by = self._tokens.write(Use.VIA, self._ways.name(flow))
        return peer.came_by

    def _via(self, way: Flow, key: str) -> str:
        via = self._vias.get(key)
        if via is None:
            via = str(self._transport.via_for(way))
            self._remember(self._vias, key, via)
        return via

    def _way_back(self, text: str) -> Flow | None:
        self._keep_up()
        known = self._back.get(text)
        if known is not None:
            return known
        token = self._token(text)
        # A connection may be gone the next time, and has to be held for calls on it.
        if (
            token is None
            or token.use is not Use.VIA
            or not isinstance(token.flow, DatagramFlow)
        ):
            return None
        back = self._ways.find(token.flow)
        self._remember(self._back, text, back)
        return back

    def _token(self, text: str) -> Token | None:
        self._keep_up()
        known = self._read.get(text)
        if known is not None:
            return known
        try:
            token = self._tokens.read(text)
        except Refused:
            return None  # there are too many of these to remember
        self._remember(self._read, text, token)
        return token

    def _keep_up(self) -> None:
        if self._tokens.generation != self._generation:
            self.forget()

    def _remember(self, where: dict[K, V], key: K, value: V) -> None:
        if len(where) >= _REMEMBERED:
            where.clear()
        where[key] = value


def _chosen(tokens: list[Token | None], arrival: Arrival) -> TokenFlow | None:
    """
    Find the flow that our Routes choose, as `Router` does.
    """
    last = tokens[-1]
    if last is None or (len(tokens) == 1 and last.flow == arrival.flow):
        return None
    return last.flow


# As many as anybody has: two for each time that a request passes here.
_MAX_ROUTES = 8


@lru_cache(maxsize=_REMEMBERED)
def _plain_uri(text: str) -> SIPURI | None:
    """
    Read a Request-URI that a script or a strict router need not be asked about.
    """
    try:
        uri = parse_uri(text)
    except ParseError:
        return None
    if not isinstance(uri, SIPURI) or uri.is_loose or "maddr" in uri.parameters:
        return None
    return uri


@lru_cache(maxsize=_REMEMBERED)
def _plain_route(address: bytes) -> SIPURI | None:
    try:
        return SIPURI.parse(f"sip:{address.decode()};lr")
    except ParseError:
        return None
