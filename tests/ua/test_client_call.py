"""
Tests for `sipsorcery.ua.client_call`.
"""

from __future__ import annotations

from sipsorcery.dialog.bodies import description_in
from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    FROM,
    MIN_SE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RACK,
    REQUIRE,
    RSEQ,
    SESSION_EXPIRES,
    TO,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.multipart import Part, write_multipart
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.ua import Account, CallCancelled, RequestFailed, Session
from sipsorcery.ua.client_call import ClientCall
from tests.transport.location.zones import Zones
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_URI,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

SDP = bytes(PEER_MEDIA)
DIGEST = 'Digest realm="{}", nonce="{}", qop="auth"'


class CallCase(AgentCase):
    """
    An agent that calls a peer.
    """

    def setUp(self) -> None:
        super().setUp()
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home", "proxy"])
        self.alice = self.agent(account=account)
        self.bob = self.peer()

    def call(self, uri: str = PEER_URI, **options: object) -> ClientCall:
        """
        Begin a call, and let the INVITE arrive.
        """
        call = self.alice.invite(uri, ALICE_MEDIA, **options)  # type: ignore[arg-type]
        self.network.advance()
        return call

    def answer(self, call: ClientCall) -> Session:
        """
        Answer a call and give its session.
        """
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        return self.given(call.answered())

    def hang_up(self, session: Session) -> None:
        """
        Say BYE, and let the peer answer it.
        """
        saying = self.begin(session.bye())
        self.bob.respond(self.bob.last("BYE"), 200)
        self.given(saying)


