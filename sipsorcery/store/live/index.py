"""
All records of a store, in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sipsorcery.store.live.buckets import Buckets
from sipsorcery.store.live.record import Record


class Index:
    """
    Records by kind and key, by owner, and by the times at which to look at them.

    It knows no clock: what has expired is here until it is removed.
    """

    def __init__(self) -> None:
        self._shelves: defaultdict[str, _Shelf] = defaultdict(_Shelf)

    def __len__(self) -> int:
        return sum(len(shelf.records) for shelf in self._shelves.values())

    def kinds(self) -> list[str]:
        """
        Name the kinds that there are records of, or were.
        """
        return list(self._shelves)

    def get(self, kind: str, key: str) -> Record | None:
        """
        Give one record.
        """
        return self._shelves[kind].records.get(key)

    def put(self, record: Record) -> None:
        """
        Put a record in, in place of the one with its key.
        """
        self._shelves[record.kind].put(record)

    def remove(self, kind: str, key: str) -> None:
        """
        Take a record out; without effect if it is not there.
        """
        self._shelves[kind].remove(key)

    def keys(self, kind: str, owner: str | None = None) -> Collection[str]:
        """
        Give the keys of a kind, or those of one owner, as they are now.
        """
        shelf = self._shelves[kind]
        return shelf.records if owner is None else shelf.owners.get(owner, ())

    def due(self, kind: str, until: float, now: float, limit: int) -> list[Record]:
        """
        Give records that are due by *until* and expire after *now*.
        """
        return self._shelves[kind].due(until, now, limit)

    def expired(self, kind: str, now: float, limit: int) -> list[Record]:
        """
        Give records that expire by *now*.
        """
        return self._shelves[kind].expired(now, limit)


class _Shelf:
    """
    The records of one kind.
    """

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.owners: dict[str, set[str]] = {}
        self._expiries = Buckets()
        self._dues = Buckets()

    def put(self, record: Record) -> None:
        old = self.records.get(record.key)
        if old is None:
            self._note_expiry(record)
            self._note_due(record)
            self._note_owner(record)
        else:
            # A refresh changes the expiry, and rarely anything else.
            if int(old.expiry) != int(record.expiry):
                self._expiries.remove(old.key, old.expiry)
                self._note_expiry(record)
            if old.due != record.due:
                self._forget_due(old)
                self._note_due(record)
            if old.owner != record.owner:
                self._forget_owner(old)
                self._note_owner(record)
        self.records[record.key] = record

    def remove(self, key: str) -> None:
        old = self.records.pop(key, None)
        if old is not None:
            self._expiries.remove(key, old.expiry)
            self._forget_due(old)
            self._forget_owner(old)

    def due(self, until: float, now: float, limit: int) -> list[Record]:
        def is_due(key: str) -> bool:
            record = self.records[key]
            return (
                record.expiry > now and record.due is not None and record.due <= until
            )

        return [self.records[key] for key in self._dues.until(until, limit, is_due)]

    def expired(self, now: float, limit: int) -> list[Record]:
        def is_expired(key: str) -> bool:
            return self.records[key].expiry <= now

        found = self._expiries.until(now, limit, is_expired)
        return [self.records[key] for key in found]

    def _note_expiry(self, record: Record) -> None:
        self._expiries.add(record.key, record.expiry)

    def _note_due(self, record: Record) -> None:
        if record.due is not None:
            self._dues.add(record.key, record.due)

    def _forget_due(self, record: Record) -> None:
        if record.due is not None:
            self._dues.remove(record.key, record.due)

    def _note_owner(self, record: Record) -> None:
        if record.owner:
            self.owners.setdefault(record.owner, set()).add(record.key)

    def _forget_owner(self, record: Record) -> None:
        if record.owner:
            keys = self.owners[record.owner]
            keys.remove(record.key)
            if not keys:
                del self.owners[record.owner]
