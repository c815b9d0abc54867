"""
The dialplans and providers of the directory, in memory: asked for with every call.

Others change the directory, too. So its counters of changes are looked at every two
seconds, by whoever comes next, and what has changed is asked for again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

from sipsorcery.access.accounts import CURRENCY
from sipsorcery.store.directory import Dialplan, Directory, Provider, User
from sipsorcery.store.errors import StoreError

# Dialplans that are kept, of 8 kB mostly and 256 kB at most; providers; and users.
_PLANS = 1000
_PROVIDERS = 20_000
_USERS = 20_000
# Settings, which are some hundred bytes each, and 64 kB at most.
_SETTINGS = 2000
# Characters of a name that is looked for: longer ones are nobody's.
_MAX_NAME = 128

_T = TypeVar("_T")


class Configured:
    """
    What users have set up for their calls.

    :param directory: started.
    """

    def __init__(self, directory: Directory, reactor: IReactorTime) -> None:
        self._directory = directory
        self._reactor = reactor
        self._due = reactor.seconds()
        self._revisions: Mapping[str, int] = {}
        self._plans: _Table[Dialplan] = _Table(_PLANS)
        self._providers: _Table[Provider] = _Table(_PROVIDERS)
        self._settings: _Table[Any] = _Table(_SETTINGS)
        self._users: _Table[User] = _Table(_USERS)

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find a dialplan of a user.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        return await self._find(
            self._plans,
            owner,
            name,
            lambda: self._directory.of(owner).dialplans.find(name),
        )

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Find a provider of a user.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        return await self._find(
            self._providers,
            owner,
            name,
            lambda: self._directory.of(owner).providers.find(name),
        )

    async def time_zone(self, owner: str) -> str:
        """
        Give the name of the time zone that a user lives in.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        users = self._directory.everyone.users
        user = await self._find(self._users, owner, owner, lambda: users.find(owner))
        return "UTC" if user is None else user.time_zone

    async def setting(self, owner: str, name: str) -> Any:
        """
        Give a setting of a user; None: it is not set.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        return await self._find(
            self._settings,
            owner,
            name,
            lambda: self._directory.of(owner).settings.get(name),
        )

    # Inside

    async def _find(
        self,
        table: _Table[_T],
        owner: str,
        name: str,
        find: Callable[[], Awaitable[_T | None]],
    ) -> _T | None:
        if len(name) > _MAX_NAME:
            return None
        await self._catch_up()
        key = owner, name.strip().lower()
        if key in table:
            return table.give(key)
        generation = table.generation
        found = await find()
        if table.generation == generation:  # or it may be what has just changed
            table.keep(key, found)
        return found

    async def _catch_up(self) -> None:
        if self._reactor.seconds() < self._due:
            return
        revisions: Mapping[str, int]
        try:
            revisions = await self._directory.revisions()
        except StoreError:
            if not self._revisions:
                raise
            revisions = self._revisions  # what is known goes on to hold
        if revisions.get("dialplans") != self._revisions.get("dialplans"):
            self._plans.clear()
        if revisions.get("providers") != self._revisions.get("providers"):
            self._providers.clear()
        if revisions.get("users") != self._revisions.get("users"):
            self._users.clear()
        if revisions.get("settings") != self._revisions.get("settings"):
            self._settings.clear()
        self._revisions = revisions
        self._due = self._reactor.seconds() + CURRENCY


class _Table(Generic[_T]):
    """
    What was asked for last; None of what there is not.

    :ivar generation: one higher each time that all of it is forgotten.
    """

    def __init__(self, limit: int) -> None:
        self.generation = 0
        self._limit = limit
        self._entries: OrderedDict[tuple[str, str], _T | None] = OrderedDict()

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._entries

    def keep(self, key: tuple[str, str], entry: _T | None) -> None:
        self._entries[key] = entry
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def give(self, key: tuple[str, str]) -> _T | None:
        self._entries.move_to_end(key)
        return self._entries[key]

    def clear(self) -> None:
        self.generation += 1
        self._entries.clear()
