"""
Tests for :mod:`sipsorcery.appserver.dial.forking` and the choice of the best failure.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.best_failure import NOBODY, Failure, best_failure
from sipsorcery.appserver.dial.forking import (
    Abandon,
    Accept,
    Cancel,
    Fail,
    Fork,
    HangUp,
    Start,
)

BUSY = Failure(486, "Busy Here")


def fork(*stages: list[float], ringing: float = 60.0) -> Fork:
    """
    Make a fork that begins at 0 s.
    """
    return Fork(stages, ringing=ringing, now=0.0)


class StagesTests(SynchronousTestCase):
    def test_parallel_then_next(self) -> None:
        """
        The legs of a stage start together; the next stage when all have failed.
        """
        dial = fork([0, 0], [0])
        self.assertEqual(dial.take_effects(), [Start(0), Start(1)])
        dial.receive(0, 486, "Busy Here", 1.0)
        self.assertEqual(dial.take_effects(), [])
        dial.receive(1, 404, "Not Found", 2.0)
        self.assertEqual(dial.take_effects(), [Start(2)])
        dial.receive(2, 480, "", 3.0)
        (effect,) = dial.take_effects()
        self.assertEqual(effect, Fail(BUSY))
        self.assertIsNone(dial.next_timer())

    def test_failure_before_the_sibling(self) -> None:
        """
        A leg that fails at once does not end a stage whose other leg is yet to respond.
        """
        dial = fork([0, 0], [0])
        dial.receive(0, 503, "", 0.0)
        self.assertEqual(dial.take_effects(), [Start(0), Start(1)])

    def test_nobody(self) -> None:
        """
        A dial without legs fails; an empty stage is passed over.
        """
        self.assertEqual(fork([], []).take_effects(), [Fail(NOBODY)])
        self.assertEqual(fork([], [0]).take_effects(), [Start(0)])

    def test_answer(self) -> None:
        """
        The first 2xx is accepted, and the other legs are cancelled.
        """
        dial = fork([0, 0, 9], [0])
        dial.receive(0, 180, "", 1.0)
        dial.receive(1, 180, "", 1.0)
        dial.take_effects()
        dial.receive(1, 200, "OK", 2.0)
        self.assertEqual(dial.take_effects(), [Accept(1), Cancel(0)])
        self.assertTrue(dial.is_over)
        dial.handle_timer(9.0)
        dial.receive(0, 487, "", 3.0)
        self.assertEqual(dial.take_effects(), [])

    def test_second_answer(self) -> None:
        """
        A 2xx that crosses the CANCEL, or comes of a second phone, is hung up.
        """
        dial = fork([0, 0])
        dial.receive(0, 180, "", 1.0)
        dial.receive(1, 200, "OK", 1.0)
        dial.take_effects()
        dial.receive(0, 200, "OK", 1.1)
        dial.receive(0, 200, "OK", 1.2)
        self.assertEqual(dial.take_effects(), [HangUp(0), HangUp(0)])

    def test_6xx(self) -> None:
        """
        A 6xx ends the whole dial, the other legs and stages too (RFC 3261, 16.7, 5).
        """
        dial = fork([0, 0, 5], [0])
        dial.receive(1, 180, "", 1.0)
        dial.take_effects()
        dial.receive(0, 603, "Decline", 2.0)
        self.assertEqual(
            dial.take_effects(), [Cancel(1), Fail(Failure(603, "Decline"))]
        )

    def test_late_failure(self) -> None:
        """
        A second final response to a leg changes nothing.
        """
        dial = fork([0], [0], [0])
        dial.receive(0, 486, "", 1.0)
        dial.receive(0, 486, "", 1.0)
        self.assertEqual(dial.take_effects(), [Start(0), Start(1)])


class DelayTests(SynchronousTestCase):
    def test_delay(self) -> None:
        """
        A leg starts when its delay is over.
        """
        dial = fork([0, 5, 3])
        self.assertEqual((dial.take_effects(), dial.next_timer()), ([Start(0)], 3.0))
        dial.handle_timer(3.0)
        self.assertEqual((dial.take_effects(), dial.next_timer()), ([Start(2)], 5.0))
        dial.handle_timer(5.0)
        self.assertEqual((dial.take_effects(), dial.next_timer()), ([Start(1)], 60.0))

    def test_acceleration(self) -> None:
        """
        When all that ring have failed, the one with the shortest delay starts at once.
        """
        dial = fork([0, 20, 10], [0])
        dial.receive(0, 486, "", 1.0)
        self.assertEqual(dial.take_effects(), [Start(0), Start(2)])
        dial.receive(2, 486, "", 2.0)
        self.assertEqual(dial.take_effects(), [Start(1)])
        dial.receive(1, 486, "", 3.0)
        self.assertEqual(dial.take_effects(), [Start(3)])

    def test_nothing_to_wait_for(self) -> None:
        """
        A stage of delayed legs only starts the first of them at once.
        """
        self.assertEqual(fork([9, 5]).take_effects(), [Start(1)])

    def test_ringing_is_over(self) -> None:
        """
        After the time to ring everything is cancelled, and the dial has timed out.
        """
        dial = fork([0], [0], ringing=10.0)
        dial.receive(0, 180, "", 1.0)
        dial.take_effects()
        self.assertEqual(dial.next_timer(), 10.0)
        dial.handle_timer(10.0)
        self.assertEqual(
            dial.take_effects(),
            [Cancel(0), Fail(Failure(408, "Nobody answered"), timed_out=True)],
        )

    def test_limit_of_ringing(self) -> None:
        """
        No dial rings for more than 180 s; 0 stands for that, too.
        """
        for ringing in (0.0, -1.0, 300.0, 180.0):
            self.assertEqual(fork([0], ringing=ringing).next_timer(), 180.0)


class CancelTests(SynchronousTestCase):
    def test_cancel(self) -> None:
        """
        CANCEL goes to what has responded; the delayed legs and stages are dropped.
        """
        dial = fork([0, 0, 5], [0])
        dial.receive(0, 183, "", 1.0)
        dial.take_effects()
        dial.cancel()
        self.assertEqual(dial.take_effects(), [Cancel(0), Abandon(1)])
        dial.cancel()
        dial.receive(0, 487, "", 2.0)
        self.assertEqual((dial.take_effects(), dial.next_timer()), ([], None))

    def test_cancel_before_any_response(self) -> None:
        """
        No CANCEL goes out before a provisional response (RFC 3261, 9.1), and one does
        as soon as there is one: also while DNS was asked, every leg is ended.
        """
        dial = fork([0, 0])
        dial.cancel()
        self.assertEqual(
            dial.take_effects(), [Start(0), Start(1), Abandon(0), Abandon(1)]
        )
        dial.receive(0, 100, "", 1.0)
        dial.receive(0, 180, "", 1.0)
        self.assertEqual(dial.take_effects(), [Cancel(0)])

    def test_answer_crosses_cancel(self) -> None:
        """
        A leg that answers while it is cancelled is hung up.
        """
        dial = fork([0])
        dial.cancel()
        dial.take_effects()
        dial.receive(0, 200, "OK", 1.0)
        self.assertEqual(dial.take_effects(), [HangUp(0)])


class RedirectionTests(SynchronousTestCase):
    def test_followed(self) -> None:
        """
        The targets ring in place of the leg, and the stage waits for them.
        """
        dial = fork([0], [0])
        dial.take_effects()
        self.assertEqual([*dial.redirect(0, 2)], [2, 3])
        self.assertEqual(dial.take_effects(), [Start(2), Start(3)])
        dial.receive(2, 486, "", 1.0)
        self.assertEqual(dial.take_effects(), [])
        dial.receive(3, 486, "", 1.0)
        self.assertEqual(dial.take_effects(), [Start(1)])

    def test_not_followed(self) -> None:
        """
        A redirection without a usable target fails its leg; nothing waits for it.
        """
        dial = fork([0])
        dial.receive(0, 302, "", 1.0)
        self.assertEqual(dial.take_effects(), [Start(0), Fail(Failure(302))])

    def test_too_late(self) -> None:
        """
        After the dial has ended nothing is followed.
        """
        dial = fork([0])
        dial.cancel()
        dial.take_effects()
        self.assertEqual((dial.redirect(0, 1), dial.take_effects()), ((), []))


class BestFailureTests(SynchronousTestCase):
    def test_choice(self) -> None:
        """
        6xx first, then the lowest class, then what tells how to try again.
        """
        for statuses, expected in (
            ((486, 603, 404), 603),
            ((500, 486), 486),
            ((486, 302), 302),
            ((404, 484), 484),
            ((486, 480), 486),
            ((503, 500), 500),
            ((503,), 500),
            ((401, 486), 486),
            ((407,), 480),
            ((), 480),
        ):
            chosen = best_failure([Failure(status) for status in statuses])
            self.assertEqual(chosen.status, expected, statuses)


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.lists(st.sampled_from([0.0, 2.0, 5.0]), max_size=3), max_size=3),
        st.lists(
            st.tuples(
                st.integers(0, 8), st.sampled_from([100, 180, 200, 302, 486, 603, 0])
            ),
            max_size=30,
        ),
    )
    def test_every_dial_ends_once(
        self, stages: list[list[float]], events: list[tuple[int, int]]
    ) -> None:
        """
        Whatever comes, each leg starts once at most, and when the time to ring is over
        the dial has ended with one answer or one failure.
        """
        dial = Fork(stages, ringing=50.0, now=0.0)
        effects = dial.take_effects()
        count = sum(map(len, stages))
        for now, (leg, status) in enumerate(events):
            dial.handle_timer(float(now))
            if Start(leg) in effects and leg < count and status:
                dial.receive(leg, status, "", float(now))
            effects += dial.take_effects()
        dial.handle_timer(50.0)
        effects += dial.take_effects()
        starts = [each for each in effects if isinstance(each, Start)]
        ends = [each for each in effects if isinstance(each, Accept | Fail)]
        self.assertEqual(len(starts), len(set(starts)))
        self.assertEqual(len(ends), 1)
