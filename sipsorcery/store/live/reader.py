"""
The live state of another process on the same machine, to look at only.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from sipsorcery.store.errors import StoreError, StoreUnavailable
from sipsorcery.store.live.record import Record
from sipsorcery.store.live.table import ReadableTable

_P = ParamSpec("_P")
_T = TypeVar("_T")

_PAGE = 500


class LocalReader:
    """
    Looks at what a `LocalStore` of another process has written.

    It reads the file in the thread of the reactor: a lookup takes some ten
    microseconds, never waits for the writer, and another thread would add a thousand.

    While there is no file yet, because the other process has not started for the first
    time, the store is unavailable; then each question looks for it again.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """
        Read below a folder.

        :param folder: the ``data_dir`` of the service.
        :param clock: gives the seconds since the epoch.
        """
        self._file = folder / "live.db"
        self._clock = clock
        self._table: ReadableTable | None = None

    def stop(self) -> None:
        """
        Close the file; the next question would open it again.
        """
        table, self._table = self._table, None
        if table is not None:
            table.close()

    def get(self, kind: str, key: str) -> Deferred[Record | None]:
        """
        Give one record; None if there is none.
        """
        return self._ask(ReadableTable.get, kind, key).addCallback(self._unless_expired)

    def count(self, kind: str, owner: str | None = None) -> Deferred[int]:
        """
        Count what there is of a kind, or what an owner has of it.
        """
        return self._ask(ReadableTable.count, kind, owner, self._clock())

    async def scan(self, kind: str, owner: str | None = None) -> AsyncIterator[Record]:
        """
        Give every record of a kind, or those of one owner, in no order.
        """
        after = ""
        while page := await self._ask(
            ReadableTable.page, kind, after, self._clock(), _PAGE
        ):
            after = page[-1].key
            for record in page:
                if owner in (None, record.owner):
                    yield record

    def due(self, kind: str, until: float, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that are due by *until*.
        """
        return self._ask(ReadableTable.due, kind, until, self._clock(), limit)

    def expired(self, kind: str, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that have expired and are still stored.
        """
        return self._ask(ReadableTable.expired, kind, self._clock(), limit)

    def _ask(
        self,
        question: Callable[Concatenate[ReadableTable, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_T]:
        try:
            if self._table is None:
                self._table = ReadableTable(self._file)
            return succeed(question(self._table, *args, **kwargs))
        except sqlite3.Error as error:
            return fail(StoreUnavailable(f"'{self._file}' cannot be read: {error}"))
        except StoreError as error:
            return fail(error)

    def _unless_expired(self, record: Record | None) -> Record | None:
        if record is None or record.expiry <= self._clock():
            return None
        return record
