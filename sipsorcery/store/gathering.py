"""
Questions that come while one is under way, gathered into the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from sipsorcery.store.errors import StoreOverloaded

_Q = TypeVar("_Q")
_A = TypeVar("_A")

# Questions that go together: a statement of PostgreSQL takes 65,535 parameters, which
# is more than a hundred for each.
_AT_ONCE = 500


class Gathering(Generic[_Q, _A]):
    """
    Asks many questions as one: a thread and a transaction cost more than a row.

    :param ask: answers each question of a list, in their order.
    :param limit: questions that may wait.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        ask: Callable[[Sequence[_Q]], Deferred[list[_A]]],
        *,
        limit: int,
    ) -> None:
        self._reactor = reactor
        self._ask = ask
        self._limit = limit
        self._waiting: list[tuple[_Q, Deferred[_A]]] = []
        self._is_asking = False
        self._start: IDelayedCall | None = None

    def ask(self, question: _Q) -> Deferred[_A]:
        """
        Ask a question.

        :raises StoreOverloaded: through the Deferred, if too many wait already.
        """
        if len(self._waiting) >= self._limit:
            return fail(
                StoreOverloaded(f"{self._limit} questions wait for the directory")
            )
        answer: Deferred[_A] = Deferred()
        self._waiting.append((question, answer))
        if not self._is_asking and self._start is None:
            # Not at once: what else this turn of the reactor brings comes along.
            self._start = self._reactor.callLater(0, self._begin)
        return answer

    def _begin(self) -> None:
        self._start = None
        self._is_asking = True
        now, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        answered = self._ask([question for question, _ in now])
        answered.addCallbacks(
            self._answered, self._failed, callbackArgs=(now,), errbackArgs=(now,)
        )

    def _answered(self, answers: list[_A], now: list[tuple[_Q, Deferred[_A]]]) -> None:
        self._next()
        for (_, waiting), answer in zip(now, answers, strict=True):
            waiting.callback(answer)

    def _failed(self, failure: Failure, now: list[tuple[_Q, Deferred[_A]]]) -> None:
        self._next()
        for _, waiting in now:
            waiting.errback(failure)

    def _next(self) -> None:
        self._is_asking = False
        if self._waiting:
            self._begin()
