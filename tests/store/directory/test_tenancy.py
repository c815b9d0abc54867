"""
That nobody reaches what belongs to another.

What eve asks for here is joe's. `ASKED` has every public function of every table, so
that a new one cannot be forgotten.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred

from sipsorcery.store.directory import Tenancy, schema
from sipsorcery.store.directory.importing import Imported
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import StoreError
from tests.store.directory.cases import NOW, DirectoryCase
from tests.store.directory.test_cdrs import make

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
START = datetime.fromtimestamp(NOW, UTC)
DOMAIN = "example.com"
NETWORK = ip_network("192.0.2.0/24")  # joe's

# What eve asks, by table and function, and whether she gets something of her own.
ASKED: dict[str, dict[str, Callable[[Any], Any]]] = {
    "users": {
        "find": lambda users: users.find("joe"),
        "all": lambda users: users.all(),
        "disabled": lambda users: users.disabled(),
        "add": lambda users: users.add("joe"),
        "log_in": lambda users: users.log_in("joe", "password of joe"),
        "set_password": lambda users: users.set_password("joe", "password of eve"),
        "change": lambda users: users.change("joe", email="eve@example.com"),
        "set_admin": lambda users: users.set_admin("joe", True),
        "disable": lambda users: users.disable("joe", "why"),
        "enable": lambda users: users.enable("joe"),
        "remove": lambda users: users.remove("joe"),
    },
    "keys": {
        "all": lambda keys: keys.all(),
        "find": lambda keys: keys.find(b"blob"),
        "add": lambda keys: keys.add(KEY),
        "remove": lambda keys: keys.remove("SHA256:joe"),
    },
    "accounts": {
        "find": lambda accounts: accounts.find("100", DOMAIN),
        "all": lambda accounts: accounts.all(),
        "trusted_networks": lambda accounts: accounts.trusted_networks(),
        "add": lambda accounts: accounts.add("100"),
        "change": lambda accounts: accounts.change("100", DOMAIN, in_dialplan="x"),
        "set_password": lambda accounts: accounts.set_password("100", DOMAIN, "x" * 8),
        "disable": lambda accounts: accounts.disable("100", DOMAIN, "why"),
        "enable": lambda accounts: accounts.enable("100", DOMAIN),
        "remove": lambda accounts: accounts.remove("100", DOMAIN),
        "adopt": lambda accounts: accounts.adopt([Imported("1", "100", DOMAIN)]),
    },
    "providers": {
        "find": lambda providers: providers.find("blue"),
        "all": lambda providers: providers.all(),
        "page": lambda providers: providers.page(),
        "add": lambda providers: providers.add("blue", username="eve", server="eve"),
        "change": lambda providers: providers.change("blue", username="eve"),
        "disable": lambda providers: providers.disable("blue", "why"),
        "enable": lambda providers: providers.enable("blue"),
        "forbid": lambda providers: providers.forbid("blue", "why"),
        "permit": lambda providers: providers.permit("blue"),
        "remove": lambda providers: providers.remove("blue"),
    },
    "dialplans": {
        "find": lambda dialplans: dialplans.find("default"),
        "all": lambda dialplans: dialplans.all(),
        "put": lambda dialplans: dialplans.put("default", "eve"),
        "versions": lambda dialplans: dialplans.versions("default"),
        "revert": lambda dialplans: dialplans.revert("default", 1),
        "change": lambda dialplans: dialplans.change("default", options={"a": 1}),
        "remove": lambda dialplans: dialplans.remove("default"),
    },
    "settings": {
        "get": lambda settings: settings.get("theme"),
        "all": lambda settings: settings.all(),
        "put": lambda settings: settings.put("theme", "eve"),
        "remove": lambda settings: settings.remove("theme"),
    },
    "values": {
        "get": lambda values: values.get("key"),
        "keys": lambda values: values.keys(),
        "put": lambda values: values.put("key", "eve"),
        "swap": lambda values: values.swap("key", "of joe", "eve"),
        "remove": lambda values: values.remove("key"),
    },
    "cdrs": {
        "write": lambda cdrs: cdrs.write(make("of joe", ended_reason="eve")),
        "write_all": lambda cdrs: cdrs.write_all([make("of joe", ended_reason="eve")]),
        "find": lambda cdrs: cdrs.find("of joe"),
        "recent": lambda cdrs: cdrs.recent(),
        "count": lambda cdrs: cdrs.count(START),
        "close_open": lambda cdrs: cdrs.close_open("app1", "eve", datetime.now(UTC)),
        "remove_before": lambda cdrs: cdrs.remove_before(datetime.now(UTC)),
    },
}


class TenancyTests(DirectoryCase):
    """
    Joe has one of everything; eve has nothing.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do(self.joe.keys.add(KEY))
        self.do(
            self.joe.accounts.add(
                "100",
                password="correct horse",
                trusted_networks=(NETWORK,),
            )
        )
        self.do(self.joe.providers.add("blue", username="joe", server="joe"))
        self.do(self.joe.dialplans.put("default", "of joe"))
        self.do(self.joe.settings.put("theme", "of joe"))
        self.do(self.joe.values.put("key", "of joe"))
        self.do(self.joe.cdrs.write(make("of joe")))

    def of_joe(self) -> dict[str, list[Any]]:
        """
        Read what joe has in every table that has an owner.
        """

        def read(using: sa.Connection) -> dict[str, list[Any]]:
            found = {}
            for table in schema.metadata.sorted_tables:
                owner = table.c.get("name" if table is schema.users else "owner")
                if owner is not None:
                    query = sa.select(table).where(owner == "joe")
                    found[table.name] = list(using.execute(query))
            return found

        return self.do(self.joe.accounts._read(read))

    def test_all_functions(self) -> None:
        """
        The table of this test has every public function.
        """
        for name, rows in vars(self.eve).items():
            assert isinstance(rows, Rows)
            public = {
                each
                for each, _ in inspect.getmembers(type(rows), inspect.isfunction)
                if not each.startswith("_")
            }
            self.assertEqual(public, set(ASKED[name]), name)
        self.assertEqual(set(vars(self.eve)), set(ASKED))

    def test_nothing_of_another(self) -> None:
        """
        Whatever one user asks for, what belongs to another is neither shown, nor used,
        nor changed.
        """
        before = self.of_joe()
        self.assertTrue(all(before[each] for each in before if each != "domains"))
        for name, functions in ASKED.items():
            for function, ask in functions.items():
                with self.subTest(f"{name}.{function}"):
                    answer = self.ask(ask(getattr(self.eve, name)))
                    self.assertNotIn("joe", answer)
                    self.assertNotIn(str(NETWORK), answer)
                    self.assertEqual(self.of_joe(), before)

    def ask(self, asked: Any) -> str:
        """
        Ask the directory; give the answer as text. That it refuses is one, too.
        """
        begun: Deferred[Any] = self.begin(asked)
        begun.addErrback(lambda failure: failure.trap(StoreError))
        return repr(self.successResultOf(begun))

    def test_same_names(self) -> None:
        """
        Two users can have things of the same name, and each changes their own.
        """
        self.do(self.eve.providers.add("blue", username="eve", server="eve"))
        self.do(self.eve.dialplans.put("default", "of eve"))
        self.do(self.eve.settings.put("theme", "of eve"))
        self.do(self.eve.values.put("key", "of eve"))
        before = self.of_joe()
        self.do(self.eve.providers.change("blue", username="eve2"))
        self.do(self.eve.dialplans.put("default", "new"))
        self.do(self.eve.dialplans.revert("default", 1))
        self.do(self.eve.settings.put("theme", "new"))
        self.do(self.eve.values.put("key", "new"))
        self.do(self.eve.providers.remove("blue"))
        self.do(self.eve.dialplans.remove("default"))
        self.do(self.eve.settings.remove("theme"))
        self.do(self.eve.values.remove("key"))
        self.assertEqual(self.of_joe(), before)

    def test_whose(self) -> None:
        """
        In the scope of everybody, what is about the things of one user is refused
        until it says whose.
        """
        everyone = self.everyone
        assert isinstance(everyone, Tenancy)
        for table, functions in {
            "keys": ("all", "find", "add", "remove"),
            "accounts": ("add", "adopt"),
            "providers": ("find", "all", "add", "change", "disable", "remove"),
            "dialplans": ("find", "all", "put", "versions", "change", "remove"),
            "values": ("get", "keys", "put", "swap", "remove"),
        }.items():
            for function in functions:
                ask = ASKED[table][function]

                async def wait(ask: Any = ask, table: str = table) -> None:
                    await ask(getattr(everyone, table))

                self.refuse(TypeError, wait())

    def test_record_of_another(self) -> None:
        """
        A record of a call with the id of another's is not written over it.
        """
        self.do(
            self.eve.cdrs.write(replace(make("of joe"), owner="eve", account="eve"))
        )
        found = self.do(self.everyone.cdrs.find("of joe"))
        self.assertEqual(found, make("of joe"))
