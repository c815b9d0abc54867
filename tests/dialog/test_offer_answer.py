"""
Tests for :mod:`sipsorcery.dialog.offer_answer`: how a session begins.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.exchange import (
    Agreed,
    Broken,
    Offered,
    Previewed,
    Withdrawn,
)
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.sdp import (
    G722,
    Connection,
    Media,
    NotAcceptable,
    SessionDescription,
    hold,
)
from tests.dialog.sessions import (
    ALICE,
    BOB,
    ORIGIN,
    WITH_VIDEO,
    OfferAnswerTestCase,
    answer,
    ours,
    theirs,
)


class ClientTests(OfferAnswerTestCase):
    """
    The first INVITE is ours.
    """

    def test_answer_in_the_2xx(self) -> None:
        """
        Offer in the INVITE, answer in the 2xx (RFC 3261, 13.2.1).
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.assertFalse(self.session.may_offer)
        self.receive(answer(invite, 100))
        self.receive(answer(invite, 180))
        self.assert_effects()
        self.receive(answer(invite, 200, BOB))
        self.assert_agreed(ALICE, BOB)
        self.assertTrue(self.session.may_offer)

    def test_answer_in_a_reliable_response(self) -> None:
        """
        The answer in a reliable provisional response binds; what the 2xx says then is
        passed over.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB, rseq=1))
        self.assert_agreed(ALICE, BOB)
        self.assertTrue(self.session.may_offer)
        self.session.sent(ours("PRACK", None, "RAck: 1 1 INVITE", cseq=2))
        self.receive(answer(invite, 200, hold(BOB)))
        self.assert_effects()
        self.assertEqual(self.session.remote, BOB)

    def test_preview(self) -> None:
        """
        An answer in an unreliable response comes early: the first one counts, and no
        other offer is allowed before the answer that binds.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB))
        self.assert_effects(Previewed(BOB))
        self.receive(answer(invite, 183, hold(BOB)))
        self.assert_effects()
        self.assertFalse(self.session.may_offer)
        self.receive(answer(invite, 200, BOB))
        self.assert_agreed(ALICE, BOB)

    def test_preview_only(self) -> None:
        """
        A 2xx without an answer confirms the one that came early.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB))
        self.session.take_effects()
        self.receive(answer(invite, 200))
        self.assert_agreed(ALICE, BOB)

    def test_preview_and_another_answer(self) -> None:
        """
        Where the 2xx differs from what came early, as from gateways that let a machine
        speak first, the 2xx counts.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        machine = replace(BOB, media=(replace(BOB.media[0], port=9),))
        self.receive(answer(invite, 183, machine))
        self.session.take_effects()
        self.receive(answer(invite, 200, BOB))
        self.assert_agreed(ALICE, BOB)

    def test_late_offer(self) -> None:
        """
        An INVITE without an offer gets one in the 2xx, and the ACK answers it.
        """
        invite = ours("INVITE")
        self.session.sent(invite)
        self.assertFalse(self.session.may_offer)
        self.receive(answer(invite, 183, BOB))  # unreliable: it says nothing
        self.assert_effects()
        self.receive(answer(invite, 200, BOB))
        self.assert_effects(Offered(BOB))
        self.assertTrue(self.session.must_answer)
        made = self.session.answer(ALICE)
        self.session.sent(ours("ACK", made))
        self.assert_agreed(made, BOB)

    def test_late_offer_in_a_reliable_response(self) -> None:
        """
        Such an offer may come in a reliable provisional response; the PRACK for it
        answers it (RFC 3262, 5).
        """
        invite = ours("INVITE")
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB, rseq=3))
        self.assert_effects(Offered(BOB))
        made = self.session.answer(ALICE)
        self.session.sent(ours("PRACK", made, "RAck: 3 1 INVITE", cseq=2))
        self.assert_agreed(made, BOB)
        self.receive(answer(invite, 200))
        self.assert_effects()

    def test_reliable_response_without_the_late_offer(self) -> None:
        """
        A reliable response that leaves the offer out leaves it to the next one.
        """
        invite = ours("INVITE")
        self.session.sent(invite)
        self.receive(answer(invite, 180, rseq=3))
        self.receive(answer(invite, 200, BOB))
        self.assert_effects(Offered(BOB))

    def test_late_offer_without_answer(self) -> None:
        """
        An ACK or PRACK without the answer is a fault of ours.
        """
        for status, rseq, reply in (
            (200, None, ours("ACK")),
            (183, 3, ours("PRACK", None, "RAck: 3 1 INVITE", cseq=2)),
        ):
            self.session = OfferAnswer(ORIGIN)
            invite = ours("INVITE")
            self.session.sent(invite)
            self.receive(answer(invite, status, BOB, rseq=rseq))
            self.assertRaises(LocalProtocolError, self.session.sent, reply)
            self.assertTrue(self.session.must_answer)

    def test_broken_answers(self) -> None:
        """
        A 2xx without an answer, or with one that cannot be read or does not fit, or
        without the offer that must be there, breaks the session.
        """
        for offer, body in (
            (ALICE, None),
            (ALICE, b"v=0\r\n"),
            (ALICE, b"\xff"),
            (ALICE, WITH_VIDEO),
            (None, None),
            (None, b"v=0\r\n"),
        ):
            self.session = OfferAnswer(ORIGIN)
            invite = ours("INVITE", offer)
            self.session.sent(invite)
            self.receive(answer(invite, 200, body))
            (effect,) = self.session.take_effects()
            self.assertIsInstance(effect, Broken)
            self.assertIsNone(self.session.local)
            self.assertTrue(self.session.may_offer)

    def test_broken_preview(self) -> None:
        """
        An early answer that does not fit is reported, and the next one counts.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.receive(answer(invite, 183, WITH_VIDEO))
        (effect,) = self.session.take_effects()
        self.assertIsInstance(effect, Broken)
        self.receive(answer(invite, 200, BOB))
        self.assert_agreed(ALICE, BOB)

    def test_failure(self) -> None:
        """
        With the INVITE its offer comes to nothing, and so does having no response.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.receive(answer(invite, 486))
        self.assert_effects(Withdrawn())
        self.assertTrue(self.session.may_offer)
        again = ours("INVITE", ALICE, cseq=2)
        self.session.sent(again)
        self.session.give_up(again)
        self.assert_effects(Withdrawn())
        self.assertIsNone(self.session.local)

    def test_failure_of_another_request(self) -> None:
        """
        A failure of another request leaves the offer where it is, and so do responses
        to others.
        """
        invite = ours("INVITE", ALICE, cseq=4)
        self.session.sent(invite)
        for other in (ours("INVITE", cseq=3), ours("PRACK", cseq=4), ours("INFO")):
            for status in (183, 200, 500):
                self.receive(answer(other, status, BOB, rseq=1))
        self.receive(answer(ours("INFO"), 500))
        self.assert_effects()
        self.assertFalse(self.session.may_offer)

    def test_forks(self) -> None:
        """
        Each dialog of one INVITE has a session of its own (RFC 6337, 3.1).
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        fork = self.session.fork()
        self.receive(answer(invite, 200, BOB))
        self.assert_agreed(ALICE, BOB)
        self.assertIsNone(fork.local)
        self.assertFalse(fork.may_offer)
        held = hold(BOB)
        self.assertIsNone(fork.receive(answer(invite, 183, held, rseq=1)))
        self.assertEqual(fork.take_effects(), [Agreed(ALICE, held)])
        self.assertIsNone(fork.receive(answer(invite, 486)))
        self.assertEqual(self.session.remote, BOB)


class ServerTests(OfferAnswerTestCase):
    """
    The first INVITE is Bob's.
    """

    def test_answer_in_the_2xx(self) -> None:
        """
        Offer in the INVITE, answer in the 2xx.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        self.assert_effects(Offered(BOB))
        self.assertTrue(self.session.must_answer)
        self.session.sent(answer(invite, 180))
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 200, made))
        self.assert_agreed(made, BOB)
        self.receive(theirs("ACK"))
        self.assert_effects()

    def test_answer_in_a_reliable_response(self) -> None:
        """
        The answer may go in a reliable provisional response; then it binds.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        self.session.take_effects()
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 183, made, rseq=1))
        self.assert_agreed(made, BOB)
        self.receive(theirs("PRACK", None, "RAck: 1 1 INVITE", cseq=2))
        self.session.sent(answer(invite, 200))
        self.assert_effects()

    def test_preview(self) -> None:
        """
        In unreliable responses goes "that same exact answer" that the 2xx has.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        self.session.take_effects()
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 183, made))
        self.assert_effects()
        self.assertTrue(self.session.must_answer)
        self.assertEqual(self.session.answer(hold(ALICE)), made)
        self.session.sent(answer(invite, 183, made))
        for status in (183, 200):
            other = answer(invite, status, hold(made))
            self.assertRaises(LocalProtocolError, self.session.sent, other)
        self.assertRaises(LocalProtocolError, self.session.sent, answer(invite, 200))

    def test_own_answer_is_not_read_back(self) -> None:
        """
        The answer that was made is the one that is sent, and need not be read again.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 200, made))
        self.assertIs(self.session.local, made)

    def test_preview_is_not_enough(self) -> None:
        """
        The 2xx has the answer, also where it went out early.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 183, made))
        self.session.take_effects()
        self.session.sent(answer(invite, 200, made))
        self.assert_agreed(made, BOB)

    def test_late_offer(self) -> None:
        """
        To an INVITE without an offer we offer in the 2xx; the ACK answers.
        """
        invite = theirs("INVITE")
        self.receive(invite)
        self.assert_effects()
        self.assertTrue(self.session.may_offer)
        made = self.session.offer(ALICE)
        self.session.sent(answer(invite, 200, made))
        self.assertFalse(self.session.may_offer)
        self.receive(theirs("ACK", BOB))
        self.assert_agreed(made, BOB)

    def test_late_offer_in_a_reliable_response(self) -> None:
        """
        Or in a reliable provisional response, whose PRACK answers.
        """
        invite = theirs("INVITE")
        self.receive(invite)
        made = self.session.offer(ALICE)
        self.session.sent(answer(invite, 183, made, rseq=5))
        self.receive(theirs("PRACK", BOB, "RAck: 5 1 INVITE", cseq=2))
        self.assert_agreed(made, BOB)
        self.session.sent(answer(invite, 200))

    def test_late_offer_without_answer(self) -> None:
        """
        An ACK without the answer, or with one that does not fit, breaks the session.
        """
        for body in (None, b"v=0\r\n", WITH_VIDEO):
            self.session = OfferAnswer(ORIGIN)
            invite = theirs("INVITE")
            self.receive(invite)
            self.session.sent(answer(invite, 200, self.session.offer(ALICE)))
            self.receive(theirs("ACK", body))
            (effect,) = self.session.take_effects()
            self.assertIsInstance(effect, Broken)
            self.assertTrue(self.session.may_offer)

    def test_prack_without_the_answer(self) -> None:
        """
        Such a PRACK is refused, and breaks the session: the INVITE must fail.
        """
        for body in (None, b"v=0\r\n", WITH_VIDEO):
            self.session = OfferAnswer(ORIGIN)
            invite = theirs("INVITE")
            self.receive(invite)
            made = self.session.offer(ALICE)
            self.session.sent(answer(invite, 183, made, rseq=5))
            prack = theirs("PRACK", body, "RAck: 5 1 INVITE", cseq=2)
            self.assertIsNotNone(self.session.receive(prack))
            (effect,) = self.session.take_effects()
            self.assertIsInstance(effect, Broken)

    def test_prack_for_another_response(self) -> None:
        """
        A PRACK for a response without the offer does not answer it.
        """
        invite = theirs("INVITE")
        self.receive(invite)
        self.session.sent(answer(invite, 180, rseq=4))
        self.session.sent(answer(invite, 183, self.session.offer(ALICE), rseq=5))
        self.receive(theirs("PRACK", None, "RAck: 4 1 INVITE", cseq=2))
        self.assert_effects()
        self.assertFalse(self.session.may_offer)

    def test_faults_of_ours(self) -> None:
        """
        We send no 2xx without the answer, or the offer, that belongs there, and no
        description where none belongs.
        """
        offered, bare = theirs("INVITE", BOB), theirs("INVITE")
        for invite, responses in (
            (offered, [answer(offered, 200)]),
            (offered, [answer(offered, 200, WITH_VIDEO)]),
            (offered, [answer(offered, 183, b"v=0\r\n")]),
            (bare, [answer(bare, 200)]),
            (bare, [answer(bare, 183, ALICE)]),
            (bare, [answer(bare, 183, ALICE, rseq=1), answer(bare, 200, BOB)]),
        ):
            self.session = OfferAnswer(ORIGIN)
            self.receive(invite)
            for first in responses[:-1]:
                self.session.sent(first)
            self.assertRaises(LocalProtocolError, self.session.sent, responses[-1])

    def test_answer_repeated_in_the_2xx(self) -> None:
        """
        A 2xx may repeat the answer that a reliable response has given.
        """
        invite = theirs("INVITE", BOB)
        self.receive(invite)
        made = self.session.answer(ALICE)
        self.session.sent(answer(invite, 183, made, rseq=1))
        self.session.take_effects()
        self.session.sent(answer(invite, 200, made))
        self.assert_effects()

    def test_rejection(self) -> None:
        """
        Where nothing fits the INVITE is refused with 488, and its offer with it.
        """
        g722 = SessionDescription.create(
            BOB.origin, Connection("::1"), [Media("audio", 1).with_codecs([G722])]
        )
        invite = theirs("INVITE", g722)
        self.receive(invite)
        self.assertRaises(NotAcceptable, self.session.answer, ALICE)
        self.session.take_effects()
        self.session.sent(answer(invite, 488))
        self.assert_effects(Withdrawn())
        self.assertFalse(self.session.must_answer)

    def test_failure_after_an_unacknowledged_answer(self) -> None:
        """
        Where no PRACK comes for the answer, the failure of the INVITE takes it back:
        the peer may never have seen it.
        """
        self.call()
        invite = theirs("INVITE", hold(BOB), cseq=9)
        self.receive(invite)
        self.session.sent(answer(invite, 183, self.session.answer(ALICE), rseq=1))
        self.session.take_effects()
        self.session.sent(answer(invite, 504))
        self.assert_agreed(ALICE, BOB)

    def test_failure_after_an_acknowledged_answer(self) -> None:
        """
        Once acknowledged the answer stays, whatever becomes of the INVITE; both know it
        (RFC 6141, 3.4).
        """
        self.call()
        held = hold(BOB)
        invite = theirs("INVITE", held, cseq=9)
        self.receive(invite)
        self.session.sent(answer(invite, 183, self.session.answer(ALICE), rseq=1))
        self.receive(theirs("PRACK", None, "RAck: 1 9 INVITE", cseq=10))
        self.session.take_effects()
        self.session.sent(answer(invite, 500))
        self.assert_effects()
        self.assertEqual(self.session.remote, held)

    def test_broken_offers(self) -> None:
        """
        An offer that cannot be read is refused with the status that its fault has.
        """
        for body, status in (
            (b"v=0\r\n", 400),
            (b"v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\n", 488),
            (b"\xff\x00", 400),
        ):
            self.assert_refused(theirs("INVITE", body), status)
        broken = theirs("INVITE", BOB)
        broken.set("Content-Type", "/")
        self.assert_refused(broken, 400)
        broken = theirs("INVITE", BOB)
        broken.set("CSeq", "x")
        self.assert_refused(broken, 400)

    def test_other_bodies(self) -> None:
        """
        A body of another type, or for another purpose, is no offer.
        """
        for type, disposition in (
            ("text/plain", "session"),
            ("application/sdp", "early-session"),
            (None, "session"),
        ):
            self.session = OfferAnswer(ORIGIN)
            invite = theirs("INVITE", BOB)
            invite.remove("Content-Type")
            if type is not None:
                invite.set("Content-Type", type)
            invite.set("Content-Disposition", disposition)
            self.receive(invite)
            self.assertFalse(self.session.must_answer)
