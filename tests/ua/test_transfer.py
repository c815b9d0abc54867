"""
Tests for `sipsorcery.ua.transfer` and `sipsorcery.ua.referral`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from sipsorcery.dialog.replaces import target_dialog
from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CONTENT_TYPE,
    CSEQ,
    EVENT,
    EXPIRES,
    REFER_SUB,
    REFER_TO,
    REFERRED_BY,
    RETRY_AFTER,
    SUBSCRIPTION_STATE,
    TARGET_DIALOG,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import (
    DialogReference,
    Event,
    MediaType,
    Parameterised,
    SubscriptionState,
)
from sipsorcery.sip.response import Response
from sipsorcery.ua import (
    Account,
    Referral,
    RequestFailed,
    ServerCall,
    Session,
    SessionEnded,
    Transfer,
    TransferProgress,
)
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_URI,
    PEER,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)


class TransferCase(AgentCase):
    """
    A session of Alice with Bob, and Carol beside them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob, self.carol = map(self.agent, (ALICE, BOB, PEER))
        self.calls = self.answering(self.bob)
        call = self.alice.invite(BOB_URI, ALICE_MEDIA)
        self.ours: Session = self.given(call.answered())
        self.theirs: Session = self.calls[0].session
        self.referrals: list[Referral] = []
        self.sessions: list[Session] = []

    async def follow(self, referral: Referral) -> None:
        """
        Do what a REFER asks for.
        """
        self.referrals.append(referral)
        self.sessions.append(await referral.follow())

    def refer(self, *arguments: Any, **options: Any) -> Transfer:
        """
        Let Alice transfer Bob.
        """
        return self.given(self.begin(self.ours.refer(*arguments, **options)))

    def outcome(self, transfer: Transfer) -> int:
        """
        Give the status that was told last.
        """
        done = self.given(transfer.done())
        assert done is not None
        return done.status


