"""
The stored bindings, and all who have to hear when they change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import EventKind
from sipsorcery.registrar.core import Change, Fate, Outcome, close_flow, expire, remove
from sipsorcery.registrar.flows import FlowIndex
from sipsorcery.registrar.telling import Telling
from sipsorcery.store.bindings import BINDINGS, Bindings, make_record
from sipsorcery.store.errors import Conflict
from sipsorcery.store.live import LiveStore, sweep
from sipsorcery.store.live.record import Record

# Each time somebody else was faster. Two phones of a user may start together; who loses
# so often stands against a machine.
_ATTEMPTS = 10
# Records that are looked at before others get their turn: half a millisecond of them.
_AT_ONCE = 100

_KINDS = {
    Fate.ADDED: EventKind.BINDING_ADDED,
    Fate.UPDATED: EventKind.BINDING_UPDATED,
    Fate.REMOVED: EventKind.BINDING_REMOVED,
    Fate.EXPIRED: EventKind.BINDING_EXPIRED,
}


class Watcher(Protocol):
    """
    Hear of the bindings of an address-of-record as they are stored now.
    """

    def __call__(self, aor: str, bindings: Bindings) -> object:
        """
        Take it up with them.
        """


class Locations:
    """
    Changes bindings, one address-of-record at a time.

    :param flows: knows which of them rest on connections.
    :param watch: hears of each change.
    :param clock: gives the seconds since the epoch.
    :param keeps_alive: whether the way to those is kept open who need it.
    """

    def __init__(
        self,
        live: LiveStore,
        bus: Bus,
        flows: FlowIndex,
        watch: Watcher,
        clock: Callable[[], float],
        keeps_alive: bool = False,
    ) -> None:
        self.keeps_alive = keeps_alive
        self._live = live
        self._telling = Telling(bus, clock)
        self._flows = flows
        self._watch = watch
        self._clock = clock

    async def recall(self) -> None:
        """
        Tell of all bindings that are stored already.

        :raises StoreError: if they cannot be read.
        """
        async for aor, bindings in self._all():
            self._flows.add(aor, bindings)
            self._watch(aor, bindings)

    async def get(self, aor: str) -> Bindings:
        """
        Give the bindings of an address-of-record.

        :raises StoreError: if they cannot be read.
        """
        record = await self._live.get(BINDINGS.name, aor)
        return Bindings() if record is None else BINDINGS.read(record)

    async def owner(self, aor: str) -> str:
        """
        Give the user whose bindings these are; "": there are none.

        :raises StoreError: if that cannot be read.
        """
        record = await self._live.get(BINDINGS.name, aor)
        return "" if record is None else record.owner

    async def change(
        self, aor: str, owner: str, decide: Callable[[Bindings], Outcome]
    ) -> Outcome:
        """
        Let *decide* make new bindings of the stored ones, and store those.

        It may be asked more than once: the last time counts. What it raises ends this.

        :raises StoreError: `Conflict`, if others were faster all the time.
        """
        record = await self._live.get(BINDINGS.name, aor)
        for _ in range(_ATTEMPTS):
            before = Bindings() if record is None else BINDINGS.read(record)
            outcome = decide(before)
            if not outcome.changes:
                return outcome
            try:
                await self._store(aor, owner, record, outcome.bindings)
            except Conflict as conflict:
                record, last = conflict.current, conflict
                continue
            self._tell(aor, owner, before, outcome)
            return outcome
        raise last

    async def close_flow(self, token: str) -> None:
        """
        Remove the bindings that rest on a connection that is gone, and no others.
        """
        for aor in self._flows.close(token):
            owner = await self.owner(aor)
            await self.change(aor, owner, lambda stored: close_flow(stored, token))

    async def all_names(self) -> AsyncIterator[str]:
        """
        Give every address-of-record that has bindings.

        :raises StoreError: if they cannot be read.
        """
        async for record in self._live.scan(BINDINGS.name):
            yield record.key

    async def remove(self, aor: str, reason: str) -> None:
        """
        Remove all bindings of an address-of-record.
        """
        owner = await self.owner(aor)
        await self.change(aor, owner, lambda stored: remove(stored, reason))

    async def sweep(self) -> None:
        """
        Remove what has expired.

        :raises StoreError: if that cannot be stored now.
        """
        while gone := await sweep(self._live, BINDINGS.name, limit=_AT_ONCE):
            for record in gone:
                before = BINDINGS.read(record)
                # Whoever has come back meanwhile stays.
                after = await self.get(record.key)
                outcome = Outcome(
                    after, tuple(Change(Fate.EXPIRED, each) for each in before)
                )
                self._tell(record.key, record.owner, before, outcome)
            if len(gone) < _AT_ONCE:
                break
        now = self._clock()
        for record in await self._live.due(BINDINGS.name, now, _AT_ONCE):
            await self.change(
                record.key, record.owner, lambda stored: expire(stored, self._clock())
            )

    # Inside

    async def _all(self) -> AsyncIterator[tuple[str, Bindings]]:
        async for record in self._live.scan(BINDINGS.name):
            yield record.key, BINDINGS.read(record)

    async def _store(
        self, aor: str, owner: str, record: Record | None, bindings: Bindings
    ) -> None:
        if bindings:
            version = 0 if record is None else record.version
            self._flows.add(aor, bindings)
            await self._live.swap(make_record(aor, bindings, owner, version))
        elif record is not None:
            await self._live.remove(record)

    def _tell(self, aor: str, owner: str, before: Bindings, outcome: Outcome) -> None:
        self._flows.settle(aor, before, outcome.bindings)
        self._watch(aor, outcome.bindings)
        for change in outcome.changes:
            self._tell_change(aor, owner, change)

    def _tell_change(self, aor: str, owner: str, change: Change) -> None:
        kind, binding = _KINDS[change.fate], change.binding
        message = f"{aor} at {binding.contact} {change.fate}"
        self._telling.tell(kind, aor, owner, binding, message, change.reason)
        if self.keeps_alive and change.fate is Fate.ADDED and binding.keeps_alive:
            message = f"the way to {aor} at {binding.contact} is kept open"
            kind = EventKind.KEEP_ALIVE_STARTED
            self._telling.tell(kind, aor, owner, binding, message)
