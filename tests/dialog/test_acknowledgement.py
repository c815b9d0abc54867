"""
Tests for :mod:`sipsorcery.dialog.acknowledgement`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.acknowledgement import Acknowledgement
from sipsorcery.dialog.effects import Send, Terminated
from tests.dialog.messages import alices_dialog, request, response

INVITE = request()
ACK = alices_dialog().acknowledge(INVITE)


class AcknowledgementTests(SynchronousTestCase):
    def test_again_for_each_repetition(self) -> None:
        """
        "The ACK MUST be passed to the transport every time a retransmission of the 2xx
        final response that triggered the ACK arrives" (RFC 3261, 13.2.2.4).
        """
        acknowledgement = Acknowledgement(ACK, now=0.0)
        self.assertEqual(acknowledgement.take_effects(), [Send(ACK)])
        for _ in range(3):
            acknowledgement.receive(response(200))
            self.assertEqual(acknowledgement.take_effects(), [Send(ACK)])

    def test_other_responses(self) -> None:
        """
        A response to another request, or one that cannot be read, gets no ACK.
        """
        acknowledgement = Acknowledgement(ACK, now=0.0)
        acknowledgement.take_effects()
        broken = response(200)
        broken.set("CSeq", "INVITE 1")
        for other in (
            response(200, to=request(cseq=2)),
            response(200, to=request("INFO", cseq=1)),
            broken,
        ):
            acknowledgement.receive(other)
        self.assertEqual(acknowledgement.take_effects(), [])

    def test_end(self) -> None:
        """
        64*T1 after the 2xx nobody repeats it any more (13.2.2.4).
        """
        acknowledgement = Acknowledgement(ACK, now=10.0)
        acknowledgement.take_effects()
        self.assertEqual(acknowledgement.next_timer(), 42.0)
        acknowledgement.handle_timer(41.9)
        self.assertEqual(acknowledgement.take_effects(), [])
        acknowledgement.handle_timer(42.0)
        self.assertEqual(acknowledgement.take_effects(), [Terminated()])
        self.assertIsNone(acknowledgement.next_timer())
        acknowledgement.receive(response(200))
        self.assertEqual(acknowledgement.take_effects(), [])
