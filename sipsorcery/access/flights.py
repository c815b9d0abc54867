"""
Questions that several ask at a time, and that are asked once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from sipsorcery.store.errors import StoreOverloaded

_K = TypeVar("_K", bound=Hashable)
_A = TypeVar("_A")


class Flights(Generic[_K, _A]):
    """
    Gives one answer to all who ask for the same while it is on its way.

    :param limit: how many may wait, in all.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._waiting: dict[_K, list[Deferred[_A]]] = {}

    def join(self, key: _K, ask: Callable[[], Awaitable[_A]]) -> Deferred[_A]:
        """
        Wait for the answer, which *ask* begins to find unless somebody else has.

        :raises StoreOverloaded: through the Deferred, if too many wait already.
        """
        if self._count >= self._limit:
            return fail(StoreOverloaded(f"{self._limit} wait for the directory"))
        self._count += 1
        answer: Deferred[_A] = Deferred()
        waiting = self._waiting.setdefault(key, [])
        waiting.append(answer)
        if len(waiting) == 1:
            asked = Deferred.fromCoroutine(_await(ask))
            asked.addBoth(self._land, key)
        return answer

    def _land(self, result: _A | Failure, key: _K) -> None:
        waiting = self._waiting.pop(key)
        self._count -= len(waiting)
        for each in waiting:
            if isinstance(result, Failure):
                each.errback(result)
            else:
                each.callback(result)


async def _await(ask: Callable[[], Awaitable[_A]]) -> _A:
    return await ask()
