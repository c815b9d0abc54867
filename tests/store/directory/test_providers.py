"""
Tests for `sipsorcery.store.directory.providers`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sipsorcery.store.directory import Provider, schema
from sipsorcery.store.errors import NotFound, Refused, StoreError
from sipsorcery.store.secrets import SETTLING, Purpose, Secrets
from tests.store.directory.cases import URL, DirectoryCase


class ProvidersTests(DirectoryCase):
    """
    The table of providers.
    """

    def add(self, name: str = "blue", **values: Any) -> Provider:
        """
        Add a provider of joe.
        """
        values = {"username": "joe1", "server": "sip:sip.example.org", **values}
        return self.do(self.joe.providers.add(name, **values))

    def test_add(self) -> None:
        """
        A provider is found by name, for its owner, in upper or lower case.
        """
        added = self.add(
            "Blue",
            password="correct horse",
            custom_headers=("X-A: 1", "X-B: 2"),
            registers=True,
            register_contact="sip:joe1@192.0.2.1",
        )
        self.assertEqual((added.owner, added.name), ("joe", "Blue"))
        self.assertEqual(self.do(self.joe.providers.find("bLUE")), added)
        self.assertEqual(self.do(self.joe.providers.all()), [added])
        self.assertEqual(added.custom_headers, ("X-A: 1", "X-B: 2"))
        self.assertEqual(
            (added.register_expires, added.password), (3600, "correct horse")
        )
        self.assertIsNone(self.do(self.eve.providers.find("Blue")))
        self.assertIsNone(self.do(self.joe.providers.find("red")))

    def test_name_taken(self) -> None:
        """
        A user has one provider of a name; others can have one of the same.
        """
        self.add()
        again = self.joe.providers.add("BLUE", username="x", server="sip:x.example")
        self.assertIn("already", self.refuse(Refused, again))
        self.do(self.eve.providers.add("blue", username="x", server="sip:x.example"))

    def test_names(self) -> None:
        """
        A name can stand where a host stands in a dial string, and is none.
        """
        for name in ("", "a.b", "a b", "a@b", "a[b", "a|b", "a&b", "x" * 51):
            asked = self.joe.providers.add(name, username="x", server="sip:x.example")
            self.refuse(Refused, asked)

    def test_password_sealed(self) -> None:
        """
        The password does not lie in the database, nor show.
        """
        added = self.add(password="correct horse")
        self.assertNotIn("correct", repr(added))
        if URL == "sqlite":
            for file in self.folder.iterdir():
                self.assertNotIn(b"correct horse", file.read_bytes())

    def test_password_of_another(self) -> None:
        """
        Who can write in the database still cannot use the password of another.
        """
        self.add(password="correct horse")
        self.do(self.eve.providers.add("red", username="x", server="sip:x.example"))
        table = schema.providers
        sealed = sa.select(table.c.sealed_password).where(table.c.owner == "joe")
        steal = sa.update(table).where(table.c.owner == "eve")
        steal = steal.values(sealed_password=sealed.scalar_subquery())
        self.do(self.joe.providers._write(lambda using: using.execute(steal).close()))
        self.refuse(StoreError, self.eve.providers.find("red"))

    def test_key_rotation(self) -> None:
        """
        Passwords that an older key has sealed open, before and after a restart.
        """
        self.add(password="correct horse")
        secrets = Secrets(self.folder, self.reactor.seconds)
        secrets.load()
        secrets.rotate(Purpose.PASSWORD)
        self.reactor.advance(SETTLING)
        joe = self.open().of("joe")
        self.do(joe.providers.add("red", username="x", server="s", password="another"))
        passwords = [each.password for each in self.do(joe.providers.all())]
        self.assertEqual(passwords, ["correct horse", "another"])

    def test_change(self) -> None:
        """
        What a provider has can be changed, by its owner.
        """
        self.add()
        changed = self.do(
            self.joe.providers.change(
                "blue", password="new", registers=True, custom_headers=(), username="y"
            )
        )
        self.assertEqual(self.do(self.joe.providers.find("blue")), changed)
        self.assertEqual((changed.password, changed.username), ("new", "y"))
        cleared = self.do(self.joe.providers.change("blue", password=None))
        self.assertIsNone(cleared.password)
        self.refuse(NotFound, self.eve.providers.change("blue", username="x"))
        self.refuse(Refused, self.joe.providers.change("blue", username="x" * 65))
        self.refuse(TypeError, self.joe.providers.change("blue", owner="eve"))
        self.refuse(Refused, self.joe.providers.change("blue", is_read_only=False))

    def test_registering(self) -> None:
        """
        It is registered if its owner wants it and nothing speaks against it.
        """
        self.assertFalse(self.add().is_registering)
        joe, admin = (
            self.joe.providers,
            self.directory.of("joe", as_admin=True).providers,
        )
        self.assertTrue(self.do(joe.change("blue", registers=True)).is_registering)
        self.assertFalse(self.do(joe.disable("blue", "403 Forbidden")).is_registering)
        self.assertTrue(self.do(joe.enable("blue")).is_registering)
        self.refuse(Refused, joe.forbid("blue", "fraud"))
        forbidden = self.do(admin.forbid("blue", "fraud"))
        self.assertEqual(forbidden.admin_disabled, "fraud")
        self.assertFalse(self.do(joe.enable("blue")).is_registering)
        self.refuse(Refused, joe.permit("blue"))
        self.assertTrue(self.do(admin.permit("blue")).is_registering)

    def test_pages(self) -> None:
        """
        The service goes through the providers of all, page by page.
        """
        mine = [self.add(f"p{number}") for number in range(3)]
        other = self.eve.providers.add("blue", username="x", server="sip:x.example")
        all_of_them = [*mine, self.do(other)]
        providers = self.everyone.providers
        self.assertEqual(self.do(providers.page()), all_of_them)
        self.assertEqual(self.do(providers.page(limit=3)), mine)
        self.assertEqual(self.do(providers.page(after=mine[1].id)), all_of_them[2:])
        self.assertEqual(self.do(self.joe.providers.page()), mine)

    def test_remove(self) -> None:
        """
        A provider goes, if its owner says so.
        """
        self.add()
        self.refuse(NotFound, self.eve.providers.remove("blue"))
        self.do(self.joe.providers.remove("blue"))
        self.assertEqual(self.do(self.joe.providers.all()), [])
        self.refuse(NotFound, self.joe.providers.remove("blue"))
