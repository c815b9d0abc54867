"""
What a store of live state offers, wherever it keeps the records.

``tests/store/contract.py`` says the same as tests, which run on every implementation.
All times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from twisted.internet.defer import Deferred

from sipsorcery.store.live.record import Record


class LiveReader(Protocol):
    """
    Look at the live state.

    A record that has expired is not there any more, but for `expired`. Each Deferred
    may fail with `StoreUnavailable`.
    """

    def get(self, kind: str, key: str) -> Deferred[Record | None]:
        """
        Give one record; None if there is none.
        """

    def count(self, kind: str, owner: str | None = None) -> Deferred[int]:
        """
        Count what there is of a kind, or what an owner has of it.
        """

    def scan(self, kind: str, owner: str | None = None) -> AsyncIterator[Record]:
        """
        Give every record of a kind, or those of one owner, in no order.

        A record that comes, changes or goes meanwhile may be given or not, as it was or
        as it is, but never twice.
        """

    def due(self, kind: str, until: float, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that are due by *until*, the earliest second first.

        They stay due until somebody changes them: see `take_due`. It may give fewer
        than there are, so ask again.
        """

    def expired(self, kind: str, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that have expired and are still stored, likewise.

        A minute after its expiry a record goes by itself; until then, who wants to act
        on it can: see `sweep`.
        """


class LiveStore(LiveReader, Protocol):
    """
    Look at the live state, and change it record by record.

    A Deferred that gives its result says that the change is stored as durably as the
    store was told to. It may fail with `StoreUnavailable`, when that took too long: the
    change then holds for those who ask, and is stored as soon as that is possible. With
    `StoreOverloaded` or `InvalidRecord` nothing has changed.
    """

    def put(self, record: Record) -> Deferred[Record]:
        """
        Store a record, whatever is there under its key.

        :return: the record with its new version.
        """

    def swap(self, record: Record) -> Deferred[Record]:
        """
        Store a record in place of the version that it carries; 0: in place of none.

        So one reads a record, changes it with ``replace``, and swaps it in.

        :return: the record with its new version.
        :raises Conflict: through the Deferred, if another version is stored, or one
            where none should be, or none where one should be.
        """

    def remove(self, record: Record) -> Deferred[None]:
        """
        Remove the version that *record* carries, also if it has expired.

        :raises Conflict: through the Deferred, as with `swap`.
        """

    def discard(self, kind: str, key: str) -> Deferred[None]:
        """
        Remove what is there under a key, if anything is.
        """
