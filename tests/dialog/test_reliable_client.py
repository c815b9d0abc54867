"""
Tests for :mod:`sipsorcery.dialog.reliable_client`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.reliable_client import Receipt, ReliableReceiver
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.response import Response
from tests.dialog.messages import request, response

CSEQ = CSeq(1, "INVITE")


def reliable(rseq: int, status: int = 183, *, cseq: int = 1) -> Response:
    """
    Make a reliable provisional response.
    """
    invite = request(cseq=cseq)
    return response(status, "Require: 100rel", f"RSeq: {rseq}", to=invite)


class ReliableReceiverTests(SynchronousTestCase):
    def test_unreliable(self) -> None:
        """
        Responses that do not ask for a PRACK count without one, in any order.
        """
        receiver = ReliableReceiver()
        for plain in (
            response(180),
            response(183, "RSeq: 9"),
            response(180),
            response(100, "Require: 100rel", "RSeq: 1"),
        ):
            self.assertEqual(receiver.receive(plain), Receipt())

    def test_in_order(self) -> None:
        """
        The first one may have any number, each other one the next (RFC 3262, 4).
        """
        receiver = ReliableReceiver()
        for rseq in (988789, 988790, 988791):
            self.assertEqual(
                receiver.receive(reliable(rseq)), Receipt(RAck(rseq, CSEQ))
            )

    def test_repeated(self) -> None:
        """
        One that is repeated does not count again.
        """
        receiver = ReliableReceiver()
        receiver.receive(reliable(5))
        self.assertIsNone(receiver.receive(reliable(5)))
        receiver.receive(reliable(6))
        for old in (5, 6):
            self.assertIsNone(receiver.receive(reliable(old)))

    def test_gap(self) -> None:
        """
        One that is ahead "MUST NOT be acknowledged with a PRACK, and MUST NOT be
        processed further"; it counts when the missing one has come.
        """
        receiver = ReliableReceiver()
        receiver.receive(reliable(5))
        self.assertIsNone(receiver.receive(reliable(7)))
        self.assertEqual(receiver.receive(reliable(6)), Receipt(RAck(6, CSEQ)))
        self.assertEqual(receiver.receive(reliable(7)), Receipt(RAck(7, CSEQ)))

    def test_next_request(self) -> None:
        """
        "The RSeq numbering space is within a single transaction".
        """
        receiver = ReliableReceiver()
        receiver.receive(reliable(5))
        rack = RAck(2, CSeq(7, "INVITE"))
        self.assertEqual(receiver.receive(reliable(2, cseq=7)), Receipt(rack))

    def test_broken(self) -> None:
        """
        One whose numbers cannot be read does not count.
        """
        broken_cseq = reliable(5)
        broken_cseq.set("CSeq", "x")
        for broken in (
            response(183, "Require: 100rel"),
            response(183, "Require: 100rel", "RSeq: x"),
            response(183, "Require: 100rel", "RSeq: 4294967296"),
            response(183, 'Require: "', "RSeq: 1"),
            broken_cseq,
        ):
            self.assertIsNone(ReliableReceiver().receive(broken))