class AnsweredTests(CallCase):
    """
    Calls that are answered.
    """

    def test_answer_in_parts(self) -> None:
        """
        An answer may be one part of several (RFC 5621).
        """
        note = Part.make(b"x", [("Content-Disposition", "render;handling=optional")])
        sdp = Part.make(SDP, [("Content-Type", "application/sdp")])
        type, body = write_multipart([note, sdp])
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 200, (CONTENT_TYPE, type), body=body)
        session = self.given(call.answered())
        self.assertEqual(session.remote, PEER_MEDIA)
        self.hang_up(session)
        self.assert_settled()

    def test_both_agents(self) -> None:
        """
        A call between two agents is answered, acknowledged, and hung up.
        """
        other = self.agent(BOB)
        calls = self.answering(other)
        call = self.call(BOB_URI)
        session = self.given(call.answered())
        theirs = self.given(calls[0].answered())
        self.assertEqual(session.remote, theirs.local)
        self.assertEqual(session.local, theirs.remote)
        self.given(self.begin(session.bye()))
        ending = self.given(theirs.ended())
        self.assertTrue(ending.by_peer)
        assert ending.request is not None
        self.assertEqual(ending.request.method, "BYE")
        self.assert_settled()

    def test_invite(self) -> None:
        """
        The INVITE says who calls, where we are reached, what we can do and our offer.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        invite.check()
        self.assertEqual(str(invite[FROM].uri), f"sip:alice@{ALICE}")
        self.assertEqual(str(invite[CONTACT]), f"<sip:alice@{ALICE}:5060>")
        self.assertIn("UPDATE", invite.get("Allow") or "")
        self.assertIn("100rel", invite.get("Supported") or "")
        offered = description_in(invite)
        assert offered is not None
        self.assertEqual(offered.media, ALICE_MEDIA.media)
        self.hang_up(self.answer(call))
        self.assert_settled()

    def test_ack(self) -> None:
        """
        The 2xx is acknowledged where its Contact says, in its dialog (13.2.2.4).
        """
        session = self.answer(self.call())
        ack = self.bob.last("ACK")
        self.assertEqual(ack.request_uri, PEER_URI)
        self.assertEqual(ack[TO].tag, "peer")
        self.assertEqual(ack[CSEQ].number, self.bob.last("INVITE")[CSEQ].number)
        self.hang_up(session)
        self.assert_settled()

    def test_repeated_2xx(self) -> None:
        """
        A 2xx that comes again gets the very same ACK again.
        """
        call = self.call()
        session = self.answer(call)
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.network.advance()
        first, second = (one for one in self.bob.requests if one.method == "ACK")
        self.assertEqual(first, second)
        self.hang_up(session)
        self.assert_settled()

    def test_progress(self) -> None:
        """
        Provisional responses can be read one by one, and end with the final one.
        """
        call = self.call()
        seen: list[tuple[int, bool]] = []

        async def read() -> None:
            async for response, session in call.progress:
                seen.append((response.status, session is not None))

        reading = self.begin(read())
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 100, tag=None)
        self.bob.respond(invite, 180)
        self.network.advance()
        self.assertEqual(seen, [(100, False), (180, True)])
        session = self.answer(call)
        self.given(reading)
        self.hang_up(session)
        self.assert_settled()

    def test_early_media(self) -> None:
        """
        A 183 may say where early media comes from; the 2xx makes the same session last.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 183, (REQUIRE, "100rel"), (RSEQ, 7), body=SDP)
        self.network.advance()
        _, early = self.run_through(call.progress.__anext__())
        assert early is not None
        self.assertEqual(early.remote, PEER_MEDIA)
        prack = self.bob.last("PRACK")
        self.assertEqual(str(prack[RACK]), f"7 {invite[CSEQ].number} INVITE")
        self.bob.respond(prack, 200)
        self.bob.respond(invite, 200)
        self.assertIs(self.given(call.answered()), early)
        self.hang_up(early)
        self.assert_settled()

    def test_late_offer(self) -> None:
        """
        Without an offer in the INVITE the 2xx has one, and the ACK the answer.
        """
        call = self.call(late_offer=True)
        self.assertEqual(self.bob.last("INVITE").body, b"")
        session = self.answer(call)
        answer = description_in(self.bob.last("ACK"))
        assert answer is not None
        self.assertEqual(session.local, answer)
        self.assertEqual(session.remote, PEER_MEDIA)
        self.hang_up(session)
        self.assert_settled()

    def test_forks(self) -> None:
        """
        Of two phones that answer the first counts; the other is hung up (13.2.2.4).
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180, tag="one")
        self.bob.respond(invite, 180, tag="two")
        self.bob.respond(invite, 200, tag="two", body=SDP)
        self.bob.respond(invite, 200, tag="one", body=SDP)
        session = self.given(call.answered())
        self.assertEqual(session.dialog.remote_tag, "two")
        bye = self.bob.last("BYE")
        self.assertEqual(bye[TO].tag, "one")
        acks = [one[TO].tag for one in self.bob.requests if one.method == "ACK"]
        self.assertEqual(acks, ["two", "one"])
        self.bob.respond(bye, 200)
        self.hang_up(session)
        self.assert_settled()

    def test_forks_kept(self) -> None:
        """
        Whoever wants all phones that answer gets a session for each.
        """
        others: list[Session] = []
        call = self.call(on_fork=others.append)
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 200, tag="one", body=SDP)
        self.bob.respond(invite, 200, tag="two", body=SDP)
        first = self.given(call.answered())
        (second,) = others
        self.assertEqual(first.dialog.remote_tag, "one")
        self.assertEqual(second.dialog.remote_tag, "two")
        self.hang_up(first)
        self.hang_up(second)
        self.assert_settled()


class RefusedTests(CallCase):
    """
    Calls that are not.
    """

    def test_refused(self) -> None:
        """
        A refusal is an error that has the response.
        """
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 486)
        error = self.refused(call.answered(), RequestFailed)
        self.assertEqual(error.status, 486)
        self.assertEqual(error.response.status, 486)
        self.assert_settled()

    def odd(self, status: int, **fields: str) -> None:
        """
        Let the peer answer, with fields that are not those of the INVITE.
        """
        response = self.bob.last("INVITE").respond(status, to_tag="peer")
        for name, value in fields.items():
            response.set(name.replace("_", "-"), value)
        self.bob.send(response)

    def test_odd_refusal(self) -> None:
        """
        A refusal that names another call has ended this one, and its early dialog.
        """
        for name, value in (
            ("Call_ID", "other"),
            ("From", "<sip:x@example.com>;tag=x"),
        ):
            call = self.call()
            self.bob.respond(self.bob.last("INVITE"), 180)
            self.network.advance()
            self.odd(486, **{name: value})
            self.assertEqual(self.refused(call.answered(), RequestFailed).status, 486)
            self.assert_settled()

    def test_odd_answer(self) -> None:
        """
        An answer that belongs to no dialog of ours is none; nobody waits for another.
        """
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 180)
        self.network.advance()
        self.odd(200, From="<sip:x@example.com>;tag=x")
        self.refused(call.answered(), RequestFailed)
        self.assert_settled()

    def test_silence(self) -> None:
        """
        Where nobody answers at all, that counts as 408.
        """
        call = self.call(PEER_URI.replace("192.0.2.3", "192.0.2.99"))
        answered = call.answered()
        self.network.advance(33.0)
        self.assertEqual(self.refused(answered, RequestFailed).status, 408)
        self.assert_settled()

    def test_no_way(self) -> None:
        """
        Where nothing leads, that counts as 503.
        """
        call = self.call("sip:bob@nowhere.invalid")
        answered = call.answered()
        self.network.advance(10.0)
        self.assertEqual(self.refused(answered, RequestFailed).status, 503)
        self.assert_settled()

    def test_rings_too_long(self) -> None:
        """
        A call that rings for too long is cancelled.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        answered = call.answered()
        self.network.advance(180.0)
        self.assertEqual(self.refused(answered, RequestFailed).status, 408)
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.bob.respond(invite, 487)
        self.assert_settled()

    def test_redirected(self) -> None:
        """
        A redirection is followed, the best contact first, under the same Call-ID.
        """
        call = self.call()
        first = self.bob.last("INVITE")
        self.bob.respond(
            first,
            302,
            (CONTACT, Address.parse(f"<sip:low@{BOB}>;q=0.1")),
            (CONTACT, Address.parse("<sip:high@192.0.2.3>;q=0.9")),
        )
        self.network.advance()
        second = self.bob.last("INVITE")
        # The peer's own Contact has no q, and so comes first; it has been tried.
        self.assertEqual(second.request_uri, "sip:high@192.0.2.3")
        self.assertEqual(second[CALL_ID], first[CALL_ID])
        self.assertEqual(second[TO].uri, first[TO].uri)
        self.assertGreater(second[CSEQ].number, first[CSEQ].number)
        self.hang_up(self.answer(call))
        self.assert_settled()

    def test_redirected_to_nowhere(self) -> None:
        """
        A contact that cannot be reached gives way to the next one (RFC 3261, 8.1.3.4).
        """
        call = self.call()
        self.bob.respond(
            self.bob.last("INVITE"),
            302,
            (CONTACT, Address.parse("<tel:+4930123456>;q=0.9")),
            (CONTACT, Address.parse("<sip:next@192.0.2.3>;q=0.1")),
        )
        self.network.advance()
        self.assertEqual(self.bob.last("INVITE").request_uri, "sip:next@192.0.2.3")
        self.hang_up(self.answer(call))
        self.assert_settled()

    def test_redirected_to_nowhere_alone(self) -> None:
        """
        Where no contact can be reached, the call fails.
        """
        call = self.call()
        contact = Address.parse("<tel:+4930123456>")
        self.bob.respond(self.bob.last("INVITE"), 302, (CONTACT, contact))
        self.refused(call.answered(), RequestFailed)
        self.assert_settled()

    def test_redirected_for_ever(self) -> None:
        """
        Redirections are followed a few times only.
        """
        call = self.call()
        for number in range(10):
            invite = self.bob.last("INVITE")
            contact = Address.parse(f"<sip:{number}@192.0.2.3>")
            self.bob.respond(invite, 302, (CONTACT, contact))
            self.network.advance()
        self.assertEqual(self.refused(call.answered(), RequestFailed).status, 302)
        self.assertEqual(self.bob.methods.count("INVITE"), 6)
        self.assert_settled()

    def test_session_interval_for_ever(self) -> None:
        """
        A peer that always wants a longer interval is asked a few times only.
        """
        call = self.call()
        for number in range(10):
            longer = Seconds(3600 + number)
            self.bob.respond(self.bob.last("INVITE"), 422, (MIN_SE, longer))
            self.network.advance()
        self.assertEqual(self.refused(call.answered(), RequestFailed).status, 422)
        self.assertEqual(self.bob.methods.count("INVITE"), 6)
        self.assert_settled()

    def test_session_interval(self) -> None:
        """
        After a 422 the call is made again with the interval that the peer wants.
        """
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 422, (MIN_SE, Seconds(3600)))
        self.network.advance()
        asked = self.bob.last("INVITE")[SESSION_EXPIRES]
        self.assertEqual(asked.seconds, 3600)
        self.hang_up(self.answer(call))
        self.assert_settled()


