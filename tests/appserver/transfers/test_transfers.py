"""
Tests for `sipsorcery.appserver.transfers.transfers`: three phones and a server.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.appserver.refusals import Code
from sipsorcery.dialog.replaces import reference_to
from sipsorcery.sdp import NotAcceptable, SessionDescription
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    REASON,
    REFERRED_BY,
    REPLACES,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import DialogReference
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import (
    CallCancelled,
    ClientCall,
    Referral,
    RequestFailed,
    ServerCall,
    Session,
    Transfer,
)
from tests.appserver.switchboard import (
    DOMAIN,
    PHONES,
    SERVER,
    SwitchboardCase,
    media,
)


class BlindTests(SwitchboardCase):
    """
    100 calls 101, who transfers 100 to 102.
    """

    def setUp(self) -> None:
        super().setUp()
        self.calls = self.answers("101")
        self.alice = self.call("100", "101")
        self.bob: Session = self.calls[0].session
        self.bob.shared.account = self.phones["101"].account
        self.phones["101"].account.trust_realm(DOMAIN)
        (self.connection,) = self.connections

    def refer(self, target: str = f"sip:102@{DOMAIN}") -> Transfer:
        """
        Let 101 ask for a transfer, which is accepted.
        """
        return self.given(self.begin(self.bob.refer(target)))

    def told(self, transfer: Transfer) -> list[int]:
        """
        Give all that was told of a transfer that is done.
        """

        async def read() -> list[int]:
            return [one.status async for one in transfer.progress]

        return self.run_through(read())

    def test_accepted(self) -> None:
        """
        102 is called in the name of 100, they talk, and 101 is told and hung up.
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        transfer = self.refer()
        self.assertEqual(self.proofs, 1)
        calls[0].ring()
        self.network.advance()
        self.assertEqual(calls[0].caller.uri, self.alice.dialog.local.uri)
        by = calls[0].request[REFERRED_BY].uri
        self.assertEqual(by, self.bob.dialog.local.uri)
        self.assertTrue(self.bob.is_established)
        calls[0].answer(media(PHONES["102"]))
        self.network.advance()
        self.assertEqual(self.told(transfer), [100, 180, 200])
        self.assertTrue(self.bob.is_over)
        self.assert_talks(self.alice, calls[0].session)
        self.assertEqual(len(self.connections), 1)
        self.run_through(self.alice.bye())
        self.assertTrue(calls[0].session.is_over)
        self.assert_settled()

    def test_hangs_up_at_once(self) -> None:
        """
        101 may hang up as soon as the REFER is accepted, and is told all the same.
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        transfer = self.refer()
        self.run_through(self.bob.bye())
        self.assertTrue(self.alice.is_established)
        calls[0].answer(media(PHONES["102"]))
        self.network.advance()
        self.assertEqual(self.told(transfer)[-1], 200)
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_busy(self) -> None:
        """
        If 102 is busy, 101 is told, and still talks with 100.
        """
        self.phones["102"].on_invite(lambda call: call.reject(486))
        transfer = self.refer()
        self.assertEqual(self.told(transfer), [100, 486])
        self.assertTrue(self.bob.is_established)
        self.run_through(self.bob.bye())
        self.assertTrue(self.alice.is_over)
        self.assert_settled()

    def test_fault(self) -> None:
        """
        Whatever goes wrong on the way, 101 is told, and the call is as before.
        """
        self.book.fault = ZeroDivisionError()
        transfer = self.refer()
        self.assertEqual(self.told(transfer), [100, 500])
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertTrue(self.bob.is_established)
        self.run_through(self.bob.bye())
        self.assertTrue(self.alice.is_over)
        self.assert_settled()

    def test_busy_and_gone(self) -> None:
        """
        If 101 is gone by then, nobody is left for 100, who is hung up.
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        self.refer()
        self.run_through(self.bob.bye())
        self.assertFalse(self.alice.is_over)
        calls[0].reject(486)
        self.network.advance()
        self.assertTrue(self.alice.is_over)
        self.assert_settled()

    def test_caller_gives_up(self) -> None:
        """
        If 100 hangs up while 102 rings, 102 rings no more.
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        transfer = self.refer()
        calls[0].ring()
        self.network.advance()
        self.run_through(self.alice.bye())
        self.assertFalse(calls[0].is_pending)
        self.assertTrue(self.bob.is_over)
        self.assertEqual(self.told(transfer)[-1], 487)
        self.assert_settled()

    def test_held_before(self) -> None:
        """
        Who was put on hold for the transfer is on hold no longer.
        """
        calls = self.answers("102")
        self.run_through(self.connection.caller.hold())
        assert self.alice.local is not None
        self.assertEqual(str(self.alice.local.media[0].direction), "recvonly")
        self.refer()
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_another(self) -> None:
        """
        While 102 rings there is no other transfer in this call (491).
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        self.refer()
        failed = self.begin(self.bob.refer(f"sip:100@{DOMAIN}"))
        error = self.refused(failed, RequestFailed)
        self.assertEqual(error.status, 491)
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_PENDING))
        calls[0].answer(media(PHONES["102"]))
        self.network.advance()
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_plan(self) -> None:
        """
        The owner's dialplan "transfer" decides where the call goes.
        """
        self.book.plans["joe", "transfer"] = "exten => 9,1,Dial(joe,pass,102@192.0.2.3)"
        calls = self.answers("102")
        self.assertEqual(self.told(self.refer(f"sip:9@{DOMAIN}"))[-1], 200)
        self.assertEqual(len(calls), 1)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_plan_refuses(self) -> None:
        """
        What the dialplan refuses is told to who has asked.
        """
        self.book.plans["joe", "transfer"] = "exten => 9,1,Respond(403,No)"
        self.assertEqual(self.told(self.refer(f"sip:9@{DOMAIN}")), [100, 403])
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_not_allowed(self) -> None:
        """
        With "tr=n" nobody is transferred, and the answer says why (spec 1.15).
        """
        self.connection.transfer = "n"
        failed = self.begin(self.bob.refer(f"sip:102@{DOMAIN}"))
        error = self.refused(failed, RequestFailed)
        self.assertEqual(error.status, 603)
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_DISABLED))
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_without_proof_or_right(self) -> None:
        """
        With "tr=c", too, an account that may not call makes no calls.
        """
        self.connection.transfer = "c"
        self.book.changes["100"] = {"incoming_only": True}
        failed = self.begin(self.bob.refer(f"sip:102@{DOMAIN}"))
        error = self.refused(failed, RequestFailed)
        self.assertEqual(error.status, 403)
        self.assertEqual(error.response[REASON].text, str(Code.NOT_ADMITTED))
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_silent(self) -> None:
        """
        Who wants to be told nothing is told nothing (RFC 4488).
        """
        self.connection.transfer = "c"
        calls = self.answers("102")
        asking = self.bob.refer(f"sip:102@{DOMAIN}", subscribes=False)
        self.assertEqual(self.told(self.given(self.begin(asking))), [])
        self.network.advance()
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_without_proof(self) -> None:
        """
        With "tr=c" nobody is asked for a proof.
        """
        self.connection.transfer = "c"
        calls = self.answers("102")
        self.assertEqual(self.told(self.refer())[-1], 200)
        self.assertEqual(self.proofs, 0)
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()


