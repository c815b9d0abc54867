"""
What the tests of contacts and of the registrar stand on: accounts and stores in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest import Algorithm, compute_ha1
from sipsorcery.store.bindings import BINDINGS, Binding, Bindings, make_record
from sipsorcery.store.directory import Account
from sipsorcery.store.live import LocalStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads

_T = TypeVar("_T")

NOW = 1_700_000_000.0
DOMAIN = "example.com"
PASSWORD = "zanzibar"


def make_account(username: str, domain: str = DOMAIN, **fields: Any) -> Account:
    """
    Make an account of the user ``joe`` with the password `PASSWORD`.
    """
    moment = datetime.fromtimestamp(NOW, UTC)
    account = Account(
        owner="joe",
        username=username,
        domain=domain,
        ha1_md5=compute_ha1(username, domain, PASSWORD, Algorithm.MD5),
        ha1_sha_256=compute_ha1(username, domain, PASSWORD, Algorithm.SHA_256),
        created=moment,
        updated=moment,
    )
    return replace(account, **fields)


class KnownAccounts:
    """
    Accounts of ``example.com``, which has the alias ``alias.example``.
    """

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {each.username: each for each in accounts}
        self.revision = 0

    async def catch_up(self) -> None:
        """
        Do nothing: all changes are known at once.
        """

    async def domain(self, host: str) -> str | None:
        """
        Give the canonical name of the one domain.
        """
        return DOMAIN if host.lower() in (DOMAIN, "alias.example") else None

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """
        return self.accounts.get(username)

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name, or by what stands behind the last dot.
        """
        return self.accounts.get(username) or self.accounts.get(
            username.rpartition(".")[2]
        )


class StoreCase(SynchronousTestCase):
    """
    Live state and secrets in a folder of the test; the clock stands at `NOW`.
    """

    def setUp(self) -> None:
        self.reactor = Clock()
        self.reactor.advance(NOW)
        self.folder = Path(self.mktemp())
        self.threads = SteppedThreads(waits=False)
        self.live = LocalStore(
            self.reactor,
            self.folder,
            threads=self.threads,
            clock=self.reactor.seconds,
        )
        self.live.start()
        self.addCleanup(lambda: self.wait(self.live.stop()))
        self.secrets = Secrets(self.folder, self.reactor.seconds)
        self.secrets.load()

    def wait(self, awaited: Awaitable[_T]) -> _T:
        """
        Give what becomes of it, in this turn of the reactor and the next.
        """

        async def get() -> _T:
            return await awaited

        waiting = Deferred.fromCoroutine(get())
        self.reactor.advance(0)
        return self.successResultOf(waiting)

    def store(self, aor: str, *bindings: Binding) -> None:
        """
        Store bindings, in place of those that are there.
        """
        self.wait(self.live.put(make_record(aor, Bindings(bindings), "joe")))

    def stored(self, aor: str) -> Bindings:
        """
        Give what is stored of an address-of-record.
        """
        record = self.wait(self.live.get(BINDINGS.name, aor))
        return Bindings() if record is None else BINDINGS.read(record)


def make_binding(contact: str, **fields: Any) -> Binding:
    """
    Make a binding that holds for a minute from `NOW`.
    """
    given = {"expiry": NOW + 60, "call_id": "a84b4c76e66710", "cseq": 1, "updated": NOW}
    return Binding(contact=contact, **{**given, **fields})
