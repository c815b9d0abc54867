"""
Questions to a resolver of Twisted: each asked once at a time, its answer kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime, IResolver
from twisted.names import dns

from sipsorcery.transport.location.cache import AnswerCache
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.reading import TYPES, read_failure, read_sections
from sipsorcery.transport.location.records import Answer, Outcome, Question


class Questions:
    """
    Ask a resolver, and remember.

    An answer always comes: that nothing was found, or that asking failed, is one.

    :param resolver: should keep no answers itself; here they are bounded.
    """

    def __init__(
        self, resolver: IResolver, clock: IReactorTime, limits: LocationLimits
    ) -> None:
        self.cache = AnswerCache(limits)
        self._resolver = resolver
        self._clock = clock
        self._limits = limits
        self._waiting: dict[Question, list[Deferred[Answer]]] = {}

    def ask(self, question: Question) -> Deferred[Answer]:
        """
        Ask one question; whoever asks the same meanwhile gets the same answer.

        :return: never fails, except if it is cancelled.
        """
        answer = self.cache.get(question, self._clock.seconds())
        if answer is not None:
            return succeed(answer)
        waiting = self._waiting.get(question)
        if waiting is None:
            if len(self._waiting) >= self._limits.questions:
                return succeed(Answer(Outcome.FAILED, "too many questions before it"))
            waiting = self._waiting[question] = []
            learnt = Deferred.fromCoroutine(self._learn(question))
            if learnt.called:
                return learnt
        # Each has one of its own: who cancels it leaves the others alone.
        mine: Deferred[Answer] = Deferred()
        waiting.append(mine)
        return mine

    async def _learn(self, question: Question) -> Answer:
        answer = await self._follow(question)
        self.cache.put(question, answer, self._clock.seconds())
        for each in self._waiting.pop(question):
            each.callback(answer)
        return answer

    async def _follow(self, question: Question) -> Answer:
        """
        Ask for a name, and then for what it is an alias of, if only that is said.

        Servers that do recursion, as they should, follow an alias themselves.
        """
        answer = await self._query(question)
        for _ in range(self._limits.aliases):
            if answer.alias is None:
                return answer
            ttl = answer.ttl
            answer = await self._query(question._replace(name=answer.alias))
            answer = replace(answer, ttl=_shorter(answer.ttl, ttl))
        return Answer(Outcome.FAILED, "its aliases do not end")

    async def _query(self, question: Question) -> Answer:
        asked = dns.Query(question.name.encode("ascii"), TYPES[question.kind], dns.IN)
        times = self._limits.question
        # The interface has a wrong type for what comes: one record in each section.
        found: Deferred[Any] = maybeDeferred(self._resolver.query, asked, times)
        # A resolver counts its time-outs for each server that it knows.
        found.addTimeout(sum(times), self._clock)
        try:
            return read_sections(question, await found, self._limits)
        except Exception as error:  # whatever resolvers fail with, it is an answer
            return read_failure(error)


def _shorter(*ttls: float | None) -> float | None:
    known: Iterable[float] = [ttl for ttl in ttls if ttl is not None]
    return min(known, default=None)
