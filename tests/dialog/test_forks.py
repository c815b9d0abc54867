"""
Tests for :mod:`sipsorcery.dialog.forks`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.forks import (
    MAX_ANSWERS,
    MAX_FORKS,
    Answered,
    DialogSet,
    Ended,
    ForkEffect,
    Progressed,
    Rejected,
    Unwanted,
)
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.fields import CSEQ, ROUTE, TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.dialog.messages import PHONE, description, request, response

INVITE = request("INVITE", body=PHONE)
WITHOUT_OFFER = request()


def answer(
    status: int, tag: str | None, *more: str, contact: str | None = "<sip:b@192.0.2.4>"
) -> Response:
    """
    Make a response of the callee with this tag.
    """
    return response(status, *more, to=INVITE, to_tag=tag, contact=contact)


class ForkTestCase(SynchronousTestCase):
    """
    A call and what comes of it.
    """

    def setUp(self) -> None:
        self.calls = DialogSet(INVITE)

    def feed(self, *responses: Response, now: float = 0.0) -> list[ForkEffect]:
        """
        Give the set some responses and return all effects.
        """
        effects = []
        for each in responses:
            self.calls.receive(each, now)
            effects += self.calls.take_effects()
        return effects

    def early(self, tag: str) -> Dialog:
        """
        Let a phone ring and return its dialog.
        """
        (effect,) = self.feed(answer(180, tag))
        assert isinstance(effect, Progressed) and effect.dialog is not None
        return effect.dialog

    def answered(self, tag: str, now: float = 0.0) -> Dialog:
        """
        Let a phone be the first to answer and return its dialog.
        """
        (effect,) = self.feed(answer(200, tag), now=now)
        assert isinstance(effect, Answered)
        return effect.dialog


class ProvisionalTests(ForkTestCase):
    def test_without_dialog(self) -> None:
        """
        A 100, or a response without a tag, makes no dialog.
        """
        trying, untagged = answer(100, "1"), answer(180, None)
        self.assertEqual(
            self.feed(trying, untagged),
            [Progressed(None, trying), Progressed(None, untagged)],
        )
        self.assertEqual(self.calls.dialogs, ())

    def test_each_tag_is_a_dialog(self) -> None:
        """
        Responses with different tags make different early dialogs (RFC 3261, 12.1).
        """
        one, two = self.early("1"), self.early("2")
        self.assertIsNot(one, two)
        self.assertEqual(self.calls.dialogs, (one, two))
        self.assertEqual([each.state for each in (one, two)], [State.Early] * 2)

    def test_same_tag_is_the_same_dialog(self) -> None:
        """
        Further responses with a tag belong to its dialog, and refresh its target.
        """
        dialog = self.early("1")
        moved = answer(183, "1", contact="<sip:b@192.0.2.99>")
        self.assertEqual(self.feed(moved), [Progressed(dialog, moved)])
        self.assertEqual(str(dialog.remote_target), "sip:b@192.0.2.99")

    def test_reliable(self) -> None:
        """
        A reliable response comes with what the PRACK says; one repeated or ahead of its
        turn does not come at all (RFC 3262, 4). Each dialog has its own numbers.
        """
        for tag in ("1", "2"):
            first = answer(183, tag, "Require: 100rel", "RSeq: 5")
            (effect,) = self.feed(first, first)
            assert isinstance(effect, Progressed)
            self.assertEqual(effect.rack, RAck(5, CSeq(1, "INVITE")))
            self.assertEqual(
                self.feed(answer(183, tag, "Require: 100rel", "RSeq: 7")), []
            )

    def test_early_dialog_terminated(self) -> None:
        """
        A 199 ends its early dialog, and only that (RFC 6228).
        """
        one, two = self.early("1"), self.early("2")
        gone = answer(199, "1")
        self.assertEqual(self.feed(gone), [Progressed(one, gone), Ended(one)])
        self.assertEqual(self.calls.dialogs, (two,))
        self.assertEqual(self.feed(answer(180, "1")), [])

    def test_many(self) -> None:
        """
        There is a limit for early dialogs, and even then the first 2xx counts.
        """
        for number in range(MAX_FORKS):
            self.early(f"{number}")
        self.assertEqual(self.feed(answer(180, "more")), [])
        self.assertEqual(len(self.calls.dialogs), MAX_FORKS)
        dialog = self.answered("more")
        self.calls.acknowledge(dialog, now=0.0)
        (effect,) = self.calls.take_effects()
        assert isinstance(effect, Send)

    def test_other_responses(self) -> None:
        """
        A response to another request, or one that cannot be read, is passed over.
        """
        broken = answer(180, "1")
        broken.set("To", "<sip:")
        for other in (
            response(180, to=request(cseq=2)),
            response(180, to=request("UPDATE")),
            response(180, to=request(from_tag="other")),
            broken,
            answer(180, "1", contact="*"),
            answer(180, "1", "Record-Route: <tel:1>"),
        ):
            self.assertEqual(self.feed(other), [])
        foreign = answer(180, "1")
        foreign.set("Call-ID", "other")
        self.assertEqual(self.feed(foreign), [])
        self.assertEqual(self.calls.dialogs, ())


class FailureTests(ForkTestCase):
    def test_failure(self) -> None:
        """
        A final failure ends all early dialogs (RFC 3261, 13.2.2.3).
        """
        one, two = self.early("1"), self.early("2")
        busy = answer(486, "2")
        self.assertEqual(
            self.feed(busy), [Ended(one), Ended(two), Rejected(busy), Terminated()]
        )
        self.assertEqual(self.calls.dialogs, ())
        self.assertIs(one.state, State.Terminated)

    def test_failure_that_is_odd(self) -> None:
        """
        The transaction is over with any failure that has come to it, though it names
        another call or cannot be read: nothing may be left of the dialogs.
        """
        odd = answer(486, "2")
        odd.set("To", "<sip:")
        other = response(486, to=request(from_tag="other"))
        for each in (odd, other):
            self.setUp()
            one = self.early("1")
            self.assertEqual(
                self.feed(each), [Ended(one), Rejected(each), Terminated()]
            )

    def test_no_response(self) -> None:
        """
        So does having no response at all.
        """
        one = self.early("1")
        self.calls.fail()
        self.assertEqual(
            self.calls.take_effects(), [Ended(one), Rejected(None), Terminated()]
        )

    def test_once(self) -> None:
        """
        It fails once: nothing that comes later is of interest.
        """
        self.feed(answer(486, "1"))
        self.calls.fail()
        self.assertEqual(self.feed(answer(180, "2"), answer(603, "3")), [])

    def test_failure_after_an_answer(self) -> None:
        """
        Once answered, it cannot fail.
        """
        dialog = self.answered("1")
        self.assertEqual(self.feed(answer(486, "2")), [])
        self.assertIs(dialog.state, State.Confirmed)

    def test_answer_after_the_failure(self) -> None:
        """
        A 2xx that comes after all, as proxies may pass one on, is acknowledged and hung
        up, so that nobody listens to silence.
        """
        self.feed(answer(408, "1"))
        effects = self.feed(answer(200, "2"))
        self.assertEqual([type(effect) for effect in effects], [Unwanted, Send, Send])


class AnswerTests(ForkTestCase):
    def test_early_dialog_is_confirmed(self) -> None:
        """
        A 2xx confirms the early dialog of its tag, with its route set (13.2.2.4).
        """
        dialog = self.early("1")
        ok = answer(200, "1", "Record-Route: <sip:p.example.com;lr>")
        self.assertEqual(self.feed(ok), [Answered(dialog, ok)])
        self.assertIs(dialog.state, State.Confirmed)
        self.assertEqual(len(dialog.request("BYE").all(ROUTE)), 1)

    def test_answer_without_early_dialog(self) -> None:
        """
        A 2xx with a new tag makes a confirmed dialog.
        """
        self.assertIs(self.answered("1").state, State.Confirmed)

    def test_answer_without_tag(self) -> None:
        """
        A peer of RFC 2543 answers without a tag, and is understood.
        """
        (effect,) = self.feed(answer(200, None))
        assert isinstance(effect, Answered)
        self.calls.acknowledge(effect.dialog, now=0.0)
        (sent,) = self.calls.take_effects()
        assert isinstance(sent, Send)
        self.assertIsNone(sent.message[TO].tag)

    def test_acknowledge(self) -> None:
        """
        The ACK goes out when the user says so, and again with each repetition.
        """
        dialog = self.answered("1")
        self.assertEqual(self.feed(answer(200, "1")), [])
        self.calls.acknowledge(dialog, 0.5, [("X-Info", "1")], b"answer")
        (sent,) = self.calls.take_effects()
        assert isinstance(sent, Send)
        self.assertEqual(sent.message[CSEQ], CSeq(1, "ACK"))
        self.assertEqual(
            (sent.message.get("X-Info"), sent.message.body), ("1", b"answer")
        )
        self.assertEqual(self.feed(answer(200, "1"), answer(200, "1")), [sent, sent])

    def test_acknowledge_too_early(self) -> None:
        """
        Nobody acknowledges what is not answered, or another call.
        """
        early = self.early("1")
        other = DialogSet(INVITE)
        other.receive(answer(200, "1"), 0.0)
        for dialog in (early, other.dialogs[0]):
            self.assertRaises(LocalProtocolError, self.calls.acknowledge, dialog, 0.0)

    def test_ringing_after_the_answer(self) -> None:
        """
        Provisional responses are of no interest any more.
        """
        self.answered("1")
        self.assertEqual(self.feed(answer(180, "1"), answer(180, "2")), [])

    def test_answer_after_early_dialog_terminated(self) -> None:
        """
        A phone that answers although a 199 said that it had gone has answered.
        """
        dialog = self.early("1")
        self.feed(answer(199, "1"))
        self.assertIs(self.answered("1"), dialog)
        self.assertIs(dialog.state, State.Confirmed)

    def test_end(self) -> None:
        """
        "64*T1 seconds after the reception of the first 2xx" all early dialogs that are
        not answered are over (13.2.2.4).
        """
        one, two = self.early("1"), self.early("2")
        self.answered("1", now=10.0)
        self.assertEqual(self.calls.next_timer(), 42.0)
        self.calls.handle_timer(41.9)
        self.assertEqual(self.calls.take_effects(), [])
        self.calls.handle_timer(42.0)
        self.assertEqual(self.calls.take_effects(), [Ended(two), Terminated()])
        self.assertIsNone(self.calls.next_timer())
        self.assertEqual(self.calls.dialogs, (one,))

    def test_over_tls(self) -> None:
        """
        Dialogs of a call to a sips URI over TLS are secure.
        """
        invite = request(uri="sips:bob@example.net")
        calls = DialogSet(invite, over_tls=True)
        calls.receive(response(180, to=invite), 0.0)
        self.assertTrue(calls.dialogs[0].secure)


class SeveralAnswersTests(ForkTestCase):
    def hung_up(self, effects: list[ForkEffect]) -> tuple[Dialog, Request]:
        """
        Check that a dialog is acknowledged and hung up; return it with its ACK.
        """
        unwanted, ack, bye = effects
        assert isinstance(unwanted, Unwanted)
        assert isinstance(ack, Send) and isinstance(ack.message, Request)
        assert isinstance(bye, Send) and isinstance(bye.message, Request)
        dialog = unwanted.dialog
        self.assertEqual(ack.message[CSEQ], CSeq(1, "ACK"))
        self.assertEqual(bye.message[CSEQ].method, "BYE")
        for sent in (ack.message, bye.message):
            self.assertEqual(sent[TO].tag, dialog.remote_tag)
        self.assertIs(dialog.state, State.Terminated)
        return dialog, ack.message

    def test_second_answer(self) -> None:
        """
        The dialog of a second 2xx is acknowledged and hung up at once, whether it was
        early before or is new; the first one stays.
        """
        ringing = self.early("2")
        winner = self.answered("1")
        dialog, _ = self.hung_up(self.feed(answer(200, "2")))
        self.assertIs(dialog, ringing)
        self.hung_up(self.feed(answer(200, "3")))
        self.assertEqual(self.calls.dialogs, (winner,))

    def test_second_answer_is_repeated(self) -> None:
        """
        Its repetitions get the same ACK again, and no second BYE.
        """
        self.answered("1")
        _, ack = self.hung_up(self.feed(answer(200, "2")))
        self.assertEqual(self.feed(answer(200, "2")), [Send(ack)])

    def test_keep_all(self) -> None:
        """
        Whoever wants all answers gets them, each to be acknowledged.
        """
        self.calls = DialogSet(INVITE, keep_all=True)
        one, two = self.answered("1"), self.answered("2")
        for dialog in (one, two):
            self.calls.acknowledge(dialog, 0.0)
            (sent,) = self.calls.take_effects()
            assert isinstance(sent, Send)
            self.assertEqual(sent.message[TO].tag, dialog.remote_tag)

    def test_many_answers(self) -> None:
        """
        Beyond the limit each 2xx is hung up, and far beyond it none is.
        """
        for keep_all in (False, True):
            self.calls = DialogSet(INVITE, keep_all=keep_all)
            for number in range(MAX_FORKS):
                self.feed(answer(200, f"{number}"))
            for number in range(MAX_FORKS, MAX_ANSWERS):
                self.hung_up(self.feed(answer(200, f"{number}")))
            self.assertEqual(self.feed(answer(200, "more")), [])

    def test_answer_crosses_cancel(self) -> None:
        """
        After the user has given up, a 2xx is acknowledged and hung up
        (RFC 3261, 9.1), and the 487 of another fork ends the call.
        """
        early = self.early("1")
        self.calls.abandon()
        dialog, _ = self.hung_up(self.feed(answer(200, "1")))
        self.assertIs(dialog, early)

    def test_cancelled(self) -> None:
        """
        After the user has given up, progress is still told, and the end.
        """
        self.calls.abandon()
        dialog = self.early("1")
        gone = answer(487, "1")
        self.assertEqual(self.feed(gone), [Ended(dialog), Rejected(gone), Terminated()])

    def test_offer_of_an_unwanted_answer(self) -> None:
        """
        The offer in a 2xx that nobody wants is answered in its ACK by refusing every
        stream: "MUST place the answer in the ACK" (13.2.1).
        """
        self.calls = DialogSet(WITHOUT_OFFER)
        video = "m=video 4000 RTP/AVP 99"
        offer = response(200, to=WITHOUT_OFFER, body=description(video))
        self.calls.abandon()
        _, ack = self.hung_up(self.feed(offer))
        refused = SessionDescription.parse(ack.body)
        self.assertEqual(
            [(media.type, media.port, media.formats) for media in refused.media],
            [("audio", 0, ("0", "8")), ("video", 0, ("99",))],
        )
        self.assertEqual(ack.get("Content-Type"), "application/sdp")

    def test_broken_offer_of_an_unwanted_answer(self) -> None:
        """
        An offer that cannot be read, or is none, gets no answer.
        """
        for body in ((), ("v=0", "m=audio x"), ("v=0",)):
            self.calls = DialogSet(WITHOUT_OFFER)
            self.calls.abandon()
            offer = response(200, to=WITHOUT_OFFER, body=body)
            _, ack = self.hung_up(self.feed(offer))
            self.assertEqual(ack.body, b"")
