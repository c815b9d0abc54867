"""
What vouches for a message: FINGERPRINT, MESSAGE-INTEGRITY and its SHA-256 form.

They cover the bytes before them, padding included, so these functions take and give
messages as bytes (:rfc:`8489#section-14.5`).
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from enum import Enum

from sipsorcery.stun import wire
from sipsorcery.stun.attributes import (
    FINGERPRINT,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
)

# The CRC is exclusive-ored with "STUN", so that it differs from one that another
# protocol may have put there (14.7).
_STUN = 0x5354554E
_ATTRIBUTE_HEADER = 4


class Integrity(Enum):
    """
    Name the two ways to protect a message with a key.
    """

    SHA1 = (MESSAGE_INTEGRITY.type, "sha1", 20)
    SHA256 = (MESSAGE_INTEGRITY_SHA256.type, "sha256", 32)

    def __init__(self, attribute_type: int, digest: str, size: int) -> None:
        self.type = attribute_type
        self.digest = digest
        self.size = size


def short_term_key(password: str) -> bytes:
    """
    Make the key of credentials that are good for one session (9.1.1).

    :param password: brought into the one form that RFC 8265 gives it.
    """
    return password.encode()


def long_term_key(username: str, realm: str, password: str) -> bytes:
    """
    Make the key of credentials of a user (18.5.1.1).

    :param realm: as *username* and *password* in the form that RFC 8265 gives it.
    """
    text = f"{username}:{realm}:{password}"
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def add_integrity(
    data: bytes, key: bytes, integrity: Integrity = Integrity.SHA1
) -> bytes:
    """
    Protect a message with a key.
    """
    end = len(data) + _ATTRIBUTE_HEADER + integrity.size
    data = wire.with_length(data, end - wire.HEADER_SIZE)
    digest = hmac.digest(key, data, integrity.digest)
    return data + wire.write_attribute(integrity.type, digest)


def has_integrity(
    data: bytes, key: bytes, integrity: Integrity = Integrity.SHA1
) -> bool:
    """
    Tell whether a message has been protected with a key, and not been changed since.

    SHA-256 values may be cut, to 16 bytes at the shortest (14.6).

    :param data: has been parsed.
    """
    place = _find(data, integrity.type)
    if place is None:
        return False
    digest = data[place.start + _ATTRIBUTE_HEADER : place.end]
    shortest = integrity.size if integrity is Integrity.SHA1 else 16
    if len(digest) % 4 or not shortest <= len(digest) <= integrity.size:
        return False
    covered = wire.with_length(data[: place.start], place.end - wire.HEADER_SIZE)
    expected = hmac.digest(key, covered, integrity.digest)
    return hmac.compare_digest(digest, expected[: len(digest)])


def add_fingerprint(data: bytes) -> bytes:
    """
    Add the last attribute of a message that may be taken for something else.
    """
    end = len(data) + _ATTRIBUTE_HEADER + 4
    data = wire.with_length(data, end - wire.HEADER_SIZE)
    return data + wire.write_attribute(FINGERPRINT.type, _crc(data))


def check_fingerprint(data: bytes) -> bool | None:
    """
    Tell whether the fingerprint of a message is right; None: it has none.

    :param data: has been parsed.
    """
    place = _find(data, FINGERPRINT.type)
    if place is None:
        return None
    # "the FINGERPRINT attribute MUST be the last attribute in the message" (14.7)
    return place.end == len(data) and data[place.start + 4 :] == _crc(
        data[: place.start]
    )


def _crc(covered: bytes) -> bytes:
    return (zlib.crc32(covered) ^ _STUN).to_bytes(4, "big")


def _find(data: bytes, attribute_type: int) -> wire.Place | None:
    return next((one for one in wire.walk(data) if one.type == attribute_type), None)
