"""
The live state of one process: all of it in memory, and each change on the disk.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import (
    Deferred,
    FirstError,
    TimeoutError,
    fail,
    gatherResults,
    succeed,
)
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from sipsorcery.config import Durability
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.errors import (
    Conflict,
    StoreError,
    StoreInUse,
    StoreUnavailable,
)
from sipsorcery.store.files import FileLock
from sipsorcery.store.live.commit import GroupCommit
from sipsorcery.store.live.index import Index
from sipsorcery.store.live.record import Record
from sipsorcery.store.live.table import Removal, WritableTable
from sipsorcery.store.threads import PooledThreads, Threads

#: Changes that may wait for the disk: what a disk that stands still for the two seconds
#: of the timeout leaves of 6,000 refreshes a second.
LIMIT = 12_000

# Seconds that an expired record is kept for whoever wants to act on it.
_KEPT = 60.0
# A version is the number of the start and that of the change since: so none is given
# twice, whatever is removed, and whatever the clock does. At 10,000 changes a second
# they last for 50 years; 63 bits, as SQLite has them, leave 500,000 starts.
_CHANGES_BITS = 44
# Records that are read, or removed, before others get their turn: half a millisecond.
_AT_ONCE = 500


class LocalStore:
    """
    The live state of one process.

    What is asked is answered from memory. A change holds in memory at once, so that the
    next who asks sees it, and is acknowledged when it is on the disk.

    :param reactor: has time, and threads unless there are *threads*.
    :param folder: the ``data_dir`` of the service.
    :param timeout: seconds that a caller waits for the disk.
    :param limit: changes that may wait for the disk; after that there is
        `StoreOverloaded`.
    :param threads: one thread, for the disk.
    :param clock: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        *,
        durability: Durability = Durability.PROCESS,
        timeout: float = 2.0,
        limit: int = LIMIT,
        threads: Threads | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._durability = durability
        self._timeout = timeout
        self._limit = limit
        self._threads = threads or PooledThreads(reactor, "live", size=1, waiting=1)
        self._clock = clock
        self._lock = FileLock(folder / "live.lock")
        self._index = Index()
        self._version = 0
        self._commit: GroupCommit | None = None
        self._purging = LoopingCall(self._purge)
        self._purging.clock = reactor

    def start(self) -> None:
        """
        Open the file, or make it, and read it into memory.

        :raises StoreInUse: if another process has it.
        :raises StoreDamaged: if it cannot be used.
        :raises StoreUnavailable: if the disk does not let it be used.
        :raises OSError: if it cannot be read or made.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.take()
        except StoreInUse as error:
            raise StoreInUse(
                f"another process writes the live state: {error}. With storage.live = "
                '"local" there can be one only; several need Redis'
            ) from None
        try:
            self._table = self._open()
        except BaseException:
            self._lock.release()
            raise
        self._threads.start()
        self._commit = GroupCommit(
            self._reactor,
            self._threads,
            self._table.write,
            timeout=self._timeout,
            limit=self._limit,
        )
        self._purging.start(_KEPT, now=False)

    async def stop(self) -> None:
        """
        Write what waits, for as long as a caller would wait, and close the file.
        """
        commit, self._commit = self._commit, None
        if commit is None:
            return
        self._purging.stop()
        try:
            await commit.finish()
        except TimeoutError:
            self._log.error("The live state could not be written before the end")
        commit.stop()
        self._threads.stop()
        self._table.close()
        self._lock.release()
        self._index = Index()

    # Looking

    def get(self, kind: str, key: str) -> Deferred[Record | None]:
        """
        Give one record; None if there is none.
        """
        if self._commit is None:
            return fail(_closed())
        return succeed(self._living(kind, key))

    def count(self, kind: str, owner: str | None = None) -> Deferred[int]:
        """
        Count what there is of a kind, or what an owner has of it.
        """
        if self._commit is None:
            return fail(_closed())
        keys = self._index.keys(kind, owner)
        return succeed(sum(self._living(kind, key) is not None for key in keys))

    async def scan(self, kind: str, owner: str | None = None) -> AsyncIterator[Record]:
        """
        Give every record of a kind, or those of one owner, in no order.
        """
        self._writing()
        for turn, key in enumerate(list(self._index.keys(kind, owner))):
            if turn % _AT_ONCE == _AT_ONCE - 1:
                await deferLater(self._reactor, 0)
                self._writing()
            record = self._living(kind, key)
            if record is not None and owner in (None, record.owner):
                yield record

    def due(self, kind: str, until: float, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that are due by *until*.
        """
        if self._commit is None:
            return fail(_closed())
        return succeed(self._index.due(kind, until, self._clock(), limit))

    def expired(self, kind: str, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that have expired and are still stored.
        """
        if self._commit is None:
            return fail(_closed())
        return succeed(self._index.expired(kind, self._clock(), limit))

    # Changing

    def put(self, record: Record) -> Deferred[Record]:
        """
        Store a record, whatever is there under its key.
        """
        try:
            record.check()
            return self._put(record)
        except StoreError as error:
            return fail(error)

    def swap(self, record: Record) -> Deferred[Record]:
        """
        Store a record in place of the version that it carries; 0: in place of none.
        """
        try:
            record.check()
            self._writing()
            current = self._living(record.kind, record.key)
            if record.version != (0 if current is None else current.version):
                raise _conflict(record, current)
            return self._put(record)
        except StoreError as error:
            return fail(error)

    def remove(self, record: Record) -> Deferred[None]:
        """
        Remove the version that *record* carries, also if it has expired.
        """
        try:
            self._writing()
            current = self._index.get(record.kind, record.key)
            if current is None or record.version != current.version:
                raise _conflict(record, self._living(record.kind, record.key))
            return self._discard(record.kind, record.key)
        except StoreError as error:
            return fail(error)

    def discard(self, kind: str, key: str) -> Deferred[None]:
        """
        Remove what is there under a key, if anything is.
        """
        try:
            return self._discard(kind, key)
        except StoreError as error:
            return fail(error)

    # Inside

    def _open(self) -> WritableTable:
        table = WritableTable(self._folder / "live.db", self._durability)
        try:
            self._version = table.count_start() << _CHANGES_BITS
            for record in table.load():
                self._index.put(record)
        except BaseException:
            table.close()
            raise
        return table

    def _living(self, kind: str, key: str) -> Record | None:
        record = self._index.get(kind, key)
        if record is None or record.expiry <= self._clock():
            return None
        return record

    def _put(self, record: Record) -> Deferred[Record]:
        version = self._version + 1
        stored = Record(
            record.kind,
            record.key,
            record.data,
            record.expiry,
            record.owner,
            record.due,
            version,
        )
        done = self._writing().add(stored, stored)
        self._version = version
        self._index.put(stored)
        return done

    def _discard(self, kind: str, key: str) -> Deferred[None]:
        # Also if it is not there: its removal may still wait for the disk.
        done = self._writing().add(Removal(kind, key), None)
        self._index.remove(kind, key)
        return done

    def _writing(self) -> GroupCommit:
        if self._commit is None:
            raise _closed()
        return self._commit

    async def _purge(self) -> None:
        """
        Remove what has expired and nobody has cared for.
        """
        long_ago = self._clock() - _KEPT
        for kind in self._index.kinds():
            while old := self._index.expired(kind, long_ago, _AT_ONCE):
                removals = [self.discard(each.kind, each.key) for each in old]
                try:
                    await gatherResults(removals, consumeErrors=True)
                except FirstError as error:
                    # The next round goes on. The reason is in the log already.
                    error.subFailure.trap(StoreError)
                    return


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the live state is not open")


def _conflict(record: Record, current: Record | None) -> Conflict:
    return Conflict(f"{record.kind} {excerpt(record.key)} has changed", current)
