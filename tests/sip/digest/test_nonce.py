"""
Tests for :mod:`sipsorcery.sip.digest.nonce`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest.nonce import NonceKey, NonceSigner
from sipsorcery.sip.errors import LocalProtocolError

OLD = NonceKey(1, b"o" * 32)
NEW = NonceKey(2, b"n" * 32)
NOW = 1_700_000_000.25
REALM = "example.com"


class NonceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.signer = NonceSigner([NEW])
        self.nonce = self.signer.issue(REALM, NOW)

    def test_time(self) -> None:
        """
        A nonce tells when it was issued, to the millisecond.
        """
        self.assertEqual(self.signer.issued_at(self.nonce, REALM), NOW)

    def test_other_process(self) -> None:
        """
        Another process with the same key knows it: there is no table.
        """
        self.assertEqual(NonceSigner([NEW]).issued_at(self.nonce, REALM), NOW)

    def test_unique(self) -> None:
        """
        Two nonces of the same instant differ, or their uses would be mixed up.
        """
        self.assertNotEqual(self.nonce, self.signer.issue(REALM, NOW))

    def test_salt_is_injected(self) -> None:
        """
        With a fixed source the nonce is a function of key, time, realm and salt.
        """
        one, two = (NonceSigner([NEW], salt=lambda: b"8 octets") for _ in range(2))
        self.assertEqual(one.issue(REALM, NOW), two.issue(REALM, NOW))

    def test_shape(self) -> None:
        """
        A nonce is 44 characters that need no escape anywhere, and no padding.
        """
        self.assertRegex(self.nonce, r"\A[A-Za-z0-9_-]{44}\Z")

    def test_realm_bound(self) -> None:
        """
        A nonce for one realm is none for another.
        """
        for realm in ("example.org", "", REALM + "a"):
            self.assertIsNone(self.signer.issued_at(self.nonce, realm))

    def test_key_bound(self) -> None:
        """
        A nonce signed with another key is refused, though its identifier is ours.
        """
        forged = NonceSigner([NonceKey(2, b"x" * 32)]).issue(REALM, NOW)
        self.assertIsNone(self.signer.issued_at(forged, REALM))

    def test_rotation(self) -> None:
        """
        With a new key in front, nonces of the old one are still known, new ones are
        signed with the new one; once the old key is dropped its nonces are unknown.
        """
        old = NonceSigner([OLD]).issue(REALM, NOW)
        both = NonceSigner([NEW, OLD])
        self.assertEqual(both.issued_at(old, REALM), NOW)
        self.assertEqual(self.signer.issued_at(both.issue(REALM, NOW), REALM), NOW)
        self.assertIsNone(self.signer.issued_at(old, REALM))

    def test_every_character_counts(self) -> None:
        """
        No character of a nonce can be changed, left out or added.
        """
        for index in range(len(self.nonce)):
            other = "A" if self.nonce[index] != "A" else "B"
            head, tail = self.nonce[:index], self.nonce[index + 1 :]
            for changed in (head + other + tail, head + tail):
                self.assertIsNone(self.signer.issued_at(changed, REALM))
        for longer in (self.nonce + "A", self.nonce + "=", " " + self.nonce):
            self.assertIsNone(self.signer.issued_at(longer, REALM))

    def test_one_spelling(self) -> None:
        """
        The other alphabet of base64 is refused: a nonce spelled in two ways would be
        counted twice.
        """
        nonce = next(
            nonce
            for nonce in (self.signer.issue(REALM, NOW) for _ in range(1000))
            if "-" in nonce
        )
        self.assertEqual(self.signer.issued_at(nonce, REALM), NOW)
        self.assertIsNone(self.signer.issued_at(nonce.replace("-", "+"), REALM))

    @given(st.text() | st.text(max_size=60, alphabet="AZaz09-_=") | st.just("Ä" * 44))
    def test_junk(self, text: str) -> None:
        """
        Anything may be asked; nothing but our own nonces is known.
        """
        self.assertIsNone(self.signer.issued_at(text, REALM))

    def test_bad_keys(self) -> None:
        """
        Keys must exist, have content, and an identifier of one octet.
        """
        for make in (
            lambda: NonceSigner([]),
            lambda: NonceKey(256, b"x"),
            lambda: NonceKey(-1, b"x"),
            lambda: NonceKey(1, b""),
        ):
            with self.assertRaises(LocalProtocolError):
                make()

    def test_key_not_shown(self) -> None:
        """
        The secret of a key does not show in its repr.
        """
        self.assertNotIn("nnnn", repr(NEW))
