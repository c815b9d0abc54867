"""
The questions to one Redis, in their order: all that wait go together.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import chain
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import (  # type: ignore[import-untyped]
    ConnectionError,
    RedisError,
)

from sipsorcery.store.errors import StoreError, StoreOverloaded, StoreUnavailable
from sipsorcery.store.live.redis.questions import (
    SCRIPT,
    Question,
    read_batch,
    write_batch,
)
from sipsorcery.store.live.redis.server import NotReplicated, Server

_T = TypeVar("_T")

# Of one batch: Redis answers nobody else meanwhile, so a millisecond or two.
_AT_ONCE = 200
_BYTES_AT_ONCE = 512 * 1024
# Bytes that may wait for a Redis that is away.
_BYTES_WAITING = 64 * 1024 * 1024
# Seconds until a batch that was refused for now is tried again.
_RETRY = 0.2
# Refusals that time mends; with any other, something is wrong with the questions.
_FOR_NOW = ("LOADING", "READONLY", "MASTERDOWN", "BUSY", "MISCONF", "OOM", "NOREPLICAS")


class Shard:
    """
    Asks one Redis, one batch at a time.

    A change is not given up when nobody waits for it any more: it is made as soon as
    the Redis is back.

    :param timeout: seconds that a caller waits for an answer.
    :param limit: questions that may wait; after that there is `StoreOverloaded`.
    :param clock: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        server: Server,
        *,
        timeout: float,
        limit: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._server = server
        self._timeout = timeout
        self._limit = limit
        self._clock = clock
        self._is_open = False
        self._waiting: deque[_Asked[Any]] = deque()
        self._asking: list[_Asked[Any]] = []  # the batch that is on its way
        self._size = 0  # bytes in both
        self._is_again = False  # the next batch may have been answered before
        self._is_away = False
        self._start: IDelayedCall | None = None
        self._work: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._idle: Deferred[None] | None = None

    def open(self) -> None:
        """
        Begin to connect.
        """
        self._is_open = True
        self._server.connect()

    async def close(self) -> None:
        """
        Ask what waits, for as long as a caller would wait, and hang up.
        """
        if not self._is_open:
            return
        self._is_open = False
        if self._waiting or self._asking:
            self._idle = Deferred()
            try:
                await self._idle.addTimeout(self._timeout, self._reactor)
            except TimeoutError:
                self._log.error(
                    "{count} questions to {server} had no answer before the end",
                    count=len(self._waiting) + len(self._asking),
                    server=self._server.name,
                )
            self._idle = None
        if self._work is not None:
            self._work.cancel()
        for call in (self._start, self._timer):
            if call is not None and call.active():
                call.cancel()
        for asked in chain(self._asking, self._waiting):
            asked.give_up(StoreUnavailable("the live state has been closed"))
        self._asking.clear()
        self._waiting.clear()
        await self._server.disconnect()

    def ask(self, question: Question[_T]) -> Deferred[_T]:
        """
        Ask a question, after all others that wait.
        """
        if not self._is_open:
            return fail(StoreUnavailable("the live state is not open"))
        waiting = len(self._waiting) + len(self._asking)
        if waiting >= self._limit or self._size + len(question.value) > _BYTES_WAITING:
            return fail(
                StoreOverloaded(f"{waiting} questions wait for {self._server.name}")
            )
        asked = _Asked(question, self._reactor.seconds() + self._timeout)
        self._waiting.append(asked)
        self._size += len(question.value)
        if self._timer is None:
            self._timer = self._reactor.callLater(self._timeout, self._tell_late)
        if self._work is None and self._start is None:
            # Not at once: what else this turn of the reactor brings comes along.
            self._start = self._reactor.callLater(0, self._begin)
        return asked.answer

    def _begin(self) -> None:
        self._start = None
        self._work = Deferred.fromCoroutine(self._ask_all())
        self._work.addErrback(self._failed)

    async def _ask_all(self) -> None:
        while self._waiting:
            protocol = await self._server.connected()
            batch = self._asking = self._next_batch()
            try:
                answer = await protocol.eval(
                    SCRIPT,
                    args=[
                        *write_batch([asked.question for asked in batch]),
                        repr(self._clock()),
                        "1" if self._is_again else "",
                    ],
                )
                parts = read_batch(answer)
                if any(asked.question.is_change for asked in batch):
                    await self._server.settle(protocol)
            except (ConnectionError, NotReplicated) as error:
                # Nobody knows whether they were answered, or whether that will last:
                # perhaps another one is the master now.
                self._is_again = True
                protocol.transport.loseConnection()
                await self._put_off(error)
            except RedisError as error:
                if str(error).startswith(_FOR_NOW):
                    # Perhaps another one is the master now: look again.
                    protocol.transport.loseConnection()
                    await self._put_off(error)
                else:
                    self._refuse(error)
            else:
                self._done()
                for asked, part in zip(batch, parts, strict=True):
                    asked.be_told(part)
        self._work = None
        if self._idle is not None:
            self._idle.callback(None)

    def _next_batch(self) -> list[_Asked[Any]]:
        batch: list[_Asked[Any]] = []
        size = 0
        while self._waiting and len(batch) < _AT_ONCE:
            size += len(self._waiting[0].question.value)
            if batch and size > _BYTES_AT_ONCE:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _done(self) -> None:
        self._size -= sum(len(asked.question.value) for asked in self._asking)
        self._asking = []
        self._is_again = False
        if self._is_away:
            self._is_away = False
            self._log.info("{server} is back", server=self._server.name)

    def _refuse(self, error: RedisError) -> None:
        batch = self._asking
        self._done()
        self._log.error(
            "{server} refuses {count} questions: {error}",
            server=self._server.name,
            count=len(batch),
            error=error,
        )
        for asked in batch:
            asked.give_up(StoreUnavailable(f"Redis refuses: {error}"))

    async def _put_off(self, error: RedisError) -> None:
        batch, self._asking = self._asking, []
        self._waiting.extendleft(reversed(batch))
        if not self._is_away:
            self._is_away = True
            self._log.error(
                "{server} is away, and changes wait until it is back: {error}",
                server=self._server.name,
                error=error,
            )
        await deferLater(self._reactor, _RETRY)

    def _tell_late(self) -> None:
        """
        Tell those who have waited for too long, and forget what they asked to see.
        """
        self._timer = None
        now = self._reactor.seconds()
        late = [
            asked
            for asked in chain(self._asking, self._waiting)
            if asked.deadline <= now and not asked.answer.called
        ]
        kept = deque(
            asked
            for asked in self._waiting
            if asked.deadline > now or asked.question.is_change
        )
        self._waiting = kept
        after = [asked.deadline for asked in chain(self._asking, kept)]
        soonest = min((deadline for deadline in after if deadline > now), default=None)
        if soonest is not None:
            self._timer = self._reactor.callLater(soonest - now, self._tell_late)
        error = f"{self._server.name} has not answered in {self._timeout} s"
        for asked in late:
            asked.give_up(StoreUnavailable(error))

    def _failed(self, failure: Failure) -> None:
        self._work = None
        if failure.check(CancelledError) is None:
            self._log.failure("Asking a Redis has failed", failure)


class _Asked(Generic[_T]):
    """
    A question, and who waits for the answer.
    """

    def __init__(self, question: Question[_T], deadline: float) -> None:
        self.question = question
        self.deadline = deadline
        self.answer: Deferred[_T] = Deferred()

    def be_told(self, part: bytes) -> None:
        """
        Give the answer to who waits, if they still do.
        """
        if self.answer.called:
            return
        try:
            result = self.question.read(part)
        except StoreError as error:
            self.answer.errback(error)
        else:
            self.answer.callback(result)

    def give_up(self, error: StoreError) -> None:
        """
        Tell who waits that there is no answer.
        """
        if not self.answer.called:
            self.answer.errback(error)