class BlindTests(TransferCase):
    """
    Transfers to somebody who is called anew.
    """

    def test_accepted(self) -> None:
        """
        Bob calls Carol, who answers, and Alice is told each step; then she hangs up.
        """
        calls: list[ServerCall] = []
        self.carol.on_invite(calls.append)
        self.bob.on_refer(self.follow)
        transfer = self.refer(PEER_URI)
        calls[0].ring()
        self.network.advance()
        calls[0].answer(PEER_MEDIA)
        self.assertEqual(self.given(transfer.done()), TransferProgress(200, "OK"))
        told = self.told(transfer)
        self.assertEqual([one.status for one in told], [100, 180, 200])
        self.assertEqual(calls[0].request[REFERRED_BY].uri, self.ours.dialog.local.uri)
        self.run_through(self.ours.bye())
        self.run_through(self.sessions[0].bye())
        self.assert_settled()

    def told(self, transfer: Transfer) -> list[TransferProgress]:
        """
        Read what was told of a transfer that is done.
        """

        async def read() -> list[TransferProgress]:
            return [one async for one in transfer.progress]

        return self.run_through(read())

    def test_busy(self) -> None:
        """
        If Carol refuses, Alice is told, and still has her session with Bob.
        """
        self.carol.on_invite(lambda call: call.reject(486))
        self.bob.on_refer(self.follow)
        self.assertEqual(self.outcome(self.refer(PEER_URI)), 486)
        self.assertTrue(self.ours.is_established)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_hung_up_at_once(self) -> None:
        """
        Alice may hang up when Bob has accepted; she is told all the same (RFC 5057).
        """
        calls: list[ServerCall] = []
        self.carol.on_invite(calls.append)
        self.bob.on_refer(self.follow)
        transfer = self.refer(PEER_URI)
        self.run_through(self.ours.bye())
        self.assertTrue(self.theirs.is_over)
        calls[0].answer(PEER_MEDIA)
        self.assertEqual(self.given(transfer.done()), TransferProgress(200, "OK"))
        self.run_through(self.sessions[0].bye())
        self.assert_settled()

    def test_nobody_follows(self) -> None:
        """
        Without a hook a REFER is refused.
        """
        error = self.refused(self.begin(self.ours.refer(PEER_URI)), RequestFailed)
        self.assertEqual(error.status, 603)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_rejected(self) -> None:
        """
        So it is where the hook refuses, or fails.
        """

        def fall(referral: Referral) -> None:
            raise ZeroDivisionError

        self.bob.on_refer(lambda referral: referral.reject(488))
        error = self.refused(self.begin(self.ours.refer(PEER_URI)), RequestFailed)
        self.assertEqual(error.status, 488)
        self.bob.on_refer(fall)
        error = self.refused(self.begin(self.ours.refer(PEER_URI)), RequestFailed)
        self.assertEqual(error.status, 500)
        self.flushLoggedErrors(ZeroDivisionError)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_fails_later(self) -> None:
        """
        A hook that fails when it has accepted leaves nobody waiting for the end.
        """

        def fall(referral: Referral) -> None:
            referral.accept()
            raise ZeroDivisionError

        self.bob.on_refer(fall)
        self.assertEqual(self.outcome(self.refer(PEER_URI)), 500)
        self.flushLoggedErrors(ZeroDivisionError)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_gives_up(self) -> None:
        """
        A hook that gives up before it has answered leaves nobody waiting either.
        """

        def give_up(referral: Referral) -> None:
            raise SessionEnded("too late")

        self.bob.on_refer(give_up)
        error = self.refused(self.begin(self.ours.refer(PEER_URI)), RequestFailed)
        self.assertEqual(error.status, 500)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_other_method(self) -> None:
        """
        What is no call is not followed.
        """
        self.bob.on_refer(self.follow)
        target = f"{PEER_URI};method=BYE"
        error = self.refused(self.begin(self.ours.refer(target)), RequestFailed)
        self.assertEqual(error.status, 501)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_two(self) -> None:
        """
        Two transfers in one session are told apart (RFC 3515, 2.4.6).
        """
        calls: list[ServerCall] = []
        self.carol.on_invite(calls.append)
        self.bob.on_refer(self.follow)
        first, second = self.refer(PEER_URI), self.refer(PEER_URI)
        calls[1].reject(486)
        calls[0].reject(480)
        self.assertEqual(self.outcome(first), 480)
        self.assertEqual(self.outcome(second), 486)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_told_nothing(self) -> None:
        """
        Where nothing comes of it for ever, that ends by itself.
        """
        self.bob.on_refer(lambda referral: referral.accept())
        transfer = self.refer(PEER_URI)
        done = transfer.done()
        self.network.advance(200.0)
        self.assertEqual(self.given(done), TransferProgress(100, "Trying"))
        self.run_through(self.ours.bye())
        self.assert_settled()


