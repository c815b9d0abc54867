"""
Acting on records that several processes see, once each.

These rest on `LiveStore.swap` and `LiveStore.remove` alone, so that they hold for every
store: of all who find a record due, expired or free, the one whose change is made acts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from sipsorcery.store.errors import Conflict
from sipsorcery.store.live.interface import LiveStore
from sipsorcery.store.live.record import Record


async def take_due(
    store: LiveStore, kind: str, now: float, *, hold: float, limit: int = 100
) -> list[Record]:
    """
    Take records that are due, and put off the time of each by *hold* seconds.

    Whoever gets a record acts on it and stores it with its next due time, or none. If
    that does not happen because the process ends, it is due again after *hold*.

    :return: the records as they are stored now.
    """
    due = await store.due(kind, now, limit)
    return await _winners(store.swap(each.replace(due=now + hold)) for each in due)


async def sweep(store: LiveStore, kind: str, *, limit: int = 100) -> list[Record]:
    """
    Remove records that have expired.

    :return: those that this call has removed, as they were.
    """
    expired = await store.expired(kind, limit)
    return await _winners(store.remove(each).addCallback(_be(each)) for each in expired)


def _be(record: Record) -> Callable[[None], Record]:
    return lambda _: record


async def _winners(attempts: Iterable[Deferred[Record]]) -> list[Record]:
    """
    Wait for all attempts, which the store makes one batch, and give what was won.

    :raises StoreError: if nothing was, for another reason than that others were faster.
    """
    won: list[Record] = []
    failures: list[Failure] = []
    waiting = [each.addCallbacks(won.append, failures.append) for each in attempts]
    await DeferredList(waiting)
    for failure in failures if not won else ():
        failure.trap(Conflict)
    return won