class AttendedTests(SwitchboardCase):
    """
    100 calls 101, who calls 102 and then connects the two.
    """

    def setUp(self) -> None:
        super().setUp()
        self.to_bob, self.to_carol = self.answers("101"), self.answers("102")
        self.alice = self.call("100", "101")
        self.bob: Session = self.to_bob[0].session
        self.consulted = self.call("101", "102")
        self.carol: Session = self.to_carol[0].session
        self.first, self.second = self.connections

    def refer(self) -> Transfer:
        """
        Let 101 ask for it.
        """
        target = f"sip:102@{SERVER}"
        return self.given(self.begin(self.bob.refer(target, replaced=self.consulted)))

    def test_joined(self) -> None:
        """
        100 and 102 talk, both calls of 101 end, and no phone was called anew.
        """
        done = self.given(self.refer().done())
        assert done is not None
        self.assertEqual(done.status, 200)
        self.assert_talks(self.alice, self.carol)
        self.assertTrue(self.bob.is_over)
        self.assertTrue(self.consulted.is_over)
        self.assertEqual(len(self.to_carol), 1)
        self.assertEqual(self.proofs, 0)
        self.assertEqual(list(self.connections), [self.first])
        self.run_through(self.carol.bye())
        self.assertTrue(self.alice.is_over)
        self.assert_settled()

    def test_held_both(self) -> None:
        """
        The call that is left is held by nobody, though both were.
        """
        self.run_through(self.bob.hold())
        self.run_through(self.consulted.hold())
        self.refer()
        self.assert_talks(self.alice, self.carol)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_calls_of_two_users(self) -> None:
        """
        Nobody joins a call that is held by another user's phone (403).
        """
        dialog = self.second.caller.dialog
        dialog.remote = dialog.remote._replace(uri=SIPURI("sip", "102", DOMAIN))
        self.book.owners["102"] = "ann"
        failed = self.begin(
            self.bob.refer(f"sip:102@{SERVER}", replaced=self.consulted)
        )
        error = self.refused(failed, RequestFailed)
        self.assertEqual(error.status, 403)
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_OWNER))
        self.assertTrue(self.alice.is_established)
        self.run_through(self.alice.bye())
        self.run_through(self.carol.bye())
        self.assert_settled()

    def test_one_of_three_parts(self) -> None:
        """
        A call is named by Call-ID and both tags, never by some of them.
        """
        dialog = self.consulted.dialog
        named = f"{dialog.call_id};to-tag=other;from-tag={dialog.local_tag}"
        header = ("Replaces", DialogReference.parse(named).escaped())
        target = SIPURI("sip", "102", DOMAIN)._replace(headers=(header,))
        self.phones["102"].on_invite(lambda call: call.reject(481))
        self.bob.shared.account = self.phones["101"].account
        transfer = self.given(self.begin(self.bob.refer(target)))
        done = self.given(transfer.done())
        self.assertEqual(self.proofs, 1)  # it is a call like any other
        assert done is not None
        self.assertEqual(done.status, 481)
        self.assertTrue(self.bob.is_established)

    def test_refuses(self) -> None:
        """
        If one end does not agree, both calls stay what they were.
        """

        def refuse(offer: object) -> SessionDescription:
            raise NotAcceptable("not now")

        self.carol.on_offer(refuse)
        done = self.given(self.refer().done())
        assert done is not None
        self.assertEqual(done.status, 488)
        self.assertEqual(list(self.connections), [self.first, self.second])
        self.assert_talks(self.alice, self.bob)
        for session in (self.alice, self.carol):
            self.run_through(session.bye())
        self.assert_settled()

    def think(self, session: Session) -> Deferred[None]:
        """
        Let a phone take its time about what it is offered, or asked to offer.

        :return: ends that.
        """
        thinking: Deferred[None] = Deferred()

        async def answer(offer: SessionDescription | None) -> SessionDescription:
            await thinking
            assert session.local is not None
            return session.local

        session.on_offer(answer)
        return thinking

    def test_hangs_up_at_once(self) -> None:
        """
        101 may hang both calls up as soon as the REFER is accepted.
        """
        thinking = self.think(self.carol)
        transfer = self.refer()
        self.run_through(self.bob.bye())
        self.run_through(self.consulted.bye())
        thinking.callback(None)
        done = self.given(transfer.done())
        assert done is not None
        self.assertEqual(done.status, 200)
        self.assert_talks(self.alice, self.carol)
        self.assertEqual(list(self.connections), [self.first])
        self.run_through(self.alice.bye())
        self.assertTrue(self.carol.is_over)
        self.assert_settled()

    def test_refuses_who_was_left(self) -> None:
        """
        If nothing comes of it when 101 has gone, nobody is left for the others.
        """

        def refuse(offer: object) -> SessionDescription:
            raise NotAcceptable("not now")

        thinking = self.think(self.alice)
        self.carol.on_offer(refuse)
        self.refer()
        self.run_through(self.bob.bye())
        self.run_through(self.consulted.bye())
        self.assertFalse(self.alice.is_over or self.carol.is_over)
        thinking.callback(None)
        self.network.advance()
        self.assertTrue(self.alice.is_over and self.carol.is_over)
        self.assert_settled()

    def test_gone_meanwhile(self) -> None:
        """
        If 100 hangs up meanwhile, 101 still talks with 102.
        """
        thinking = self.think(self.carol)
        transfer = self.refer()
        self.run_through(self.alice.bye())
        thinking.callback(None)
        done = self.given(transfer.done())
        assert done is not None
        self.assertGreaterEqual(done.status, 400)
        self.assertEqual(list(self.connections), [self.second])
        self.assert_talks(self.consulted, self.carol)
        self.run_through(self.carol.bye())
        self.assertTrue(self.consulted.is_over)
        self.assert_settled()

    def test_gone_on_the_other_side(self) -> None:
        """
        If 102 does, 101 still talks with 100.
        """
        thinking = self.think(self.alice)
        transfer = self.refer()
        self.run_through(self.carol.bye())
        thinking.callback(None)
        done = self.given(transfer.done())
        assert done is not None
        self.assertGreaterEqual(done.status, 400)
        self.assertEqual(list(self.connections), [self.first])
        self.assert_talks(self.alice, self.bob)
        self.run_through(self.bob.bye())
        self.assert_settled()

    def test_twice(self) -> None:
        """
        A transfer that is asked for again while it is under way is refused.
        """
        thinking = self.think(self.carol)
        first = self.refer()
        again = self.begin(self.bob.refer(f"sip:102@{SERVER}", replaced=self.consulted))
        error = self.refused(again, RequestFailed)
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_PENDING))
        thinking.callback(None)
        done = self.given(first.done())
        assert done is not None
        self.assertEqual(done.status, 200)
        self.assert_talks(self.alice, self.carol)
        self.run_through(self.alice.bye())
        self.assert_settled()


