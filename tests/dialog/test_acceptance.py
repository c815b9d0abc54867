"""
Tests for :mod:`sipsorcery.dialog.acceptance`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.acceptance import Acceptance
from sipsorcery.dialog.effects import Acknowledged, Send, Unacknowledged
from sipsorcery.transaction.timers import Timers
from tests.dialog.messages import BOB_TAG, request, response

ANSWER = response(200)
ACK = request("ACK", cseq=1, to_tag=BOB_TAG)


class AcceptanceTests(SynchronousTestCase):
    def test_repetitions(self) -> None:
        """
        The 2xx goes out at once, after T1, then after twice the time each, up to T2,
        and after 64*T1 it is given up (RFC 3261, 13.3.1.4).
        """
        acceptance = Acceptance(ANSWER, now=100.0)
        self.assertEqual(acceptance.take_effects(), [Send(ANSWER)])
        for due in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
            self.assertEqual(acceptance.next_timer(), 100.0 + due)
            acceptance.handle_timer(100.0 + due)
            self.assertEqual(acceptance.take_effects(), [Send(ANSWER)])
        self.assertEqual(acceptance.next_timer(), 132.0)
        acceptance.handle_timer(132.0)
        self.assertEqual(acceptance.take_effects(), [Unacknowledged()])
        self.assertTrue(acceptance.is_done)
        self.assertIsNone(acceptance.next_timer())

    def test_early_timer(self) -> None:
        """
        Being called early does no harm, being called late sends it once.
        """
        acceptance = Acceptance(ANSWER, now=0.0)
        acceptance.take_effects()
        acceptance.handle_timer(0.49)
        self.assertEqual(acceptance.take_effects(), [])
        acceptance.handle_timer(3.0)
        self.assertEqual(acceptance.take_effects(), [Send(ANSWER)])
        self.assertEqual(acceptance.next_timer(), 4.0)

    def test_other_timers(self) -> None:
        """
        T1 and T2 are those that are given.
        """
        acceptance = Acceptance(ANSWER, now=0.0, timers=Timers(t1=1.0, t2=2.0))
        for due in (1.0, 3.0, 5.0):
            self.assertEqual(acceptance.next_timer(), due)
            acceptance.handle_timer(due)

    def test_ack(self) -> None:
        """
        The ACK stops it; what is in another one does not count.
        """
        acceptance = Acceptance(ANSWER, now=0.0)
        acceptance.take_effects()
        self.assertTrue(acceptance.receive(ACK))
        self.assertEqual(acceptance.take_effects(), [Acknowledged(ACK)])
        self.assertIsNone(acceptance.next_timer())
        self.assertFalse(acceptance.receive(ACK))
        acceptance.handle_timer(50.0)
        self.assertEqual(acceptance.take_effects(), [])

    def test_ack_of_another_invite(self) -> None:
        """
        An ACK with another number, or one that cannot be read, stops nothing.
        """
        acceptance = Acceptance(ANSWER, now=0.0)
        acceptance.take_effects()
        broken = request("ACK", to_tag=BOB_TAG)
        broken.set("CSeq", "1")
        for ack in (request("ACK", cseq=2, to_tag=BOB_TAG), broken):
            self.assertFalse(acceptance.receive(ack))
        self.assertEqual(acceptance.take_effects(), [])
        self.assertEqual(acceptance.next_timer(), 0.5)

    def test_ack_after_it_was_given_up(self) -> None:
        """
        An ACK that comes too late changes nothing any more.
        """
        acceptance = Acceptance(ANSWER, now=0.0)
        acceptance.handle_timer(32.0)
        acceptance.take_effects()
        self.assertFalse(acceptance.receive(ACK))
        self.assertEqual(acceptance.take_effects(), [])

    def test_stop(self) -> None:
        """
        When the call is over it is repeated no more.
        """
        acceptance = Acceptance(ANSWER, now=0.0)
        acceptance.take_effects()
        acceptance.stop()
        self.assertIsNone(acceptance.next_timer())
        self.assertEqual(acceptance.take_effects(), [])
