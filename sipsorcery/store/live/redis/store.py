"""
The live state of several processes and machines, in Redis.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.internet.task import LoopingCall

from sipsorcery.config import Durability
from sipsorcery.store.errors import StoreError
from sipsorcery.store.live.local import LIMIT
from sipsorcery.store.live.record import Record, tag_of
from sipsorcery.store.live.redis import questions
from sipsorcery.store.live.redis.questions import Question
from sipsorcery.store.live.redis.server import Server
from sipsorcery.store.live.redis.shard import Shard

_T = TypeVar("_T")

# Seconds between two rounds in which what has expired is forgotten.
_ROUND = 60.0
# Records of one answer: Redis looks at them in less than a millisecond.
_PAGE = 200


class RedisStore:
    """
    Records in one Redis, or in several of which each has its share.

    It starts without them, too: until they are there, it is unavailable.

    :param reactor: has time, and sockets.
    :param urls: of them, as in ``storage.live``. A record lies where the hash of its
        tag says; another list moves some, which are then lost.
    :param timeout: seconds that a caller waits for an answer.
    :param limit: questions that may wait for each of them; after that there is
        `StoreOverloaded`.
    :param clock: gives the seconds since the epoch. Those of all processes have to
        agree to a second.
    """

    def __init__(
        self,
        reactor: Any,
        urls: Sequence[str],
        *,
        durability: Durability = Durability.PROCESS,
        timeout: float = 2.0,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        servers = [Server(reactor, url, durability) for url in urls]
        self._shards = {
            server.name.encode(): Shard(
                reactor, server, timeout=timeout, limit=limit, clock=clock
            )
            for server in servers
        }
        self._kinds: set[str] = set()
        self._version = 0
        self._purging = LoopingCall(self.purge)
        self._purging.clock = reactor

    def start(self) -> None:
        """
        Begin to connect.
        """
        for shard in self._shards.values():
            shard.open()
        self._purging.start(_ROUND, now=False)

    async def stop(self) -> None:
        """
        Write what waits, for as long as a caller would wait, and hang up.
        """
        if self._purging.running:
            self._purging.stop()
        await DeferredList(
            [Deferred.fromCoroutine(each.close()) for each in self._shards.values()]
        )

    async def purge(self) -> None:
        """
        Remove what has expired and nobody has cared for.
        """
        for shard in self._shards.values():
            for kind in list(self._kinds):
                try:
                    while await shard.ask(questions.purge(kind, _PAGE)) == _PAGE:
                        pass
                except StoreError:
                    break  # the next round goes on; the reason is in the log

    # Looking

    def get(self, kind: str, key: str) -> Deferred[Record | None]:
        """
        Give one record; None if there is none.
        """
        return self._of(key).ask(questions.get(kind, key))

    def count(self, kind: str, owner: str | None = None) -> Deferred[int]:
        """
        Count what there is of a kind, or what an owner has of it.
        """
        counts = self._ask_all(questions.count(kind, owner))
        return Deferred.fromCoroutine(_sum(counts))

    async def scan(self, kind: str, owner: str | None = None) -> AsyncIterator[Record]:
        """
        Give every record of a kind, or those of one owner, in no order.
        """
        for shard in self._shards.values():
            seen: set[str] = set()  # Redis gives some twice
            cursor = ""
            while cursor != "0":
                page = questions.page(kind, owner, cursor or "0", _PAGE)
                cursor, records = await shard.ask(page)
                for record in records:
                    if record.key not in seen and owner in (None, record.owner):
                        seen.add(record.key)
                        yield record

    def due(self, kind: str, until: float, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that are due by *until*.
        """
        asked = self._ask_all(questions.due(kind, until, limit))
        return Deferred.fromCoroutine(_merged(asked, limit, _due_time))

    def expired(self, kind: str, limit: int = 100) -> Deferred[list[Record]]:
        """
        Give records that have expired and are still stored.
        """
        asked = self._ask_all(questions.expired(kind, limit))
        return Deferred.fromCoroutine(_merged(asked, limit, _expiry))

    # Changing

    def put(self, record: Record) -> Deferred[Record]:
        """
        Store a record, whatever is there under its key.
        """
        return self._write(record, questions.put)

    def swap(self, record: Record) -> Deferred[Record]:
        """
        Store a record in place of the version that it carries; 0: in place of none.
        """
        return self._write(record, questions.swap)

    def remove(self, record: Record) -> Deferred[None]:
        """
        Remove the version that *record* carries, also if it has expired.
        """
        return self._of(record.key).ask(questions.remove(record))

    def discard(self, kind: str, key: str) -> Deferred[None]:
        """
        Remove what is there under a key, if anything is.
        """
        return self._of(key).ask(questions.discard(kind, key))

    # Inside

    def _write(
        self, record: Record, question: Callable[[Record, int], Question[Record]]
    ) -> Deferred[Record]:
        try:
            record.check()
        except StoreError as error:
            return fail(error)
        self._kinds.add(record.kind)
        return self._of(record.key).ask(question(record, self._next_version()))

    def _next_version(self) -> int:
        # The time in nanoseconds, which goes only one way here: so none is given twice,
        # and no process needs to ask another one. In 63 bits until the year 2262.
        self._version = max(self._version + 1, time.time_ns())
        return self._version

    def _of(self, key: str) -> Shard:
        """
        Find the shard of a record: by rendezvous, so that one more moves few.
        """
        if len(self._shards) == 1:
            return next(iter(self._shards.values()))
        tag = tag_of(key).encode()
        name = max(self._shards, key=lambda name: blake2b(tag, key=name[:64]).digest())
        return self._shards[name]

    def _ask_all(self, question: Question[_T]) -> list[Deferred[_T]]:
        return [shard.ask(question) for shard in self._shards.values()]


async def _sum(counts: Sequence[Deferred[int]]) -> int:
    return sum([await each for each in counts])


async def _merged(
    asked: Sequence[Deferred[list[Record]]],
    limit: int,
    time_of: Callable[[Record], float],
) -> list[Record]:
    """
    Give the first of what those have that answer.

    :raises StoreError: if none does.
    """
    records: list[Record] = []
    errors: list[StoreError] = []
    for each in asked:
        try:
            records += await each
        except StoreError as error:
            errors.append(error)
    if len(errors) == len(asked):
        raise errors[0]
    return sorted(records, key=time_of)[:limit]


def _due_time(record: Record) -> float:
    return record.due or 0.0


def _expiry(record: Record) -> float:
    return record.expiry