class PassOnTests(SwitchboardCase):
    """
    Transfers that the other phone carries out.
    """

    def setUp(self) -> None:
        super().setUp()
        self.transfer = "p"
        self.calls = self.answers("101")
        self.alice = self.call("100", "101")
        self.bob: Session = self.calls[0].session
        self.sessions: list[Session] = []
        self.referrals: list[Referral] = []
        self.phones["100"].on_refer(self.follow)

    async def follow(self, referral: Referral) -> None:
        """
        Be the phone that is transferred.
        """
        self.referrals.append(referral)
        self.sessions.append(await referral.follow())

    def told(self, transfer: Transfer) -> list[int]:
        """
        Give all that was told of a transfer that is done.
        """

        async def read() -> list[int]:
            return [one.status async for one in transfer.progress]

        return self.run_through(read())

    def test_passed_on(self) -> None:
        """
        100 gets the REFER, in the name of 101, who is told step by step.
        """
        calls = self.answers("102")
        transfer = self.given(self.begin(self.bob.refer(f"sip:102@{PHONES['102']}")))
        self.assertEqual(self.told(transfer), [100, 200])
        by = self.referrals[0].refer.referred_by
        assert by is not None
        self.assertEqual(by.uri, self.bob.dialog.local.uri)
        self.assert_talks(self.sessions[0], calls[0].session)
        self.run_through(self.bob.bye())
        self.assertTrue(self.alice.is_over)
        self.assertFalse(self.sessions[0].is_over)
        self.run_through(self.sessions[0].bye())
        self.assert_settled()

    def test_refused(self) -> None:
        """
        What 100 answers to the REFER is what 101 hears.
        """
        self.phones["100"].on_refer(lambda referral: referral.reject(488))
        failed = self.begin(self.bob.refer(f"sip:102@{PHONES['102']}"))
        self.assertEqual(self.refused(failed, RequestFailed).status, 488)
        self.run_through(self.bob.bye())
        self.assert_settled()

    def test_challenged(self) -> None:
        """
        A challenge that was meant for us is no business of 101.
        """
        asked = Challenge.parse('Digest realm="x", nonce="1"')
        self.phones["100"].on_refer(
            lambda referral: referral.reject(401, fields=[(WWW_AUTHENTICATE, asked)])
        )
        failed = self.begin(self.bob.refer(f"sip:102@{PHONES['102']}"))
        error = self.refused(failed, RequestFailed)
        self.assertEqual(error.status, 403)
        self.assertNotIn(WWW_AUTHENTICATE, error.response)
        self.run_through(self.bob.bye())
        self.assert_settled()

    def test_silent(self) -> None:
        """
        Who wants to be told nothing is told nothing, and neither is asked to tell.
        """
        self.answers("102")
        asking = self.bob.refer(f"sip:102@{PHONES['102']}", subscribes=False)
        transfer = self.given(self.begin(asking))
        self.assertEqual(self.told(transfer), [])
        self.assertFalse(self.referrals[0].refer.subscribes)
        for session in (self.bob, self.sessions[0]):
            self.run_through(session.bye())
        self.assert_settled()

    def test_strangers(self) -> None:
        """
        By default somebody who is nobody's here calls nobody at our cost.
        """
        self.transfer = ""
        eve = self.call("eve", "101")
        self.phones["101"].on_refer(self.follow)
        calls = self.answers("102")
        self.given(self.begin(eve.refer(f"sip:102@{PHONES['102']}")))
        # 101 was asked, and has called by itself.
        self.assertEqual(len(self.referrals), 1)
        self.assertEqual(self.proofs, 0)
        self.assertIs(calls[0].replaced, None)
        for session in (self.bob, eve, self.sessions[0]):
            self.run_through(session.bye())
        self.assert_settled()


