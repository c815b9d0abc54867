"""
Leases: who holds one is the only one to act, for as long as it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sipsorcery.store.errors import Conflict
from sipsorcery.store.live.interface import LiveStore
from sipsorcery.store.live.record import Record

_KIND = "lease"


@dataclass(frozen=True, slots=True)
class Lease:
    """
    The right to act on something, until a time in seconds since the epoch.
    """

    record: Record

    @property
    def name(self) -> str:
        """
        What it is about.
        """
        return self.record.key

    @property
    def expiry(self) -> float:
        """
        When it ends, unless it is renewed.
        """
        return self.record.expiry


class Leases:
    """
    Takes leases for one holder.

    :param holder: names this process, and no other one before or after it.
    :param clock: gives the seconds since the epoch. The clocks of all holders have to
        agree better than their leases are long.
    """

    def __init__(
        self, store: LiveStore, holder: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._holder = holder.encode()
        self._clock = clock

    async def take(self, name: str, duration: float) -> Lease | None:
        """
        Take a lease for *duration* seconds; again, if it is ours already.

        :return: None if somebody else has it.
        """
        held = await self._store.get(_KIND, name)
        if held is not None and held.data != self._holder:
            return None
        version = 0 if held is None else held.version
        return await self._swap(name, duration, version)

    async def renew(self, lease: Lease, duration: float) -> Lease | None:
        """
        Let a lease last for *duration* seconds from now.

        :return: None if it has ended, and whatever it allowed has to end too.
        """
        return await self._swap(lease.name, duration, lease.record.version)

    async def release(self, lease: Lease) -> None:
        """
        Let others have it; without effect if it has ended.
        """
        try:
            await self._store.remove(lease.record)
        except Conflict:
            pass

    async def holder(self, name: str) -> str | None:
        """
        Tell who has a lease.
        """
        held = await self._store.get(_KIND, name)
        return None if held is None else held.data.decode()

    async def _swap(self, name: str, duration: float, version: int) -> Lease | None:
        expiry = self._clock() + duration
        record = Record(_KIND, name, self._holder, expiry, version=version)
        try:
            return Lease(await self._store.swap(record))
        except Conflict:
            return None
