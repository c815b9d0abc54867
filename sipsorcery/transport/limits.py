"""
Every bound of the transport layer, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.sip.framing import MESSAGE_TIMEOUT
from sipsorcery.sip.limits import MAX_MESSAGE

#: The most a UDP socket can hand over: an IPv4 datagram without its headers is 65,507
#: bytes, an IPv6 one 65,527. Twisted's own 8,192 would cut longer ones silently.
MAX_DATAGRAM = 65535


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """
    Bound what peers can make the layer hold: connections, bytes and waiting.

    Sizes are in bytes, times in seconds.
    """

    # Of one message on a connection; a datagram is no longer anyway.
    message: int = MAX_MESSAGE
    # From a message's first byte to its last: OverSIP's guard against slow attacks.
    message_time: float = MESSAGE_TIMEOUT
    # As many as Kamailio allows; with TLS some 60 kB each, 128 MB at the very worst.
    connections: int = 2048
    # A household or a small office behind one NAT; a flood from one host stops here.
    # The 64-bit network of an IPv6 address counts as one address.
    connections_per_address: int = 64
    # A flow that nobody holds is closed after this: Kamailio's connection lifetime.
    idle: float = 120.0
    # Longer than three lost SYNs, shorter than Timer B, so that another target is left.
    connect: float = 10.0
    # Ten times the worst round trip; a peer that never starts TLS is gone after it.
    handshake: float = 5.0
    # How long a peer that has ended its side of a connection after its requests gets
    # answers on it. One that is gone altogether looks the same, and should get later
    # ones on a new connection (RFC 3261, 18.2.2): so no longer than machines take.
    answers: float = 2.0
    # How long a closing connection may take to deliver what was written to it.
    close: float = 5.0
    # Unsent bytes of one connection before it is given up: 16 of the longest messages,
    # beside the 64 KiB that the socket's own buffer holds.
    unsent: int = 1024 * 1024
    # Messages that wait for one connection to open; more mean that it will not.
    waiting: int = 256