class ReplacesTests(SwitchboardCase):
    """
    101 and 102 talk, and somebody calls to take the place of one (RFC 3891).
    """

    def setUp(self) -> None:
        super().setUp()
        self.calls = self.answers("102")
        self.bob = self.call("101", "102")
        self.carol: Session = self.calls[0].session
        (self.connection,) = self.connections

    def take(self, caller: str = "100", *, early_only: bool = False) -> ClientCall:
        """
        Let a phone call to take the place of 101.
        """
        reference = reference_to(self.bob.dialog, early_only=early_only)
        agent = self.stranger if caller == "eve" else self.phones[caller]
        host = PHONES.get(caller, "192.0.2.4")
        return agent.invite(
            f"sip:102@{SERVER}", media(host), fields=[(REPLACES, reference)]
        )

    def refusal(self, call: ClientCall) -> RequestFailed:
        """
        Give the answer that refuses a call, which has changed nothing.
        """
        error: RequestFailed = self.refused(call.answered(), RequestFailed)
        self.assertTrue(self.bob.is_established)
        self.run_through(self.bob.bye())
        self.assert_settled()
        return error

    def test_replaced(self) -> None:
        """
        The caller talks with 102, and 101 is hung up.
        """
        session = self.given(self.take().answered())
        self.assertTrue(self.bob.is_over)
        self.assert_talks(session, self.carol)
        self.assertEqual(list(self.connections), [self.connection])
        self.run_through(session.bye())
        self.assertTrue(self.carol.is_over)
        self.assert_settled()

    def test_late_offer(self) -> None:
        """
        A caller that offers nothing is offered what 102 can do.
        """
        reference = reference_to(self.bob.dialog)
        call = self.phones["100"].invite(
            f"sip:102@{SERVER}",
            media(PHONES["100"]),
            fields=[(REPLACES, reference)],
            late_offer=True,
        )
        session = self.given(call.answered())
        self.network.advance()
        self.assert_talks(session, self.carol)
        self.run_through(session.bye())
        self.assert_settled()

    def test_stranger(self) -> None:
        """
        Somebody who is neither party nor owner may not (403), though he has the tags.
        """
        error = self.refusal(self.take("eve"))
        self.assertEqual(error.status, 403)
        assert error.response is not None
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_OWNER))

    def test_stranger_was_told(self) -> None:
        """
        With "tr=p" he may: the dialplan lets phones do it by themselves.
        """
        self.connection.transfer = "p"
        session = self.given(self.take("eve").answered())
        self.assert_talks(session, self.carol)
        self.run_through(session.bye())
        self.assert_settled()

    def test_not_allowed(self) -> None:
        """
        With "tr=n" nobody may (603).
        """
        self.connection.transfer = "n"
        self.assertEqual(self.refusal(self.take()).status, 603)

    def test_early_only(self) -> None:
        """
        Who wants to take a call only while it rings gets a 486 when it does not.
        """
        self.assertEqual(self.refusal(self.take(early_only=True)).status, 486)

    def test_unknown(self) -> None:
        """
        A call that there is not cannot be replaced (481).
        """
        reference = DialogReference.parse("other;to-tag=1;from-tag=2")
        call = self.phones["100"].invite(
            f"sip:102@{SERVER}", fields=[(REPLACES, reference)]
        )
        self.assertEqual(self.refusal(call).status, 481)

    def test_refused_by_who_stays(self) -> None:
        """
        If 102 cannot talk with the caller, nothing changes (488).
        """

        def refuse(offer: object) -> SessionDescription:
            raise NotAcceptable("not now")

        self.carol.on_offer(refuse)
        self.assertEqual(self.refusal(self.take()).status, 488)

    def test_relayed(self) -> None:
        """
        From then on each hears what the other one wants: 102 is held by the caller.
        """
        session = self.given(self.take().answered())
        self.run_through(session.hold())
        self.assertTrue(self.carol.is_held)
        self.run_through(session.resume())
        self.run_through(self.carol.hold())
        self.assertTrue(session.is_held)
        self.run_through(session.bye())
        self.assert_settled()

    def thinking(self) -> Deferred[None]:
        """
        Let 102 take its time about the caller's offer.

        :return: ends that.
        """
        thinking: Deferred[None] = Deferred()

        async def answer(offer: SessionDescription | None) -> SessionDescription:
            await thinking
            return media(PHONES["102"])

        self.carol.on_offer(answer)
        return thinking

    def test_given_up(self) -> None:
        """
        A caller that gives up meanwhile changes nothing: 101 and 102 go on.
        """
        thinking = self.thinking()
        call = self.take()
        self.network.advance()
        call.cancel()
        self.refused(call.answered(), CallCancelled)
        thinking.callback(None)
        self.network.advance()
        self.assert_talks(self.bob, self.carol)
        self.run_through(self.bob.hold())
        self.assertTrue(self.carol.is_held)
        self.run_through(self.bob.bye())
        self.assertTrue(self.carol.is_over)
        self.assert_settled()

    def test_hung_up_meanwhile(self) -> None:
        """
        If 102 hangs up meanwhile, there is nobody to talk with.
        """
        self.thinking()
        call = self.take()
        self.network.advance()
        self.run_through(self.carol.bye())
        self.refused(call.answered(), RequestFailed)
        self.assertTrue(self.bob.is_over)
        self.assert_settled()

    def test_left_meanwhile(self) -> None:
        """
        That 101 hangs up meanwhile is what was to come.
        """
        thinking = self.thinking()
        call = self.take()
        self.network.advance()
        self.run_through(self.bob.bye())
        self.assertFalse(self.carol.is_over)
        thinking.callback(None)
        session = self.given(call.answered())
        self.assert_talks(session, self.carol)
        self.run_through(session.bye())
        self.assert_settled()

    def test_two_at_once(self) -> None:
        """
        One place is for one caller: another one is refused meanwhile.
        """
        thinking = self.thinking()
        first = self.take()
        self.network.advance()
        second = self.take()
        error = self.refused(second.answered(), RequestFailed)
        assert error.response is not None
        self.assertEqual(error.response[REASON].text, str(Code.TRANSFER_PENDING))
        thinking.callback(None)
        session = self.given(first.answered())
        self.assert_talks(session, self.carol)
        self.run_through(session.bye())
        self.assert_settled()
