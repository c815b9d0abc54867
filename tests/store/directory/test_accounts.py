"""
Tests for `sipsorcery.store.directory.accounts` and `account`.
"""

from __future__ import annotations

import ipaddress

from twisted.internet.defer import Deferred, gatherResults

from sipsorcery.sip.digest import Algorithm, compute_ha1
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.importing import Fault, Imported
from sipsorcery.store.errors import NotFound, Refused, StoreOverloaded
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import URL, DirectoryCase

LAN = ipaddress.ip_network("192.168.0.0/16")
SIX = ipaddress.ip_network("2001:db8::/32")


class AccountsTests(DirectoryCase):
    """
    The table of accounts.
    """

    def find(self, username: str, domain: str = "example.com") -> Account | None:
        """
        Find an account, as a server does.
        """
        return self.do(self.everyone.accounts.find(username, domain))

    def test_add(self) -> None:
        """
        An account is found by name and domain, in upper or lower case.
        """
        added = self.do(self.joe.accounts.add("Alice", "example.com", "correct horse"))
        self.assertEqual((added.owner, added.aor), ("joe", "sip:Alice@example.com"))
        self.assertEqual(self.find("alice"), added)
        self.assertEqual(self.find("ALICE", "Example.com"), added)
        self.assertIsNone(self.find("alic"))
        self.assertIsNone(self.find("alice", "example.net"))
        self.assertEqual(self.do(self.joe.accounts.find("Alice", "example.com")), added)
        self.assertIsNone(self.do(self.eve.accounts.find("Alice", "example.com")))

    def test_ha1(self) -> None:
        """
        HA1 is stored for each algorithm, for the canonical domain; never the password.
        """
        account = self.do(
            self.joe.accounts.add("100", "sip.example.com", "correct horse")
        )
        self.assertEqual(account.domain, "example.com")
        for algorithm in Algorithm:  # with -sess, too
            for known in (account, account.secret):
                self.assertEqual(
                    known.ha1_for(algorithm, "example.com"),
                    compute_ha1("100", "example.com", "correct horse", algorithm),
                )
        self.assertNotIn(account.ha1_md5 or "", repr(account))
        if URL == "sqlite":
            for file in self.folder.iterdir():
                self.assertNotIn(b"correct horse", file.read_bytes())

    def test_no_password(self) -> None:
        """
        An account without a password has no HA1 that anybody could know.
        """
        account = self.do(self.joe.accounts.add("100"))
        self.assertEqual(account.secret.ha1, {})
        changed = self.do(
            self.joe.accounts.set_password("100", "example.com", "correct horse")
        )
        self.assertEqual(len(changed.secret.ha1), 3)
        self.refuse(Refused, self.joe.accounts.set_password("100", "example.com", "x"))
        self.refuse(Refused, self.joe.accounts.add("101", password="1234567"))

    def test_domain(self) -> None:
        """
        An account is in a domain that is served: that of the directory, by any of its
        names, or one of the configuration; without a name, in the local one.
        """
        self.assertEqual(self.do(self.joe.accounts.add("100")).domain, "example.com")
        self.refuse(NotFound, self.joe.accounts.add("101", "example.net"))
        self.do(self.everyone.domains.add_alias("example.com", "*"))
        self.refuse(NotFound, self.joe.accounts.add("101", "example.net"))
        self.refuse(NotFound, self.joe.accounts.add("101", "*"))
        directory = self.open(served=["example.net"])
        account = self.do(directory.of("joe").accounts.add("101", "Example.net"))
        self.assertEqual(account.domain, "example.net")

    def test_domain_of_another(self) -> None:
        """
        In a domain that belongs to a user, nobody else makes accounts, but
        administrators do.
        """
        self.do(self.everyone.domains.add("example.net", owner="joe"))
        self.do(self.joe.accounts.add("100", "example.net"))
        self.refuse(NotFound, self.eve.accounts.add("101", "example.net"))
        admin = self.directory.of("eve", as_admin=True)
        self.do(admin.accounts.add("101", "example.net"))

    def test_name_taken(self) -> None:
        """
        In a domain there is one account of a name; case makes no difference.
        """
        self.do(self.joe.accounts.add("alice"))
        for accounts in (self.joe.accounts, self.eve.accounts):
            reason = self.refuse(Refused, accounts.add("ALICE"))
            self.assertIn("already", reason)
        self.do(self.everyone.domains.add("example.net"))
        self.do(self.eve.accounts.add("alice", "example.net"))

    def test_names(self) -> None:
        """
        A name needs no escapes in a URI, and is not one that the service uses.
        """
        for name in (
            "",
            " ",
            "a b",
            "a@b",
            "a;b",
            "a:b",
            "a%41",
            "ä",
            ".a",
            "a.",
            "a..b",
        ):
            self.refuse(Refused, self.joe.accounts.add(name))
        for name in ("x" * 65, "a\0b", "\udc80", "Dispatcher"):
            self.refuse(Refused, self.joe.accounts.add(name))
        for name in ("1", "+3531", "*97", "a-b_c~d", "x" * 64):
            self.assertEqual(self.do(self.joe.accounts.add(name)).username, name)

    def test_sub_accounts(self) -> None:
        """
        A name with a dot is for the owner of what follows the last dot: an account of
        that name, or a user.
        """
        self.do(self.joe.accounts.add("office"))
        self.do(self.joe.accounts.add("desk.office"))
        self.do(self.joe.accounts.add("a.desk.office"))
        self.do(self.joe.accounts.add("mobile.joe"))
        self.do(self.joe.accounts.add("john.smith"))
        for name in ("x.office", "x.Office", "x.joe", "x.desk.OFFICE", "x.y.joe"):
            reason = self.refuse(Refused, self.eve.accounts.add(name))
            self.assertIn("is for the owner of", reason)

    def test_unknown_owner(self) -> None:
        """
        An account belongs to a user.
        """
        nobody = self.directory.of("nobody")
        self.refuse(NotFound, nobody.accounts.add("100"))
        self.refuse(TypeError, self.everyone.accounts.add("100"))

    def test_change(self) -> None:
        """
        What an account has can be changed, and comes back as it was given.
        """
        self.do(self.joe.accounts.add("100", network_id="home"))
        self.reactor.advance(5)
        changed = self.do(
            self.joe.accounts.change(
                "100",
                "example.com",
                trusted_networks=(LAN, SIX),
                allowed_networks=(SIX,),
                in_dialplan="in",
                out_dialplan="out",
                incoming_only=True,
                sends_keepalives=False,
                mangles_contact=False,
                description="Küche",
            )
        )
        self.assertEqual(self.find("100"), changed)
        self.assertEqual(changed.trusted_networks, (LAN, SIX))
        self.assertEqual(changed.allowed_networks, (SIX,))
        self.assertEqual((changed.in_dialplan, changed.out_dialplan), ("in", "out"))
        self.assertEqual((changed.network_id, changed.description), ("home", "Küche"))
        self.assertTrue(changed.incoming_only)
        self.assertFalse(changed.sends_keepalives or changed.mangles_contact)
        self.assertEqual((changed.updated - changed.created).total_seconds(), 5)

    def test_trusted_networks(self) -> None:
        """
        The networks that any account trusts can be had without the accounts.
        """
        accounts = self.joe.accounts
        trusted = self.do(self.everyone.accounts.trusted_networks())
        self.assertEqual(trusted, frozenset())
        for name, networks in (("100", (LAN, SIX)), ("101", (LAN,)), ("102", ())):
            self.do(accounts.add(name, trusted_networks=networks))
        trusted = self.do(self.everyone.accounts.trusted_networks())
        self.assertEqual(trusted, {LAN, SIX})
        self.do(accounts.remove("100", "example.com"))
        trusted = self.do(self.everyone.accounts.trusted_networks())
        self.assertEqual(trusted, {LAN})

    def test_change_refused(self) -> None:
        """
        What does not fit, or would make another account of it, is refused.
        """
        self.do(self.joe.accounts.add("100"))
        change = self.joe.accounts.change
        for values in (
            {"network_id": "x" * 17},
            {"description": "a\0b"},
            {"description": "\udc80"},
        ):
            self.refuse(Refused, change("100", "example.com", **values))
        for name in ("owner", "aor", "ha1_md5", "admin_disabled", "id"):
            self.refuse(TypeError, change("100", "example.com", **{name: "eve"}))
        self.refuse(TypeError, self.joe.accounts.add("101", admin_disabled=None))
        self.refuse(NotFound, change("101", "example.com", description=""))

    def test_disable(self) -> None:
        """
        Owner and administrator disable each for themselves; an owner cannot undo what
        an administrator did, who can undo both.
        """
        self.do(self.joe.accounts.add("100"))
        admin = self.everyone.accounts
        account = self.do(self.joe.accounts.disable("100", "example.com", "moved"))
        self.assertEqual((account.user_disabled, account.disabled), ("moved", "moved"))
        account = self.do(admin.disable("100", "example.com", "fraud"))
        self.assertEqual(account.disabled, "fraud")
        account = self.do(self.joe.accounts.enable("100", "example.com"))
        self.assertEqual((account.user_disabled, account.disabled), (None, "fraud"))
        self.do(self.joe.accounts.disable("100", "example.com", "moved"))
        account = self.do(admin.enable("100", "example.com"))
        self.assertIsNone(account.disabled)
        self.refuse(Refused, self.joe.accounts.disable("100", "example.com", ""))

    def test_remove(self) -> None:
        """
        An account goes; its id is not given again.
        """
        first = self.do(self.joe.accounts.add("100"))
        self.do(self.joe.accounts.remove("100", "example.com"))
        self.assertIsNone(self.find("100"))
        self.refuse(NotFound, self.joe.accounts.remove("100", "example.com"))
        self.assertNotEqual(self.do(self.joe.accounts.add("100")).id, first.id)

    def test_all(self) -> None:
        """
        Accounts are given by address, page by page.
        """
        for name in ("c", "a", "b"):
            self.do(self.joe.accounts.add(name))
        self.do(self.eve.accounts.add("d"))
        self.do(self.everyone.domains.add("example.net"))
        self.do(self.joe.accounts.add("a", "example.net"))

        def names(asked: Deferred[list[Account]]) -> list[str]:
            return [each.aor[4:] for each in self.do(asked)]

        mine = ["a@example.com", "a@example.net", "b@example.com", "c@example.com"]
        self.assertEqual(names(self.joe.accounts.all()), mine)
        self.assertEqual(names(self.everyone.accounts.all()), [*mine, "d@example.com"])
        self.assertEqual(names(self.joe.accounts.all(limit=2)), mine[:2])
        self.assertEqual(names(self.joe.accounts.all(after=mine[1])), mine[2:])
        self.assertEqual(names(self.joe.accounts.all(domain="example.net")), [mine[1]])

    def test_lookups_together(self) -> None:
        """
        Those who look for accounts at the same time share one query.
        """
        for number in range(5):
            self.do(self.joe.accounts.add(f"{number}"))
        threads = SteppedThreads()
        accounts = self.open(threads=threads).everyone.accounts
        first = accounts.find("0", "example.com")
        self.reactor.advance(0)
        others = [accounts.find(f"{number}", "example.com") for number in (3, 4, 3, 7)]
        self.reactor.advance(0)
        self.assertEqual(len(threads.calls), 1)
        threads.step()
        self.assertEqual(len(threads.calls), 1)
        threads.step()
        self.assertEqual(getattr(self.successResultOf(first), "username", None), "0")
        found = [self.successResultOf(each) for each in others]
        names = [None if each is None else each.username for each in found]
        self.assertEqual(names, ["3", "4", "3", None])

    def test_strange_lookups(self) -> None:
        """
        Whatever name somebody asks for, those who ask at the same time get theirs.
        """
        account = self.do(self.joe.accounts.add("100"))
        accounts = self.everyone.accounts
        names = ["\udc80", "a\0b", "'", "x" * 100_000, "100", "\U0001f4de"]
        asked = gatherResults([accounts.find(name, "example.com") for name in names])
        self.assertEqual(self.do(asked), [None, None, None, None, account, None])

    def test_too_many_lookups(self) -> None:
        """
        When too many wait the next is refused.
        """
        threads = SteppedThreads()
        accounts = self.open(threads=threads).everyone.accounts
        waiting = [accounts.find("0", "example.com") for _ in range(12_000)]
        self.failureResultOf(accounts.find("0", "example.com"), StoreOverloaded)
        self.reactor.advance(0)
        while threads.calls:
            threads.step()
        for each in waiting:
            self.assertIsNone(self.successResultOf(each))

    def test_adopt(self) -> None:
        """
        Imported accounts work with the passwords that they had; what cannot be imported
        is told, and nothing else suffers.
        """
        ha1 = compute_ha1("alice", "example.com", "correct horse", Algorithm.MD5)
        self.do(self.eve.accounts.add("taken"))
        imported = [
            Imported("line 1", "alice", "example.com", ha1_md5=ha1),
            Imported("line 2", "taken", "example.com", ha1_md5=ha1),
            Imported("line 3", "a b", "example.com", ha1_md5=ha1),
            Imported("line 4", "bob", "example.net", ha1_md5=ha1),
            Imported("line 5", "bob", "sip.example.com", ha1_md5=ha1),
            Imported("line 6", "bob", "Example.com", ha1_md5=ha1),
            Imported("line 7", "x.eve", "example.com", ha1_md5=ha1),
            *(
                Imported(
                    f"line {number}", f"{number}", "example.com", ha1_sha_256="0" * 64
                )
                for number in range(8, 300)
            ),
        ]
        faults = self.do(self.joe.accounts.adopt(imported))
        self.assertEqual(
            [fault.place for fault in faults],
            [f"line {number}" for number in range(2, 8)],
        )
        self.assertIn("realm", faults[3].text)
        self.assertIsInstance(faults[0], Fault)
        alice = self.find("alice")
        assert alice is not None
        self.assertEqual(alice.secret.ha1, {Algorithm.MD5: ha1})
        self.assertEqual(alice.owner, "joe")
        last = self.find("299")
        assert last is not None
        self.assertEqual(last.secret.ha1, {Algorithm.SHA_256: "0" * 64})
