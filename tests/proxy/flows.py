"""
A proxy with its neighbours: who is where, as values.

The proxy has two outside sockets and the inside one; a registrar and two application
servers are inside; phone A is behind a NAT and speaks UDP, phone B speaks TLS.
"""

from __future__ import annotations

from sipsorcery.endpoint import Endpoint, HostPort, Transport
from sipsorcery.proxy.arrival import Arrival, Departure, Side
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.routing import Routed, Router
from sipsorcery.proxy.token import (
    INSIDE,
    ConnectionFlow,
    DatagramFlow,
    TokenFlow,
    Tokens,
    Use,
)
from sipsorcery.sip import Request, parse
from sipsorcery.store.secrets import Key

OUTSIDE_UDP = Endpoint.parse("udp:203.0.113.1:5060")
OUTSIDE_TLS = Endpoint.parse("tls:203.0.113.1:5061")
INSIDE_UDP = Endpoint.parse("udp:127.0.0.1:5059")

UDP_SIDE = Side(Transport.UDP, HostPort("203.0.113.1", 5060))
TLS_SIDE = Side(Transport.TLS, HostPort("203.0.113.1", 5061))
INSIDE_SIDE = Side(Transport.UDP, HostPort("127.0.0.1", 5059))

FLOW_A = DatagramFlow(OUTSIDE_UDP, Endpoint.parse("udp:198.51.100.7:33000"))
FLOW_B = ConnectionFlow(0, b"incarnat", 42)

TOKENS = Tokens([Key(1, b"f" * 32, 0.0)])
BRANCHES = Branches(b"v" * 32)
OWN = OwnAddresses(
    ["example.com"],
    [HostPort(each.host, each.port) for each in (OUTSIDE_UDP, OUTSIDE_TLS, INSIDE_UDP)],
)
ROUTER = Router(OWN, TOKENS, BRANCHES)
OUTGOING = Outgoing(TOKENS)

FROM_A = Arrival(FLOW_A, UDP_SIDE, OUTSIDE_UDP, FLOW_A.remote)
FROM_B = Arrival(FLOW_B, TLS_SIDE, OUTSIDE_TLS, Endpoint.parse("tls:198.51.100.9:5555"))
FROM_R = Arrival(
    INSIDE, INSIDE_SIDE, INSIDE_UDP, Endpoint.parse("udp:127.0.0.1:5001"), True
)
FROM_S1 = Arrival(
    INSIDE, INSIDE_SIDE, INSIDE_UDP, Endpoint.parse("udp:127.0.0.1:5065"), True
)
STRANGER_INSIDE = Arrival(
    INSIDE, INSIDE_SIDE, INSIDE_UDP, Endpoint.parse("udp:127.0.0.1:40000")
)

TO_A = Departure(UDP_SIDE, "A", FLOW_A)
TO_B = Departure(TLS_SIDE, "B", FLOW_B)
TO_INSIDE = Departure(INSIDE_SIDE, "udp:127.0.0.1:5065", INSIDE)
TO_PROVIDER = Departure(UDP_SIDE, "udp:192.0.2.80:5060")


def token(use: Use, flow: TokenFlow) -> str:
    """
    Write a token of the proxy.
    """
    return TOKENS.write(use, flow)


def rr(flow: TokenFlow) -> str:
    """
    Write the URI of a Record-Route of the proxy.
    """
    user = token(Use.RECORD_ROUTE, flow)
    side = INSIDE_SIDE if flow == INSIDE else UDP_SIDE if flow == FLOW_A else TLS_SIDE
    return str(side.uri(user, "lr"))


def path(flow: TokenFlow) -> str:
    """
    Write the URI of a Path of the proxy.
    """
    return str(INSIDE_SIDE.uri(token(Use.PATH, flow), "lr", "ob"))


def make_request(
    method: str,
    uri: str,
    *lines: str,
    to_tag: str | None = None,
    via: str = "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKa",
) -> Request:
    """
    Make a request as a neighbour would send it.
    """
    text = "\r\n".join(
        [
            f"{method} {uri} SIP/2.0",
            f"Via: {via}",
            "From: <sip:alice@example.com>;tag=a",
            f"To: <sip:bob@example.com>{f';tag={to_tag}' if to_tag else ''}",
            "Call-ID: call",
            f"CSeq: 1 {method}",
            *lines,
            "Content-Length: 0",
            "\r\n",
        ]
    )
    request = parse(text.encode())
    assert isinstance(request, Request)
    return request


def route(request: Request, arrival: Arrival) -> Routed:
    """
    Let the proxy read a request.
    """
    return ROUTER.route(request, arrival)
