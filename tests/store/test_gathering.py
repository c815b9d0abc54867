"""
Tests for `sipsorcery.store.gathering`.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.errors import StoreOverloaded, StoreUnavailable
from sipsorcery.store.gathering import Gathering


class GatheringTests(SynchronousTestCase):
    """
    Questions to somebody who answers when the test says so.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[tuple[list[int], Deferred[list[str]]]] = []
        self.gathering = Gathering(self.clock, self.ask, limit=1200)

    def ask(self, questions: Sequence[int]) -> Deferred[list[str]]:
        """
        Take questions.
        """
        answer: Deferred[list[str]] = Deferred()
        self.asked.append((list(questions), answer))
        return answer

    def answer(self) -> list[int]:
        """
        Answer what was asked first; give the questions.
        """
        questions, answer = self.asked.pop(0)
        answer.callback([f"{each}" for each in questions])
        return questions

    def test_one_turn(self) -> None:
        """
        What is asked in one turn of the reactor is asked together, and each gets the
        answer to their own question.
        """
        waiting = [self.gathering.ask(number) for number in (3, 1, 3)]
        self.assertEqual(self.asked, [])
        self.clock.advance(0)
        self.assertEqual(self.answer(), [3, 1, 3])
        self.assertEqual([self.successResultOf(each) for each in waiting], list("313"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_while_asking(self) -> None:
        """
        What comes while somebody asks is asked next, at once.
        """
        first = self.gathering.ask(1)
        self.clock.advance(0)
        others = [self.gathering.ask(number) for number in (2, 3)]
        self.clock.advance(0)
        self.assertEqual(len(self.asked), 1)
        self.answer()
        self.assertEqual(self.successResultOf(first), "1")
        self.assertEqual(self.answer(), [2, 3])
        self.assertEqual([self.successResultOf(each) for each in others], ["2", "3"])
        self.gathering.ask(4)
        self.clock.advance(0)
        self.assertEqual(self.answer(), [4])

    def test_failure(self) -> None:
        """
        A failure goes to those who asked, and the next ask as before.
        """
        failing = [self.gathering.ask(number) for number in (1, 2)]
        self.clock.advance(0)
        following = self.gathering.ask(3)
        self.asked.pop(0)[1].errback(StoreUnavailable("away"))
        for each in failing:
            self.failureResultOf(each, StoreUnavailable)
        self.answer()
        self.assertEqual(self.successResultOf(following), "3")

    def test_bounds(self) -> None:
        """
        Very many are asked in parts, and more than may wait are refused.
        """
        waiting = [self.gathering.ask(number) for number in range(1200)]
        self.failureResultOf(self.gathering.ask(0), StoreOverloaded)
        self.clock.advance(0)
        parts = [self.answer() for _ in range(3)]
        self.assertEqual([len(part) for part in parts], [500, 500, 200])
        self.assertEqual([each for part in parts for each in part], list(range(1200)))
        answers = [self.successResultOf(each) for each in waiting]
        self.assertEqual(answers, [f"{number}" for number in range(1200)])
        self.gathering.ask(0)

    def test_question_from_an_answer(self) -> None:
        """
        Whoever is answered may ask the next question at once.
        """
        second = self.gathering.ask(1).addCallback(lambda _: self.gathering.ask(2))
        self.clock.advance(0)
        self.answer()
        self.clock.advance(0)
        self.answer()
        self.assertEqual(self.successResultOf(second), "2")
