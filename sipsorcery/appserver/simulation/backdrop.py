"""
What there is around a simulated call where its world says nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol, TypeVar

from twisted.internet import task
from twisted.internet.defer import Deferred

from sipsorcery.access.accounts import Accounts
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.limits.allowance import Allowance
from sipsorcery.config.tree import Limits
from sipsorcery.store.bindings import BINDINGS, Binding
from sipsorcery.store.directory import Account, Dialplan, Directory, Provider
from sipsorcery.store.directory.settings import LIMITS
from sipsorcery.store.live import LiveReader

_T = TypeVar("_T")


class Backdrop(Protocol):
    """
    Tells what there is. It has a time of its own, during which no other passes.
    """

    @property
    def is_busy(self) -> bool:
        """
        Whether somebody waits for it.
        """

    def rest(self) -> Awaitable[object]:
        """
        Wait a moment, in its own time.
        """

    async def domain(self, host: str, *, wildcard: bool) -> str | None:
        """
        Find the canonical name of the domain that a host stands for.
        """

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """

    async def accounts(self, owner: str) -> Sequence[Account]:
        """
        Give the accounts of a user.
        """

    async def bindings(self, account: Account) -> Sequence[Binding]:
        """
        Give where an account is registered.
        """

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Find a provider of a user.
        """

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find a dialplan of a user.
        """

    async def time_zone(self, owner: str) -> str:
        """
        Give the time zone of a user.
        """

    async def setting(self, owner: str, name: str) -> Any:
        """
        Give a setting of a user.
        """

    async def value(self, owner: str, key: str) -> str | None:
        """
        Give what the dialplans of a user have kept.
        """

    async def keys(self, owner: str) -> Sequence[str]:
        """
        List the keys of what they have kept.
        """

    async def allowance(self, owner: str) -> Allowance | None:
        """
        Say what a user may do outside; None: anything.
        """


class Void:
    """
    Nothing at all.
    """

    is_busy = False

    async def rest(self) -> None:
        """
        Return at once: nobody ever waits.
        """

    async def domain(self, host: str, *, wildcard: bool) -> str | None:
        """
        Find none.
        """
        return None

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find none.
        """
        return None

    async def accounts(self, owner: str) -> Sequence[Account]:
        """
        Find none.
        """
        return ()

    async def bindings(self, account: Account) -> Sequence[Binding]:
        """
        Find none.
        """
        return ()

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Find none.
        """
        return None

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find none.
        """
        return None

    async def time_zone(self, owner: str) -> str:
        """
        Give that of nowhere.
        """
        return "UTC"

    async def setting(self, owner: str, name: str) -> Any:
        """
        Find none.
        """
        return None

    async def value(self, owner: str, key: str) -> str | None:
        """
        Find none.
        """
        return None

    async def keys(self, owner: str) -> Sequence[str]:
        """
        Find none.
        """
        return ()

    async def allowance(self, owner: str) -> Allowance | None:
        """
        Let everything be done.
        """
        return None


class ServiceBackdrop:
    """
    What a service has: its directory and, if there is one, its live state.

    :param reactor: of the directory.
    :param live: None: no server has run yet.
    """

    def __init__(
        self,
        reactor: Any,
        directory: Directory,
        accounts: Accounts,
        live: LiveReader | None,
        limits: Limits,
    ) -> None:
        self._reactor = reactor
        self._directory = directory
        self._accounts = accounts
        self._configured = Configured(directory, reactor)
        self._live = live
        self._limits = limits
        self._waiting = 0

    @property
    def is_busy(self) -> bool:
        """
        Whether somebody waits for it.
        """
        return self._waiting > 0

    def rest(self) -> Deferred[None]:
        """
        Let the reactor do what it has to.
        """
        return task.deferLater(self._reactor, 0, lambda: None)

    async def domain(self, host: str, *, wildcard: bool) -> str | None:
        """
        Ask the directory.
        """
        return await self._of(self._accounts.domain(host, wildcard=wildcard))

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Ask the directory.
        """
        return await self._of(self._accounts.find(username, domain))

    async def accounts(self, owner: str) -> Sequence[Account]:
        """
        Ask the directory.
        """
        return await self._of(self._directory.of(owner).accounts.all())

    async def bindings(self, account: Account) -> Sequence[Binding]:
        """
        Ask the live state.
        """
        if self._live is None or account.disabled is not None:
            return ()
        record = await self._of(self._live.get(BINDINGS.name, account.aor))
        return () if record is None else BINDINGS.read(record).all

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Ask the directory.
        """
        return await self._of(self._configured.provider(owner, name))

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Ask the directory.
        """
        return await self._of(self._configured.plan(owner, name))

    async def time_zone(self, owner: str) -> str:
        """
        Ask the directory.
        """
        return await self._of(self._configured.time_zone(owner))

    async def setting(self, owner: str, name: str) -> Any:
        """
        Ask the directory.
        """
        return await self._of(self._configured.setting(owner, name))

    async def value(self, owner: str, key: str) -> str | None:
        """
        Ask the directory.
        """
        return await self._of(self._directory.of(owner).values.get(key))

    async def keys(self, owner: str) -> Sequence[str]:
        """
        Ask the directory.
        """
        return await self._of(self._directory.of(owner).values.keys())

    async def allowance(self, owner: str) -> Allowance | None:
        """
        Give what the configuration and the directory say.
        """
        try:
            return Allowance.of(self._limits, await self.setting(owner, LIMITS))
        except ValueError:
            return Allowance.of(self._limits)  # as the server does

    async def _of(self, asked: Awaitable[_T]) -> _T:
        self._waiting += 1
        try:
            return await asked
        finally:
            self._waiting -= 1
