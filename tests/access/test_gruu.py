"""
Tests for `sipsorcery.access.gruu`.
"""

from __future__ import annotations

from sipsorcery.access.gruu import GRUUs, Sealed, mark, same_instance
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import SETTLING, Purpose
from tests.access.cases import StoreCase

AOR = "sip:bob@example.com"
INSTANCE = "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"


class GRUUTests(StoreCase):
    """
    GRUUs of a phone.
    """

    def setUp(self) -> None:
        super().setUp()
        self.gruus = GRUUs(self.secrets)

    def test_public(self) -> None:
        """
        A public GRUU is the address-of-record with the instance in ``gr``.
        """
        gruu = self.gruus.public(AOR, INSTANCE)
        self.assertEqual(gruu, f"{AOR};gr={INSTANCE[1:-1]}")
        self.assertEqual(SIPURI.parse(gruu).parameters.get("gr"), INSTANCE[1:-1])

    def test_public_escapes(self) -> None:
        """
        What a parameter of a URI may not hold is escaped.
        """
        gruu = self.gruus.public(AOR, '<urn:a;b="c>d">')
        self.assertEqual(
            SIPURI.parse(gruu).parameters.get("gr"), "urn:a%3Bb%3D%22c%3Ed%22"
        )

    def test_temporary(self) -> None:
        """
        A temporary GRUU has the domain, an empty ``gr``, and holds the rest sealed.
        """
        gruu = self.gruus.temporary(AOR, INSTANCE, "call-1")
        uri = SIPURI.parse(gruu)
        self.assertEqual(uri.host, "example.com")
        self.assertIn("gr", uri.parameters)
        self.assertIsNone(uri.parameters.get("gr"))
        self.assertNotIn("bob", gruu)
        self.assertEqual(self.gruus.open(uri), Sealed(AOR, mark(INSTANCE, "call-1")))

    def test_temporary_ones_differ(self) -> None:
        """
        Nobody can tell from two temporary GRUUs that they are of one phone.
        """
        one, other = (self.gruus.temporary(AOR, INSTANCE, "call-1") for _ in range(2))
        self.assertNotEqual(one[:20], other[:20])

    def test_key_is_rotated(self) -> None:
        """
        What an older key has sealed still opens, and a newer one seals.
        """
        before = SIPURI.parse(self.gruus.temporary(AOR, INSTANCE, "call-1"))
        self.secrets.rotate(Purpose.GRUU)
        self.reactor.advance(SETTLING)
        after = SIPURI.parse(self.gruus.temporary(AOR, INSTANCE, "call-1"))
        self.assertEqual(self.gruus.open(before), self.gruus.open(after))
        self.assertNotEqual((before.user or "")[:8], (after.user or "")[:8])

    def test_forged(self) -> None:
        """
        What we have not sealed is no GRUU, however it is spelled.
        """
        genuine = SIPURI.parse(self.gruus.temporary(AOR, INSTANCE, "call-1"))
        user = genuine.user or ""
        for forged in (
            None,
            "",
            "bob",
            "tgruu.",
            "tgruu.A",
            "tgruu.=",
            "tgruu.\u00e4",
            user[:-1],
            user[:-4] + "AAAA",
            user + "A" * 1000,
        ):
            self.assertIsNone(self.gruus.open(genuine._replace(user=forged)), forged)

    def test_same_instance(self) -> None:
        """
        A URN is compared without case, and its brackets are not part of it.
        """
        self.assertTrue(same_instance(INSTANCE, INSTANCE[1:-1].upper()))
        self.assertFalse(same_instance(INSTANCE, INSTANCE[:-2]))
        self.assertEqual(mark(INSTANCE, "a"), mark(INSTANCE[1:-1], "a"))
        self.assertNotEqual(mark(INSTANCE, "a"), mark(INSTANCE, "b"))
