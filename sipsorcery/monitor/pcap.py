"""
Traces as a capture file, which Wireshark opens: what went over TLS is in clear. Pure.

Each message is one UDP datagram between the addresses that it went between, whatever
the transport was, so that no connection has to be made up around it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, Trace

# Bare IP packets (LINKTYPE_RAW of the registry of tcpdump.org).
_RAW = 101
# What the 16 bits of a length leave in a packet of IPv4, whose headers have 28 bytes.
_MAX_PAYLOAD = 65535 - 28
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65575, _RAW)
_UDP = 17
_HOPS = 64


def write(events: Iterable[Event]) -> Iterator[bytes]:
    """
    Give a file in pieces: its header, then one for each event that is a trace.
    """
    yield _HEADER
    for event in events:
        if event.trace is not None:
            yield _record(event.time, event.trace)


def _record(time: float, trace: Trace) -> bytes:
    packet = _packet(trace)
    seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
    return struct.pack("<IIII", seconds, micros, len(packet), len(packet)) + packet


def _packet(trace: Trace) -> bytes:
    source, target = trace.remote, trace.local
    if trace.direction is Direction.SENT:
        source, target = target, source
    data = trace.data[:_MAX_PAYLOAD]
    length = len(data) + 8
    addresses = _address(source) + _address(target)
    # The sum covers addresses, length and protocol (RFC 768; RFC 8200, section 8.1).
    pseudo = addresses + struct.pack("!II", length, _UDP)
    ports = struct.pack("!HHH", source.port, target.port, length)
    check = _checksum(pseudo + ports + b"\0\0" + data) or 0xFFFF
    udp = ports + struct.pack("!H", check) + data
    if source.is_ipv6:
        return struct.pack("!IHBB", 6 << 28, length, _UDP, _HOPS) + addresses + udp
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, 0, _HOPS, _UDP)
    check = _checksum(start + b"\0\0" + addresses)
    return start + struct.pack("!H", check) + addresses + udp


def _address(endpoint: Endpoint) -> bytes:
    return ip_address(endpoint.host).packed


def _checksum(data: bytes) -> int:
    """
    Give the sum of :rfc:`1071`.
    """
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
