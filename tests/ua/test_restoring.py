"""
Tests for `sipsorcery.ua.restoring`, and for how agents ask for what was lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sipsorcery.dialog.record import DialogRecord
from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CONTENT_TYPE,
    CSEQ,
    FROM,
    RECORD_ROUTE,
    SESSION_EXPIRES,
    SUPPORTED,
    TO,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import MediaType, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.ua import Account, Session, UserAgent
from sipsorcery.ua.restoring import acknowledge_again, record, restore
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB_MEDIA,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
    Peer,
)

SDP = bytes(PEER_MEDIA)
CHALLENGE = Challenge.parse('Digest realm="example.com", nonce="1"')


class RestoringCase(AgentCase):
    """
    Alice's agent, which is killed in the midst of a call with a peer.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.agent(ALICE, session_expires=1800)
        self.phone: Peer = self.peer()

    def record(self, session: Session, **changes: Any) -> DialogRecord:
        """
        Write a session down, as it is.
        """
        return replace(record(session), **changes)

    def kill(self, agent: UserAgent) -> None:
        """
        End an agent as if its process had been killed.
        """
        agent.core.wheel.clear()
        agent.transactions._drive.wheel.clear()
        self.run_through(agent.transport.stop())
        self.agents.remove(agent)

    def start_again(self) -> UserAgent:
        """
        Kill alice's agent and start another one in its place.
        """
        self.kill(self.alice)
        self.phone.requests.clear()
        self.phone.responses.clear()
        self.alice = self.agent(ALICE, session_expires=1800)
        return self.alice

    def take_call(self, *, is_acknowledged: bool = True) -> Session:
        """
        Let alice answer a call of the peer.
        """
        self.answering(self.alice, ALICE_MEDIA)
        self.invite = self.phone.request(
            "INVITE", (SUPPORTED, "timer"), (SESSION_EXPIRES, Seconds(1800)), body=SDP
        )
        self.network.advance()
        self.tag = self.phone.responses[-1][TO].tag
        if is_acknowledged:
            self.acknowledge()
        ((_, shared),) = self.alice.core.dialogs.items()
        (session,) = shared.usages
        assert isinstance(session, Session)
        return session

    def acknowledge(self) -> None:
        """
        Let the peer acknowledge the 2xx.
        """
        self.phone.request("ACK", to_tag=self.tag)
        self.network.advance()

    def ask(self, method: str, number: int, **rest: Any) -> Response:
        """
        Let the peer ask something within the call; give the answer.
        """
        self.phone.responses.clear()
        self.phone.request(method, number=number, to_tag=self.tag, **rest)
        self.network.advance()
        return self.phone.responses[-1]