class ProofTests(CallCase):
    """
    Calls that somebody wants a proof for.
    """

    def challenge(self, status: int, realm: str, more: str = "") -> None:
        """
        Ask for a proof.
        """
        field = WWW_AUTHENTICATE if status == 401 else PROXY_AUTHENTICATE
        nonce = f"{realm}{self.bob.last('INVITE')[CSEQ].number}"
        value = Challenge.parse(DIGEST.format(realm, nonce) + more)
        self.bob.respond(self.bob.last("INVITE"), status, (field, value))
        self.network.advance()

    def test_server_and_proxy(self) -> None:
        """
        The proxy and the server may ask one after the other; the ACK repeats both.
        """
        call = self.call()
        self.challenge(407, "proxy")
        self.challenge(401, "home")
        invite = self.bob.last("INVITE")
        self.assertEqual(invite[CSEQ].number, 3)
        self.assertEqual(invite[AUTHORIZATION].realm, "home")
        self.assertEqual(invite[PROXY_AUTHORIZATION].realm, "proxy")
        session = self.answer(call)
        ack = self.bob.last("ACK")
        self.assertEqual(ack[AUTHORIZATION], invite[AUTHORIZATION])
        self.assertEqual(ack[PROXY_AUTHORIZATION], invite[PROXY_AUTHORIZATION])
        self.hang_up(session)
        self.assert_settled()

    def test_stale(self) -> None:
        """
        A nonce that is stale is no refusal.
        """
        call = self.call()
        self.challenge(401, "home")
        self.challenge(401, "home", ", stale=true")
        self.assertEqual(self.bob.last("INVITE")[CSEQ].number, 3)
        self.hang_up(self.answer(call))
        self.assert_settled()

    def test_wrong(self) -> None:
        """
        A proof that is refused is not tried again (22.1).
        """
        call = self.call()
        self.challenge(401, "home")
        self.challenge(401, "home")
        self.assertEqual(self.refused(call.answered(), RequestFailed).status, 401)
        self.assert_settled()

    def test_foreign_realm(self) -> None:
        """
        A realm that is not ours gets nothing to try passwords against.
        """
        call = self.call()
        self.challenge(401, "evil")
        self.assertEqual(self.refused(call.answered(), RequestFailed).status, 401)
        self.assertEqual(self.bob.methods.count("INVITE"), 1)
        self.assert_settled()

    def test_bye_of_a_fork(self) -> None:
        """
        The BYE to a phone that nobody wants has its proof, too, if it is asked for.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 200, tag="one", body=SDP)
        self.bob.respond(invite, 200, tag="two", body=SDP)
        self.network.advance()
        bye = self.bob.last("BYE")
        value = Challenge.parse(DIGEST.format("proxy", "n"))
        self.bob.respond(bye, 407, (PROXY_AUTHENTICATE, value))
        self.network.advance()
        again = self.bob.last("BYE")
        self.assertEqual(again[PROXY_AUTHORIZATION].realm, "proxy")
        self.assertEqual(again[CSEQ].number, bye[CSEQ].number + 1)
        self.bob.respond(again, 200)
        self.hang_up(self.given(call.answered()))
        self.assert_settled()


class CancelTests(CallCase):
    """
    Calls that we give up.
    """

    def test_while_ringing(self) -> None:
        """
        A call that rings is cancelled, and the 487 acknowledged.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        self.network.advance()
        call.cancel()
        self.refused(call.answered(), CallCancelled)
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.bob.respond(invite, 487)
        self.network.advance()
        self.assertEqual(self.bob.methods[-1], "ACK")
        self.assert_settled()

    def test_odd_answer(self) -> None:
        """
        A 2xx that belongs to no dialog of ours ends a call that was given up, too.
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        self.network.advance()
        call.cancel()
        self.network.advance()
        self.bob.respond(self.bob.last("CANCEL"), 200)
        odd = invite.respond(200, to_tag="peer")
        odd.set("From", "<sip:x@example.com>;tag=x")
        self.bob.send(odd)
        self.refused(call.answered(), CallCancelled)
        self.assert_settled()

    def test_before_any_response(self) -> None:
        """
        CANCEL waits for the first provisional response (9.1).
        """
        call = self.call()
        call.cancel()
        self.network.advance()
        self.assertNotIn("CANCEL", self.bob.methods)
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 100, tag=None)
        self.network.advance()
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.bob.respond(invite, 487)
        self.assert_settled()

    def test_crossed_by_2xx(self) -> None:
        """
        A 200 that crosses the CANCEL is acknowledged and hung up (9.1).
        """
        call = self.call()
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        self.network.advance()
        call.cancel()
        self.bob.respond(invite, 200, body=SDP)
        self.refused(call.answered(), CallCancelled)
        self.assertEqual(self.bob.methods[-2:], ["ACK", "BYE"])
        self.bob.respond(self.bob.last("CANCEL"), 481)
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assert_settled()

    def test_2xx_without_provisional(self) -> None:
        """
        So is a 200 that comes before CANCEL could be sent at all.
        """
        call = self.call()
        call.cancel()
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.network.advance()
        self.assertEqual(self.bob.methods, ["INVITE", "ACK", "BYE"])
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assert_settled()

    def test_before_it_is_sent(self) -> None:
        """
        A call that is given up while its server is looked for is never sent.
        """
        resolver = Zones()
        resolver.hold()
        agent = self.agent(BOB, resolver=resolver)
        call = agent.invite("sip:bob@example.test", ALICE_MEDIA)
        call.cancel()
        self.refused(call.answered(), CallCancelled)
        self.assertEqual(self.bob.requests, [])
        self.assert_settled()

    def test_after_a_challenge(self) -> None:
        """
        A call that is given up is not made again with credentials.
        """
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 180)
        self.network.advance()
        call.cancel()
        value = Challenge.parse(DIGEST.format("home", "n"))
        self.bob.respond(self.bob.last("INVITE"), 401, (WWW_AUTHENTICATE, value))
        self.network.advance()
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.network.advance()
        self.assertEqual(self.bob.methods.count("INVITE"), 1)
        self.assert_settled()

    def test_answered(self) -> None:
        """
        Who gives up a call that has just been answered hangs up.
        """
        call = self.call()
        self.bob.respond(self.bob.last("INVITE"), 200, body=SDP)
        self.network.advance()
        call.cancel()
        self.network.advance()
        self.assertEqual(self.bob.methods, ["INVITE", "ACK", "BYE"])
        self.bob.respond(self.bob.last("BYE"), 200)
        self.assert_settled()

    def test_twice(self) -> None:
        """
        To give up twice is to give up once.
        """
        call = self.call()
        invite: Request = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        self.network.advance()
        call.cancel()
        call.cancel()
        self.network.advance()
        self.assertEqual(self.bob.methods.count("CANCEL"), 1)
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.bob.respond(invite, 487)
        self.assert_settled()
