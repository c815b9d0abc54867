"""
Tests for :mod:`sipsorcery.dialog.glare`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.glare import Overlap, retry_delay
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.dialog.messages import alices_dialog, from_bob


class RetryDelayTests(SynchronousTestCase):
    @given(st.floats(0, 1))
    def test_windows(self, fraction: float) -> None:
        """
        Who owns the Call-ID waits 2.1 to 4 seconds, the other 0 to 2, "in units of 10
        ms" (RFC 3261, 14.1): one is always before the other.
        """
        for owns, low, high in ((True, 2.1, 4.0), (False, 0.0, 2.0)):
            delay = retry_delay(owns, fraction)
            self.assertTrue(low <= delay <= high)
            self.assertAlmostEqual(delay * 100, round(delay * 100), places=9)

    def test_bounds(self) -> None:
        """
        The whole window is used.
        """
        self.assertEqual(
            [retry_delay(owns, end) for owns in (True, False) for end in (0.0, 1.0)],
            [2.1, 4.0, 0.0, 2.0],
        )


class OverlapTestCase(SynchronousTestCase):
    """
    Alice's side of a dialog.
    """

    def setUp(self) -> None:
        self.dialog = alices_dialog()
        self.overlap = Overlap()

    def send(self, method: str) -> Request:
        """
        Let Alice begin a request.
        """
        made = self.dialog.request(method)
        self.overlap.sent(made)
        return made

    def answer(self, received: Request, status: int) -> Response:
        """
        Let Alice answer a request.
        """
        made = self.dialog.respond(received, status)
        self.overlap.sent(made)
        return made


class SendingTests(OverlapTestCase):
    def test_one_at_a_time(self) -> None:
        """
        A second INVITE waits for the final response to the first (14.1), and a second
        UPDATE for that to the first (RFC 3311, 5.2).
        """
        for method in ("INVITE", "UPDATE"):
            first = self.send(method)
            self.assertFalse(self.overlap.may_send(method))
            self.assertRaises(LocalProtocolError, self.send, method)
            self.overlap.done(first)
            self.assertTrue(self.overlap.may_send(method))

    def test_done_with_another_one(self) -> None:
        """
        Only the request itself being done counts.
        """
        first = self.send("INVITE")
        self.overlap.done(self.dialog.request("INVITE"))
        self.overlap.done(self.dialog.request("INFO"))
        self.assertFalse(self.overlap.may_send("INVITE"))
        self.overlap.done(first)
        self.assertTrue(self.overlap.may_send("INVITE"))

    def test_others_are_free(self) -> None:
        """
        Other methods may overlap as they like, and an UPDATE with an INVITE.
        """
        self.send("INVITE")
        for method in ("UPDATE", "INFO", "INFO", "PRACK", "BYE"):
            self.send(method)

    def test_invite_of_the_peer(self) -> None:
        """
        While an INVITE of the peer is under way, until its 2xx has an ACK, we send none
        (14.1); an UPDATE we may send.
        """
        invite = from_bob("INVITE", cseq=1)
        self.assertIsNone(self.overlap.receive(invite, 0))
        self.answer(invite, 180)
        self.assertFalse(self.overlap.may_send("INVITE"))
        self.assertTrue(self.overlap.may_send("UPDATE"))
        self.answer(invite, 200)
        self.assertFalse(self.overlap.may_send("INVITE"))
        self.overlap.receive(from_bob("ACK", cseq=2), 0)
        self.assertFalse(self.overlap.may_send("INVITE"))
        self.overlap.receive(from_bob("ACK", cseq=1), 0)
        self.assertTrue(self.overlap.may_send("INVITE"))

    def test_failed_invite_of_the_peer(self) -> None:
        """
        The ACK to a failure is the transaction's.
        """
        invite = from_bob("INVITE", cseq=1)
        self.overlap.receive(invite, 0)
        self.answer(invite, 488)
        self.assertTrue(self.overlap.may_send("INVITE"))


class ReceivingTests(OverlapTestCase):
    def test_second_one(self) -> None:
        """
        A second INVITE, or UPDATE, before the first has its final response gets a 500
        with a Retry-After (14.2; RFC 3311, 5.2).
        """
        for method in ("INVITE", "UPDATE"):
            first = from_bob(method, cseq=10)
            self.assertIsNone(self.overlap.receive(first, 0))
            refusal = self.overlap.receive(from_bob(method, cseq=11), 7)
            assert refusal is not None
            response = refusal.response(from_bob(method, cseq=11))
            self.assertEqual(response.status, 500)
            self.assertEqual(response[RETRY_AFTER].seconds, 7)
            self.overlap.sent(response)
            self.assertEqual(
                self.overlap.receive(from_bob(method, cseq=12), 7), refusal
            )
            self.answer(first, 200)
            self.assertIsNone(self.overlap.receive(from_bob(method, cseq=13), 0))

    def test_glare(self) -> None:
        """
        An INVITE that crosses one of ours gets a 491 (14.2), until ours is done.
        """
        ours = self.send("INVITE")
        self.assertEqual(self.overlap.receive(from_bob("INVITE"), 0), Refusal(491))
        self.assertIsNone(self.overlap.receive(from_bob("UPDATE", cseq=2), 0))
        self.overlap.done(ours)
        self.assertIsNone(self.overlap.receive(from_bob("INVITE", cseq=3), 0))

    def test_same_number_both_ways(self) -> None:
        """
        A response of ours to an INVITE of the peer does not end an INVITE of our own
        that has the same number.
        """
        ours = self.send("INVITE")
        theirs = from_bob("INVITE", cseq=2)
        refusal = self.overlap.receive(theirs, 0)
        assert refusal is not None
        self.overlap.sent(refusal.response(theirs))
        self.assertFalse(self.overlap.may_send("INVITE"))
        self.overlap.done(ours)
        self.assertTrue(self.overlap.may_send("INVITE"))

    def test_others_are_free(self) -> None:
        """
        Other requests pass at any time.
        """
        self.send("INVITE")
        for method in ("INFO", "INFO", "PRACK", "BYE", "ACK", "CANCEL"):
            self.assertIsNone(self.overlap.receive(from_bob(method), 0))

    def test_broken(self) -> None:
        """
        A request whose number cannot be read is refused; such an ACK is passed over.
        """
        for method in ("INVITE", "ACK"):
            broken = from_bob(method)
            broken.set("CSeq", "x")
            refusal = self.overlap.receive(broken, 0)
            self.assertEqual(
                refusal and refusal.status, None if method == "ACK" else 400
            )
        self.assertTrue(self.overlap.may_send("INVITE"))
