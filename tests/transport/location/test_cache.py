"""
Tests for `sipsorcery.transport.location.cache`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.location.cache import AnswerCache
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.records import Answer, Kind, Outcome, Question


def question(name: str = "example.com") -> Question:
    """
    Make a question.
    """
    return Question(Kind.A, name)


class AnswerCacheTests(SynchronousTestCase):
    """
    How long, and how many.
    """

    def lifetime(self, answer: Answer) -> float:
        """
        Find out how long an answer is kept.
        """
        cache = AnswerCache(LocationLimits())
        cache.put(question(), answer, 1000.0)
        times = (0.5, 1, 4, 5, 299, 300, 3599, 3600, 10**6)
        return next(
            time for time in times if cache.get(question(), 1000.0 + time) is None
        )

    def test_ttl(self) -> None:
        """
        An answer is kept for its TTL, at least a second and at most an hour.
        """
        for ttl, kept in ((0, 1), (4, 4), (299, 299), (3600, 3600), (2**31, 3600)):
            self.assertEqual(self.lifetime(Answer(Outcome.FOUND, ttl=ttl)), kept)

    def test_absence(self) -> None:
        """
        That there is nothing is kept for as long as the zone says, at most five
        minutes; if it says nothing, for five seconds.
        """
        for ttl, kept in ((4.0, 4), (86400.0, 300), (None, 5)):
            self.assertEqual(self.lifetime(Answer(Outcome.ABSENT, ttl=ttl)), kept)

    def test_failure(self) -> None:
        """
        A failure is kept for five seconds (RFC 9520).
        """
        for outcome in (Outcome.FAILED, Outcome.REFUSED):
            self.assertEqual(self.lifetime(Answer(outcome)), 5)

    def test_full(self) -> None:
        """
        When it is full, what has not been used for longest goes.
        """
        cache = AnswerCache(LocationLimits(cached=3))
        answer = Answer(Outcome.FOUND, ttl=60)
        for name in "abc":
            cache.put(question(name), answer, 0)
        cache.get(question("a"), 1)
        cache.put(question("c"), answer, 1)
        cache.put(question("d"), answer, 1)
        self.assertEqual(len(cache), 3)
        left = [name for name in "abcd" if cache.get(question(name), 2)]
        self.assertEqual(left, ["a", "c", "d"])

    def test_expired(self) -> None:
        """
        What has expired is gone once it is asked for.
        """
        cache = AnswerCache(LocationLimits())
        cache.put(question(), Answer(Outcome.FOUND, ttl=60), 0)
        self.assertIsNone(cache.get(question(), 60))
        self.assertEqual(len(cache), 0)
