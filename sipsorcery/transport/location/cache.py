"""
Answers, kept for as long as they may be. Pure.
"""

from __future__ import annotations

from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.records import Answer, Outcome, Question


class AnswerCache:
    """
    Keep a bounded number of answers, each for a bounded time.

    When it is full, what has not been asked for longest goes.
    """

    def __init__(self, limits: LocationLimits) -> None:
        self._limits = limits
        self._kept: dict[
            Question, tuple[Answer, float]
        ] = {}  # until when; oldest first

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: Question, now: float) -> Answer | None:
        """
        Give the answer to a question, if there is one that still holds.
        """
        kept = self._kept.pop(question, None)
        if kept is None or kept[1] <= now:
            return None
        self._kept[question] = kept  # at the end, for it has been used
        return kept[0]

    def put(self, question: Question, answer: Answer, now: float) -> None:
        """
        Keep an answer.
        """
        self._kept.pop(question, None)
        while len(self._kept) >= self._limits.cached:
            del self._kept[next(iter(self._kept))]
        self._kept[question] = (answer, now + self._lifetime(answer))

    def _lifetime(self, answer: Answer) -> float:
        limits = self._limits
        match answer.outcome:
            case Outcome.FOUND:
                longest = limits.longest
            case Outcome.ABSENT:
                longest = limits.longest_absence
            case Outcome.REFUSED | Outcome.FAILED:
                return limits.failure
        if answer.ttl is None:  # "SHOULD NOT be cached" for long (RFC 2308, 5)
            return limits.failure
        return max(limits.shortest, min(answer.ttl, longest))
