"""
Tests for `sipsorcery.transport.location.questions`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.names import error
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.questions import Questions
from sipsorcery.transport.location.records import Answer, Kind, Outcome, Question
from tests.transport.location.zones import Zones, records

A = Question(Kind.A, "example.com")
OTHER = Question(Kind.A, "other.example")


class QuestionsTests(SynchronousTestCase):
    """
    Asking a resolver.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.zones = Zones("example.com 60 A 192.0.2.1")
        self.questions = self.make()

    def make(self, **limits: Any) -> Questions:
        """
        Make questions to the resolver of the test.
        """
        return Questions(self.zones, self.clock, LocationLimits(**limits))

    def ask(self, question: Question = A) -> Answer:
        """
        Ask, and get the answer at once.
        """
        return self.successResultOf(self.questions.ask(question))

    def test_answer_is_kept(self) -> None:
        """
        While an answer holds it is not asked for again; then it is.
        """
        for moment, asked in ((0, 1), (59, 1), (1, 2)):
            self.clock.advance(moment)
            self.assertEqual(self.ask().addresses, ("192.0.2.1",))
            self.assertEqual(len(self.zones.asked), asked)

    def test_absence_is_kept(self) -> None:
        """
        That there is no such name is kept for as long as the zone says (RFC 2308).
        """
        self.zones.authority = records("example 100 SOA 10")
        for moment, asked in ((0, 1), (9, 1), (1, 2)):
            self.clock.advance(moment)
            self.assertEqual(self.ask(OTHER).outcome, Outcome.ABSENT)
            self.assertEqual(len(self.zones.asked), asked)

    def test_failure_is_kept(self) -> None:
        """
        What failed is not asked again at once.
        """
        self.zones.fail(error.DNSServerError())
        for moment, asked in ((0, 1), (4, 1), (1, 2)):
            self.clock.advance(moment)
            self.assertEqual(self.ask().outcome, Outcome.FAILED)
            self.assertEqual(len(self.zones.asked), asked)

    def test_simultaneous(self) -> None:
        """
        Who asks the same at the same time shares one query.
        """
        self.zones.hold()
        asked = [self.questions.ask(A) for _ in range(5)]
        self.assertEqual(self.zones.asked, ["A example.com"])
        self.zones.release()
        for each in asked:
            self.assertEqual(self.successResultOf(each).addresses, ("192.0.2.1",))

    def test_cancelled(self) -> None:
        """
        Who no longer wants the answer leaves the others alone.
        """
        self.zones.hold()
        first, second, third = (self.questions.ask(A) for _ in range(3))
        first.cancel()
        self.failureResultOf(first, CancelledError)
        told: list[Answer] = []

        def give_up(answer: Answer) -> None:
            told.append(answer)
            third.cancel()

        second.addCallback(give_up)
        self.zones.release()
        self.assertEqual([answer.outcome for answer in told], [Outcome.FOUND])
        self.failureResultOf(third, CancelledError)

    def test_no_answer(self) -> None:
        """
        A DNS server that is dead is given up after three seconds, and nothing is left.
        """
        self.zones.hold()
        asked = self.questions.ask(A)
        self.clock.advance(2.9)
        self.assertNoResult(asked)
        self.clock.advance(0.2)
        answer = self.successResultOf(asked)
        self.assertEqual((answer.outcome, answer.said), (Outcome.FAILED, "no answer"))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.zones.release()  # the late answer is nothing to anybody
        self.assertEqual(self.ask(), answer)

    def test_times(self) -> None:
        """
        The resolver is told when to ask again.
        """
        told: list[object] = []

        class Resolver(Zones):
            def query(self, query: object, timeout: object = None) -> Deferred[Any]:
                told.append(timeout)
                return Deferred()

        Questions(Resolver(), self.clock, LocationLimits(question=(2, 4))).ask(A)
        self.assertEqual(told, [(2, 4)])

    def test_too_many(self) -> None:
        """
        No more different questions wait than the limit; there is room again when one
        has been answered.
        """
        self.questions = self.make(questions=1)
        self.zones.hold()
        first, again = self.questions.ask(A), self.questions.ask(A)
        refused = self.ask(OTHER)
        self.assertEqual(refused.outcome, Outcome.FAILED)
        self.assertIn("too many questions", refused.said)
        self.zones.release()
        self.successResultOf(first)
        self.successResultOf(again)
        self.assertEqual(self.ask(OTHER).outcome, Outcome.ABSENT)

    def test_alias(self) -> None:
        """
        A server that only names the alias is asked for that; the shorter TTL holds.
        """
        self.zones.additional = []
        resolver = Unrecursive("a.example 30 CNAME example.com")
        resolver.add("example.com 60 A 192.0.2.1")
        questions = Questions(resolver, self.clock, LocationLimits())
        asked = questions.ask(Question(Kind.A, "a.example"))
        answer = self.successResultOf(asked)
        self.assertEqual((answer.addresses, answer.ttl), (("192.0.2.1",), 30))
        self.assertEqual(resolver.asked, ["A a.example", "A example.com"])

    def test_alias_loop(self) -> None:
        """
        A loop of aliases ends.
        """
        resolver = Unrecursive("a.example CNAME b.example\nb.example CNAME a.example")
        questions = Questions(resolver, self.clock, LocationLimits(aliases=4))
        asked = questions.ask(Question(Kind.A, "a.example"))
        self.assertEqual(self.successResultOf(asked).said, "its aliases do not end")
        self.assertEqual(len(resolver.asked), 5)

    def test_broken_resolver(self) -> None:
        """
        Whatever a resolver raises or gives, there is an answer.
        """

        class Broken(Zones):
            given: object = None

            def query(self, query: object, timeout: object = None) -> Any:
                if self.given is None:
                    raise RuntimeError("broken")
                return self.given

        resolver = Broken()
        never: Deferred[None] = Deferred()
        for resolver.given in (None, 1, ([None], [], []), never):
            asked = Questions(resolver, self.clock, LocationLimits()).ask(A)
            self.clock.advance(3)
            self.assertEqual(self.successResultOf(asked).outcome, Outcome.FAILED)


class Unrecursive(Zones):
    """
    Answers from one name at a time.
    """

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        found = super()._lookup(name, cls, type, timeout)
        return found.addCallback(lambda sections: (sections[0][:1], [], []))
