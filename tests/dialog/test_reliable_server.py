"""
Tests for :mod:`sipsorcery.dialog.reliable_server`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.effects import Acknowledged, Released, Send, Unacknowledged
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.dialog.reliable_server import MAX_WAITING, ReliableResponses
from sipsorcery.sip.fields import REQUIRE, RSEQ
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers
from tests.dialog.messages import BOB_TAG, bobs_dialog, request

INVITE = request()


def ringing(status: int = 180, body: bytes = b"") -> Response:
    """
    Make a provisional response.
    """
    return bobs_dialog().respond(INVITE, status, body=body)


def final(status: int = 200) -> Response:
    """
    Make a final response.
    """
    return bobs_dialog().respond(INVITE, status)


def prack(rack: str = "7 1 INVITE", *, cseq: int = 2) -> Request:
    """
    Make a PRACK.
    """
    return request("PRACK", f"RAck: {rack}", cseq=cseq, to_tag=BOB_TAG)


def sent_statuses(responses: ReliableResponses) -> list[int]:
    """
    Give the status of each response that is sent.
    """
    return [
        effect.message.status
        for effect in responses.take_effects()
        if isinstance(effect, Send) and isinstance(effect.message, Response)
    ]


class SendingTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """
        Each response gets Require: 100rel and its RSeq (RFC 3262, 3).
        """
        responses = ReliableResponses(first_rseq=7)
        response = ringing()
        response.add(REQUIRE, "x-other")
        responses.send(response, now=0.0)
        self.assertEqual(responses.take_effects(), [Send(response)])
        self.assertEqual(response.all(REQUIRE), ("x-other", "100rel"))
        self.assertEqual(response[RSEQ], 7)

    def test_repetitions(self) -> None:
        """
        It is repeated after T1, and then after twice the time each, without an upper
        bound, for 64*T1; after that it is given up.
        """
        responses = ReliableResponses(first_rseq=7)
        response = ringing()
        responses.send(response, now=100.0)
        responses.take_effects()
        for due in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5):
            self.assertEqual(responses.next_timer(), 100.0 + due)
            responses.handle_timer(100.0 + due)
            self.assertEqual(responses.take_effects(), [Send(response)])
        self.assertEqual(responses.next_timer(), 132.0)
        responses.handle_timer(132.0)
        self.assertEqual(responses.take_effects(), [Unacknowledged()])
        self.assertIsNone(responses.next_timer())
        self.assertEqual(responses.receive(prack(), 133.0), Refusal(481))

    def test_other_timers(self) -> None:
        """
        T1 is the one that is given.
        """
        responses = ReliableResponses(7, Timers(t1=0.1))
        responses.send(ringing(), now=0.0)
        responses.handle_timer(0.1)
        self.assertAlmostEqual(responses.next_timer() or 0, 0.3)

    def test_one_at_a_time(self) -> None:
        """
        The next one waits for the PRACK, and has the next number.
        """
        responses = ReliableResponses(first_rseq=7)
        first, second = ringing(), ringing(183)
        responses.send(first, now=0.0)
        responses.send(second, now=1.0)
        self.assertEqual(responses.take_effects(), [Send(first)])
        acknowledged = prack()
        self.assertIsNone(responses.receive(acknowledged, now=2.0))
        self.assertEqual(
            responses.take_effects(), [Acknowledged(acknowledged), Send(second)]
        )
        self.assertEqual(second[RSEQ], 8)
        self.assertEqual(responses.next_timer(), 2.5)
        self.assertIsNone(responses.receive(prack("8 1 INVITE", cseq=3), now=3.0))
        self.assertIsNone(responses.next_timer())

    def test_given_up_with_others_waiting(self) -> None:
        """
        What waits behind one that is given up is not sent.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(), now=0.0)
        responses.send(ringing(183), now=0.0)
        responses.take_effects()
        responses.handle_timer(32.0)
        self.assertEqual(responses.take_effects(), [Unacknowledged()])

    def test_unfit(self) -> None:
        """
        Neither 100 nor a final response is sent reliably.
        """
        responses = ReliableResponses(first_rseq=7)
        for status in (100, 200):
            response = bobs_dialog().respond(INVITE, status)
            self.assertRaises(LocalProtocolError, responses.send, response, 0.0)

    def test_many(self) -> None:
        """
        Of many that only tell how far the call is, the last ones are kept; those with a
        session description are never dropped.
        """
        responses = ReliableResponses(first_rseq=7)
        kept = [ringing(183, b"x") for _ in range(MAX_WAITING)]
        for response in kept:
            responses.send(response, now=0.0)
        for status in (180, 181, 182):
            responses.send(ringing(status), now=0.0)
        statuses = sent_statuses(responses)
        for rseq in range(7, 7 + MAX_WAITING):
            responses.receive(prack(f"{rseq} 1 INVITE"), now=1.0)
            statuses += sent_statuses(responses)
        self.assertEqual(statuses, [183] * MAX_WAITING + [182])

    def test_too_many(self) -> None:
        """
        Where all that wait have a session description, there is no room.
        """
        responses = ReliableResponses(first_rseq=7)
        for _ in range(MAX_WAITING + 1):
            responses.send(ringing(183, b"x"), now=0.0)
        self.assertRaises(LocalProtocolError, responses.send, ringing(), 0.0)


