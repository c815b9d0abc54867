"""
A STUN message as a value (:rfc:`8489#section-5`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple, TypeVar

from sipsorcery.stun import wire
from sipsorcery.stun.attributes import (
    FINGERPRINT,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    UNDERSTOOD,
    Kind,
    is_required,
)
from sipsorcery.stun.errors import LocalProtocolError

T = TypeVar("T")

#: The only method of STUN itself; there are more in TURN.
BINDING = 0x001
#: Bytes of a transaction ID.
ID_SIZE = 12

# What counts after an attribute that vouches for those before it (14.5, 14.6): "agents
# MUST ignore all other attributes that follow".
_AFTER_INTEGRITY = {
    MESSAGE_INTEGRITY.type: {MESSAGE_INTEGRITY_SHA256.type, FINGERPRINT.type},
    MESSAGE_INTEGRITY_SHA256.type: {FINGERPRINT.type},
}


class MessageClass(IntEnum):
    """
    Name what a message is in its transaction.
    """

    REQUEST = 0b00
    INDICATION = 0b01
    SUCCESS = 0b10
    ERROR = 0b11


class Attribute(NamedTuple):
    """
    An attribute as it stands in the message, without its padding.
    """

    type: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message.

    :ivar transaction_id: of `ID_SIZE` bytes, random.
    :ivar cookie: four bytes; those of a client of RFC 3489 are part of its longer
        transaction ID.
    """

    message_class: MessageClass
    transaction_id: bytes
    attributes: tuple[Attribute, ...] = ()
    method: int = BINDING
    cookie: bytes = wire.MAGIC_COOKIE

    def __post_init__(self) -> None:
        """
        Check that a header can be written.

        :raises LocalProtocolError: if it cannot.
        """
        if (
            len(self.transaction_id) != ID_SIZE
            or len(self.cookie) != len(wire.MAGIC_COOKIE)
            or not 0 <= self.method < 2**12
        ):
            raise LocalProtocolError("no STUN header holds such a message")

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """
        Read a message; what it says after its integrity check is left out.

        :raises ParseError: if *data* is none.
        """
        message_type = wire.read_header(data)
        return cls(
            _class(message_type),
            data[8 : wire.HEADER_SIZE],
            tuple(_attributes(data)),
            _method(message_type),
            data[4:8],
        )

    def __bytes__(self) -> bytes:
        written = b"".join(wire.write_attribute(*each) for each in self.attributes)
        data = wire.write_header(_type(self), self._mask, written)
        if len(data) > wire.MAX_MESSAGE:
            raise LocalProtocolError(f"a message of {len(data)} bytes")
        return data

    @property
    def is_classic(self) -> bool:
        """
        Tell whether it is of a client of RFC 3489.
        """
        return self.cookie != wire.MAGIC_COOKIE

    def get(self, kind: Kind[T]) -> T | None:
        """
        Read the first attribute of a kind; None: there is none.

        :raises ParseError: if its value cannot be read.
        """
        for attribute in self.attributes:
            if attribute.type == kind.type:
                return kind.read(attribute.value, self._mask)
        return None

    def add(self, kind: Kind[T], value: T) -> Message:
        """
        Make the same message with one more attribute.
        """
        attribute = Attribute(kind.type, kind.write(value, self._mask))
        return replace(self, attributes=(*self.attributes, attribute))

    def respond(self, message_class: MessageClass) -> Message:
        """
        Begin the response to a request.
        """
        return replace(self, message_class=message_class, attributes=())

    def not_understood(self) -> tuple[int, ...]:
        """
        List the types that have to be understood and are not, each once.
        """
        types = (attribute.type for attribute in self.attributes)
        return tuple(
            dict.fromkeys(
                one for one in types if is_required(one) and one not in UNDERSTOOD
            )
        )

    @property
    def _mask(self) -> bytes:
        return self.cookie + self.transaction_id


def _attributes(data: bytes) -> Iterator[Attribute]:
    counts: set[int] | None = None  # None: all
    for kind, start, end in wire.walk(data):
        if counts is None or kind in counts:
            yield Attribute(kind, data[start + 4 : end])
            counts = _AFTER_INTEGRITY.get(kind, counts)


# The two bits of the class stand between those of the method (RFC 8489, figure 3):
# M M M M M C M M M C M M M M.


def _type(message: Message) -> int:
    method, kind = message.method, message.message_class
    return (
        (method & 0xF80) << 2
        | (kind & 0b10) << 7
        | (method & 0x070) << 1
        | (kind & 0b01) << 4
        | method & 0x00F
    )


def _class(message_type: int) -> MessageClass:
    return MessageClass(message_type >> 7 & 0b10 | message_type >> 4 & 0b01)


def _method(message_type: int) -> int:
    return message_type >> 2 & 0xF80 | message_type >> 1 & 0x070 | message_type & 0x00F
