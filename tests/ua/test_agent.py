"""
Tests for `sipsorcery.ua.agent` and what it refuses.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from sipsorcery.sip.fields import ALLOW, RETRY_AFTER, TO, UNSUPPORTED, VIA
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import Account, CallCancelled, RequestFailed
from tests.transport.location.zones import Zones
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

SDP = bytes(PEER_MEDIA)


class AdmissionTests(AgentCase):
    """
    What a request has to pass (RFC 3261, 8.2).
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.agent(), self.peer()

    def ask(self, method: str, *fields: Any, **options: Any) -> Any:
        """
        Let the peer send a request, and give the response.
        """
        self.bob.request(method, *fields, **options)
        self.network.advance()
        return self.bob.responses[-1]

    def test_options(self) -> None:
        """
        OPTIONS says what we can do (11.2).
        """
        response = self.ask("OPTIONS")
        self.assertEqual(response.status, 200)
        self.assertIn("INVITE", response.all(ALLOW))
        self.assertEqual(response.get("Accept"), "application/sdp")
        self.assertIn("replaces", response.get("Supported"))
        self.assertIsNotNone(response[TO].tag)
        self.assert_settled()

    def test_method_not_allowed(self) -> None:
        """
        A method that we know and do not do gets a 405, with those that we do.
        """
        response = self.ask("PUBLISH")
        self.assertEqual(response.status, 405)
        self.assertIn("OPTIONS", response.all(ALLOW))
        self.assert_settled()

    def test_method_unknown(self) -> None:
        """
        One that nobody knows gets a 501.
        """
        self.assertEqual(self.ask("DANCE").status, 501)
        self.assert_settled()

    def test_extension_unknown(self) -> None:
        """
        What is required and unknown is named in a 420 (8.2.2.3).
        """
        response = self.ask("OPTIONS", ("Require", "telepathy, timer"))
        self.assertEqual(response.status, 420)
        self.assertEqual(response.all(UNSUPPORTED), ("telepathy",))
        self.assert_settled()

    def test_scheme_unknown(self) -> None:
        """
        A Request-URI of another scheme gets a 416.
        """
        sip = self.bob.request("OPTIONS", host=BOB)
        request = Request("OPTIONS", "tel:+4930123456", sip.items())
        self.bob.send(request)
        self.network.advance()
        self.assertEqual(self.bob.responses[-1].status, 416)
        self.assert_settled()

    def test_no_such_dialog(self) -> None:
        """
        A request of a dialog that is not there gets a 481 (12.2.2).
        """
        for number, method in enumerate(("BYE", "INVITE", "NOTIFY", "INFO"), 1):
            response = self.ask(method, to_tag="gone", number=number)
            self.assertEqual(response.status, 481)
        self.assert_settled()

    def test_outside_of_any_dialog(self) -> None:
        """
        So does one that means something in a dialog only, if it has none at all.
        """
        for number, method in enumerate(("BYE", "UPDATE", "PRACK", "INFO"), 1):
            self.assertEqual(self.ask(method, number=number).status, 481)
        self.assert_settled()

    def test_stray_ack(self) -> None:
        """
        An ACK that belongs to nothing is dropped.
        """
        self.bob.request("ACK", to_tag="gone")
        self.network.advance()
        self.assertEqual(self.bob.responses, [])
        self.assert_settled()

    def test_hook(self) -> None:
        """
        A hook may answer any method, at once or after a while.
        """

        async def take(transaction: ServerTransaction) -> None:
            transaction.respond(202)

        self.alice.on("MESSAGE", take)
        self.assertEqual(self.ask("MESSAGE").status, 202)
        self.assert_settled()

    def test_hook_that_does_not_answer(self) -> None:
        """
        Every request gets an answer, also where the hook gives none.
        """
        self.alice.on("MESSAGE", lambda transaction: None)
        self.assertEqual(self.ask("MESSAGE").status, 500)
        self.assert_settled_but_for_a_log()

    def test_hook_that_gives_a_deferred(self) -> None:
        """
        A hook may return a Deferred, and answer when that fires.
        """
        waiting: Deferred[int] = Deferred()

        @inlineCallbacks
        def answer(
            transaction: ServerTransaction,
        ) -> Generator[Deferred[int], int, None]:
            transaction.respond((yield waiting))

        self.alice.on("MESSAGE", answer)
        self.bob.request("MESSAGE")
        self.network.advance()
        self.assertEqual(self.bob.statuses, [])
        waiting.callback(202)
        self.network.advance()
        self.assertEqual(self.bob.statuses, [202])
        self.assert_settled()

    def test_hook_that_fails(self) -> None:
        """
        So it does where the hook fails, which is logged.
        """

        async def fall(transaction: ServerTransaction) -> None:
            raise ZeroDivisionError

        self.alice.on("MESSAGE", fall)
        self.assertEqual(self.ask("MESSAGE").status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assert_settled()

    def test_hook_that_meets_nonsense(self) -> None:
        """
        What a hook cannot read is the peer's fault.
        """

        def read(transaction: ServerTransaction) -> None:
            transaction.request.all(RETRY_AFTER)
            transaction.respond(200)

        self.alice.on("MESSAGE", read)
        self.assertEqual(self.ask("MESSAGE", ("Retry-After", "soon")).status, 400)
        self.assert_settled()

    def assert_settled_but_for_a_log(self) -> None:
        """
        Check that nothing is left but a line in the log.
        """
        self.flushLoggedErrors()
        self.assert_settled()


class RequestTests(AgentCase):
    """
    Requests that we send.
    """

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.peer()

    def test_between_agents(self) -> None:
        """
        A request is answered with what the other one can do.
        """
        alice, _ = self.agent(), self.agent(BOB)
        response = self.run_through(alice.request("OPTIONS", BOB_URI))
        self.assertIn("INVITE", response.all(ALLOW))
        self.assert_settled()

    def test_refused(self) -> None:
        """
        Any other response is an error that has it.
        """
        alice, _ = self.agent(), self.agent(BOB)
        asking = self.begin(alice.request("MESSAGE", BOB_URI, body=b"hello"))
        self.assertEqual(self.refused(asking, RequestFailed).status, 405)
        self.assert_settled()

    def test_next_target_after_503(self) -> None:
        """
        A target that says 503 is passed over for the next one (RFC 3263, 4.3).
        """
        alice = self.agent(resolver=self.two_servers())
        self.agent(BOB)
        asking = self.begin(alice.request("OPTIONS", "sip:example.test"))
        self.bob.respond(self.bob.last("OPTIONS"), 503, (RETRY_AFTER, Seconds(60)))
        self.assertEqual(self.given(asking).status, 200)
        # Next time it comes last.
        self.run_through(alice.request("OPTIONS", "sip:example.test"))
        self.assertEqual(len(self.bob.requests), 1)
        self.assert_settled()

    def test_next_target_after_silence(self) -> None:
        """
        So is one that says nothing at all for a while.
        """
        alice = self.agent(resolver=self.two_servers())
        self.agent(BOB)
        asking = self.begin(alice.request("OPTIONS", "sip:example.test"))
        self.network.advance(4.1)
        self.assertEqual(self.given(asking).status, 200)
        self.assert_settled()

    def test_call_goes_to_the_next_target(self) -> None:
        """
        A call goes on to the next target; if the first one wakes up it is cancelled.
        """
        alice, bob = self.agent(resolver=self.two_servers()), self.agent(BOB)
        self.answering(bob)
        call = alice.invite("sip:bob@example.test", ALICE_MEDIA)
        self.network.advance(4.1)
        session = self.given(call.answered())
        invite = self.bob.last("INVITE")
        self.bob.respond(invite, 180)
        self.network.advance()
        self.bob.respond(self.bob.last("CANCEL"), 200)
        self.bob.respond(invite, 487)
        self.run_through(session.bye())
        self.assert_settled()

    def two_servers(self) -> Zones:
        """
        Make a domain with the peer as its first server and the other agent as second.
        """
        return Zones(
            f"""
            _sip._udp.example.test SRV 1 0 5060 one.example.test
            _sip._udp.example.test SRV 2 0 5060 two.example.test
            one.example.test A {PEER}
            two.example.test A {BOB}
            """
        )

    def test_long_request_goes_by_tcp(self) -> None:
        """
        A request that is too long for UDP goes by TCP (18.1.1).
        """
        alice, bob = self.agent(), self.agent(BOB)
        ways: list[str] = []

        def take(transaction: ServerTransaction) -> None:
            ways.append(transaction.request[VIA].transport)
            transaction.respond(200)

        bob.on("MESSAGE", take)
        for size in (100, 1300):
            self.run_through(alice.request("MESSAGE", BOB_URI, body=b"x" * size))
        self.assertEqual(ways, ["UDP", "TCP"])

    def test_long_request_where_there_is_no_tcp(self) -> None:
        """
        Where nobody takes TCP it goes by UDP all the same.
        """
        alice = self.agent()
        asking = self.begin(alice.request("MESSAGE", PEER_URI, body=b"x" * 1300))
        self.network.advance(0.1)
        self.bob.respond(self.bob.last("MESSAGE"), 200)
        self.given(asking)
        self.assert_settled()

    def test_long_request_by_udp(self) -> None:
        """
        A URI that names UDP is obeyed, and so is a setting of 0.
        """
        alice = self.agent(udp_mtu=0)
        asking = self.begin(alice.request("MESSAGE", PEER_URI, body=b"x" * 1300))
        self.bob.respond(self.bob.last("MESSAGE"), 200)
        self.given(asking)
        self.assert_settled()

    def test_proxy_of_the_account(self) -> None:
        """
        Everything goes to the proxy of the account first, whatever its own URI.
        """
        account = Account("sip:alice@example.test", proxy=PEER_URI)
        alice = self.agent(account=account)
        asking = self.begin(alice.request("OPTIONS", "sip:bob@elsewhere.test"))
        request = self.bob.last("OPTIONS")
        self.assertEqual(request.request_uri, "sip:bob@elsewhere.test")
        self.assertEqual(request.get("Route"), f"<{PEER_URI};lr>")
        self.bob.respond(request, 200)
        self.given(asking)
        self.assert_settled()


class StopTests(AgentCase):
    """
    The end of an agent.
    """

    def test_sessions_and_calls(self) -> None:
        """
        An agent that stops hangs up, gives up its calls, and leaves nothing.
        """
        alice, bob = self.agent(), self.agent(BOB)
        calls = self.answering(bob)
        self.given(alice.invite(BOB_URI, ALICE_MEDIA).answered())
        peer = self.peer()
        call = alice.invite(PEER_URI, ALICE_MEDIA)
        self.network.advance()
        peer.respond(peer.last("INVITE"), 180)
        self.network.advance()
        answered = call.answered()
        stopping = self.begin(alice.stop())
        self.refused(answered, CallCancelled)
        peer.respond(peer.last("CANCEL"), 200)
        peer.respond(peer.last("INVITE"), 487)
        self.given(stopping)
        self.assertTrue(calls[0].session.is_over)
        self.assertEqual(self.machines[ALICE].getDelayedCalls(), [])
        self.assert_settled()

    def test_waiting_calls_are_refused(self) -> None:
        """
        A call that waits for our answer is refused.
        """
        alice, peer = self.agent(), self.peer()
        alice.on_invite(lambda call: call.ring())
        peer.request("INVITE", body=SDP)
        self.network.advance()
        self.given(self.begin(alice.stop()))
        self.assertEqual(peer.statuses, [180, 487])
        self.assertEqual(self.machines[ALICE].getDelayedCalls(), [])

    def test_peer_is_gone(self) -> None:
        """
        Who does not answer is not waited for for ever.
        """
        alice, bob = self.agent(), self.agent(BOB)
        self.answering(bob)
        self.given(alice.invite(BOB_URI, ALICE_MEDIA).answered())
        self.network.drop = lambda *_: True
        stopping = self.begin(alice.stop())
        self.network.advance(8.0)
        self.given(stopping)
        self.assertEqual(self.machines[ALICE].getDelayedCalls(), [])

    def test_context(self) -> None:
        """
        ``async with`` starts and stops it.
        """
        alice = self.agent()
        self.assertEqual(len(alice.listeners), 2)

        async def leave() -> None:
            await alice.__aexit__(None, None, None)

        self.given(self.begin(leave()))
        self.assertEqual(alice.listeners, ())
