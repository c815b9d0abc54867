"""
Tests for :mod:`sipsorcery.stun.transaction`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import Message, MessageClass, Timing
from sipsorcery.stun.transaction import ClientTransaction, Deliver, Send, TimedOut

_ID = bytes(range(12))
_REQUEST = Message(MessageClass.REQUEST, _ID)
_RESPONSE = Message(MessageClass.SUCCESS, _ID)


class TransactionTests(SynchronousTestCase):
    """
    One request and its repetitions.
    """

    def test_the_rfc_s_own_example(self) -> None:
        """
        It is sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, and given up at
        39500 ms (RFC 8489, 6.2.1).
        """
        tx = ClientTransaction(_REQUEST, now=0.0)
        self.assertEqual(tx.take_effects(), [Send(_REQUEST)])
        for due in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5):
            self.assertEqual(tx.next_timer(), due)
            tx.handle_timer(due - 0.01)
            self.assertEqual(tx.take_effects(), [])
            tx.handle_timer(due)
            self.assertEqual(tx.take_effects(), [Send(_REQUEST)])
        self.assertEqual(tx.next_timer(), 39.5)
        tx.handle_timer(39.5)
        self.assertEqual(tx.take_effects(), [TimedOut()])
        self.assertIsNone(tx.next_timer())

    def test_own_timing(self) -> None:
        """
        The timeout, the number of requests and the last wait can be chosen.
        """
        tx = ClientTransaction(_REQUEST, now=10.0, timing=Timing(rto=1, rc=2, rm=3))
        for due in (11.0, 14.0):
            self.assertEqual(tx.next_timer(), due)
            tx.handle_timer(due)
        effects = tx.take_effects()
        self.assertEqual(effects, [Send(_REQUEST), Send(_REQUEST), TimedOut()])

    def test_response(self) -> None:
        """
        A success or an error ends it; nothing after that counts.
        """
        for kind in (MessageClass.SUCCESS, MessageClass.ERROR):
            tx = ClientTransaction(_REQUEST, now=0.0)
            tx.take_effects()
            tx.receive(Message(kind, _ID))
            self.assertEqual(tx.take_effects(), [Deliver(Message(kind, _ID))])
            self.assertIsNone(tx.next_timer())
            tx.receive(_RESPONSE)
            tx.handle_timer(100.0)
            self.assertEqual(tx.take_effects(), [])

    def test_what_is_no_response(self) -> None:
        """
        Another ID, method, cookie or class is none.
        """
        tx = ClientTransaction(_REQUEST, now=0.0)
        tx.take_effects()
        for other in (
            Message(MessageClass.SUCCESS, bytes(12)),
            Message(MessageClass.SUCCESS, _ID, method=3),
            Message(MessageClass.SUCCESS, _ID, cookie=b"old!"),
            Message(MessageClass.REQUEST, _ID),
            Message(MessageClass.INDICATION, _ID),
        ):
            tx.receive(other)
        self.assertEqual(tx.take_effects(), [])
        self.assertEqual(tx.next_timer(), 0.5)
