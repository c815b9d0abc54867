"""
Threads for what blocks: few of them, and a bound on what waits for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from sipsorcery.store.errors import StoreOverloaded

_T = TypeVar("_T")


class Threads(Protocol):
    """
    Runs functions outside the thread of the reactor.
    """

    def start(self) -> None:
        """
        Begin to take work.
        """

    def stop(self) -> None:
        """
        Finish what was begun and end the threads.
        """

    def run(self, work: Callable[..., _T], *arguments: Any) -> Deferred[_T]:
        """
        Run *work*, and give its result in the thread of the reactor.

        :raises StoreOverloaded: through the Deferred, if too much waits already.
        """


class PooledThreads:
    """
    The threads of a pool of their own.

    :param reactor: has ``callFromThread``.
    :param size: how many threads there are at most.
    :param waiting: how many calls may wait for one. They hold memory, and whoever made
        them waits too long anyway.
    """

    def __init__(self, reactor: Any, name: str, *, size: int, waiting: int) -> None:
        self._reactor = reactor
        self._name = name
        self._size = size
        self._limit = size + waiting
        self._running = 0

    def start(self) -> None:
        """
        Begin to take work; threads start when there is some.
        """
        # A pool that was stopped does not start again.
        self._pool = ThreadPool(0, self._size, self._name)
        self._pool.start()

    def stop(self) -> None:
        """
        Finish what was begun and end the threads; this blocks until it is done.
        """
        self._pool.stop()

    def run(self, work: Callable[..., _T], *arguments: Any) -> Deferred[_T]:
        """
        Run *work* in a thread.

        :raises TypeError: if the reactor knows of no threads, as those of tests do not:
            here, and not in a thread, of which only a log would hear.
        """
        if not IReactorFromThreads.providedBy(self._reactor):
            raise TypeError(f"{self._reactor!r} knows of no threads")
        if self._running >= self._limit:
            return fail(
                StoreOverloaded(f"{self._running} calls wait for a thread already")
            )
        self._running += 1
        done: Deferred[_T] = deferToThreadPool(
            self._reactor, self._pool, work, *arguments
        )
        return done.addBoth(self._count)

    def _count(self, result: _T) -> _T:
        self._running -= 1
        return result
