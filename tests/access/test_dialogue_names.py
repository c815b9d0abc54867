"""
Tests for `sipsorcery.access.dialogue_names`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sipsorcery.access.dialogue_names import (
    PREFIX,
    DialogueName,
    DialogueNames,
    is_name,
    new_identifier,
)
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import SETTLING, Purpose
from tests.access.cases import StoreCase

SERVER = Endpoint.parse("udp:127.0.0.1:5065")


class DialogueNamesTests(StoreCase):
    """
    Names in the user part of a Contact.
    """

    def setUp(self) -> None:
        super().setUp()
        self.names = DialogueNames(self.secrets)
        self.dialogue = new_identifier()
        self.name = self.names.write(SERVER, self.dialogue)

    def test_round_trip(self) -> None:
        """
        A name says which server has which dialogue, for each kind of address.
        """
        for text in ("udp:127.0.0.1:5065", "tls:[2001:db8::1]:65535", "ws:10.0.0.1:1"):
            server = Endpoint.parse(text)
            name = self.names.write(server, self.dialogue)
            self.assertEqual(self.names.read(name), DialogueName(server, self.dialogue))

    def test_same_again(self) -> None:
        """
        The same dialogue has the same name wherever it is written.
        """
        other = DialogueNames(self.secrets)
        self.assertEqual(other.write(SERVER, self.dialogue), self.name)

    def test_is_a_user_part(self) -> None:
        """
        A name stands in a URI as it is, and is short enough for every phone.
        """
        uri = SIPURI.parse(f"sip:{self.name}@203.0.113.1")
        self.assertEqual(uri.user, self.name)
        self.assertTrue(is_name(uri.user))
        self.assertLessEqual(len(self.name), 42)

    def test_users(self) -> None:
        """
        Whom we have not named is nobody's dialogue.
        """
        for user in (None, "", "100", PREFIX, f"{PREFIX}!", f"{PREFIX}é", "dlg"):
            self.assertIsNone(self.names.read(user))
        self.assertFalse(is_name(None))
        self.assertFalse(is_name("joe.dlg."))

    def test_long_user(self) -> None:
        """
        What is longer than any name is not even decoded.
        """
        self.assertIsNone(self.names.read(PREFIX + "A" * 60_000))

    def test_forged(self) -> None:
        """
        A name with any character changed is not ours.
        """

        @given(st.integers(len(PREFIX), len(self.name) - 1), st.sampled_from("Aa0-_z"))
        def check(place: int, character: str) -> None:
            forged = self.name[:place] + character + self.name[place + 1 :]
            if forged != self.name:
                self.assertIsNone(self.names.read(forged))

        check()

    def test_cut(self) -> None:
        """
        Nor is a part of one, or one with more behind it.
        """
        for length in range(len(self.name)):
            self.assertIsNone(self.names.read(self.name[:length]))
        self.assertIsNone(self.names.read(self.name + "AAAA"))

    def test_rotation(self) -> None:
        """
        After a rotation new names are signed by the new key, and old ones stay good.
        """
        self.secrets.rotate(Purpose.DIALOGUE)
        self.reactor.advance(SETTLING + 1)
        self.assertNotEqual(self.names.write(SERVER, self.dialogue), self.name)
        self.assertIsNotNone(self.names.read(self.name))

    def test_identifiers_differ(self) -> None:
        """
        No two dialogues have the same identifier.
        """
        self.assertEqual(len({new_identifier() for _ in range(1000)}), 1000)
