"""
What a dialplan can know of accounts and their phones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.store.bindings import BINDINGS, Binding
from sipsorcery.store.directory import Account, Directory
from sipsorcery.store.directory.names import LOCAL
from sipsorcery.store.live import LiveReader

# Accounts that are listed: as many as a list can have that a dialplan gets.
_LISTED = 1000


class KnownAccounts(Protocol):
    """
    What has to be known of accounts: `sipsorcery.access.accounts.Accounts`.
    """

    async def domain(self, host: str, *, wildcard: bool = True) -> str | None:
        """
        Find the canonical name of the domain that a host stands for.
        """

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """


class AccountFunctions:
    """
    Tells of accounts: of those of others only whether they exist.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        accounts: KnownAccounts,
        directory: Directory,
        live: LiveReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._directory = directory
        self._live = live
        self._clock = clock

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {
            "is_available": partial(self._is_available, guest),
            "is_mine": partial(self._is_mine, guest),
            "does_sip_account_exist": partial(self._exists, guest),
            "get_bindings": partial(self._bindings, guest),
            "get_sip_accounts": partial(self._all, guest),
            "get_canonical_domain": self._domain,
        }

    async def _is_available(self, guest: Guest, arguments: Arguments) -> Value:
        return bool(await self._current(guest, arguments))

    async def _is_mine(self, guest: Guest, arguments: Arguments) -> Value:
        return await self._own(guest, arguments) is not None

    async def _exists(self, guest: Guest, arguments: Arguments) -> Value:
        return await self._find(guest, arguments) is not None

    async def _bindings(self, guest: Guest, arguments: Arguments) -> Value:
        now = self._clock()
        return [
            {
                "contact": each.contact,
                "expires": max(0, int(each.expiry - now)),
                "user_agent": each.user_agent,
                "received_from": each.received,
            }
            for each in await self._current(guest, arguments)
        ]

    async def _all(self, guest: Guest, arguments: Arguments) -> Value:
        accounts = await self._directory.of(guest.owner).accounts.all()
        accounts.sort(key=lambda each: (each.username, each.domain))
        return [
            {
                "username": each.username,
                "domain": each.domain,
                "aor": f"{each.username}@{each.domain}",
            }
            for each in accounts[:_LISTED]
        ]

    async def _domain(self, arguments: Arguments) -> Value:
        return await self._accounts.domain(text(arguments, "host"), wildcard=False)

    # Inside

    async def _current(self, guest: Guest, arguments: Arguments) -> tuple[Binding, ...]:
        account = await self._own(guest, arguments)
        if account is None or account.disabled is not None:
            return ()
        record = await self._live.get(BINDINGS.name, account.aor)
        return () if record is None else BINDINGS.read(record).current(self._clock())

    async def _own(self, guest: Guest, arguments: Arguments) -> Account | None:
        account = await self._find(guest, arguments)
        return account if account is not None and account.owner == guest.owner else None

    async def _find(self, guest: Guest, arguments: Arguments) -> Account | None:
        """
        Find an account; the one that the run is for, where none is named.
        """
        username = text(arguments, "user", guest.account.username)
        host = text(arguments, "domain", guest.account.domain)
        if host.lower() == LOCAL:
            host = guest.account.domain
        domain = await self._accounts.domain(host, wildcard=False)
        return None if domain is None else await self._accounts.find(username, domain)
