"""
Tests for `sipsorcery.appserver.calls.bridge`: what passes between the legs of a call.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.dialog.session_timer import SessionTimerSettings
from sipsorcery.sdp import Direction, SessionDescription, hold
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    CONTENT_TYPE,
    CSEQ,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import MediaType, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.ua import OfferRefused, RequestFailed, Session
from tests.appserver.bridged import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    PEER,
    PEER_MEDIA,
    BridgedCase,
)
from tests.ua.cases import BOB_URI

T38 = (
    b"m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    b"a=T38FaxUdpEC:t38UDPRedundancy\r\n"
)
DTMF = MediaType("application", "dtmf-relay")


def t38(description: SessionDescription) -> SessionDescription:
    """
    Make the offer that turns a call into a fax: no audio, an image stream instead.
    """
    text = bytes(description).replace(b"m=audio 4000", b"m=audio 0")
    return SessionDescription.parse(text.replace(b"m=audio 6000", b"m=audio 0") + T38)


class EstablishedTests(BridgedCase):
    """
    A call that both phones have agreed on.
    """

    def test_descriptions(self) -> None:
        """
        Each is told what the other has said, under an o= line of our own for each leg.
        """
        caller, callee = self.pair()
        ids = set()
        for one, other in ((caller, callee), (callee, caller)):
            assert one.remote is not None
            assert other.local is not None
            self.assertEqual(one.remote.with_origin(other.local.origin), other.local)
            ids |= {one.remote.origin.session_id, other.local.origin.session_id}
        self.assertEqual(len(ids), 4)
        self.hang_up(caller)

    def test_hold_and_resume(self) -> None:
        """
        A hold of either reaches the other, its answer comes back, and versions rise.
        """
        caller, callee = self.pair()
        for one, other in ((caller, callee), (callee, caller)):
            assert other.remote is not None
            before = other.remote.origin
            self.run_through(one.hold())
            self.assertTrue(other.is_held)
            assert one.remote is not None
            self.assertIs(one.remote.media[0].direction, Direction.RECVONLY)
            self.assertEqual(other.remote.origin, before.with_next_version())
            self.run_through(one.resume())
            self.assertFalse(other.is_held)
            self.assertEqual(other.remote.origin.version, before.version + 2)
        self.hang_up(callee)

    def test_update(self) -> None:
        """
        An UPDATE goes on as an UPDATE.
        """
        caller, callee = self.pair()
        for one, other in ((caller, callee), (callee, caller)):
            assert one.local is not None
            before = other.answering
            self.run_through(one.update(hold(one.local)))
            self.assertTrue(other.is_held)
            self.assertIs(other.answering, before)  # no INVITE has come
        self.hang_up(caller)

    def test_refresh(self) -> None:
        """
        What changes nothing, as the refresh of a session timer, is answered by us.
        """
        caller, callee = self.pair()
        before = callee.dialog.remote_cseq
        self.run_through(caller.reinvite())
        self.run_through(caller.update())
        self.assertEqual(callee.dialog.remote_cseq, before)
        self.hang_up(caller)

    def test_renewed(self) -> None:
        """
        Where a leg asks for that, both ends hear again what they know, after a while.
        """
        caller, callee = self.pair()
        known = caller.remote, callee.remote
        before = caller.dialog.remote_cseq, callee.dialog.remote_cseq
        renewing = self.begin(self.bridge.renew(2.0))
        self.network.advance(1.9)
        self.assertEqual((caller.dialog.remote_cseq, callee.dialog.remote_cseq), before)
        self.network.advance(0.2)
        self.given(renewing)
        self.assertNotEqual(caller.dialog.remote_cseq, before[0])
        self.assertNotEqual(callee.dialog.remote_cseq, before[1])
        self.assertEqual((caller.remote, callee.remote), known)
        self.hang_up(caller)

    def test_session_timers(self) -> None:
        """
        Each leg has a timer of its own: a phone that has one refreshes, the other never
        hears of it, and if the first one vanishes both legs end.
        """
        self.alice = self.agent(ALICE, session_expires=90)
        self.carol = self.agent(PEER, session_expires=0)
        self.server.core.timer_settings = SessionTimerSettings(1800)
        taken = self.answering(self.carol, PEER_MEDIA)
        caller = self.given(self.alice.invite(BOB_URI, ALICE_MEDIA).answered())
        callee = taken[0].session
        before = callee.dialog.remote_cseq, caller.dialog.local_cseq
        self.network.advance(200.0)
        self.assertTrue(caller.is_established)
        self.assertGreater(caller.dialog.local_cseq, before[1])
        self.assertEqual(callee.dialog.remote_cseq, before[0])
        self.alice.core.wheel.clear()  # it has crashed: no refresh comes any more
        self.network.advance(100.0)
        self.assertTrue(callee.is_over)
        self.network.advance(70.0)
        self.assertEqual(self.server.core.dialogs, {})

    def test_late_offer(self) -> None:
        """
        A re-INVITE without an offer asks the other peer for one, and its answer reaches
        that peer in our ACK.
        """
        caller, callee = self.pair()
        for one, other in ((caller, callee), (callee, caller)):
            offers: list[SessionDescription] = []

            async def answer(
                offer: SessionDescription,
                offers: list[SessionDescription] = offers,
                one: Session = one,
            ) -> SessionDescription:
                offers.append(offer)
                assert one.local is not None
                held = hold(one.local).media[0].with_direction(Direction.RECVONLY)
                return SessionDescription((held,), lines=one.local.lines)

            self.run_through(one.solicit(answer))
            assert other.local is not None
            self.assertEqual(
                [offer.with_origin(other.local.origin) for offer in offers],
                [other.local],
            )
            assert other.remote is not None
            self.assertIs(other.remote.media[0].direction, Direction.RECVONLY)
            self.run_through(one.reinvite())
            self.assertIsNone(self.bridge._changing)
        self.hang_up(caller)

    def test_fax(self) -> None:
        """
        The switch to T.38 passes, image stream, udptl and attributes as they came.
        """
        caller, callee = self.pair()
        assert caller.local is not None
        callee.on_offer(lambda offer: t38(PEER_MEDIA))
        self.run_through(caller.reinvite(t38(caller.local)))
        assert callee.remote is not None
        image = callee.remote.media[1]
        self.assertEqual((image.type, image.proto), ("image", "udptl"))
        self.assertEqual(image.attribute("T38FaxUdpEC"), "t38UDPRedundancy")
        assert caller.remote is not None
        self.assertEqual(caller.remote.media[1].port, 4002)
        self.assertTrue(caller.remote.media[0].is_rejected)
        self.hang_up(callee)

    def test_glare(self) -> None:
        """
        Where both change the call at once each gets a 491, and then, one after the
        other, what it wants.
        """
        caller, callee = self.pair()
        self.network.latency = 0.05
        one, other = self.begin(caller.hold()), self.begin(callee.hold())
        self.network.advance(12.0)
        self.given(one)
        self.given(other)
        self.assertTrue(callee.is_held)
        self.assertTrue(caller.is_held)
        self.network.latency = 0.0
        self.hang_up(caller)

    def test_verbatim(self) -> None:
        """
        ICE, keys and what nobody here understands pass as they are, both ways.
        """
        secret = (
            b"a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
            b"a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host\r\n"
            b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWh\r\n"
            b"a=x-new:thing\r\n"
        )
        caller, callee = self.pair()
        answer = SessionDescription.parse(bytes(PEER_MEDIA) + secret)
        offer = SessionDescription.parse(bytes(ALICE_MEDIA) + secret)
        assert callee.negotiation is not None
        callee.negotiation.relays = True  # so that it adds nothing of its own
        callee.on_offer(lambda _: answer)
        self.run_through(caller.reinvite(offer))
        for session in (caller, callee):
            self.assertIn(secret, bytes(session.remote or b""))
        self.hang_up(caller)

    def test_moved(self) -> None:
        """
        Another session takes the place of one: from now on it is that one's peer.
        """
        caller, callee = self.pair()
        bridge = self.bridge
        ours = bridge.caller
        bridge.replace(ours, ours)
        self.run_through(callee.hold())
        self.assertTrue(caller.is_held)
        bridge.end()
        self.assertIsNone(ours.hook_for("INFO"))
        self.hang_up(caller)


class PeerTests(BridgedCase):
    """
    A call whose callee does what the test says.
    """

    def setUp(self) -> None:
        super().setUp()
        self.phone = self.peer()
        self.alice = self.agent(ALICE)
        call = self.alice.invite(f"sip:{BOB}", ALICE_MEDIA)
        self.network.advance()
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 200, body=bytes(PEER_MEDIA))
        self.caller: Session = self.given(call.answered())
        self.tag = self.calls[0].callee.dialog.local_tag  # type: ignore[union-attr]
        self.call_id = invite.get("Call-ID") or ""

    def ask(self, method: str, number: int, body: bytes = b"") -> Request:
        """
        Send a request of the callee.
        """
        request = self.phone.request(
            method,
            number=number,
            call_id=self.call_id,
            to_tag=self.tag,
            body=body,
            host=BOB,
        )
        self.network.advance()
        return request

    def end(self) -> None:
        """
        Hang up, and check that nothing is left.
        """
        ending = self.begin(self.caller.bye())
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.given(ending)
        self.assert_settled()

    def test_refused(self) -> None:
        """
        A refusal passes, with Retry-After, and the session stays what it was.
        """
        before = self.caller.remote
        for status, expected in ((488, 488), (503, 503), (491, 491)):
            holding = self.begin(self.caller.reinvite(self.held(), retries=False))
            later = (RETRY_AFTER, Seconds(30))
            self.phone.respond(self.phone.last("INVITE"), status, later, tag=None)
            error = self.refused(holding, RequestFailed)
            self.assertEqual(error.status, expected)
            self.assertEqual(error.response[RETRY_AFTER], Seconds(30))
        self.assertEqual(self.caller.remote, before)
        self.end()

    def test_challenge_without_credentials(self) -> None:
        """
        A challenge never reaches the other leg, which could not answer it.
        """
        holding = self.begin(self.caller.hold())
        challenge = (WWW_AUTHENTICATE, Challenge.parse('Digest realm="x", nonce="1"'))
        self.phone.respond(self.phone.last("INVITE"), 401, challenge, tag=None)
        error = self.refused(holding, RequestFailed)
        self.assertEqual(error.status, 403)
        self.assertNotIn(WWW_AUTHENTICATE, error.response)
        self.end()

    def test_no_update(self) -> None:
        """
        A callee who knows no UPDATE is asked by a re-INVITE.
        """
        updating = self.begin(self.caller.update(self.held()))
        self.phone.respond(self.phone.last("UPDATE"), 405, tag=None)
        self.network.advance()
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 200, tag=None, body=bytes(PEER_MEDIA))
        self.given(updating)
        self.end()

    def test_cancelled(self) -> None:
        """
        If the caller gives a re-INVITE up while the callee thinks, ours is cancelled.
        """
        holding = self.begin(self.caller.hold())
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 180, tag=None)
        self.network.advance()
        assert self.caller.reinvite_sent is not None
        self.caller.reinvite_sent.stop()
        self.network.advance(1.0)
        self.phone.respond(self.phone.last("CANCEL"), 200, tag=None)
        self.phone.respond(invite, 487, tag=None)
        self.assertEqual(self.refused(holding, RequestFailed).status, 487)
        self.end()

    def test_glare(self) -> None:
        """
        Whoever wants to change what is being changed gets a 491 on either leg.
        """
        holding = self.begin(self.caller.hold())
        ours = self.phone.last("INVITE")
        self.ask("INVITE", 5, bytes(PEER_MEDIA) + b"a=sendonly\r\n")
        self.assertEqual(self.phone.statuses[-1], 491)
        offer = bytes(PEER_MEDIA) + b"a=inactive\r\n"
        self.ask("UPDATE", 6, offer)
        self.assertIn(self.phone.statuses[-1], (491, 500))
        self.phone.respond(ours, 200, tag=None, body=bytes(PEER_MEDIA))
        self.given(holding)
        self.end()

    def test_two_at_once(self) -> None:
        """
        While one is asked for an offer, nobody else's is taken (RFC 3311, 5.2), and
        afterwards it is.
        """
        offer = bytes(PEER_MEDIA) + b"a=sendonly\r\n"
        waiting = self.begin(self.caller.solicit(self.silence))
        self.assertEqual(self.phone.last("INVITE").body, b"")
        self.ask("UPDATE", 5, offer)
        self.assertEqual(self.phone.statuses[-1], 500)
        self.phone.respond(self.phone.last("INVITE"), 488, tag=None)
        self.assertEqual(self.refused(waiting, RequestFailed).status, 488)
        self.ask("UPDATE", 6, offer)
        self.assertEqual(self.phone.statuses[-1], 200)
        self.end()

    def test_one_change(self) -> None:
        """
        The bridge lets one side change the call at a time: the other gets a 491.
        """
        change = self.bridge.begin()
        refused = self.assertRaises(OfferRefused, self.bridge.begin)
        self.assertEqual(refused.refusal.status, 491)
        self.bridge.done(change)
        other = self.bridge.begin()
        self.bridge.done(change)  # which is done already
        self.assertRaises(OfferRefused, self.bridge.begin)
        self.bridge.done(other)
        self.end()

    def test_late_offer_and_no_answer(self) -> None:
        """
        An offer that the other one has made is answered, whatever becomes of the call.
        """
        self.begin(self.caller.solicit(self.silence))
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 200, tag=None, body=bytes(PEER_MEDIA))
        self.network.advance(40.0)  # the caller says nothing, and is hung up
        ack = self.phone.last("ACK")
        self.assertEqual(ack[CSEQ].number, invite[CSEQ].number)
        self.assertIn("BYE", self.phone.methods)
        self.network.advance(70.0)
        self.flushLoggedErrors()

    def test_late_offer_to_who_takes_time(self) -> None:
        """
        Time to make an offer is no time to answer it: our peer's answer counts however
        long the other one has thought.
        """
        waiting = self.begin(self.caller.solicit(self.quiet))
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 180, tag=None)
        self.network.advance(40.0)
        self.phone.respond(invite, 200, tag=None, body=bytes(PEER_MEDIA))
        self.given(waiting)
        ack = self.phone.last("ACK")
        self.assertEqual(ack[CSEQ].number, invite[CSEQ].number)
        self.assertIn(b"a=inactive", ack.body)
        self.end()

    def test_late_offer_given_up(self) -> None:
        """
        An offer that crosses our CANCEL is answered with what the session has been, and
        whatever our peer wants next need not wait.
        """
        waiting = self.begin(self.caller.solicit(self.quiet))
        invite = self.phone.last("INVITE")
        self.phone.respond(invite, 180, tag=None)
        self.network.advance()
        assert self.caller.reinvite_sent is not None
        self.caller.reinvite_sent.stop()
        self.network.advance(1.0)
        self.refused(waiting, RequestFailed)
        again = self.begin(self.caller.reinvite(self.held(), retries=False))
        self.assertEqual(self.refused(again, RequestFailed).status, 491)
        self.phone.respond(self.phone.last("CANCEL"), 200, tag=None)
        self.phone.respond(invite, 200, tag=None, body=bytes(PEER_MEDIA))
        self.network.advance()
        self.assertNotIn(b"a=inactive", self.phone.last("ACK").body)
        again = self.begin(self.caller.hold())
        self.phone.respond(
            self.phone.last("INVITE"), 200, tag=None, body=bytes(PEER_MEDIA)
        )
        self.given(again)
        self.end()

    def test_other_requests(self) -> None:
        """
        INFO, MESSAGE, NOTIFY and OPTIONS pass both ways, with bodies and what belongs
        to them, and so do the responses.
        """
        for method in ("INFO", "MESSAGE", "NOTIFY", "OPTIONS"):
            fields: list[FieldValue] = [
                (CONTENT_TYPE, DTMF),
                ("Event", "tones"),
                ("X-Secret", "1"),
            ]
            asking = self.begin(self.caller.request(method, fields, b"Signal=1\r\n"))
            request = self.phone.last(method)
            self.assertEqual(request.body, b"Signal=1\r\n")
            self.assertEqual(request[CONTENT_TYPE], DTMF)
            self.assertEqual(request.get("Event"), "tones")
            self.assertNotIn("X-Secret", request)
            text = (CONTENT_TYPE, MediaType("text", "plain"))
            self.phone.respond(request, 202, text, tag=None, body=b"so be it")
            response = self.given(asking)
            self.assertEqual((response.status, response.body), (202, b"so be it"))
        self.end()

    def test_requests_of_the_callee(self) -> None:
        """
        The other way round it is the same, and refusals pass as well.
        """
        heard: list[bytes] = []

        def take(transaction: object) -> None:
            heard.append(transaction.request.body)  # type: ignore[attr-defined]
            transaction.respond(603, "Not now")  # type: ignore[attr-defined]

        self.caller.on("INFO", take)
        self.ask("INFO", 5, b"v=0")
        self.assertEqual(heard, [b"v=0"])
        last = self.phone.responses[-1]
        self.assertEqual((last.status, last.reason), (603, "Not now"))
        self.end()

    def test_nobody_answers(self) -> None:
        """
        A request that the other leg leaves unanswered gets a 504, for a 408 would only
        come too late (RFC 4320).
        """
        asking = self.begin(self.caller.request("INFO", [(CONTENT_TYPE, DTMF)], b"1"))
        self.network.advance(31.9)
        self.network.advance(5.0)
        self.refused(asking, RequestFailed)
        self.network.advance(70.0)

    def test_bye(self) -> None:
        """
        A BYE is answered at once, even if the other leg is silent for good.
        """
        self.ask("BYE", 5)
        self.assertEqual(self.phone.statuses[-1], 200)
        self.assertTrue(self.caller.is_over)
        self.assert_settled()

    def test_bye_to_silence(self) -> None:
        """
        The caller's BYE as well, where the callee has vanished.
        """
        self.given(self.begin(self.caller.bye()))
        self.assertIn("BYE", self.phone.methods)
        self.assert_settled()

    def held(self) -> SessionDescription:
        """
        Give what puts the callee on hold.
        """
        assert self.caller.local is not None
        return hold(self.caller.local)

    async def quiet(self, offer: SessionDescription) -> SessionDescription:
        """
        Answer that nobody is to send anything.
        """
        assert self.caller.local is not None
        return SessionDescription.parse(bytes(self.caller.local) + b"a=inactive\r\n")

    async def silence(self, offer: SessionDescription) -> SessionDescription:
        """
        Answer never.
        """
        return await Deferred()