class RestoreTests(RestoringCase):
    """
    A call that was answered, taken up by another process.
    """

    def restored(self, session: Session, **changes: Any) -> Session:
        """
        Kill the agent, and take a session of it up again.
        """
        stored = self.record(session, **changes)
        return restore(self.start_again().core, stored)

    def test_peer_hangs_up(self) -> None:
        """
        The peer's BYE ends the call.
        """
        session = self.restored(self.take_call())
        self.assertTrue(session.is_established)
        self.assertEqual(self.ask("BYE", 2).status, 200)
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_we_hang_up(self) -> None:
        """
        Our BYE has a number that the killed process cannot have used.
        """
        before = self.take_call()
        session = self.restored(before)
        ending = self.begin(session.bye())
        bye = self.phone.last("BYE")
        self.assertEqual(bye[CSEQ].number, before.dialog.local_cseq + 1001)
        self.assertEqual((bye[FROM].tag, bye[TO].tag), (self.tag, "peer"))
        self.phone.respond(bye, 200, tag=None)
        self.given(ending)
        self.assert_settled()

    def test_peer_holds(self) -> None:
        """
        A re-INVITE of the peer is answered with the next version of what we have said.
        """
        before = self.take_call()
        described = before.local
        assert described is not None
        session = self.restored(before)
        answer = self.ask("INVITE", 2, body=SDP.replace(b"sendrecv", b"sendonly"))
        self.assertEqual(answer.status, 200)
        assert session.local is not None
        self.assertEqual(session.local.origin.session_id, described.origin.session_id)
        self.assertGreaterEqual(session.local.origin.version, described.origin.version)

    def test_we_hold(self) -> None:
        """
        A re-INVITE of ours goes to the peer with the next version.
        """
        before = self.take_call()
        assert before.local is not None
        session = self.restored(before)
        holding = self.begin(session.hold())
        invite = self.phone.last("INVITE")
        self.assertIn(b"a=sendonly", invite.body)
        version = before.local.origin.version + 1
        self.assertIn(
            f"o=- {before.local.origin.session_id} {version} ".encode(), invite.body
        )
        self.phone.respond(invite, 200, tag=None, body=SDP)
        self.given(holding)
        self.assertEqual(self.phone.methods[-1], "ACK")

    def test_old_number(self) -> None:
        """
        A request that the killed process has had is refused, a higher one is not.
        """
        self.take_call()
        self.ask("INFO", 5)
        (shared,) = self.alice.core.dialogs.values()
        (session,) = shared.usages
        assert isinstance(session, Session)
        self.restored(session)
        self.assertEqual(self.ask("INFO", 5).status, 500)
        self.assertEqual(self.ask("INFO", 4711).status, 200)

    def test_unacknowledged(self) -> None:
        """
        A 2xx that was not acknowledged is repeated at once, and until its ACK comes.
        """
        session = self.restored(self.take_call(is_acknowledged=False))
        self.network.advance()
        self.assertEqual(self.phone.statuses, [200])
        self.assertEqual(self.phone.responses[0].body, bytes(session.local or b""))
        self.network.advance(0.5)
        self.assertEqual(self.phone.statuses, [200, 200])
        self.acknowledge()
        self.network.advance(60)
        self.assertEqual(self.phone.statuses, [200, 200])
        self.assertTrue(session.is_established)

    def test_never_acknowledged(self) -> None:
        """
        If the ACK never comes, the session is hung up.
        """
        session = self.restored(self.take_call(is_acknowledged=False))
        self.network.advance(33)
        self.assertEqual(set(self.phone.statuses), {200})
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.network.advance()
        self.assertTrue(session.is_over)
        self.assert_settled()

    def test_acknowledged_elsewhere(self) -> None:
        """
        If another server has the session, this one hangs nobody up.
        """
        session = self.restored(self.take_call(is_acknowledged=False))
        asked: list[Session] = []

        async def is_ours(session: Session) -> bool:
            asked.append(session)
            return False

        self.alice.core.is_ours = is_ours
        self.network.advance(33)
        self.assertEqual(asked, [session])
        self.assertNotIn("BYE", self.phone.methods)
        self.assertFalse(session.is_over)

    def test_challenge(self) -> None:
        """
        A challenge to a request of ours is answered with the credentials of the call.
        """
        stored = self.record(self.take_call())
        account = Account("sip:alice@example.com", username="alice", password="secret")
        session = restore(self.start_again().core, stored, account=account)
        self.begin(session.bye())
        self.phone.respond(
            self.phone.last("BYE"), 401, (WWW_AUTHENTICATE, CHALLENGE), tag=None
        )
        self.network.advance()
        self.assertIn(AUTHORIZATION, self.phone.last("BYE"))

    def test_without_sdp(self) -> None:
        """
        A session that SDP does not describe goes on without.
        """
        nothing = {
            "origin": None,
            "local_description": None,
            "remote_description": None,
        }
        session = self.restored(self.take_call(), **nothing)
        self.assertIsNone(session.negotiation)
        self.assertEqual(self.ask("BYE", 2).status, 200)

    def test_routes(self) -> None:
        """
        The route set is that of the call.
        """
        route = f"<sip:proxy@{PEER_URI[4:]};lr>"
        self.answering(self.alice, ALICE_MEDIA)
        self.phone.request("INVITE", (RECORD_ROUTE, Address.parse(route)), body=SDP)
        self.network.advance()
        (shared,) = self.alice.core.dialogs.values()
        (session,) = shared.usages
        assert isinstance(session, Session)
        again = self.restored(session, unacknowledged=None)
        self.begin(again.bye())
        self.assertEqual(self.phone.last("BYE").get("Route"), route)


