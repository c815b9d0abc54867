"""
Things that many may wait for: an outcome that is known once, and a row of news.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

T = TypeVar("T")


class Outcome(Generic[T]):
    """
    A value, or an error, that becomes known once.

    Each who waits has a Deferred of their own; to cancel it disturbs nobody else. An
    error that nobody waits for is no fault.
    """

    __slots__ = ("_error", "_value", "_waiting", "is_known")

    _value: T

    def __init__(self) -> None:
        self.is_known = False
        self._error: Exception | None = None
        self._waiting: list[Deferred[T]] | None = None

    def wait(self) -> Deferred[T]:
        """
        Give the value when it is known, or fail with the error.
        """
        if self.is_known:
            return succeed(self._value) if self._error is None else fail(self._error)
        if self._waiting is None:
            self._waiting = []
        waiting: Deferred[T] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def succeed(self, value: T) -> None:
        """
        Make the value known; once something is known, do nothing.
        """
        if not self.is_known:
            self.is_known = True
            self._value = value
            for waiting in self._take_waiting():
                waiting.callback(value)

    def fail(self, error: Exception) -> None:
        """
        Make an error known; once something is known, do nothing.
        """
        if not self.is_known:
            self.is_known = True
            self._error = error
            for waiting in self._take_waiting():
                waiting.errback(error)

    def _take_waiting(self) -> list[Deferred[T]]:
        waiting, self._waiting = self._waiting, None
        return waiting or []


def to_its_end(coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
    """
    Run a coroutine to its end, even if whoever waits for it is cancelled.
    """
    outcome: Outcome[T] = Outcome()

    def failed(failure: Failure) -> None:
        assert isinstance(failure.value, Exception)  # nobody cancels it
        outcome.fail(failure.value)

    Deferred.fromCoroutine(coroutine).addCallbacks(outcome.succeed, failed)
    return outcome.wait()


class News(Generic[T]):
    """
    Items as they come, for ``async for``; each item goes to one reader.

    :param limit: items kept for a reader who takes his time; beyond, the oldest are
        dropped, for a peer may send any number.
    """

    __slots__ = ("_is_over", "_items", "_reader")

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._reader: Deferred[None] | None = None
        self._is_over = False

    def put(self, item: T) -> None:
        """
        Add an item.
        """
        self._items.append(item)
        self._wake()

    def close(self) -> None:
        """
        Add nothing more: the reader's loop ends when all are read.
        """
        self._is_over = True
        self._wake()

    def __aiter__(self) -> News[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._is_over:
                raise StopAsyncIteration
            self._reader = Deferred()
            await self._reader
        return self._items.popleft()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)
