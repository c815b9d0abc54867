"""
Tests for `sipsorcery.ua.onward`, and what else user agents do for who relays calls.
"""

from __future__ import annotations

from sipsorcery.dialog.bodies import description_in
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import (
    CONTACT,
    CONTENT_TYPE,
    MAX_FORWARDS,
    RECORD_ROUTE,
    ROUTE,
    SUPPORTED,
)
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.request import Request
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import (
    Account,
    CallCancelled,
    ClientCall,
    OfferRefused,
    Onward,
    RequestFailed,
    ServerCall,
)
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    ALICE_URI,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

HERE = Address.parse("<sip:the-dialogue@198.51.100.1>")
SDP = bytes(PEER_MEDIA)


class OnwardTests(AgentCase):
    """
    A call of ours that continues another one.
    """

    def setUp(self) -> None:
        super().setUp()
        self.phone = self.peer()
        self.alice = self.agent(ALICE)

    def call(self, onward: Onward, *, late_offer: bool = False) -> ClientCall:
        """
        Call the phone.
        """
        description = None if late_offer else ALICE_MEDIA
        call = self.alice.invite(
            PEER_URI, description, late_offer=late_offer, onward=onward
        )
        self.network.advance()
        return call

    @property
    def invite(self) -> Request:
        """
        The last INVITE of ours.
        """
        return self.phone.last("INVITE")

    def test_invite(self) -> None:
        """
        Contact and Max-Forwards are those that were given, and stay in the dialog.
        """
        call = self.call(Onward(contact=HERE, hops=7, can_confirm=False))
        self.assertEqual(self.invite[CONTACT], HERE)
        self.assertEqual(self.invite[MAX_FORWARDS], 7)
        self.assertNotIn("100rel", self.invite.all(SUPPORTED))
        self.assertIn("replaces", self.invite.all(SUPPORTED))
        self.phone.respond(self.invite, 200, body=SDP)
        session = self.given(call.answered())
        self.begin(session.hold())
        self.assertEqual(self.invite[CONTACT], HERE)
        self.phone.respond(self.invite, 200, tag=None, body=SDP)
        ending = self.begin(session.bye())
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.given(ending)
        self.assert_settled()

    def test_origin(self) -> None:
        """
        What is offered is somebody else's, under an o= line of our own.
        """
        call = self.call(Onward())
        offer = description_in(self.invite)
        assert offer is not None
        self.assertNotEqual(offer.origin.session_id, ALICE_MEDIA.origin.session_id)
        self.assertEqual(offer.with_origin(ALICE_MEDIA.origin), ALICE_MEDIA)
        call.cancel()
        self.phone.respond(self.invite, 486)
        self.refused(call.answered(), CallCancelled)
        self.assert_settled()

    def test_redirection(self) -> None:
        """
        A redirection is left to who calls.
        """
        call = self.call(Onward())
        elsewhere = (CONTACT, Address.parse(f"<{BOB_URI}>"))
        self.phone.respond(self.invite, 302, elsewhere)
        error = self.refused(call.answered(), RequestFailed)
        self.assertEqual(error.status, 302)
        self.assertEqual(self.phone.methods, ["INVITE", "ACK"])
        self.assert_settled()

    def test_way(self) -> None:
        """
        Whatever a callee answers, what follows goes to our proxy first, as the INVITE
        did: else it could lead us to any address inside.
        """
        proxy = f"<{PEER_URI};lr>"
        account = Account("sip:alice@example.com", proxy=f"{PEER_URI};lr")
        inside = (CONTACT, Address.parse("<sip:127.0.0.1:5001>"))
        for routes, expected in (
            ([], [proxy]),
            (["<sip:127.0.0.1:5001;lr>"], [proxy]),
            ([proxy, f"<sip:{PEER}:5061;lr>"], [proxy]),
            (
                ["<sip:far.example;lr>", f"<sip:token@{PEER};lr>"],
                [f"<sip:token@{PEER};lr>", "<sip:far.example;lr>"],
            ),
        ):
            call = self.alice.invite(
                "sip:bob@far.example", ALICE_MEDIA, account=account, onward=Onward()
            )
            self.network.advance()
            fields = [inside, *((RECORD_ROUTE, Address.parse(one)) for one in routes)]
            self.phone.respond(self.invite, 200, *fields, body=SDP)
            session = self.given(call.answered())
            ending = self.begin(session.bye())
            for method in ("ACK", "BYE"):
                sent = [str(one) for one in self.phone.last(method).all(ROUTE)]
                self.assertEqual(sent, expected)
            self.phone.respond(self.phone.last("BYE"), 200, tag=None)
            self.given(ending)
        self.assert_settled()

    def test_ring_time(self) -> None:
        """
        It rings as long as it was told to.
        """
        call = self.call(Onward(ring_time=20.0))
        self.phone.respond(self.invite, 180)
        self.network.advance(19.0)
        self.assertNotIn("CANCEL", self.phone.methods)
        self.network.advance(1.0)
        self.assertIn("CANCEL", self.phone.methods)
        self.refused(call.answered(), RequestFailed)
        self.phone.respond(self.invite, 487)
        self.phone.respond(self.phone.last("CANCEL"), 200)
        self.assert_settled()

    def test_late_offer(self) -> None:
        """
        A late offer is answered by whoever was asked, and so is the 2xx kept for him.
        """
        offers: list[SessionDescription | None] = []

        def answer(offer: SessionDescription | None) -> SessionDescription:
            offers.append(offer)
            return ALICE_MEDIA

        call = self.call(Onward(on_offer=answer), late_offer=True)
        self.assertEqual(self.invite.body, b"")
        self.phone.respond(self.invite, 200, body=SDP)
        session = self.given(call.answered())
        self.assertEqual(offers, [PEER_MEDIA])
        ack = description_in(self.phone.last("ACK"))
        assert ack is not None
        self.assertEqual(ack.with_origin(ALICE_MEDIA.origin), ALICE_MEDIA)
        self.assertIsNotNone(session.accepted)
        ending = self.begin(session.bye())
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.given(ending)
        self.assert_settled()


