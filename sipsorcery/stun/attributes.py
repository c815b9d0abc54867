"""
The attributes of STUN, and how the value of each is read and written.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from sipsorcery.stun.address import Address, read_address, write_address
from sipsorcery.stun.errors import LocalProtocolError, ParseError

T = TypeVar("T")

# "a sequence of fewer than 128 characters (which can be as long as 763 bytes)"
# (RFC 8489, 14.8; REALM, NONCE and SOFTWARE likewise). Bytes are what is counted here.
_MAX_TEXT = 763
# ERROR-CODE: two bytes of nothing, the hundreds, the rest.
_CODE = struct.Struct("!xxBB")
# "The Class represents the hundreds digit of the error code. The value MUST be between
# 3 and 6" (14.8).
_CLASSES = range(3, 7)
# Types below are such that a receiver has to understand (14).
_OPTIONAL = 0x8000


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """
    A kind of attribute.

    :ivar read: takes the value, and the cookie with the transaction ID; raises
        `ParseError`.
    :ivar write: takes the value to write, and the same.
    """

    type: int
    name: str
    read: Callable[[bytes, bytes], T]
    write: Callable[[T, bytes], bytes]


class ErrorCode(NamedTuple):
    """
    Why a request is refused: a code from 300 to 699, and words for people.
    """

    code: int
    reason: str = ""


def is_required(attribute_type: int) -> bool:
    """
    Tell whether a receiver that does not know an attribute must not go on.
    """
    return attribute_type < _OPTIONAL


def _address(attribute_type: int, name: str) -> Kind[Address]:
    return Kind(
        attribute_type,
        name,
        lambda value, _: read_address(value),
        lambda address, _: write_address(address),
    )


def _text(attribute_type: int, name: str) -> Kind[str]:
    def read(value: bytes, _: bytes) -> str:
        if len(value) > _MAX_TEXT:
            raise ParseError(f"{name} of {len(value)} bytes")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ParseError(f"{name} is not UTF-8: {value[:20]!r}...") from None

    def write(text: str, _: bytes) -> bytes:
        value = text.encode()
        if len(value) > _MAX_TEXT:
            raise LocalProtocolError(f"{name} of {len(value)} bytes")
        return value

    return Kind(attribute_type, name, read, write)


def _bytes(attribute_type: int, name: str, size: int) -> Kind[bytes]:
    def check(value: bytes, _: bytes) -> bytes:
        if len(value) != size:
            raise ParseError(f"{name} of {len(value)} bytes")
        return value

    return Kind(attribute_type, name, check, check)


def _read_error(value: bytes, _: bytes) -> ErrorCode:
    if not _CODE.size <= len(value) <= _CODE.size + _MAX_TEXT:
        raise ParseError(f"ERROR-CODE of {len(value)} bytes")
    hundreds, rest = _CODE.unpack_from(value)
    hundreds &= 0b111
    if hundreds not in _CLASSES or rest > 99:
        raise ParseError(f"the error code {hundreds}/{rest}")
    # The reason is for people; one that cannot be read does not hide the code.
    reason = value[_CODE.size :].decode("utf-8", "replace")
    return ErrorCode(100 * hundreds + rest, reason)


def _write_error(error: ErrorCode, _: bytes) -> bytes:
    hundreds, rest = divmod(error.code, 100)
    reason = error.reason.encode()
    if hundreds not in _CLASSES or len(reason) > _MAX_TEXT:
        raise LocalProtocolError(f"the error code {error.code}")
    return _CODE.pack(hundreds, rest) + reason


def _read_types(value: bytes, _: bytes) -> tuple[int, ...]:
    if len(value) % 2:
        raise ParseError(f"UNKNOWN-ATTRIBUTES of {len(value)} bytes")
    return struct.unpack(f"!{len(value) // 2}H", value)


def _write_types(types: tuple[int, ...], _: bytes) -> bytes:
    return struct.pack(f"!{len(types)}H", *types)


MAPPED_ADDRESS = _address(0x0001, "MAPPED-ADDRESS")
USERNAME = _text(0x0006, "USERNAME")
MESSAGE_INTEGRITY = _bytes(0x0008, "MESSAGE-INTEGRITY", 20)
ERROR_CODE = Kind(0x0009, "ERROR-CODE", _read_error, _write_error)
UNKNOWN_ATTRIBUTES = Kind(0x000A, "UNKNOWN-ATTRIBUTES", _read_types, _write_types)
REALM = _text(0x0014, "REALM")
NONCE = _text(0x0015, "NONCE")
MESSAGE_INTEGRITY_SHA256 = _bytes(0x001C, "MESSAGE-INTEGRITY-SHA256", 32)
USERHASH = _bytes(0x001E, "USERHASH", 32)
XOR_MAPPED_ADDRESS = Kind(0x0020, "XOR-MAPPED-ADDRESS", read_address, write_address)
SOFTWARE = _text(0x8022, "SOFTWARE")
ALTERNATE_SERVER = _address(0x8023, "ALTERNATE-SERVER")
FINGERPRINT = _bytes(0x8028, "FINGERPRINT", 4)

#: Types that a server has to know, or refuse the request with 420. Those of RFC 3489
#: that later ones have given up (RESPONSE-ADDRESS, CHANGE-REQUEST, ...) are not here.
UNDERSTOOD = frozenset(
    kind.type
    for kind in (
        MAPPED_ADDRESS,
        USERNAME,
        MESSAGE_INTEGRITY,
        ERROR_CODE,
        UNKNOWN_ATTRIBUTES,
        REALM,
        NONCE,
        MESSAGE_INTEGRITY_SHA256,
        USERHASH,
        XOR_MAPPED_ADDRESS,
    )
)