class AcknowledgingTests(SynchronousTestCase):
    def test_wrong_rack(self) -> None:
        """
        A PRACK that fits no response on its way is refused with 481 (3).
        """
        responses = ReliableResponses(first_rseq=7)
        self.assertEqual(responses.receive(prack(), 0.0), Refusal(481))
        responses.send(ringing(), now=0.0)
        for rack in ("6 1 INVITE", "8 1 INVITE", "7 2 INVITE", "7 1 UPDATE"):
            self.assertEqual(responses.receive(prack(rack), 0.0), Refusal(481))
        self.assertEqual(responses.next_timer(), 0.5)

    def test_twice(self) -> None:
        """
        A second PRACK for the same response is refused with 481.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(), now=0.0)
        responses.receive(prack(), 0.1)
        self.assertEqual(responses.receive(prack(cseq=3), 0.2), Refusal(481))

    def test_broken(self) -> None:
        """
        A PRACK whose RAck is missing or cannot be read is refused with 400.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(), now=0.0)
        missing = request("PRACK", cseq=2, to_tag=BOB_TAG)
        for received in (missing, prack("x"), prack("7 1"), prack("4294967296 1 A")):
            refusal = responses.receive(received, 0.0)
            assert refusal is not None
            self.assertEqual(refusal.status, 400)


class FinishingTests(SynchronousTestCase):
    def test_nothing_under_way(self) -> None:
        """
        Where nothing waits for a PRACK, the final response goes at once.
        """
        responses = ReliableResponses(first_rseq=7)
        answer = final()
        responses.finish(answer, now=0.0)
        self.assertEqual(responses.take_effects(), [Released(answer)])

    def test_failure(self) -> None:
        """
        A failure goes at once, what waits is not sent any more, what is on its way is
        repeated no more, and its PRACK is still taken.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(183, b"x"), now=0.0)
        responses.send(ringing(), now=0.0)
        responses.take_effects()
        answer = final(486)
        responses.finish(answer, now=1.0)
        self.assertEqual(responses.take_effects(), [Released(answer)])
        self.assertIsNone(responses.next_timer())
        acknowledged = prack()
        self.assertIsNone(responses.receive(acknowledged, 1.1))
        self.assertEqual(responses.take_effects(), [Acknowledged(acknowledged)])

    def test_success_without_description_under_way(self) -> None:
        """
        A 2xx does not wait for the PRACK of a response without a description.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(), now=0.0)
        responses.take_effects()
        answer = final()
        responses.finish(answer, now=1.0)
        self.assertEqual(responses.take_effects(), [Released(answer)])

    def test_success_waits_for_the_description(self) -> None:
        """
        "If the final response is 2xx and any of the unacknowledged reliable provisional
        responses contained a session description [...] it MUST NOT send a final
        response until those provisional responses are acknowledged."
        """
        responses = ReliableResponses(first_rseq=7)
        described, other = ringing(183, b"x"), ringing(180)
        responses.send(other, now=0.0)
        responses.send(described, now=0.0)
        responses.send(ringing(182), now=0.0)
        answer = final()
        responses.finish(answer, now=0.0)
        self.assertEqual(responses.take_effects(), [Send(other)])
        one, two = prack("7 1 INVITE"), prack("8 1 INVITE", cseq=3)
        responses.receive(one, 1.0)
        self.assertEqual(responses.take_effects(), [Acknowledged(one), Send(described)])
        responses.receive(two, 2.0)
        self.assertEqual(
            responses.take_effects(), [Acknowledged(two), Released(answer)]
        )
        self.assertIsNone(responses.next_timer())

    def test_success_that_waits_in_vain(self) -> None:
        """
        A 2xx that waits is not sent where the PRACK does not come: the INVITE fails.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(183, b"x"), now=0.0)
        responses.finish(final(), now=1.0)
        responses.take_effects()
        responses.handle_timer(32.0)
        self.assertEqual(responses.take_effects(), [Unacknowledged()])

    def test_failure_instead_of_a_success_that_waits(self) -> None:
        """
        A CANCEL may come while the 2xx waits: the failure goes instead.
        """
        responses = ReliableResponses(first_rseq=7)
        responses.send(ringing(183, b"x"), now=0.0)
        responses.finish(final(), now=1.0)
        responses.take_effects()
        cancelled = final(487)
        responses.finish(cancelled, now=2.0)
        self.assertEqual(responses.take_effects(), [Released(cancelled)])
        responses.receive(prack(), 3.0)
        self.assertEqual(responses.take_effects(), [Acknowledged(prack())])

    def test_provisional_after_final(self) -> None:
        """
        "A UAS MUST NOT send new reliable provisional responses [...] after sending a
        final response to a request."
        """
        for answer in (final(), final(486)):
            responses = ReliableResponses(first_rseq=7)
            responses.finish(answer, now=0.0)
            self.assertRaises(LocalProtocolError, responses.send, ringing(), 1.0)
