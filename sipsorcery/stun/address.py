"""
Transport addresses, plain and hidden from those who rewrite all they recognise.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from sipsorcery.stun.errors import LocalProtocolError, ParseError

_IPV4, _IPV6 = 1, 2
_SIZES = {_IPV4: 4, _IPV6: 16}
# A byte that means nothing, the family and the port.
_HEAD = struct.Struct("!xBH")


class Address(NamedTuple):
    """
    An IP address in its shortest form, IPv6 without brackets, and a port.
    """

    host: str
    port: int


def read_address(value: bytes, mask: bytes = bytes(16)) -> Address:
    """
    Read the value of an attribute like MAPPED-ADDRESS (:rfc:`8489#section-14.1`).

    :param mask: what the bytes are exclusive-ored with: for XOR-MAPPED-ADDRESS the
        cookie and the transaction ID.
    :raises ParseError: if it has another length or family.
    """
    size = _SIZES.get(value[1]) if len(value) > _HEAD.size else None
    if size is None or len(value) != _HEAD.size + size:
        raise ParseError(f"an address of {len(value)} bytes, {value[:4].hex()}...")
    _, port = _HEAD.unpack_from(value)
    host = _xor(value[_HEAD.size :], mask)
    return Address(
        str(ipaddress.ip_address(host)), port ^ int.from_bytes(mask[:2], "big")
    )


def write_address(address: tuple[str, int], mask: bytes = bytes(16)) -> bytes:
    """
    Write an address as `read_address` reads it.

    :raises LocalProtocolError: if it is no IP address and port.
    """
    host, port = address
    try:
        packed = ipaddress.ip_address(host).packed
        head = _HEAD.pack(
            _IPV4 if len(packed) == _SIZES[_IPV4] else _IPV6,
            port ^ int.from_bytes(mask[:2], "big"),
        )
    except (ValueError, struct.error):
        raise LocalProtocolError(f"{host!r} {port} is no IP address and port") from None
    return head + _xor(packed, mask)


def _xor(data: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, mask, strict=False))
