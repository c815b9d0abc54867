"""
Tests for `sipsorcery.ua.server_call`.
"""

from __future__ import annotations

import gc

from twisted.internet.defer import Deferred

from sipsorcery.dialog.bodies import description_in
from sipsorcery.sdp import NotAcceptable
from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.fields import (
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    EXPIRES,
    MIN_SE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RACK,
    RECORD_ROUTE,
    REPLACES,
    REQUIRE,
    RSEQ,
    SESSION_EXPIRES,
    SUPPORTED,
    TO,
    VIA,
)
from sipsorcery.sip.multipart import Part, write_multipart
from sipsorcery.sip.parameterised import DialogReference, MediaType, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import (
    Account,
    CallCancelled,
    LocalProtocolError,
    NotAcknowledged,
    ServerCall,
    Session,
    SessionEnded,
)
from tests.ua.cases import ALICE, ALICE_MEDIA, PEER_MEDIA, PEER_URI, AgentCase

SDP = bytes(PEER_MEDIA)


def calls_and_sessions() -> list[object]:
    """
    Give those that are still in memory, be it only for another test.
    """
    return [one for one in gc.get_objects() if type(one) in (Session, ServerCall)]


class CallCase(AgentCase):
    """
    A peer that calls an agent.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.agent()
        self.bob = self.peer()
        self.calls: list[ServerCall] = []
        self.alice.on_invite(self.calls.append)

    def call(
        self, *fields: tuple[object, object], body: bytes = SDP, **options: str
    ) -> ServerCall:
        """
        Let the peer call.
        """
        self.invite = self.bob.request("INVITE", *fields, body=body, **options)  # type: ignore[arg-type]
        self.network.advance()
        return self.calls[-1]

    @property
    def last(self) -> Response:
        """
        The last response that the peer has got.
        """
        return self.bob.responses[-1]

    def within(
        self,
        method: str,
        number: int,
        *fields: tuple[object, object],
        body: bytes = b"",
    ) -> Request:
        """
        Let the peer send a request in the dialog of the last call.
        """
        tag = self.calls[-1].session.dialog.local_tag
        request = self.bob.request(
            method, *fields, number=number, to_tag=tag, body=body
        )
        self.network.advance()
        return request

    def answer(self, call: ServerCall) -> Session:
        """
        Answer, and let the peer acknowledge.
        """
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.within("ACK", self.invite[CSEQ].number)
        return self.given(answered)


class LeaveTests(CallCase):
    """
    A call that another server answers.
    """

    def test_silent(self) -> None:
        """
        The caller hears nothing more of us, whatever he sends, and nothing is left.
        """
        call = self.call()
        call.ring(100)
        answered = call.answered()
        call.leave()
        self.refused(answered, SessionEnded)
        self.assertFalse(call.is_pending)
        self.network.advance(600)
        self.assertEqual(self.bob.statuses, [100])
        self.assert_settled()

    def test_cancelled(self) -> None:
        """
        A CANCEL belongs to nothing here any more.
        """
        call = self.call()
        call.leave()
        via = self.invite[VIA]
        self.bob.request("CANCEL", (VIA, via), call_id="call")
        self.network.advance()
        self.assertEqual(self.bob.statuses, [481])

    def test_too_late(self) -> None:
        """
        A call that we have answered is ours.
        """
        call = self.call()
        self.answer(call)
        self.assertRaises(LocalProtocolError, call.leave)


class AnswerTests(CallCase):
    """
    Calls that we answer.
    """

    def test_ring_and_answer(self) -> None:
        """
        A call rings, is answered, acknowledged, and hung up by the peer.
        """
        call = self.call()
        call.ring()
        session = self.answer(call)
        self.assertTrue(session.is_established)
        self.assertEqual(self.bob.statuses, [180, 200])
        self.assertEqual(session.local, description_in(self.last))
        self.assertEqual(session.remote, PEER_MEDIA)
        self.within("BYE", 2)
        self.assertEqual(self.last.status, 200)
        self.assertTrue(self.given(session.ended()).by_peer)
        self.assert_settled()

    def test_nothing_is_kept(self) -> None:
        """
        An ended call is let go at once, though its transactions stay; and it leaves no
        cycle for the garbage collector to find.
        """
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = {id(one) for one in calls_and_sessions()}
        self.answer(self.call())
        self.within("BYE", 2)
        self.call(call_id="another").reject()
        self.calls.clear()
        kept = [one for one in calls_and_sessions() if id(one) not in before]
        self.assertEqual(kept, [])
        self.assertNotEqual(self.alice.transactions.size, (0, 0))

    def test_what_is_known(self) -> None:
        """
        A call says who calls whom, and what they offer.
        """
        call = self.call()
        self.assertEqual(str(call.uri), f"sip:100@{ALICE}")
        self.assertEqual(str(call.caller.uri), PEER_URI)
        self.assertEqual(call.offer, PEER_MEDIA)
        call.reject()
        self.within("ACK", 1)
        self.assert_settled()

    def test_2xx(self) -> None:
        """
        The 2xx has the Record-Route as it came, our Contact and our abilities (12.1.1).
        """
        route = Address.parse("<sip:192.0.2.3;lr>;x=y")
        call = self.call((RECORD_ROUTE, route))
        session = self.answer(call)
        response = self.last
        self.assertEqual(response[RECORD_ROUTE], route)
        self.assertEqual(str(response[CONTACT]), f"<sip:100@{ALICE}:5060>")
        self.assertIn("UPDATE", response.get("Allow") or "")
        self.assertIn("timer", response.get("Supported") or "")
        saying = self.begin(session.bye())
        bye = self.bob.last("BYE")
        self.assertEqual(bye.get("Route"), "<sip:192.0.2.3;lr>;x=y")
        self.bob.respond(bye, 200)
        self.given(saying)
        self.assert_settled()

    def test_repeated_until_ack(self) -> None:
        """
        The 2xx is repeated until its ACK comes (13.3.1.4).
        """
        call = self.call()
        answered = call.answer(ALICE_MEDIA)
        self.network.advance(2.0)
        self.assertEqual(self.bob.statuses, [200, 200, 200])
        self.within("ACK", 1)
        session = self.given(answered)
        self.network.advance(20.0)
        self.assertEqual(len(self.bob.statuses), 3)
        self.within("BYE", 2)
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_reinvite_overtakes_ack(self) -> None:
        """
        The ACK may come after a re-INVITE, which waits for its own all the same.
        """
        answered = self.call().answer(ALICE_MEDIA)
        self.network.advance()
        self.within("INVITE", 2, body=SDP)
        self.within("ACK", 1)
        session = self.given(answered)
        self.network.advance(1.0)
        self.within("ACK", 2)
        self.network.advance(40.0)
        self.assertTrue(session.is_established)
        self.within("BYE", 3)
        self.assert_settled()

    def test_no_ack(self) -> None:
        """
        Without an ACK the call is hung up after 64*T1 (13.3.1.4).
        """
        answered = self.call().answer(ALICE_MEDIA)
        self.network.advance(32.1)
        self.refused(answered, NotAcknowledged)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assert_settled()

    def test_bye_before_ack(self) -> None:
        """
        A BYE that comes before a lost ACK ends the call that was answered.
        """
        answered = self.call().answer(ALICE_MEDIA)
        self.network.advance()
        self.within("BYE", 2)
        self.assertTrue(self.given(answered).is_over)
        self.network.advance(5.0)
        self.assertEqual(self.bob.statuses, [200, 200])
        self.assert_settled()

    def test_late_offer(self) -> None:
        """
        Where the caller makes no offer, ours is in the 2xx, and the answer in the ACK.
        """
        call = self.call(body=b"")
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        offer = description_in(self.last)
        self.assertIsNotNone(offer)
        self.within("ACK", 1, body=SDP)
        session = self.given(answered)
        self.assertEqual((session.local, session.remote), (offer, PEER_MEDIA))
        self.within("BYE", 2)
        self.assert_settled()

    def test_late_offer_without_answer(self) -> None:
        """
        An ACK without the answer that belongs there leaves no session: it is hung up.
        """
        answered = self.call(body=b"").answer(ALICE_MEDIA)
        self.network.advance()
        self.within("ACK", 1)
        self.given(answered)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assert_settled()

    def test_without_descriptions(self) -> None:
        """
        A call need not be one that SDP describes.
        """
        answered = self.call(body=b"").answer()
        self.network.advance()
        self.within("ACK", 1)
        self.assertIsNone(self.given(answered).remote)
        self.within("BYE", 2)
        self.assert_settled()

    def test_twice(self) -> None:
        """
        What has been answered is not answered again.
        """
        call = self.call()
        session = self.answer(call)
        self.assertRaises(LocalProtocolError, call.answer, ALICE_MEDIA)
        self.assertRaises(LocalProtocolError, call.reject)
        self.assertRaises(LocalProtocolError, call.ring)
        self.within("BYE", 2)
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_session_timer(self) -> None:
        """
        The 2xx says who refreshes the session, and how often (RFC 4028).
        """
        call = self.call((SESSION_EXPIRES, Seconds(600)), (SUPPORTED, "timer"))
        self.answer(call)
        granted = self.last[SESSION_EXPIRES]
        self.assertEqual((granted.seconds, granted.refresher), (600, "uac"))
        self.within("BYE", 2)
        self.assert_settled()

    def test_session_timer_expires(self) -> None:
        """
        A session that the caller does not refresh is hung up.
        """
        call = self.call((SESSION_EXPIRES, Seconds(600)), (SUPPORTED, "timer"))
        session = self.answer(call)
        self.network.advance(569.0)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.network.advance()
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_session_interval_too_small(self) -> None:
        """
        An interval that is too small is refused with 422 and ours.
        """
        self.bob.request(
            "INVITE", (SESSION_EXPIRES, Seconds(30)), (SUPPORTED, "timer"), body=SDP
        )
        self.network.advance()
        self.assertEqual(self.calls, [])
        self.assertEqual((self.last.status, self.last[MIN_SE].seconds), (422, 90))
        self.bob.request("ACK", to_tag=self.last[TO].tag, branch="z9hG4bKpeer1")
        self.assert_settled()


class ChallengedTests(CallCase):
    """
    A callee who has to prove who he is, as the caller would have to.
    """

    def setUp(self) -> None:
        super().setUp()
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home"])
        self.alice.account = account

    def test_proof(self) -> None:
        """
        A challenge to a request within the call is answered.
        """
        session = self.answer(self.call())
        info = self.begin(session.info(MediaType.parse("text/plain"), b"5"))
        first = self.bob.last("INFO")
        challenge = Challenge.parse('Digest realm="home", nonce="n", qop="auth"')
        self.bob.respond(first, 407, (PROXY_AUTHENTICATE, challenge), tag=None)
        self.network.advance()
        again = self.bob.last("INFO")
        self.assertEqual(again[PROXY_AUTHORIZATION].realm, "home")
        self.bob.respond(again, 200, tag=None)
        self.given(info)


class ReliableTests(CallCase):
    """
    Provisional responses that have to arrive (RFC 3262).
    """

    def rack(self) -> RAck:
        """
        Name the last response.
        """
        return RAck(self.last[RSEQ], CSeq(1, "INVITE"))

    def test_early_media(self) -> None:
        """
        A description in a 183 is sent reliably to who can confirm it; it is the answer.
        """
        call = self.call((SUPPORTED, "100rel"))
        call.ring(183, ALICE_MEDIA)
        self.network.advance(0.6)
        self.assertEqual(self.bob.statuses, [183, 183])
        self.assertEqual(self.last.all(REQUIRE), ("100rel",))
        self.within("PRACK", 2, (RACK, self.rack()))
        self.assertEqual(self.last.status, 200)
        self.assertEqual(call.session.remote, PEER_MEDIA)
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.last.body, b"")
        self.within("ACK", 1)
        self.given(answered)
        self.within("BYE", 3)
        self.assert_settled()

    def test_answer_waits(self) -> None:
        """
        The 2xx waits until a description has been confirmed (RFC 3262, 3).
        """
        call = self.call((SUPPORTED, "100rel"))
        call.ring(183, ALICE_MEDIA)
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.bob.statuses, [183])
        self.within("PRACK", 2, (RACK, self.rack()))
        self.assertEqual(self.bob.statuses, [183, 200, 200])
        self.within("ACK", 1)
        self.given(answered)
        self.within("BYE", 3)
        self.assert_settled()

    def test_required(self) -> None:
        """
        Who requires it gets every provisional response reliably.
        """
        call = self.call((REQUIRE, "100rel"))
        call.ring()
        self.network.advance()
        self.assertIn(RSEQ, self.last)
        self.within("PRACK", 2, (RACK, self.rack()))
        self.answer(call)
        self.within("BYE", 3)
        self.assert_settled()

    def test_unsupported(self) -> None:
        """
        Who cannot confirm anything is not asked to.
        """
        call = self.call()
        self.assertRaises(LocalProtocolError, call.ring, reliable=True)
        self.answer(call)
        self.within("BYE", 2)
        self.assert_settled()

    def test_never_confirmed(self) -> None:
        """
        Without PRACK the call is refused with a 5xx after 64*T1.
        """
        call = self.call((REQUIRE, "100rel"))
        call.ring()
        self.network.advance(32.1)
        self.assertEqual(self.last.status, 504)
        self.refused(call.answered(), CallCancelled)
        self.within("ACK", 1)
        self.assert_settled()

    def test_wrong_prack(self) -> None:
        """
        A PRACK for what was never sent gets a 481.
        """
        call = self.call((REQUIRE, "100rel"))
        call.ring()
        self.network.advance()
        self.within("PRACK", 2, (RACK, RAck(1, CSeq(7, "INVITE"))))
        self.assertEqual(self.last.status, 481)
        call.reject()
        self.network.advance()
        self.assert_settled()


class RefuseTests(CallCase):
    """
    Calls that we do not answer.
    """

    def test_reject(self) -> None:
        """
        A call is refused with the status that we choose.
        """
        call = self.call()
        call.reject(480, "Out to lunch")
        self.refused(call.answered(), SessionEnded)
        self.assertEqual((self.last.status, self.last.reason), (480, "Out to lunch"))
        self.assert_settled()

    def test_status_of_another_kind(self) -> None:
        """
        Nothing but a final refusal refuses, and nothing but a provisional one rings.
        """
        call = self.call()
        for status in (100, 180, 200, 299, 700):
            self.assertRaises(LocalProtocolError, call.reject, status)
        for status in (200, 302, 486):
            self.assertRaises(LocalProtocolError, call.ring, status)
        self.assertTrue(call.is_pending)
        call.reject()
        self.network.advance()
        self.assertEqual(self.bob.statuses, [486])
        self.assert_settled()

    def test_redirect(self) -> None:
        """
        The caller can be sent elsewhere.
        """
        self.call().redirect(SIPURI.parse("sip:carol@example.com"))
        self.network.advance()
        self.assertEqual(self.last.status, 302)
        self.assertEqual(str(self.last[CONTACT]), "<sip:carol@example.com>")
        self.assert_settled()

    def test_redirect_to_nobody(self) -> None:
        """
        A redirection names a target and is a 3xx; else the call goes on waiting.
        """
        call = self.call()
        carol = SIPURI.parse("sip:carol@example.com")
        self.assertRaises(LocalProtocolError, call.redirect)
        for status in (200, 299, 400, 486):
            self.assertRaises(LocalProtocolError, call.redirect, carol, status=status)
        self.assertTrue(call.is_pending)
        call.redirect(carol)
        self.network.advance()
        self.assertEqual(self.bob.statuses, [302])
        self.assert_settled()

    def test_nothing_in_common(self) -> None:
        """
        Where nothing that is offered fits, the call is refused with 488.
        """
        offer = SDP.replace(b"RTP/AVP", b"RTP/SAVP")
        call = self.call(body=offer)
        self.assertRaises(NotAcceptable, call.answer, ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.last.status, 488)
        self.assert_settled()

    def test_broken_offer(self) -> None:
        """
        An offer that cannot be read is refused with 400.
        """
        call = self.call(body=b"v=0\r\nnonsense\r\n")
        self.assertRaises(NotAcceptable, call.answer, ALICE_MEDIA)
        self.network.advance()
        self.assertEqual(self.last.status, 400)
        self.assert_settled()

    def test_hook_fails(self) -> None:
        """
        A call whose hook fails is refused with 500, and the failure logged.
        """

        async def fall(call: ServerCall) -> None:
            raise ZeroDivisionError

        self.alice.on_invite(fall)
        self.bob.request("INVITE", body=SDP)
        self.network.advance()
        self.assertEqual(self.last.status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assert_settled()

    def test_hook_gives_a_deferred(self) -> None:
        """
        A hook may return the Deferred of the answer; that it fails is known then.
        """
        self.alice.on_invite(lambda call: call.answer(ALICE_MEDIA))
        self.bob.request("INVITE", body=SDP)
        self.network.advance(70)
        self.assertIn(200, self.bob.statuses)
        gc.collect()  # a Deferred that failed unheard would be logged now
        self.assert_settled()

    def test_hook_meets_broken_offer(self) -> None:
        """
        What a hook cannot read is the peer's fault.
        """
        self.alice.on_invite(lambda call: call.offer)
        self.bob.request("INVITE", body=b"v=0\r\nnonsense\r\n")
        self.network.advance()
        self.assertEqual(self.last.status, 400)
        self.assert_settled()

    def test_no_hook(self) -> None:
        """
        An agent that takes no calls is not available.
        """
        self.agent("192.0.2.2")
        self.bob.request("INVITE", body=SDP, host="192.0.2.2")
        self.network.advance()
        self.assertEqual(self.last.status, 480)
        self.assert_settled()

    def test_too_many_dialogs(self) -> None:
        """
        Where the table is full a call is refused with 503, and told when to come back.
        """
        agent = self.agent("192.0.2.2", dialogs=1)
        agent.on_invite(self.calls.append)
        self.bob.request("INVITE", body=SDP, host="192.0.2.2", call_id="1")
        self.bob.request("INVITE", body=SDP, host="192.0.2.2", call_id="2")
        self.network.advance()
        self.assertEqual(self.last.status, 503)
        self.assertIn("Retry-After", self.last)
        self.calls[0].reject()
        self.assert_settled()

    def test_other_body(self) -> None:
        """
        A body that we do not know is refused with 415 and what we know (8.2.3).
        """
        self.bob.request(
            "INVITE", (CONTENT_TYPE, MediaType("text", "plain")), body=b"hello"
        )
        self.network.advance()
        self.assertEqual(self.last.status, 415)
        self.assertEqual(self.last.get("Accept"), "application/sdp")
        self.assert_settled()

    def test_parts(self) -> None:
        """
        An offer may be one part of several; parts that we need not understand are
        passed over (RFC 5621).
        """
        optional = ("Content-Disposition", "signal;handling=optional")
        isup = Part.make(b"\0", [("Content-Type", "application/isup"), optional])
        sdp = Part.make(SDP, [("Content-Type", "application/sdp")])
        type, body = write_multipart([isup, sdp])
        call = self.call((CONTENT_TYPE, type), body=body)
        self.assertEqual(call.offer, PEER_MEDIA)
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.assertIsNotNone(description_in(self.last))
        self.within("ACK", 1)
        self.assertEqual(self.given(answered).remote, PEER_MEDIA)
        self.within("BYE", 2)
        self.assert_settled()

    def test_unknown_part(self) -> None:
        """
        If we need to, they are refused with 415.
        """
        isup = Part.make(b"\0", [("Content-Type", "application/isup")])
        sdp = Part.make(SDP, [("Content-Type", "application/sdp")])
        type, body = write_multipart([sdp, isup])
        self.bob.request("INVITE", (CONTENT_TYPE, type), body=body)
        self.bob.request("INVITE", (CONTENT_TYPE, type), body=body[:-9], call_id="2")
        self.network.advance()
        self.assertEqual(self.bob.statuses, [415, 400])
        self.assertEqual(self.calls, [])
        self.assert_settled()


class CancelTests(CallCase):
    """
    Calls that the caller gives up.
    """

    def cancel(self) -> None:
        """
        Let the peer cancel.
        """
        self.bob.request("CANCEL", branch=f"z9hG4bKpeer{len(self.calls)}")
        self.network.advance()

    def test_while_ringing(self) -> None:
        """
        The CANCEL gets a 200 and the INVITE a 487; who waits is told.
        """
        call = self.call()
        call.ring()
        answered = call.answered()
        self.cancel()
        self.assertEqual(self.bob.statuses, [180, 200, 487])
        self.refused(answered, CallCancelled)
        self.assertRaises(CallCancelled, call.answer, ALICE_MEDIA)
        self.assertRaises(CallCancelled, call.ring)
        self.within("ACK", 1)
        self.assert_settled()

    def test_too_late(self) -> None:
        """
        A CANCEL after the 2xx changes nothing (9.2).
        """
        call = self.call()
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.cancel()
        self.assertEqual(self.bob.statuses, [200, 200])
        self.within("ACK", 1)
        self.assertTrue(self.given(answered).is_established)
        self.within("BYE", 2)
        self.assert_settled()

    def test_while_2xx_waits(self) -> None:
        """
        A 2xx that waits for a PRACK is never sent after a CANCEL.
        """
        call = self.call((SUPPORTED, "100rel"))
        call.ring(183, ALICE_MEDIA)
        answered = call.answer(ALICE_MEDIA)
        self.cancel()
        self.assertEqual(self.bob.statuses, [183, 200, 487])
        self.refused(answered, CallCancelled)
        self.within("ACK", 1)
        self.assert_settled()

    def test_bye_instead(self) -> None:
        """
        So does a BYE from a caller who does not wait (15.1.2).
        """
        call = self.call()
        call.ring()
        answered = call.answered()
        self.network.advance()
        self.within("BYE", 2)
        self.assertEqual(sorted(self.bob.statuses), [180, 200, 487])
        self.refused(answered, CallCancelled)
        self.within("ACK", 1)
        self.assert_settled()

    def test_hook_is_told(self) -> None:
        """
        A hook that waits gets the error; that is no failure of its own.
        """
        seen: list[str] = []

        async def wait(call: ServerCall) -> None:
            self.calls.append(call)
            call.ring()
            try:
                await call.answered()
            except CallCancelled:
                seen.append("cancelled")
                raise

        self.alice.on_invite(wait)
        self.call()
        self.cancel()
        self.assertEqual(seen, ["cancelled"])
        self.assert_settled()

    def test_rings_every_minute(self) -> None:
        """
        A call that rings says so every minute, until its end (13.3.1.1).
        """
        call = self.call()
        call.ring()
        self.network.advance(121.0)
        self.assertEqual(self.bob.statuses, [180, 180, 180])
        call.reject()
        self.network.advance(121.0)
        self.assertEqual(self.bob.statuses.count(180), 3)
        self.assert_settled()


class WithdrawTests(CallCase):
    """
    Calls that end while their 2xx waits: the caller hears a 487, and never a BYE.
    """

    def accept(self) -> tuple[ServerCall, Deferred[Session]]:
        """
        Answer a call with a 2xx that waits until it is stored.
        """

        async def storing(response: Response) -> None:
            await Deferred()

        call = self.call()
        return call, call.answer(ALICE_MEDIA, storing=storing)

    def assert_terminated(self) -> None:
        """
        Check that the caller has heard a 487, and nothing of another end.
        """
        self.network.advance(3.0)
        self.assertEqual(self.last.status, 487)
        self.assertNotIn(200, [one.status for one in self.bob.responses if one.body])
        self.within("ACK", 1)
        self.assertEqual(self.bob.methods, [])
        self.assert_settled()

    def test_hung_up_while_ringing(self) -> None:
        """
        Of a session that is early "the callee's UA MUST NOT" say BYE (15).
        """
        call = self.call()
        call.ring()
        answered = call.answered()
        self.run_through(call.session.bye())
        self.refused(answered, SessionEnded)
        self.assert_terminated()

    def test_hung_up_while_stored(self) -> None:
        """
        That a 2xx was made, which has not left, makes no difference.
        """
        call, answered = self.accept()
        self.run_through(call.session.bye())
        self.refused(answered, SessionEnded)
        self.assert_terminated()

    def test_hung_up_while_unconfirmed(self) -> None:
        """
        Nor does a 2xx that waits for a PRACK.
        """
        call = self.call((SUPPORTED, "100rel"))
        call.ring(183, ALICE_MEDIA)
        answered = call.answer(ALICE_MEDIA)
        self.run_through(call.session.bye())
        self.refused(answered, SessionEnded)
        self.assert_terminated()

    def test_something_is_wrong(self) -> None:
        """
        So it is where the session hangs up by itself.
        """
        call, answered = self.accept()
        call.session.hang_up("something is wrong")
        self.refused(answered, SessionEnded)
        self.assert_terminated()

    def test_cancelled_while_stored(self) -> None:
        """
        A CANCEL comes in time as long as no final response was sent (9.2).
        """
        _, answered = self.accept()
        self.bob.request("CANCEL", branch="z9hG4bKpeer1")
        self.refused(answered, CallCancelled)
        self.assert_terminated()

    def test_bye_while_stored(self) -> None:
        """
        So does a BYE of the caller.
        """
        _, answered = self.accept()
        self.within("BYE", 2)
        self.refused(answered, CallCancelled)
        self.network.advance()
        self.assertEqual(sorted(self.bob.statuses), [200, 487])
        self.within("ACK", 1)
        self.assert_settled()


class ForgottenTests(CallCase):
    """
    Calls that are given an end by no one.
    """

    def test_never_answered(self) -> None:
        """
        A call that nobody answers is refused after `answer_time`, ringing or not.
        """
        call = self.call()
        self.network.advance(100.0)
        call.ring()
        self.network.advance(199.0)
        self.assertEqual(self.bob.statuses, [100, 180, 180, 180, 180])
        self.assertTrue(call.is_pending)
        self.network.advance(1.1)
        self.assertEqual(self.last.status, 480)
        self.refused(call.answered(), SessionEnded)
        self.assertRaises(LocalProtocolError, call.answer)
        self.assert_settled()

    def test_expires(self) -> None:
        """
        One whose Expires has passed is refused with 487 (13.3.1).
        """
        call = self.call((EXPIRES, 20))
        call.ring()
        self.network.advance(19.9)
        self.assertEqual(self.bob.statuses, [180])
        self.network.advance(0.2)
        self.assertEqual(self.bob.statuses, [180, 487])
        self.refused(call.answered(), SessionEnded)
        self.assert_settled()

    def test_long_expires(self) -> None:
        """
        An Expires lengthens nothing, and one that is no number says nothing.
        """
        for call_id, value in (("long", str(2**32 - 1)), ("none", "soon")):
            self.call(("Expires", value), call_id=call_id, branch=f"z9hG4bK{call_id}")
        self.network.advance(300.1)
        self.assertEqual(self.bob.statuses[-2:], [480, 480])
        self.assert_settled()

    def test_answered_in_time(self) -> None:
        """
        One that is answered goes on for as long as it likes.
        """
        session = self.answer(self.call((EXPIRES, 20)))
        self.network.advance(400.0)
        self.assertTrue(session.is_established)
        self.within("BYE", 2)
        self.assert_settled()


class ReplaceTests(CallCase):
    """
    Calls that take the place of others (RFC 3891).
    """

    def reference(self, session: Session, tag: str = "peer") -> DialogReference:
        """
        Name a session as its other end does.
        """
        text = f"call;to-tag={session.dialog.local_tag};from-tag={tag}"
        return DialogReference.parse(text)

    def test_replaced(self) -> None:
        """
        When the new call is answered the old one is hung up.
        """
        old = self.answer(self.call())
        call = self.call((REPLACES, self.reference(old)), call_id="new")
        self.assertIs(call.replaced, old)
        answered = call.answer(ALICE_MEDIA)
        self.network.advance()
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assertTrue(old.is_over)
        tag = call.session.dialog.local_tag
        self.bob.request("ACK", call_id="new", to_tag=tag)
        session = self.given(answered)
        self.bob.request("BYE", call_id="new", to_tag=tag, number=2)
        self.network.advance()
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_unknown(self) -> None:
        """
        What is not there cannot be replaced.
        """
        reference = DialogReference.parse("no;to-tag=1;from-tag=2")
        self.bob.request("INVITE", (REPLACES, reference), body=SDP)
        self.network.advance()
        self.assertEqual(self.last.status, 481)
        self.assertEqual(self.calls, [])
        self.assert_settled()

    def test_already_hung_up(self) -> None:
        """
        A session that we are hanging up is over, and is not replaced (RFC 3891, 3).
        """
        old = self.answer(self.call())
        saying = self.begin(old.bye())
        reference = self.reference(old)
        self.bob.request("INVITE", (REPLACES, reference), body=SDP, call_id="new")
        self.network.advance()
        self.assertEqual(self.last.status, 603)
        self.assertEqual(len(self.calls), 1)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.given(saying)
        self.assert_settled()
