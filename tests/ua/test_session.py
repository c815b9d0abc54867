"""
Tests for `sipsorcery.ua.session` and what it is made of.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from sipsorcery.dialog.bodies import description_in
from sipsorcery.sdp import Direction, SessionDescription, hold
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.cseq import MAX_CSEQ
from sipsorcery.sip.fields import (
    ALLOW,
    AUTHORIZATION,
    CSEQ,
    RETRY_AFTER,
    SESSION_EXPIRES,
    SUPPORTED,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import MediaType, Parameterised, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import (
    Account,
    LocalProtocolError,
    RequestFailed,
    Session,
    SessionEnded,
)
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

SDP = bytes(PEER_MEDIA)
DTMF = MediaType("application", "dtmf-relay")


class PairTests(AgentCase):
    """
    A session between two agents.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.agent(ALICE), self.agent(BOB)
        calls = self.answering(self.bob)
        call = self.alice.invite(BOB_URI, ALICE_MEDIA)
        self.ours: Session = self.given(call.answered())
        self.theirs: Session = calls[0].session

    def end(self) -> None:
        """
        Hang up, and check that nothing is left.
        """
        self.run_through(self.ours.bye())
        self.assertTrue(self.theirs.is_over)
        self.assert_settled()

    def test_callee_hangs_up(self) -> None:
        """
        Either side may hang up, and both learn who did.
        """
        ours, theirs = self.ours.ended(), self.theirs.ended()
        self.run_through(self.theirs.bye())
        self.assertTrue(self.given(ours).by_peer)
        self.assertFalse(self.given(theirs).by_peer)
        self.assert_settled()

    def test_both_hang_up(self) -> None:
        """
        Two BYEs that cross are no error.
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.bye())
        other = self.begin(self.theirs.bye())
        self.network.advance(1.0)
        self.given(one)
        self.given(other)
        self.assert_settled()

    def test_twice(self) -> None:
        """
        To hang up what is over does nothing.
        """
        self.run_through(self.ours.bye())
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_hold_and_resume(self) -> None:
        """
        The peer is put on hold and taken off it again; versions rise (RFC 3264, 8).
        """
        self.run_through(self.ours.hold())
        self.assertTrue(self.theirs.is_held)
        self.assertFalse(self.ours.is_held)
        assert self.theirs.local is not None
        self.assertIs(self.theirs.local.media[0].direction, Direction.RECVONLY)
        assert self.ours.local is not None
        self.assertEqual(self.ours.local.origin.version, 2)
        self.run_through(self.ours.resume())
        self.assertFalse(self.theirs.is_held)
        self.assertEqual(self.ours.local.origin.version, 3)
        self.end()

    def test_callee_holds(self) -> None:
        """
        So may the one who was called.
        """
        self.run_through(self.theirs.hold())
        self.assertTrue(self.ours.is_held)
        self.end()

    def test_update(self) -> None:
        """
        An UPDATE changes the session, too (RFC 3311).
        """
        self.run_through(self.ours.update(hold(ALICE_MEDIA)))
        self.assertTrue(self.theirs.is_held)
        self.end()

    def test_update_without_offer(self) -> None:
        """
        An UPDATE without an offer leaves the session as it is.
        """
        before = self.theirs.local, self.theirs.remote
        self.run_through(self.ours.update())
        self.assertEqual((self.theirs.local, self.theirs.remote), before)
        self.end()

    def test_agreed(self) -> None:
        """
        The application is told whenever something has been agreed upon.
        """
        seen: list[bool] = []
        self.theirs.on_agreed(lambda session: seen.append(session.is_held))
        self.run_through(self.ours.hold())
        self.run_through(self.ours.resume())
        self.assertEqual(seen, [True, False])
        self.end()

    def test_offer_hook(self) -> None:
        """
        The application may say, and take its time to, what an offer is answered with.
        """
        waiting: Deferred[SessionDescription] = Deferred()
        offers: list[SessionDescription | None] = []

        def choose(offer: SessionDescription | None) -> Deferred[SessionDescription]:
            offers.append(offer)
            return waiting

        self.theirs.on_offer(choose)
        changing = self.begin(self.ours.hold())
        self.assertNoResult(changing)
        waiting.callback(hold(BOB_MEDIA))
        self.given(changing)
        assert self.ours.local is not None
        self.assertEqual(offers, [self.ours.local])
        assert self.theirs.local is not None
        self.assertIs(self.theirs.local.media[0].direction, Direction.INACTIVE)
        self.end()

    def test_nothing_in_common(self) -> None:
        """
        An offer that does not fit is refused, and the session stays what it was.
        """
        before = self.ours.local
        other = SessionDescription.parse(
            bytes(ALICE_MEDIA).replace(b"RTP/AVP", b"RTP/SAVP")
        )
        error = self.refused(self.begin(self.ours.reinvite(other)), RequestFailed)
        self.assertEqual(error.status, 488)
        self.assertEqual(self.ours.local, before)
        self.assertTrue(self.ours.is_established)
        self.end()

    def test_glare(self) -> None:
        """
        Of two re-INVITEs that cross both are refused with 491, and sent again (14.1).
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.hold())
        other = self.begin(self.theirs.reinvite())
        self.network.advance(10.0)
        self.given(one)
        self.given(other)
        self.assertTrue(self.theirs.is_held)
        self.network.latency = 0.0
        self.end()

    def test_glare_of_updates(self) -> None:
        """
        So are two UPDATEs.
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.update(hold(ALICE_MEDIA)))
        other = self.begin(self.theirs.update(BOB_MEDIA))
        self.network.advance(10.0)
        self.given(one)
        self.given(other)
        self.network.latency = 0.0
        self.end()

    def test_one_at_a_time(self) -> None:
        """
        Our own changes wait for one another.
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.hold())
        other = self.begin(self.ours.reinvite(ALICE_MEDIA))
        self.network.advance(1.0)
        self.given(one)
        self.given(other)
        self.assertFalse(self.theirs.is_held)
        self.network.latency = 0.0
        self.end()

    def test_end_while_waiting(self) -> None:
        """
        What is on its way when the session ends may arrive before; what waits for its
        turn comes to nothing.
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.hold())
        other = self.begin(self.ours.resume())
        self.begin(self.ours.bye())
        self.network.advance(1.0)
        self.given(one)
        self.failureResultOf(other, SessionEnded)
        self.assert_settled()

    def test_end_between_tries(self) -> None:
        """
        So does what waits after a 491; no timer of it is left.
        """
        self.network.latency = 0.05
        one = self.begin(self.ours.hold())
        self.begin(self.theirs.reinvite()).addErrback(lambda _: None)
        self.network.advance(0.3)
        self.begin(self.theirs.bye())
        self.network.advance(0.3)
        self.failureResultOf(one, SessionEnded)
        self.assert_settled()

    def test_after_the_end(self) -> None:
        """
        A session that is over can be asked nothing.
        """
        self.run_through(self.ours.bye())
        self.refused(self.begin(self.ours.hold()), SessionEnded)
        self.refused(self.begin(self.ours.update()), SessionEnded)
        self.refused(self.begin(self.ours.request("OPTIONS")), SessionEnded)
        self.assert_settled()

    def test_info(self) -> None:
        """
        A hook takes INFO; without one, a body that nobody knows is refused.
        """
        error = self.refused(
            self.begin(self.ours.info(DTMF, b"Signal=5\r\n")), RequestFailed
        )
        self.assertEqual(error.status, 415)
        bodies: list[bytes] = []

        def take(transaction: ServerTransaction) -> None:
            bodies.append(transaction.request.body)
            transaction.respond(200)

        self.theirs.on("INFO", take)
        self.run_through(self.ours.info(DTMF, b"Signal=5\r\n"))
        self.assertEqual(bodies, [b"Signal=5\r\n"])
        self.end()

    def test_info_for_the_agent(self) -> None:
        """
        A hook of the agent takes INFO in sessions that have none of their own.
        """
        self.bob.on("INFO", lambda transaction: transaction.respond(200))
        self.run_through(self.ours.info(DTMF, b"Signal=5\r\n"))
        self.end()

    def test_info_packages(self) -> None:
        """
        An Info-Package that nobody knows is refused with 469; no body is no question.
        """
        package = ("Info-Package", "unheard-of")
        error = self.refused(
            self.begin(self.ours.request("INFO", [package])), RequestFailed
        )
        self.assertEqual(error.status, 469)
        self.run_through(self.ours.request("INFO"))
        self.end()

    def test_message(self) -> None:
        """
        A MESSAGE in a session goes to the hook of the agent if that has none.
        """
        texts: list[bytes] = []

        async def take(transaction: ServerTransaction) -> None:
            texts.append(transaction.request.body)
            transaction.respond(200)

        error = self.refused(
            self.begin(self.ours.request("MESSAGE", body=b"hello")), RequestFailed
        )
        self.assertEqual(error.status, 405)
        self.bob.on("MESSAGE", take)
        self.run_through(self.ours.request("MESSAGE", body=b"hello"))
        self.assertEqual(texts, [b"hello"])
        self.end()

    def test_options(self) -> None:
        """
        OPTIONS in a session is answered as outside.
        """
        response = self.run_through(self.ours.request("OPTIONS"))
        self.assertIn("INVITE", response.all(ALLOW))
        self.end()

    def test_refresh(self) -> None:
        """
        The session is refreshed at half time, for as long as it lasts (RFC 4028).
        """
        before = self.ours.local
        self.network.advance(3700.0)
        self.assertTrue(self.ours.is_established)
        self.assertTrue(self.theirs.is_established)
        self.assertEqual(self.ours.local, before)
        self.end()

    def test_peer_is_gone(self) -> None:
        """
        A session whose refresh nobody answers ends.
        """
        self.network.drop = lambda *_: True
        self.network.advance(2000.0)
        self.assertTrue(self.ours.is_over)
        self.assertTrue(self.theirs.is_over)
        self.network.drop = None
        self.assert_settled()


class ScriptedTests(AgentCase):
    """
    A session with a peer that does not do what agents do.
    """

    def setUp(self) -> None:
        super().setUp()
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home"])
        self.alice = self.agent(account=account)
        self.bob = self.peer()
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        self.network.advance()
        self.bob.respond(self.bob.last("INVITE"), 200, *self.granted, body=SDP)
        self.session: Session = self.given(call.answered())

    granted: tuple[tuple[Any, Any], ...] = ()

    def within(self, method: str, number: int, *fields: Any, **options: Any) -> Request:
        """
        Let the peer send a request in the dialog.
        """
        dialog = self.session.dialog
        options = {"call_id": dialog.call_id, "to_tag": dialog.local_tag, **options}
        request = self.bob.request(method, *fields, number=number, **options)
        self.network.advance()
        return request

    def end(self) -> None:
        """
        Let the peer hang up, and check that nothing is left.
        """
        self.within("BYE", 1000)
        self.assertTrue(self.session.is_over)
        self.assert_settled()

    def test_reinvite(self) -> None:
        """
        A re-INVITE is answered, and repeated until it is acknowledged.
        """
        self.within("INVITE", 5, body=SDP)
        self.network.advance(0.6)
        self.assertEqual(self.bob.statuses, [200, 200])
        self.within("ACK", 5)
        self.network.advance(5.0)
        self.assertEqual(self.bob.statuses, [200, 200])
        self.end()

    def test_reinvite_without_offer(self) -> None:
        """
        A re-INVITE without an offer gets ours; it is what we said last.
        """
        before = self.session.local
        self.within("INVITE", 5)
        assert before is not None
        offered = description_in(self.bob.responses[-1])
        assert offered is not None
        self.assertEqual(offered.media[0].address, before.media[0].address)
        self.within("ACK", 5, body=SDP)
        self.end()

    def test_reinvite_never_acknowledged(self) -> None:
        """
        Without an ACK to that the session is hung up.
        """
        self.within("INVITE", 5, body=SDP)
        self.network.advance(32.1)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.network.advance()
        self.assertTrue(self.session.is_over)
        self.assert_settled()

    def test_reinvite_awaits_ack(self) -> None:
        """
        A re-INVITE of ours that has to wait for the ACK to the peer's goes as soon as
        that is there.
        """
        self.within("INVITE", 5, body=SDP)
        changing = self.begin(self.session.hold())
        self.network.advance(0.1)
        self.assertEqual(self.bob.methods, ["INVITE", "ACK"])
        self.within("ACK", 4)  # of another INVITE
        self.assertEqual(self.bob.methods, ["INVITE", "ACK"])
        self.within("ACK", 5)
        self.assertEqual(self.bob.methods, ["INVITE", "ACK", "INVITE"])
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.given(changing)
        self.end()

    def test_ack_after_491(self) -> None:
        """
        The time after a 491 is not cut short by any ACK (RFC 3261, 14.1).
        """
        changing = self.begin(self.session.hold())
        self.bob.respond(self.bob.last("INVITE"), 491)
        self.network.advance(0.1)
        self.within("INVITE", 5, body=SDP)
        self.within("ACK", 5)
        before = self.bob.last("INVITE")
        self.network.advance(1.9)
        self.assertIs(self.bob.last("INVITE"), before)
        self.network.advance(2.0)
        self.assertIsNot(self.bob.last("INVITE"), before)
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.given(changing)
        self.end()

    def test_reinvite_overtakes_ack(self) -> None:
        """
        An ACK that comes after the next re-INVITE counts (:rfc:`5407`).
        """
        self.within("INVITE", 5, body=SDP)
        self.within("INVITE", 6, body=SDP)
        self.within("ACK", 5)
        self.within("ACK", 6)
        self.assertEqual(self.bob.statuses, [200, 200])
        self.network.advance(40.0)
        self.assertEqual(self.bob.statuses, [200, 200])
        self.assertTrue(self.session.is_established)
        self.end()

    def test_reinvites_without_ack(self) -> None:
        """
        Of those that nobody acknowledges two are repeated, and none after the BYE.
        """
        for number in (5, 6, 7, 8):
            self.within("INVITE", number, body=SDP)
        self.assertEqual(self.bob.statuses, [200, 200, 500, 500])
        self.within("BYE", 9)
        self.network.advance(40.0)
        self.assertEqual(self.bob.statuses.count(200), 3)
        self.assert_settled()

    def test_second_reinvite(self) -> None:
        """
        One that comes before another is answered gets a 500 with Retry-After (14.2).
        """
        waiting: Deferred[SessionDescription] = Deferred()
        self.session.on_offer(lambda _: waiting)
        self.within("INVITE", 5, body=SDP)
        self.within("INVITE", 6, body=SDP)
        self.assertEqual(self.bob.statuses, [500])
        self.assertIn("Retry-After", self.bob.responses[-1])
        waiting.callback(ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.bob.statuses, [500, 200])
        self.within("ACK", 5)
        self.end()

    def test_nobody_waits(self) -> None:
        """
        A change that nobody waits for any more goes on to its end: the 2xx is
        acknowledged, and others may follow it.
        """
        for change, method in (
            (self.session.hold, "INVITE"),
            (self.session.update, "UPDATE"),
        ):
            changing = self.begin(change())
            changing.cancel()
            self.refused(changing, CancelledError)
            self.bob.respond(
                self.bob.last(method), 200, body=SDP if method == "INVITE" else b""
            )
            self.network.advance()
        self.assertEqual(self.bob.methods[-3:], ["INVITE", "ACK", "UPDATE"])
        self.assertTrue(self.session.overlap.may_send("INVITE"))
        self.assertTrue(self.session.overlap.may_send("UPDATE"))
        self.end()

    def test_nobody_waits_between_tries(self) -> None:
        """
        It is not sent again then.
        """
        changing = self.begin(self.session.hold())
        self.bob.respond(self.bob.last("INVITE"), 491)
        self.network.advance()
        changing.cancel()
        self.refused(changing, CancelledError)
        self.network.advance(10.0)
        self.assertEqual(self.bob.methods.count("INVITE"), 2)
        self.end()

    def test_later(self) -> None:
        """
        After a 500 that says so the re-INVITE is sent again, within 10 s (14.2).
        """
        changing = self.begin(self.session.hold())
        later = (RETRY_AFTER, Seconds(10))
        self.bob.respond(self.bob.last("INVITE"), 500, later)
        self.network.advance(9.9)
        self.assertEqual(self.bob.methods.count("INVITE"), 2)
        self.network.advance(0.2)
        self.assertEqual(self.bob.methods.count("INVITE"), 3)
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.given(changing)
        self.end()

    def test_much_later(self) -> None:
        """
        One that is to wait longer has failed: nothing of ours would go out meanwhile.
        """
        for seconds in (11, 2**32 - 1):
            changing = self.begin(self.session.hold())
            later = (RETRY_AFTER, Seconds(seconds))
            self.bob.respond(self.bob.last("INVITE"), 500, later)
            self.assertEqual(self.refused(changing, RequestFailed).status, 500)
        self.end()

    def test_no_number_left(self) -> None:
        """
        A proof takes a number; where none is left the request has failed.
        """
        dialog, shared = self.session.dialog, self.session.shared
        dialog.local_cseq = MAX_CSEQ - 1
        errand = shared.errand_of(dialog.request("SUBSCRIBE"))
        self.assertEqual(errand.make()[CSEQ].number, MAX_CSEQ)
        self.assertRaises(RequestFailed, errand.make)
        self.end()

    def test_cancelled_reinvite(self) -> None:
        """
        A re-INVITE that is cancelled leaves the session what it was.
        """
        waiting: Deferred[SessionDescription] = Deferred()
        self.session.on_offer(lambda _: waiting)
        before = self.session.remote
        self.within("INVITE", 5, body=bytes(hold(PEER_MEDIA)), branch="z9hG4bKre")
        self.within("CANCEL", 5, branch="z9hG4bKre")
        self.assertEqual(self.bob.statuses, [200, 487])
        waiting.callback(ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.bob.statuses, [200, 487])
        self.assertEqual(self.session.remote, before)
        self.assertTrue(self.session.is_established)
        self.end()

    def test_bye_during_reinvite(self) -> None:
        """
        A BYE ends the session and what waits in it (15.1.2).
        """
        waiting: Deferred[SessionDescription] = Deferred()
        self.session.on_offer(lambda _: waiting)
        self.within("INVITE", 5, body=SDP)
        self.within("BYE", 6)
        self.assertEqual(sorted(self.bob.statuses), [200, 487])
        waiting.callback(ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(len(self.bob.statuses), 2)
        self.assert_settled()

    def test_bye_crosses_our_reinvite(self) -> None:
        """
        A re-INVITE of ours that a BYE has crossed comes to nothing.
        """
        changing = self.begin(self.session.hold())
        invite = self.bob.last("INVITE")
        self.within("BYE", 5)
        self.assertTrue(self.session.is_over)
        self.bob.respond(invite, 481)
        self.refused(changing, RequestFailed)
        self.assert_settled()

    def test_late_2xx_to_our_reinvite(self) -> None:
        """
        A 2xx after the end is acknowledged all the same.
        """
        changing = self.begin(self.session.hold())
        invite = self.bob.last("INVITE")
        self.within("BYE", 5)
        self.bob.respond(invite, 200, body=bytes(hold(PEER_MEDIA)))
        self.network.advance()
        self.assertEqual(self.bob.last("ACK")[CSEQ].number, invite[CSEQ].number)
        changing.addErrback(lambda _: None)
        self.assert_settled()

    def test_reinvite_is_challenged(self) -> None:
        """
        A re-INVITE is sent again with a proof, if one is asked for.
        """
        changing = self.begin(self.session.hold())
        value = Challenge.parse('Digest realm="home", nonce="1", qop="auth"')
        self.bob.respond(self.bob.last("INVITE"), 401, (WWW_AUTHENTICATE, value))
        self.network.advance()
        again = self.bob.last("INVITE")
        self.assertEqual(again[AUTHORIZATION].realm, "home")
        self.bob.respond(again, 200, body=SDP)
        self.given(changing)
        self.end()

    def test_bye_is_challenged(self) -> None:
        """
        So is a BYE, though the session is over already.
        """
        saying = self.begin(self.session.bye())
        value = Challenge.parse('Digest realm="home", nonce="1", qop="auth"')
        self.bob.respond(self.bob.last("BYE"), 401, (WWW_AUTHENTICATE, value))
        self.network.advance()
        again = self.bob.last("BYE")
        self.assertEqual(again[AUTHORIZATION].realm, "home")
        self.bob.respond(again, 200)
        self.given(saying)
        self.assert_settled()

    def test_bye_without_answer(self) -> None:
        """
        Where nobody answers the BYE the session is over all the same (15.1.1).
        """
        saying = self.begin(self.session.bye())
        self.assertTrue(self.session.is_over)
        self.assertNoResult(saying)
        self.network.advance(33.0)
        self.given(saying)
        self.assert_settled()

    def test_peer_has_forgotten(self) -> None:
        """
        A 481 to any request of the session ends it, without a BYE (RFC 5057).
        """
        asking = self.begin(self.session.request("INFO"))
        self.bob.respond(self.bob.last("INFO"), 481)
        self.refused(asking, RequestFailed)
        self.assertTrue(self.session.is_over)
        self.assertNotIn("BYE", self.bob.methods)
        self.assert_settled()

    def test_old_number(self) -> None:
        """
        A request with an old number is refused with 500 (12.2.2).
        """
        self.within("INFO", 5)
        self.within("INFO", 4)
        self.assertEqual(self.bob.statuses, [200, 500])
        self.end()

    def test_unknown_extension(self) -> None:
        """
        What the peer requires and we cannot do is named in a 420 (8.2.2.3).
        """
        self.within("INFO", 5, ("Require", "telepathy"))
        self.assertEqual(self.bob.statuses, [420])
        self.assertEqual(self.bob.responses[-1].get("Unsupported"), "telepathy")
        self.end()

    def test_nobody_is_described(self) -> None:
        """
        Only a session that SDP describes can be put on hold.
        """
        call = self.alice.invite(PEER_URI)
        self.network.advance()
        self.bob.respond(self.bob.last("INVITE"), 200, tag="other")
        session = self.given(call.answered())
        self.refused(self.begin(session.hold()), LocalProtocolError)
        self.assertRaises(LocalProtocolError, session.on_offer, lambda _: ALICE_MEDIA)
        saying = self.begin(session.bye())
        self.bob.respond(self.bob.last("BYE"), 200)
        self.given(saying)
        self.end()


class RefresherTests(ScriptedTests):
    """
    The same with a peer that knows session timers, and takes UPDATE.
    """

    granted = (
        (
            SESSION_EXPIRES,
            Seconds(1800, Parameterised.parse("x;refresher=uac").parameters),
        ),
        (ALLOW, "INVITE"),
        (ALLOW, "UPDATE"),
        (SUPPORTED, "timer"),
    )

    def test_refresh_by_update(self) -> None:
        """
        A peer that takes UPDATE is asked by one, without a body (RFC 4028, 7.4).
        """
        self.network.advance(900.1)
        update = self.bob.last("UPDATE")
        self.assertEqual(update.body, b"")
        self.assertEqual(update[SESSION_EXPIRES].refresher, "uac")
        self.bob.respond(update, 200, *self.granted)
        self.end()