class TargetedTests(AgentCase):
    """
    A REFER outside of the dialog that it is about (RFC 4538).
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob, self.third = self.agent(), self.agent(BOB), self.peer()
        self.answering(self.bob)
        call = self.alice.invite(BOB_URI, ALICE_MEDIA)
        self.ours: Session = self.given(call.answered())
        self.referrals: list[Referral] = []
        self.alice.on_refer(self.referrals.append)

    def refer(self, *fields: Any, **options: Any) -> int:
        """
        Let somebody else ask Alice for a transfer, and give the status of the answer.
        """
        target = (REFER_TO, Address.parse(f"<{BOB_URI}>"))
        self.third.request("REFER", target, *fields, **options)
        self.network.advance()
        for referral in self.referrals:
            referral.accept()
        self.network.advance()
        return self.third.responses[-1].status

    def test_knows_the_dialog(self) -> None:
        """
        Who knows the dialog may ask, and is told what comes of it in one of its own.
        """
        theirs = next(iter(self.bob.core.dialogs.values())).dialog
        status = self.refer((TARGET_DIALOG, target_dialog(theirs)))
        self.assertEqual(status, 202)
        self.assertIs(self.referrals[0].session, self.ours)
        notify = self.third.last("NOTIFY")
        self.assertEqual(notify.get("Call-ID"), "call")
        self.third.respond(notify, 200)
        self.network.advance()
        self.referrals[0].progress(486)
        self.network.advance()
        last = self.third.last("NOTIFY")
        self.assertEqual(last.body, b"SIP/2.0 486 Busy Here\r\n")
        self.third.respond(last, 200)
        self.assertTrue(self.ours.is_established)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_too_many(self) -> None:
        """
        Who asks for any number of transfers at a time is told to come later, and may
        ask again when one is through.
        """
        waiting: list[Deferred[None]] = []

        def act(referral: Referral) -> Deferred[None]:
            referral.accept()
            waiting.append(Deferred())
            return waiting[-1]

        self.alice.on_refer(act)
        theirs = next(iter(self.bob.core.dialogs.values())).dialog
        reference = (TARGET_DIALOG, target_dialog(theirs))
        statuses = [self.refer(reference, call_id=f"{n}") for n in range(11)]
        self.assertEqual(statuses, [202] * 10 + [500])
        self.assertIn(RETRY_AFTER, self.third.responses[-1])
        waiting[3].callback(None)
        self.assertEqual(self.refer(reference, call_id="last"), 202)
        self.assertEqual(self.refer(reference, call_id="late"), 500)

    def test_does_not(self) -> None:
        """
        A dialog that there is not gets 481, and nothing is asked.
        """
        reference = DialogReference.parse("other;local-tag=1;remote-tag=2")
        self.assertEqual(self.refer((TARGET_DIALOG, reference)), 481)
        self.assertEqual(self.referrals, [])
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_not_followed(self) -> None:
        """
        Where nobody follows a REFER this one is refused, too.
        """
        self.alice.core.on_refer = None
        theirs = next(iter(self.bob.core.dialogs.values())).dialog
        self.assertEqual(self.refer((TARGET_DIALOG, target_dialog(theirs))), 603)
        self.run_through(self.ours.bye())
        self.assert_settled()


class AttendedTests(TransferCase):
    """
    Transfers to somebody whom Alice has called before.
    """

    def test_replaces(self) -> None:
        """
        Bob's call takes the place of Alice's own call with Carol (RFC 3891).
        """
        calls = self.answering(self.carol, PEER_MEDIA)
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        consulted: Session = self.given(call.answered())
        self.bob.on_refer(self.follow)
        transfer = self.refer(PEER_URI, replaced=consulted)
        self.assertEqual(self.given(transfer.done()), TransferProgress(200, "OK"))
        self.assertIs(calls[1].replaced, calls[0].session)
        self.assertTrue(consulted.is_over)
        self.run_through(self.ours.bye())
        self.run_through(self.sessions[0].bye())
        self.assert_settled()

    def test_gone(self) -> None:
        """
        If that call is over meanwhile, Alice is told that there is none (481).
        """
        self.answering(self.carol, PEER_MEDIA)
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        consulted: Session = self.given(call.answered())
        self.run_through(consulted.bye())
        self.bob.on_refer(self.follow)
        transfer = self.refer(PEER_URI, replaced=consulted)
        self.assertEqual(self.outcome(transfer), 481)
        self.run_through(self.ours.bye())
        self.assert_settled()


class ScriptedTests(AgentCase):
    """
    Transfers with a peer that does not do what agents do.
    """

    def setUp(self) -> None:
        super().setUp()
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home"])
        self.alice, self.bob = self.agent(account=account), self.peer()
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        self.network.advance()
        self.bob.respond(self.bob.last("INVITE"), 200, body=bytes(PEER_MEDIA))
        self.session: Session = self.given(call.answered())
        self.number = 100

    def within(self, method: str, *fields: Any, body: bytes = b"") -> None:
        """
        Let the peer send a request in the dialog.
        """
        self.number += 1
        dialog = self.session.dialog
        self.bob.request(
            method,
            *fields,
            number=self.number,
            call_id=dialog.call_id,
            to_tag=dialog.local_tag,
            body=body,
        )
        self.network.advance()

    def notify(self, state: str, body: bytes) -> None:
        """
        Let the peer tell something.
        """
        self.within(
            "NOTIFY",
            (EVENT, Event.parse("refer")),
            (SUBSCRIPTION_STATE, SubscriptionState.parse(state)),
            (CONTENT_TYPE, MediaType("message", "sipfrag")),
            body=body,
        )

    def test_notify_before_2xx(self) -> None:
        """
        A NOTIFY may come before the 2xx to the REFER.
        """
        asking = self.begin(self.session.refer(BOB_URI))
        self.notify("active;expires=60", b"SIP/2.0 100 Trying\r\n")
        self.bob.respond(self.bob.last("REFER"), 202)
        transfer = self.given(asking)
        self.notify("terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")
        self.assertEqual(self.given(transfer.done()), TransferProgress(200, "OK"))
        self.assertEqual(self.bob.statuses, [200, 200])
        self.within("BYE")
        self.assert_settled()

    def test_no_subscription(self) -> None:
        """
        A peer may agree to tell nothing (RFC 4488).
        """
        asking = self.begin(self.session.refer(BOB_URI))
        value = (REFER_SUB, Parameterised("false"))
        self.bob.respond(self.bob.last("REFER"), 200, value)
        self.assertIsNone(self.given(self.given(asking).done()))
        self.notify("active;expires=60", b"SIP/2.0 100 Trying\r\n")
        self.assertEqual(self.bob.statuses, [481])
        self.within("BYE")
        self.assert_settled()

    def test_challenged(self) -> None:
        """
        A REFER gets its proof if it is asked for; what is told is about the second one.
        """
        asking = self.begin(self.session.refer(BOB_URI))
        challenge = Challenge.parse('Digest realm="home", nonce="1", qop="auth"')
        first = self.bob.last("REFER")
        self.bob.respond(first, 401, (WWW_AUTHENTICATE, challenge))
        self.network.advance()
        second = self.bob.last("REFER")
        self.assertIn(AUTHORIZATION, second)
        self.assertEqual(second[CSEQ].number, first[CSEQ].number + 1)
        self.bob.respond(second, 202)
        transfer = self.given(asking)
        self.notify("terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")
        self.assertEqual(self.given(transfer.done()), TransferProgress(200, "OK"))
        self.within("BYE")
        self.assert_settled()

    def test_peer_wants_no_subscription(self) -> None:
        """
        A peer that asks to be told nothing is told nothing, and the 2xx says so.
        """
        referrals: list[Referral] = []
        self.alice.on_refer(referrals.append)
        self.within(
            "REFER",
            (REFER_TO, Address.parse(f"<{BOB_URI}>")),
            (REFER_SUB, Parameterised("false")),
        )
        referrals[0].accept()
        referrals[0].progress(200)
        self.network.advance()
        response = self.bob.responses[-1]
        self.assertEqual((response.status, response.get("Refer-Sub")), (202, "false"))
        self.assertNotIn("NOTIFY", self.bob.methods)
        self.within("BYE")
        self.assert_settled()

    def test_refer_to(self) -> None:
        """
        The Refer-To names the target, and the call to be replaced.
        """
        asking = self.begin(self.session.refer(BOB_URI, replaced=self.session))
        target = self.bob.last("REFER")[REFER_TO]
        self.assertIn("?Replaces=", str(target))
        self.bob.respond(self.bob.last("REFER"), 404)
        self.refused(asking, RequestFailed)
        self.assert_settled()

    def test_broken_refer(self) -> None:
        """
        A REFER without a target is refused with 400, whatever the hook.
        """
        self.alice.on_refer(lambda referral: referral.accept())
        self.within("REFER")
        self.assertEqual(self.bob.statuses, [400])
        self.within("BYE")
        self.assert_settled()

    def test_peer_does_not_want_to_know(self) -> None:
        """
        A 481 to our NOTIFY ends what we tell, and nothing else.
        """
        referrals: list[Referral] = []

        def take(referral: Referral) -> None:
            referrals.append(referral)
            referral.accept()

        self.alice.on_refer(take)
        self.within("REFER", (REFER_TO, Address.parse(f"<{BOB_URI}>")))
        self.bob.respond(self.bob.last("NOTIFY"), 481)
        self.network.advance()
        referrals[0].progress(200)
        self.network.advance()
        self.assertEqual(self.bob.methods.count("NOTIFY"), 1)
        self.assertTrue(self.session.is_established)
        self.within("BYE")
        self.assert_settled()

    def take_referral(self) -> Referral:
        """
        Let the peer ask for a call, and promise to make it.
        """
        referrals: list[Referral] = []
        self.alice.on_refer(referrals.append)
        self.within("REFER", (REFER_TO, Address.parse(f"<{BOB_URI}>")))
        referrals[0].accept()
        self.told()
        return referrals[0]

    def subscribe(self, event: str, *fields: Any) -> Response:
        """
        Let the peer ask again to be told.
        """
        self.within("SUBSCRIBE", (EVENT, Event.parse(event)), *fields)
        return self.bob.responses[-1]

    def told(self) -> tuple[str, bytes]:
        """
        Answer the last NOTIFY, and give its state and its body.
        """
        self.network.advance()
        notify = self.bob.last("NOTIFY")
        self.bob.respond(notify, 200)
        self.network.advance()
        return str(notify[SUBSCRIPTION_STATE]), notify.body.strip()

    def test_refresh(self) -> None:
        """
        A SUBSCRIBE prolongs what we tell, and is told the state (RFC 3515, 2.4.4).
        """
        referral = self.take_referral()
        self.network.advance(170.0)
        response = self.subscribe("refer", (EXPIRES, 100))
        self.assertEqual((response.status, response.get(EXPIRES)), (200, 100))
        self.assertEqual(self.told(), ("active;expires=100", b"SIP/2.0 100 Trying"))
        self.network.advance(50.0)
        referral.progress(200)
        state = "terminated;reason=noresource"
        self.assertEqual(self.told(), (state, b"SIP/2.0 200 OK"))
        self.within("BYE")
        self.assert_settled()

    def test_unsubscribe(self) -> None:
        """
        One with Expires: 0 ends it; what comes then is told to nobody.
        """
        referral = self.take_referral()
        response = self.subscribe(f"refer;id={self.number}", (EXPIRES, 0))
        self.assertEqual((response.status, response.get(EXPIRES)), (200, 0))
        self.assertEqual(self.told()[0], "terminated;reason=timeout")
        referral.progress(200)
        self.network.advance()
        self.assertEqual(self.bob.methods.count("NOTIFY"), 2)
        self.assertEqual(self.subscribe("refer").status, 481)
        self.within("BYE")
        self.assert_settled()

    def test_refresh_refused(self) -> None:
        """
        It is refused if it is for another subscription, or for too short a time.
        """
        referral = self.take_referral()
        self.assertEqual(self.subscribe("refer;id=1").status, 481)
        self.assertEqual(self.subscribe("presence").status, 489)
        self.assertEqual(self.subscribe("refer", (EXPIRES, 5)).status, 423)
        self.assertEqual(self.bob.methods.count("NOTIFY"), 1)
        referral.progress(486)
        self.assertIn("486", self.told()[1].decode())
        self.within("BYE")
        self.assert_settled()