class TimerTests(RestoringCase):
    """
    Session timers of calls that were taken up.
    """

    def restored(self, *, role: str, ago: float) -> Session:
        """
        Take a call up that was last refreshed some time ago.
        """
        stored = self.record(self.take_call(), session_interval=1800, refresher=role)
        core = self.start_again().core
        return restore(core, stored, refreshed_at=core.clock.seconds() - ago)

    def test_refresh_is_on_time(self) -> None:
        """
        We refresh when half of the interval is over since the last refresh, whoever
        has made that.
        """
        self.restored(role="Local", ago=800)
        self.network.advance(99)
        self.assertEqual(self.phone.methods, [])
        self.network.advance(1)
        self.assertEqual(self.phone.methods, ["INVITE"])

    def test_refresh_is_late(self) -> None:
        """
        A refresh that was missed is made at once.
        """
        self.restored(role="Local", ago=1000)
        self.network.advance(0.1)
        self.assertEqual(self.phone.methods, ["INVITE"])

    def test_peer_does_not_refresh(self) -> None:
        """
        A session that the peer should have refreshed ends when it would have ended.
        """
        session = self.restored(role="Remote", ago=1000)
        self.network.advance(1800 - 1000 - 32 - 1)
        self.assertFalse(session.is_over)
        self.network.advance(2)
        self.assertTrue(session.is_over)
        self.assertEqual(set(self.phone.methods), {"BYE"})


class AskingTests(RestoringCase):
    """
    What an agent does with what belongs to no dialog that it has.
    """

    def setUp(self) -> None:
        super().setUp()
        stored = self.record(self.take_call(is_acknowledged=False))
        self.stored: DialogRecord | None = stored
        self.asked: list[str] = []
        self.start_again()
        self.alice.on_unknown_dialog(self.bring_back)

    async def bring_back(self, request: Request) -> None:
        """
        Restore the call, if it is stored.
        """
        self.asked.append(request.method)
        if self.stored is not None:
            restore(self.alice.core, self.stored)

    def test_request(self) -> None:
        """
        A request is answered by the session that was brought back for it.
        """
        self.assertEqual(self.ask("INFO", 2).status, 200)
        self.assertEqual(self.ask("INFO", 3).status, 200)
        self.assertEqual(self.asked, ["INFO"])

    def test_ack(self) -> None:
        """
        So is an ACK: the 2xx is not repeated any more.
        """
        self.acknowledge()
        self.network.advance(60)
        self.assertEqual(self.phone.statuses, [200])
        self.assertEqual(self.asked, ["ACK"])

    def test_nothing_stored(self) -> None:
        """
        What is of no dialog at all gets a 481, an ACK nothing.
        """
        self.stored = None
        self.assertEqual(self.ask("BYE", 2).status, 481)
        self.acknowledge()
        self.assertEqual(self.phone.statuses, [481])

    def test_failure(self) -> None:
        """
        A store that fails is as one that has nothing, and is logged.
        """

        async def fail(request: Request) -> None:
            raise ValueError("broken")

        self.alice.on_unknown_dialog(fail)
        self.assertEqual(self.ask("BYE", 2).status, 481)
        self.acknowledge()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    def test_new_request(self) -> None:
        """
        A request outside of dialogs is nobody's business here.
        """
        self.phone.request("OPTIONS", call_id="other")
        self.network.advance()
        self.assertEqual(self.asked, [])


class StrayTests(RestoringCase):
    """
    The 2xx of a callee whose ACK was never sent.
    """

    def test_acknowledged_again(self) -> None:
        """
        The ACK has the number of the INVITE, and is sent for each repetition.
        """
        call = self.alice.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        sdp = (CONTENT_TYPE, MediaType("application", "sdp"))
        invite = self.phone.last("INVITE")
        answer = self.phone.respond(invite, 200, sdp, body=SDP)
        session = self.given(call.answered())
        stored = self.record(session)
        again = restore(self.start_again().core, stored)
        strays: list[Response] = []

        def stray(response: Response) -> None:
            strays.append(response)
            acknowledge_again(again, response)

        self.alice.on_stray_response(stray)
        for _ in range(2):
            self.phone.send(answer)
            self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK", "ACK"])
        self.assertEqual(self.phone.last("ACK")[CSEQ].number, invite[CSEQ].number)
        self.assertEqual(len(strays), 2)

    def test_dropped(self) -> None:
        """
        Who has not asked for strays is not bothered.
        """
        call = self.alice.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        answer = self.phone.respond(self.phone.last("INVITE"), 200, body=SDP)
        self.given(call.answered())
        self.start_again()
        self.phone.send(answer)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])
