"""
Bindings whose account has been removed: they go, too.

Nobody rings there any more, for a call looks for the account first; but they would be
listed and kept alive until they expire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from sipsorcery.registrar.answering import Domains
from sipsorcery.registrar.locations import Locations
from sipsorcery.sip import grammar
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.errors import StoreError

# Addresses-of-record that are looked at in one go, of which there is one every two
# seconds: an account costs a question to the directory, half a millisecond.
_AT_ONCE = 100


class KnownAccounts(Domains, Protocol):
    """
    Find accounts and domains, as `sipsorcery.access.accounts.Accounts` does.
    """

    @property
    def revision(self) -> int:
        """
        Count the changes of accounts.
        """

    async def catch_up(self) -> None:
        """
        Take over what has changed.
        """

    async def find(self, username: str, domain: str) -> Any | None:
        """
        Find an account by its own name.
        """


class Orphans:
    """
    Looks through all bindings, a little at a time, whenever accounts have changed.
    """

    def __init__(self, accounts: KnownAccounts, locations: Locations) -> None:
        self._accounts = accounts
        self._locations = locations
        self._seen: int | None = None  # the revision that the last round was for
        self._round: AsyncIterator[str] | None = None  # None: there is none under way

    async def look(self) -> None:
        """
        Go on; while a store is away, which others tell of, there is nothing to do.
        """
        try:
            await self._accounts.catch_up()
            await self._go_on()
        except StoreError:
            # From the beginning, when it is back.
            self._round = self._seen = None

    async def _go_on(self) -> None:
        if self._round is None:
            if self._seen == self._accounts.revision:
                return
            self._seen = self._accounts.revision
            self._round = self._locations.all_names()
        for _ in range(_AT_ONCE):
            try:
                # Not with a default: Python 3.11 breaks a generator that waits then.
                aor = await anext(self._round)
            except StopAsyncIteration:
                self._round = None
                return
            await self._look_at(aor)

    async def _look_at(self, aor: str) -> None:
        uri = SIPURI.parse(aor)
        name = grammar.unescape(uri.user or "")
        if await self._accounts.find(name, uri.host) is None:
            await self._locations.remove(aor, "account removed")