class RelayTests(AgentCase):
    """
    A call that is answered with what somebody else says.
    """

    def test_answer(self) -> None:
        """
        The answer is his but for the o= line, and the Contact is the given one.
        """
        alice, bob = self.agent(ALICE), self.agent(BOB)

        def take(call: ServerCall) -> None:
            call.contact = HERE
            call.relays = True
            call.answer(PEER_MEDIA)

        bob.on_invite(take)
        session = self.given(alice.invite(BOB_URI, ALICE_MEDIA).answered())
        assert session.remote is not None
        self.assertEqual(session.remote.with_origin(PEER_MEDIA.origin), PEER_MEDIA)
        self.assertEqual(session.dialog.remote_target, HERE.uri)

    def test_offer_refused(self) -> None:
        """
        A hook says how an offer is refused; what else escapes from it is a 500.
        """
        alice, bob = self.agent(ALICE), self.agent(BOB)
        calls = self.answering(bob)
        session = self.given(alice.invite(BOB_URI, ALICE_MEDIA).answered())

        def refuse(offer: SessionDescription | None) -> SessionDescription:
            raise OfferRefused(Refusal(486))

        def fail(offer: SessionDescription | None) -> SessionDescription:
            raise ZeroDivisionError

        for hook, status in ((refuse, 486), (fail, 500)):
            calls[0].session.on_offer(hook)
            holding = self.begin(session.hold())
            self.assertEqual(self.refused(holding, RequestFailed).status, status)
            updating = self.begin(session.update(BOB_MEDIA))
            self.assertEqual(self.refused(updating, RequestFailed).status, status)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        calls[0].session.forget_hooks()
        self.run_through(session.hold())
        self.run_through(session.bye())
        self.assert_settled()

    def test_any_body(self) -> None:
        """
        Whoever relays lets bodies in that nobody here understands.
        """
        phone = self.peer()
        text = (CONTENT_TYPE, MediaType("text", "x-else"))
        for host, any_body in ((ALICE, False), (BOB, True)):
            agent = self.agent(host, any_body=any_body)
            agent.on_invite(lambda call: call.reject(486))
            phone.request("INVITE", text, call_id=host, body=b"what", host=host)
            self.network.advance()
            self.assertEqual(phone.statuses[-1], 486 if any_body else 415)

    def test_notify(self) -> None:
        """
        A NOTIFY of a transfer is the transfer's, whatever hook the session has.
        """
        alice, bob = self.agent(ALICE), self.agent(BOB)
        calls = self.answering(bob)
        session = self.given(alice.invite(BOB_URI, ALICE_MEDIA).answered())
        taken: list[str | None] = []

        def take(transaction: ServerTransaction) -> None:
            taken.append(transaction.request.get("Event"))
            transaction.respond(200)

        session.on("NOTIFY", take)
        bob.on_refer(lambda referral: referral.accept())
        self.run_through(session.refer(ALICE_URI))
        self.network.advance()
        self.assertEqual(taken, [])
        self.run_through(calls[0].session.request("NOTIFY", [("Event", "else")]))
        self.assertEqual(taken, ["else"])
