"""
STUN (:rfc:`8489`): by what address others see a socket.

Messages and their attributes, the Binding method of a server and of a client, and what
RFC 3489 did otherwise. All is pure but :mod:`sipsorcery.stun.protocol`, which has the
protocols for Twisted.
"""

from sipsorcery.stun.address import Address
from sipsorcery.stun.attributes import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    FINGERPRINT,
    MAPPED_ADDRESS,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    NONCE,
    REALM,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    USERHASH,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    ErrorCode,
    Kind,
)
from sipsorcery.stun.binding import alternate_server, answer, mapped_address
from sipsorcery.stun.errors import (
    ErrorResponse,
    LocalProtocolError,
    ParseError,
    STUNError,
    TransactionTimeout,
)
from sipsorcery.stun.integrity import (
    Integrity,
    add_fingerprint,
    add_integrity,
    check_fingerprint,
    has_integrity,
    long_term_key,
    short_term_key,
)
from sipsorcery.stun.message import BINDING, Attribute, Message, MessageClass
from sipsorcery.stun.transaction import ClientTransaction, Timing
from sipsorcery.stun.wire import MAX_MESSAGE

__all__ = [
    "ALTERNATE_SERVER",
    "BINDING",
    "ERROR_CODE",
    "FINGERPRINT",
    "MAPPED_ADDRESS",
    "MAX_MESSAGE",
    "MESSAGE_INTEGRITY",
    "MESSAGE_INTEGRITY_SHA256",
    "NONCE",
    "REALM",
    "SOFTWARE",
    "UNKNOWN_ATTRIBUTES",
    "USERHASH",
    "USERNAME",
    "XOR_MAPPED_ADDRESS",
    "Address",
    "Attribute",
    "ClientTransaction",
    "ErrorCode",
    "ErrorResponse",
    "Integrity",
    "Kind",
    "LocalProtocolError",
    "Message",
    "MessageClass",
    "ParseError",
    "STUNError",
    "Timing",
    "TransactionTimeout",
    "add_fingerprint",
    "add_integrity",
    "alternate_server",
    "answer",
    "check_fingerprint",
    "has_integrity",
    "long_term_key",
    "mapped_address",
    "short_term_key",
]
