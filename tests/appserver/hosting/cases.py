"""
What these tests share: users, stores and a run that asks for something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.contacts import Contacts
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.dial.resolution import Situation
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.hosting.guest import Functions, Given, Guest
from sipsorcery.appserver.hosting.joining import join
from sipsorcery.appserver.lookup import OwnersLookup
from sipsorcery.appserver.plans.engine import HostError, PlanRequest, Value
from sipsorcery.appserver.plans.implicit_plan import ImplicitEngine
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.config import parse
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import Binding, Bindings, make_record
from sipsorcery.store.live import LocalStore
from sipsorcery.testing.threads import SteppedThreads
from tests.access.cases import make_binding
from tests.store.directory.cases import DirectoryCase

DOMAIN = "example.com"


class HostingCase(DirectoryCase):
    """
    Joe with the accounts 100 and 101, and Eve with 666.

    :ivar notes: what was written to the monitor of the owner.
    """

    def setUp(self) -> None:
        super().setUp()
        self.notes: list[str] = []
        self.live = LocalStore(
            self.reactor,
            Path(self.mktemp()),
            threads=SteppedThreads(waits=False),
            clock=self.reactor.seconds,
        )
        self.live.start()
        self.addCleanup(lambda: self.do(self.live.stop()))
        config = parse(b"")
        self.accounts = Accounts(self.directory, config, self.reactor, own=lambda: ())
        self.configured = Configured(self.directory, self.reactor)
        for owner, name in (("joe", "100"), ("joe", "101"), ("eve", "666")):
            accounts = self.directory.of(owner).accounts
            self.do(accounts.add(name, DOMAIN, "a password"))

    def register(self, user: str, *bindings: Binding) -> None:
        """
        Register phones of an account.
        """
        found = Bindings(bindings or (make_binding(f"sip:{user}@192.0.2.9"),))
        aor = f"sip:{user}@{DOMAIN}"
        self.do(self.live.put(make_record(aor, found, "joe")))

    def guest(
        self,
        owner: str = "joe",
        user: str = "100",
        *,
        options: Mapping[str, Any] | None = None,
        time_zone: str = "Europe/Dublin",
        request: PlanRequest | None = None,
    ) -> Guest:
        """
        Begin a run for an account.
        """
        account = self.do(self.accounts.find(user, DOMAIN))
        assert account is not None
        contacts = Contacts(self.accounts, self.live, clock=self.reactor.seconds)
        return Guest(
            account=account,
            plan=Plan(owner, "main", 1, ImplicitEngine(), "", time_zone, options or {}),
            request=request or PlanRequest(owner=owner, fields=(("From", "x"),)),
            situation=Situation(Caller("7"), SIPURI("sip", user, DOMAIN)),
            lookup=OwnersLookup(
                owner, DOMAIN, self.accounts, contacts, self.configured
            ),
            note=self.notes.append,
        )

    def ask(
        self, functions: Functions, guest: Guest, name: str, /, **arguments: Value
    ) -> Given:
        """
        Ask for something, as a dialplan does.
        """
        return self.do(join(functions)(guest)[name](arguments))

    def refused(
        self, functions: Functions, guest: Guest, name: str, /, **arguments: Value
    ) -> str:
        """
        Check that something is an error; give its text.
        """
        given = self.ask(functions, guest, name, **arguments)
        self.assertIsInstance(given, HostError, given)
        assert isinstance(given, HostError)
        return given.text


def rows(given: Given) -> Sequence[Any]:
    """
    Give a list that a function has given.
    """
    assert isinstance(given, list)
    return given
