"""
Tests for :mod:`sipsorcery.dialog.offer_answer`: how a session goes on.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.exchange import (
    Broken,
    Offered,
    OutOfStep,
    Withdrawn,
)
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.sdp import (
    Media,
    hold,
)
from sipsorcery.sdp import RemoteProtocolError as Misfit
from sipsorcery.sip.fields import RETRY_AFTER
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


class ChangeTests(OfferAnswerTestCase):
    """
    Offers in an established session.
    """

    def setUp(self) -> None:
        super().setUp()
        self.call()

    def test_our_update(self) -> None:
        """
        Offer in an UPDATE, answer in its 2xx (RFC 3311, 5.1).
        """
        offer = self.session.offer(hold(ALICE))
        update = ours("UPDATE", offer, cseq=2)
        self.session.sent(update)
        self.receive(answer(update, 200, BOB))
        self.assert_agreed(offer, BOB)

    def test_their_update(self) -> None:
        """
        The same the other way round.
        """
        update = theirs("UPDATE", hold(BOB), cseq=2)
        self.receive(update)
        self.assert_effects(Offered(hold(BOB)))
        made = self.session.answer(ALICE)
        self.session.sent(answer(update, 200, made))
        self.assert_agreed(made, hold(BOB))
        self.assertEqual(made.media[0].direction.name, "RECVONLY")

    def test_update_without_offer(self) -> None:
        """
        An UPDATE without an offer, as it refreshes a session, changes nothing.
        """
        update = ours("UPDATE", cseq=2)
        self.session.sent(update)
        self.receive(answer(update, 200))
        update = theirs("UPDATE", cseq=2)
        self.receive(update)
        self.session.sent(answer(update, 200))
        self.assert_effects()
        self.assertTrue(self.session.may_offer)

    def test_failed_offers(self) -> None:
        """
        After a failure, or no response at all, the session is what it was.
        """
        for method in ("INVITE", "UPDATE", "PRACK"):
            for status in (401, 488, 491, 503):
                made = ours(method, self.session.offer(hold(ALICE)), cseq=2)
                self.session.sent(made)
                self.receive(answer(made, status))
                self.assert_effects(Withdrawn())
            made = ours(method, self.session.offer(hold(ALICE)), cseq=3)
            self.session.sent(made)
            self.session.give_up(made)
            self.assert_effects(Withdrawn())
        self.assertEqual((self.session.local, self.session.remote), (ALICE, BOB))

    def test_refused_offers(self) -> None:
        """
        So it is after we have refused an offer.
        """
        for method in ("INVITE", "UPDATE", "PRACK"):
            made = theirs(method, hold(BOB), "RAck: 1 1 INVITE", cseq=2)
            self.receive(made)
            self.session.take_effects()
            self.session.sent(answer(made, 488))
            self.assert_effects(Withdrawn())
        self.assertEqual((self.session.local, self.session.remote), (ALICE, BOB))

    def test_missing_answers(self) -> None:
        """
        A 2xx that leaves the answer out breaks the exchange, and the session stays.
        """
        for method in ("UPDATE", "PRACK"):
            made = ours(method, self.session.offer(hold(ALICE)), cseq=2)
            self.session.sent(made)
            self.receive(answer(made, 200))
            (effect,) = self.session.take_effects()
            self.assertIsInstance(effect, Broken)
            self.assertTrue(self.session.may_offer)
            received = theirs(method, hold(BOB), "RAck: 1 1 INVITE", cseq=3)
            self.receive(received)
            bare = answer(received, 200)
            self.assertRaises(LocalProtocolError, self.session.sent, bare)
            self.session.sent(answer(received, 488))
            self.session.take_effects()

    def test_offer_in_prack(self) -> None:
        """
        A PRACK may have another offer; its 2xx answers it (RFC 3262, 5).
        """
        invite = ours("INVITE", self.session.offer(ALICE), cseq=2)
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB, rseq=1))
        offer = self.session.offer(hold(ALICE))
        prack = ours("PRACK", offer, "RAck: 1 2 INVITE", cseq=3)
        self.session.sent(prack)
        self.session.take_effects()
        self.receive(answer(prack, 200, BOB))
        self.assert_agreed(offer, BOB)

    def test_failed_invite_with_changes(self) -> None:
        """
        A re-INVITE of ours that fails after something in it was agreed upon asks for
        another offer, so that both think the same (RFC 6141, 3.5).
        """
        invite = ours("INVITE", self.session.offer(hold(ALICE)), cseq=2)
        self.session.sent(invite)
        self.receive(answer(invite, 183, BOB, rseq=1))
        self.session.take_effects()
        self.receive(answer(invite, 487))
        self.assert_effects(OutOfStep())

    def test_failed_invite_with_an_update(self) -> None:
        """
        What an UPDATE has changed meanwhile stays. That the peer offers shows that it
        has seen our answer, though no PRACK says so.
        """
        invite = theirs("INVITE", BOB, cseq=5)
        self.receive(invite)
        self.session.sent(answer(invite, 183, self.session.answer(ALICE), rseq=1))
        update = theirs("UPDATE", hold(BOB), cseq=7)
        self.receive(update)
        self.session.sent(answer(update, 200, self.session.answer(ALICE)))
        self.session.take_effects()
        self.session.sent(answer(invite, 500))
        self.assert_effects()
        self.assertEqual(self.session.remote, hold(BOB))

    def test_offer_before_the_prack(self) -> None:
        """
        We offer nothing until the PRACK for our answer has come (RFC 3311, 5.1).
        """
        invite = theirs("INVITE", BOB, cseq=5)
        self.receive(invite)
        self.session.sent(answer(invite, 183, self.session.answer(ALICE), rseq=1))
        self.assertRaises(LocalProtocolError, self.session.offer, ALICE)
        update = ours("UPDATE", ALICE, cseq=2)
        self.assertRaises(LocalProtocolError, self.session.sent, update)
        self.receive(theirs("PRACK", None, "RAck: 1 5 INVITE", cseq=6))
        self.session.sent(ours("UPDATE", self.session.offer(ALICE), cseq=2))

    def test_bodies_where_none_belong(self) -> None:
        """
        A description in an ACK that answers nothing, or in another request, is passed
        over.
        """
        self.receive(theirs("ACK", hold(BOB)))
        self.receive(theirs("INFO", hold(BOB), cseq=2))
        self.receive(answer(ours("BYE", cseq=2), 200, hold(BOB)))
        self.assert_effects()
        self.assertEqual(self.session.remote, BOB)

    def test_misfit(self) -> None:
        """
        An offer that leaves out a stream of the session is refused with 488
        (RFC 3264, 8).
        """
        bare = replace(BOB, media=())
        self.assert_refused(theirs("UPDATE", bare, cseq=2), 488)
        made = ours("UPDATE", bare, cseq=2)
        self.assertRaises(LocalProtocolError, self.session.sent, made)


class TurnTests(OfferAnswerTestCase):
    """
    Offers that come at the wrong time.
    """

    def setUp(self) -> None:
        super().setUp()
        self.call()

    def test_glare(self) -> None:
        """
        An offer while ours has no answer is refused with 491 (RFC 3311, 5.2), and so is
        an INVITE that would make us offer.
        """
        self.session.sent(ours("UPDATE", self.session.offer(ALICE), cseq=2))
        self.assert_refused(theirs("UPDATE", BOB, cseq=2), 491)
        self.assert_refused(theirs("INVITE", BOB, cseq=3), 491)
        self.assert_refused(theirs("INVITE", cseq=4), 491)
        self.receive(theirs("UPDATE", cseq=5))

    def test_second_offer(self) -> None:
        """
        An offer while theirs has no answer is refused with 500 and a Retry-After.
        """
        self.receive(theirs("UPDATE", BOB, cseq=2))
        self.session.take_effects()
        refusal = self.assert_refused(theirs("INVITE", BOB, cseq=3), 500)
        self.assertEqual(
            [(field, value.seconds) for field, value in refusal.fields],
            [(RETRY_AFTER, 7)],
        )

    def test_offer_before_a_late_offer(self) -> None:
        """
        While an INVITE waits for the offer in its response there is no other one.
        """
        self.receive(theirs("INVITE", cseq=2))
        self.assert_refused(theirs("UPDATE", BOB, cseq=3), 500)
        self.session = OfferAnswer(ORIGIN)
        self.session.sent(ours("INVITE"))
        self.assertRaises(LocalProtocolError, self.session.offer, ALICE)
        update = ours("UPDATE", ALICE, cseq=2)
        self.assertRaises(LocalProtocolError, self.session.sent, update)

    def test_our_turn(self) -> None:
        """
        We make no offer while one has no answer, and no answer without an offer.
        """
        self.assertRaises(LocalProtocolError, self.session.answer, ALICE)
        self.assertRaises(LocalProtocolError, self.session.relay_answer, ALICE)
        self.session.sent(ours("UPDATE", self.session.offer(ALICE), cseq=2))
        self.assertRaises(LocalProtocolError, self.session.offer, ALICE)
        self.assertRaises(LocalProtocolError, self.session.answer, ALICE)
        again = ours("UPDATE", ALICE, cseq=3)
        self.assertRaises(LocalProtocolError, self.session.sent, again)

    def test_refused_request_leaves_no_trace(self) -> None:
        """
        The response that refuses a request may be reported as well.
        """
        offer = self.session.offer(ALICE)
        self.session.sent(ours("INVITE", offer, cseq=2))
        crossing = theirs("INVITE", BOB, cseq=2)
        self.assert_refused(crossing, 491)
        self.session.sent(answer(crossing, 491))
        self.assert_effects()
        self.receive(answer(ours("INVITE", cseq=2), 200, BOB))
        self.assert_agreed(offer, BOB)


class OriginTests(OfferAnswerTestCase):
    """
    The o= line of what we send.
    """

    def test_version(self) -> None:
        """
        The version rises by one when what we say changes, and only then, and never
        falls, whatever became of what was sent before (RFC 3264, 8).
        """
        self.call()
        self.assertEqual(self.session.offer(ALICE), ALICE)
        held = self.session.offer(hold(ALICE))
        self.assertEqual(held.origin.version, 2)
        update = ours("UPDATE", held, cseq=2)
        self.session.sent(update)
        self.receive(answer(update, 488))
        self.assertEqual(self.session.offer(hold(ALICE)), held)
        resumed = self.session.offer(ALICE)
        self.assertEqual(resumed.origin.version, 3)
        self.assertEqual(self.session.origin.version, 2)

    def test_making_is_not_sending(self) -> None:
        """
        What is made and not sent costs no version.
        """
        self.session.offer(ALICE)
        self.session.offer(hold(ALICE))
        self.assertEqual(self.session.offer(WITH_VIDEO).origin, ORIGIN)

    def test_own_origin(self) -> None:
        """
        Descriptions of others go out under our own origin, offers as well as answers.
        """
        self.assertEqual(self.session.offer(BOB).origin, ORIGIN)
        self.receive(theirs("INVITE", ALICE))
        self.assertEqual(self.session.relay_answer(BOB).origin, ORIGIN)
        self.assertEqual(self.session.answer(BOB).origin, ORIGIN)

    def test_relayed_answer(self) -> None:
        """
        An answer of somebody else must fit the offer, and is kept once it was sent.
        """
        invite = theirs("INVITE", ALICE)
        self.receive(invite)
        self.assertRaises(Misfit, self.session.relay_answer, WITH_VIDEO)
        made = self.session.relay_answer(BOB)
        self.session.sent(answer(invite, 183, made))
        self.assertEqual(self.session.relay_answer(hold(BOB)), made)

    def test_streams_that_are_left_out(self) -> None:
        """
        Streams of the session that a new offer leaves out are refused in it.
        """
        invite = ours("INVITE", self.session.offer(WITH_VIDEO))
        self.session.sent(invite)
        video = Media("video", 0, formats=("99",))
        self.receive(answer(invite, 200, replace(BOB, media=(*BOB.media, video))))
        offer = self.session.offer(ALICE)
        self.assertEqual(
            [(media.type, media.port) for media in offer.media],
            [("audio", 4000), ("video", 0)],
        )
        self.session.sent(ours("UPDATE", offer, cseq=2))

    def test_session_that_goes_on(self) -> None:
        """
        A session taken up again goes on with the next version, even for what it says
        already: what was sent last is not known.
        """
        origin = replace(ORIGIN, version=6)
        self.session = OfferAnswer(origin, local=ALICE, remote=BOB)
        self.assertEqual(self.session.origin, origin)
        offer = self.session.offer(ALICE)
        self.assertEqual(offer.origin.version, 7)
        self.session.sent(ours("UPDATE", offer, cseq=2))
        self.assertEqual(self.session.origin.version, 7)
