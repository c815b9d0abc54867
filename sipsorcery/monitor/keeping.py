"""
The window at work: kept in a thread of its own, whatever the disk does.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.monitor.errors import WindowDamaged, WindowUnavailable
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.window import Bounds, Window
from sipsorcery.store.errors import StoreOverloaded
from sipsorcery.store.threads import PooledThreads, Threads

_T = TypeVar("_T")

#: The file of the window, below ``data_dir``.
NAME = "events.db"

# Events that wait for the disk, and their bytes: a busy server has them in seconds.
_WAITING = 10_000
_WAITING_SIZE = 32_000_000
# Events of one writing: some 10 ms of it.
_BATCH = 500
# Seconds until events are written that are few: what a crash may lose.
_PAUSE = 0.2
# Seconds until a disk that has failed is tried again.
_RETRY = 10.0
# Calls that wait for the thread: writings, and readings of some 20 ms each.
_CALLS = 100
# What SQLite says of a file that it will never read: SQLITE_CORRUPT, SQLITE_NOTADB.
_DAMAGED = frozenset({11, 26})


class Keeping:
    """
    Writes events into a window, and reads it.

    A full disk or a damaged file costs the window some events, which are counted, and
    nobody else anything.

    :param reactor: has time, and threads unless there are *threads*.
    :param file: that of the window; its folder is there.
    :param threads: one thread.
    :param clock: gives the seconds since the epoch.

    :ivar dropped: events that could not be kept.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        file: Path,
        bounds: Bounds,
        *,
        clock: Callable[[], float],
        threads: Threads | None = None,
    ) -> None:
        self.dropped = 0
        self._reactor = reactor
        self._clock = clock
        self._threads = threads or PooledThreads(
            reactor, "monitor", size=1, waiting=_CALLS
        )
        self._file = _File(file, bounds)
        self._waiting: deque[Event] = deque()
        self._size = 0
        self._timer: IDelayedCall | None = None
        self._is_writing = False
        self._has_failed = False
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """
        Events that are not written yet.
        """
        return len(self._waiting)

    def change(self, bounds: Bounds) -> None:
        """
        Keep more or less, from the next event on.
        """
        self._file.bounds = bounds

    def start(self) -> None:
        """
        Begin to keep. The file is opened in the thread.
        """
        self._threads.start()

    async def stop(self) -> None:
        """
        Write what waits, as far as the disk allows, and close the file.
        """
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
        self._has_failed = False
        while self._waiting and not self._has_failed:
            await self._write()
        self._count_dropped(len(self._waiting))
        self._waiting.clear()
        # In its turn, after what is being written.
        await self._threads.run(self._file.close)
        self._threads.stop()

    def put(self, event: Event) -> None:
        """
        Keep an event, soon.
        """
        self._waiting.append(event)
        self._size += _size(event)
        self._make_room()
        if self._timer is None and not self._is_writing:
            self._write_in(_PAUSE)
        elif len(self._waiting) == _BATCH and self._timer and not self._has_failed:
            self._timer.reset(0)

    async def use(self, work: Callable[[Window], _T]) -> _T:
        """
        Look into the window, which has all in it that was put before.

        :raises WindowUnavailable: if it cannot be read now.
        """
        while self._waiting and not self._has_failed:
            await self._write()
        try:
            return await self._threads.run(self._file.use, work)
        except StoreOverloaded as error:
            raise WindowUnavailable("too many want to read the window") from error
        except UnicodeEncodeError as error:
            raise WindowUnavailable("what is looked for is no text") from error
        except (sqlite3.Error, WindowDamaged, OSError) as error:
            raise WindowUnavailable(f"the window cannot be read: {error}") from error

    # Inside

    def _write_in(self, seconds: float) -> None:
        self._timer = self._reactor.callLater(seconds, self._write_due)

    def _write_due(self) -> None:
        self._timer = None
        if not self._is_writing:
            self._is_writing = True
            Deferred.fromCoroutine(self._write()).addBoth(self._written)

    def _written(self, result: Failure | None) -> None:
        self._is_writing = False
        if isinstance(result, Failure):
            self._log.failure("The window has failed", result)
        if self._waiting and self._timer is None and not self._is_stopping:
            is_much = len(self._waiting) >= _BATCH
            pause = 0 if is_much else _PAUSE
            self._write_in(_RETRY if self._has_failed else pause)

    async def _write(self) -> None:
        """
        Write a batch. If the disk fails it waits on, until there is no room for it.
        """
        batch = [
            self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))
        ]
        self._size -= sum(map(_size, batch))
        now = self._clock()
        try:
            await self._threads.run(
                self._file.use, lambda window: window.append(batch, now)
            )
        except (sqlite3.Error, WindowDamaged, OSError, StoreOverloaded) as error:
            self._waiting.extendleft(reversed(batch))
            self._size += sum(map(_size, batch))
            self._make_room()
            if not self._has_failed:
                self._log.error(
                    "Events cannot be kept: {error}. They are still served live",
                    error=error,
                )
            self._has_failed = True
        except Exception:
            # An event of which we did not think must not stop the others.
            self._log.failure("{count} events were not kept", count=len(batch))
            self._count_dropped(len(batch))
        else:
            if self._has_failed:
                self._log.info("Events are kept again")
            self._has_failed = False

    def _make_room(self) -> None:
        while len(self._waiting) > _WAITING or self._size > _WAITING_SIZE:
            self._size -= _size(self._waiting.popleft())
            self._count_dropped(1)

    def _count_dropped(self, count: int) -> None:
        # Once for each power of ten: the log must not drown with it.
        before, self.dropped = self.dropped, self.dropped + count
        if len(str(before)) < len(str(self.dropped)) or (count and not before):
            self._log.warn("{count} events were not kept", count=self.dropped)


class _File:
    """
    The file of the window, in the thread.
    """

    _log = Logger(namespace="sipsorcery.monitor.keeping.Keeping")

    def __init__(self, file: Path, bounds: Bounds) -> None:
        self._file = file
        self.bounds = bounds
        self._window: Window | None = None

    def use(self, work: Callable[[Window], _T]) -> _T:
        """
        Do something with the window. If that fails, the next one begins anew.
        """
        try:
            if self._window is None:
                self._window = self._open()
            self._window.bounds = self.bounds
            return work(self._window)
        except (sqlite3.Error, WindowDamaged, OSError) as error:
            self.close()
            if _is_damage(error):
                self._set_aside(error)
            raise

    def close(self) -> None:
        """
        Close the window, if it is open.
        """
        window, self._window = self._window, None
        if window is not None:
            window.close()

    def _open(self) -> Window:
        # What SQLite makes itself, others may read.
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
        return Window(self._file, self.bounds)

    def _set_aside(self, error: Exception) -> None:
        """
        Make room for a new file; whoever wants to can look at the old one.
        """
        aside = self._file.with_name(f"{self._file.name}.damaged")
        self._log.error(
            "The window '{file}' cannot be read: {error}. It is now '{aside}', and "
            "there will be a new one",
            file=str(self._file),
            error=error,
            aside=str(aside),
        )
        self._file.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    if isinstance(error, WindowDamaged):
        return True
    return getattr(error, "sqlite_errorcode", 0) in _DAMAGED


def _size(event: Event) -> int:
    data = event.trace.data if event.trace is not None else b""
    return len(event.message) + len(data)
