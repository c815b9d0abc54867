"""
The layout of a message: a header of 20 bytes, and attributes after it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sipsorcery.stun.errors import ParseError

#: What tells a message from one of RFC 3489, and from nearly everything else.
MAGIC_COOKIE = bytes.fromhex("2112a442")
HEADER_SIZE = 20
#: The longest message that is read. "All STUN messages sent over UDP SHOULD be less
#: than the path MTU" (RFC 8489, 6.1): an Ethernet frame carries no more than this.
MAX_MESSAGE = 1500

# Type and length.
_PAIR = struct.Struct("!HH")
_LENGTH = struct.Struct("!H")


class Place(NamedTuple):
    """
    Where one attribute stands in a message.

    :ivar start: of its type.
    :ivar end: of its value, without the padding.
    """

    type: int
    start: int
    end: int


def read_header(data: bytes) -> int:
    """
    Check that *data* can be a message (:rfc:`8489#section-6.3`).

    :return: the message type.
    :raises ParseError: if it cannot.
    """
    if not HEADER_SIZE <= len(data) <= MAX_MESSAGE:
        raise ParseError(f"a message of {len(data)} bytes")
    message_type, length = _PAIR.unpack_from(data)
    # "the most significant 2 bits of every STUN message MUST be zeroes"
    if message_type & 0xC000:
        raise ParseError(f"the message type 0x{message_type:04x}")
    if length % 4 or HEADER_SIZE + length != len(data):
        raise ParseError(f"a length of {length} in a message of {len(data)} bytes")
    return int(message_type)


def walk(data: bytes) -> Iterator[Place]:
    """
    Give the attributes of a message whose header has been read.

    :raises ParseError: at one that is longer than the message.
    """
    start, size = HEADER_SIZE, len(data)
    while start < size:  # there are at least four bytes: all sizes divide by four
        kind, length = _PAIR.unpack_from(data, start)
        end = start + _PAIR.size + length
        if end > size:
            raise ParseError(f"the attribute 0x{kind:04x} has {end - size} bytes less")
        yield Place(kind, start, end)
        start = end + -end % 4


def write_header(message_type: int, rest: bytes, attributes: bytes) -> bytes:
    """
    Put a header before attributes.

    :param rest: the cookie and the transaction ID.
    """
    return _PAIR.pack(message_type, len(attributes)) + rest + attributes


def write_attribute(kind: int, value: bytes) -> bytes:
    """
    Write one attribute with its padding.
    """
    return _PAIR.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def with_length(data: bytes, length: int) -> bytes:
    """
    Put another length into a header.
    """
    return data[:2] + _LENGTH.pack(length) + data[4:]
