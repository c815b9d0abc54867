"""
Traces as packets of HEP3, which Homer and sngrep receive. Pure.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.monitor.event import Direction, Trace

# Types of the chunks that every vendor knows (HEP3, section "generic chunk types"). The
# correlation is that of what belongs together.
_FAMILY, _PROTOCOL = 1, 2
_SOURCE_V4, _TARGET_V4, _SOURCE_V6, _TARGET_V6 = 3, 4, 5, 6
_SOURCE_PORT, _TARGET_PORT = 7, 8
_SECONDS, _MICROSECONDS = 9, 10
_KIND, _AGENT, _KEY, _PAYLOAD, _CORRELATION = 11, 12, 14, 15, 17
_SIP = 1
# As the numbers of the address families and of IP protocols are on Linux.
_INET, _INET6 = 2, 10
_TCP, _UDP = 6, 17
# What is left of a datagram beside the other chunks, which have some 100 bytes, and a
# key and a correlation of 255 each.
_MAX_PAYLOAD = 64_800
_MAX_TEXT = 255


def encode(
    time: float, trace: Trace, *, agent: int = 0, key: str = "", correlation: str = ""
) -> bytes:
    """
    Give the packet of one message.

    :param time: seconds since the epoch.
    :param agent: the number of this server among those that capture.
    :param key: what the receiver wants to know us by; empty: nothing.
    :param correlation: the Call-ID of the first leg of a call; empty: nothing.
    """
    source, target = trace.remote, trace.local
    if trace.direction is Direction.SENT:
        source, target = target, source
    seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
    is_udp = trace.local.transport is Transport.UDP
    from_type, to_type = (
        (_SOURCE_V6, _TARGET_V6) if source.is_ipv6 else (_SOURCE_V4, _TARGET_V4)
    )
    chunks = [
        _chunk(_FAMILY, bytes([_INET6 if source.is_ipv6 else _INET])),
        _chunk(_PROTOCOL, bytes([_UDP if is_udp else _TCP])),
        _chunk(from_type, _address(source)),
        _chunk(to_type, _address(target)),
        _chunk(_SOURCE_PORT, struct.pack("!H", source.port)),
        _chunk(_TARGET_PORT, struct.pack("!H", target.port)),
        _chunk(_SECONDS, struct.pack("!I", seconds)),
        _chunk(_MICROSECONDS, struct.pack("!I", micros)),
        _chunk(_KIND, bytes([_SIP])),
        _chunk(_AGENT, struct.pack("!I", agent)),
    ]
    if key:
        chunks.append(_chunk(_KEY, _text(key)))
    if correlation:
        chunks.append(_chunk(_CORRELATION, _text(correlation)))
    chunks.append(_chunk(_PAYLOAD, trace.data[:_MAX_PAYLOAD]))
    body = b"".join(chunks)
    return b"HEP3" + struct.pack("!H", len(body) + 6) + body


def _chunk(type: int, value: bytes) -> bytes:
    return struct.pack("!HHH", 0, type, len(value) + 6) + value


def _text(text: str) -> bytes:
    # The Call-ID of a stranger may be no UTF-8.
    return text.encode("utf-8", "surrogateescape")[:_MAX_TEXT]


def _address(endpoint: Endpoint) -> bytes:
    return ip_address(endpoint.host).packed
