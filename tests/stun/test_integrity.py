"""
Tests for :mod:`sipsorcery.stun.integrity`.
"""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import (
    MESSAGE_INTEGRITY_SHA256,
    SOFTWARE,
    Attribute,
    Integrity,
    Message,
    MessageClass,
    add_fingerprint,
    add_integrity,
    check_fingerprint,
    has_integrity,
    long_term_key,
)
from sipsorcery.stun.wire import with_length, write_attribute

_PLAIN = bytes(Message(MessageClass.REQUEST, bytes(12)).add(SOFTWARE, "tester"))
_KEY = b"key"


class IntegrityTests(SynchronousTestCase):
    """
    Messages that are protected with a key.
    """

    @given(st.sampled_from(Integrity), st.binary(max_size=80), st.binary(max_size=80))
    def test_only_the_key_fits(self, way: Integrity, key: bytes, other: bytes) -> None:
        """
        A message passes with the key that it was protected with, and with no other.
        """
        data = add_integrity(_PLAIN, key, way)
        self.assertTrue(has_integrity(data, key, way))
        # HMAC fills keys up with zeros, so these are the same one.
        if key.rstrip(b"\0") != other.rstrip(b"\0"):
            self.assertFalse(has_integrity(data, other, way))

    def test_both_and_a_fingerprint(self) -> None:
        """
        Each of the three covers what stands before it, so all hold together.
        """
        data = add_integrity(_PLAIN, _KEY)
        data = add_integrity(data, _KEY, Integrity.SHA256)
        data = add_fingerprint(data)
        self.assertTrue(has_integrity(data, _KEY))
        self.assertTrue(has_integrity(data, _KEY, Integrity.SHA256))
        self.assertIs(check_fingerprint(data), True)
        Message.parse(data)

    def test_unprotected(self) -> None:
        """
        A message without the attribute is not protected, and has no fingerprint.
        """
        self.assertFalse(has_integrity(_PLAIN, _KEY))
        self.assertIsNone(check_fingerprint(_PLAIN))

    def cut(self, size: int) -> bytes:
        """
        Protect a message by SHA-256, and keep *size* bytes of that.
        """
        # The length is part of what is protected.
        covered = with_length(_PLAIN, len(_PLAIN) - 20 + 4 + size)
        digest = hmac.digest(_KEY, covered, "sha256")[:size]
        return covered + write_attribute(MESSAGE_INTEGRITY_SHA256.type, digest)

    def test_cut_short(self) -> None:
        """
        SHA-256 may be cut to 16 bytes, in steps of four, and no further (14.6).
        """
        for size in (16, 20, 28, 32):
            self.assertTrue(has_integrity(self.cut(size), _KEY, Integrity.SHA256))
        for size in (0, 4, 12):
            self.assertFalse(has_integrity(self.cut(size), _KEY, Integrity.SHA256))

    def test_long_term_key(self) -> None:
        """
        The key is the MD5 of user, realm and password (RFC 8489, 9.2.2).
        """
        key = long_term_key("user", "realm", "pass")
        self.assertEqual(key.hex(), "8493fbc53ba582fb4c044c456bdc40eb")


class FingerprintTests(SynchronousTestCase):
    """
    The last attribute.
    """

    def test_not_the_last(self) -> None:
        """
        A fingerprint with anything behind it is wrong (14.7).
        """
        data = add_fingerprint(_PLAIN) + write_attribute(0x8022, b"more")
        data = with_length(data, len(data) - 20)
        self.assertIs(check_fingerprint(data), False)

    def test_other_crc(self) -> None:
        """
        One whose value differs in any bit is wrong.
        """
        data = add_fingerprint(_PLAIN)
        for bit in range(32):
            changed = int.from_bytes(data[-4:], "big") ^ 1 << bit
            other = data[:-4] + changed.to_bytes(4, "big")
            self.assertIs(check_fingerprint(other), False)

    def test_of_wrong_size(self) -> None:
        """
        One that is no CRC at all is wrong.
        """
        whole = Message(MessageClass.REQUEST, bytes(12), (Attribute(0x8028, b""),))
        self.assertIs(check_fingerprint(bytes(whole)), False)
