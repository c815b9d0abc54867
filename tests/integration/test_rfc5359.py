"""
The service flows of RFC 5359, section 2, that a server takes part in.

Three phones of ours are registered at a whole server; music on hold (2.3), transfer by
instant message (2.6) and automatic redial (2.17) are matters of phones alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from twisted.internet.defer import Deferred

from sipsorcery.appserver.service import AppServerService
from sipsorcery.dialog.replaces import reference_to
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.fields import REFERRED_BY, REPLACES
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Language
from sipsorcery.ua import (
    Account,
    RequestFailed,
    ServerCall,
    Session,
    Transfer,
    UserAgent,
    UserAgentSettings,
    audio,
)
from tests.integration.agents import AgentCase
from tests.integration.server import DOMAIN, PASSWORD, Server

_HOST = "127.0.0.1"


class Phone:
    """
    A phone that is registered.

    :ivar calls: those that have come to it.
    """

    def __init__(self, user: str, agent: UserAgent, port: int) -> None:
        self.user = user
        self.agent = agent
        self.calls: list[ServerCall] = []
        self.media = audio(_HOST, port)
        agent.on_invite(self.calls.append)

    @property
    def uri(self) -> str:
        """
        Give the address-of-record.
        """
        return f"sip:{self.user}@{DOMAIN}"


class ServiceCase(AgentCase):
    """
    A server with three phones.

    :cvar plans: the line plans of accounts, for calls ``in`` or ``out``.
    """

    plans: ClassVar[Mapping[tuple[str, str], str]] = {}

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        super().setUp()
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Start the server, and register the phones.
        """
        self.server = Server(Path(self.mktemp()), appserver=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))
        await self.server.start()
        joe = self.server.directory.of("joe")
        await joe.accounts.add("102", DOMAIN, PASSWORD)
        for (user, way), text in self.plans.items():
            await joe.dialplans.put(f"{user}-{way}", text, Language.LINES)
            plan = {f"{way}_dialplan": f"{user}-{way}"}
            await joe.accounts.change(user, DOMAIN, **plan)
        self.alice = await self.phone("100", 4000)
        self.bob = await self.phone("101", 4002)
        self.carol = await self.phone("102", 4004)

    async def phone(self, user: str, port: int) -> Phone:
        """
        Register a phone.
        """
        proxy = f"sip:{_HOST}:{self.server.port}"
        account = Account(
            f"sip:{user}@{DOMAIN}", PASSWORD, realms=[DOMAIN], proxy=proxy
        )
        agent = await self.agent(
            f"udp:{_HOST}:0", account=account, settings=self.settings()
        )
        await agent.register().registered()
        return Phone(user, agent, port)

    def settings(self) -> UserAgentSettings:
        """
        Give the settings of the phones.
        """
        return UserAgentSettings()

    @property
    def service(self) -> AppServerService:
        """
        The application server.
        """
        (service,) = (
            each for each in self.server.services if isinstance(each, AppServerService)
        )
        return service

    # Calls

    async def ringing(self, phone: Phone) -> ServerCall:
        """
        Wait until a phone rings.
        """
        await self.wait_for(lambda: phone.calls)
        call = phone.calls.pop(0)
        call.ring()
        return call

    async def answer(self, phone: Phone) -> Session:
        """
        Wait until a phone rings, and let it answer.
        """
        call = await self.ringing(phone)
        session = await call.answer(phone.media)
        # Its user has set up the account: it answers challenges in this call, too.
        session.shared.account = phone.agent.account
        return session

    async def call(self, caller: Phone, callee: Phone) -> tuple[Session, Session]:
        """
        Let a phone call another one, which answers.
        """
        calling = caller.agent.invite(callee.uri, caller.media)
        theirs = await self.answer(callee)
        return await calling.answered(), theirs

    async def outcome(self, transfer: Transfer) -> int:
        """
        Wait for the end of a transfer.
        """
        told = await transfer.done()
        assert told is not None
        return told.status

    async def assert_talks(self, one: Session, other: Session) -> None:
        """
        Wait until each sends its media to the other, both ways.
        """

        def talks() -> bool:
            return all(
                heard == said
                for heard, said in (
                    (_stream(one.remote), _stream(other.local)),
                    (_stream(other.remote), _stream(one.local)),
                )
            )

        await self.wait_for(talks)
        self.assertEqual(_stream(one.remote)[1], "sendrecv")
        self.assertEqual(_stream(other.remote)[1], "sendrecv")

    async def end(self, one: Session, *others: Session) -> None:
        """
        Let one hang up, and wait until all are over, and the server has nothing left.
        """
        await one.bye()
        await self.wait_for(lambda: all(other.is_over for other in others))
        await self.wait_for(lambda: not len(self.service.connections))
        self.assertEqual(len(self.service.calls), 0)


def _stream(description: SessionDescription | None) -> tuple[object, str]:
    assert description is not None
    return description.media[0].address, str(description.media[0].direction)


class HoldTests(ServiceCase):
    """
    Calls that are held.
    """

    async def test_call_hold(self) -> None:
        """
        2.1: Bob holds Alice, and takes her off hold.
        """
        alice, bob = await self.call(self.alice, self.bob)
        await bob.hold()
        await self.wait_for(lambda: alice.is_held)
        await bob.resume()
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)

    async def test_consultation_hold(self) -> None:
        """
        2.2: Bob holds Alice, asks Carol something, and returns to Alice.
        """
        alice, bob = await self.call(self.alice, self.bob)
        await bob.hold()
        asking, carol = await self.call(self.bob, self.carol)
        await self.assert_talks(asking, carol)
        self.assertTrue(alice.is_held)
        await asking.bye()
        await self.wait_for(lambda: carol.is_over)
        await bob.resume()
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)


class TransferTests(ServiceCase):
    """
    Calls that are transferred.
    """

    async def test_unattended(self) -> None:
        """
        2.4: Bob transfers Alice to Carol, and hangs up when the REFER is accepted.
        """
        alice, bob = await self.call(self.alice, self.bob)
        transfer = await bob.refer(self.carol.uri)
        await bob.bye()
        call = await self.ringing(self.carol)
        by = call.request[REFERRED_BY].uri
        self.assertEqual(by, bob.dialog.local.uri)
        self.assertEqual(str(call.caller.uri), self.alice.uri)
        carol = await call.answer(self.carol.media)
        self.assertEqual(await self.outcome(transfer), 200)
        await self.assert_talks(alice, carol)
        await self.end(alice, carol)

    async def test_unattended_by_caller(self) -> None:
        """
        2.4 the other way round: Alice, who has called, transfers Bob.
        """
        alice, bob = await self.call(self.alice, self.bob)
        await alice.hold()
        transfer = await alice.refer(self.carol.uri)
        carol = await self.answer(self.carol)
        self.assertEqual(await self.outcome(transfer), 200)
        await self.wait_for(lambda: alice.is_over)
        await self.assert_talks(bob, carol)
        await self.end(carol, bob)

    async def test_unattended_fails(self) -> None:
        """
        2.4 where Carol is busy: Bob is told, and still has Alice.
        """
        alice, bob = await self.call(self.alice, self.bob)
        transfer = await bob.refer(self.carol.uri)
        (await self.ringing(self.carol)).reject(486)
        self.assertEqual(await self.outcome(transfer), 486)
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)

    async def test_attended(self) -> None:
        """
        2.5: Bob holds Alice, asks Carol, and connects them.
        """
        alice, bob = await self.call(self.alice, self.bob)
        await bob.hold()
        asking, carol = await self.call(self.bob, self.carol)
        await asking.hold()
        transfer = await bob.refer(self.carol.uri, replaced=asking)
        self.assertEqual(await self.outcome(transfer), 200)
        await self.wait_for(lambda: bob.is_over and asking.is_over)
        await self.assert_talks(alice, carol)
        await self.end(carol, alice)


class ForwardingTests(ServiceCase):
    """
    Calls that go elsewhere: all by the dialplan of Bob, the others by his phone.
    """

    plans: ClassVar[Mapping[tuple[str, str], str]] = {
        ("102", "in"): f"exten => _X.,1,Dial(102,{PASSWORD},101@{DOMAIN})"
    }

    async def test_unconditional(self) -> None:
        """
        2.7: all calls to Carol go to Bob, by her dialplan and at her cost.
        """
        calling = self.alice.agent.invite(self.carol.uri, self.alice.media)
        bob = await self.answer(self.bob)
        alice = await calling.answered()
        self.assertEqual(self.carol.calls, [])
        await self.assert_talks(alice, bob)
        await alice.bye()
        await self.wait_for(lambda: bob.is_over)

    async def test_busy(self) -> None:
        """
        2.8: Bob's phone is busy, and sends its calls elsewhere.
        """
        elsewhere = await self.phone("100", 4006)
        calling = self.alice.agent.invite(self.bob.uri, self.alice.media)
        call = await self.ringing(self.bob)
        call.redirect(SIPURI.parse(elsewhere.uri))
        there = await self.answer(elsewhere)
        alice = await calling.answered()
        await self.assert_talks(alice, there)
        await self.end(alice, there)

    async def test_no_answer(self) -> None:
        """
        2.9: Bob does not answer for a while, and his phone sends the call elsewhere.
        """
        elsewhere = await self.phone("100", 4006)
        calling = self.alice.agent.invite(self.bob.uri, self.alice.media)
        call = await self.ringing(self.bob)
        async for response, _ in calling.progress:
            if response.status == 180:
                break
        call.redirect(SIPURI.parse(elsewhere.uri))
        there = await self.answer(elsewhere)
        alice = await calling.answered()
        await self.assert_talks(alice, there)
        await self.end(there, alice)


class PartyTests(ServiceCase):
    """
    Third parties, and calls that others take.
    """

    async def test_third_party_is_added(self) -> None:
        """
        2.10: Bob, who mixes, has Alice and Carol at the same time.
        """
        alice, bob = await self.call(self.alice, self.bob)
        second, carol = await self.call(self.bob, self.carol)
        await self.assert_talks(alice, bob)
        await self.assert_talks(second, carol)
        await second.bye()
        await self.wait_for(lambda: carol.is_over)
        await self.end(bob, alice)

    async def test_find_me(self) -> None:
        """
        2.12: Bob is looked for at two places at once; the one that rings on is stopped.
        """
        elsewhere = await self.phone("101", 4006)
        calling = self.alice.agent.invite(self.bob.uri, self.alice.media)
        ringing = await self.ringing(self.bob)
        there = await self.answer(elsewhere)
        alice = await calling.answered()
        await self.wait_for(lambda: not ringing.is_pending)
        await self.assert_talks(alice, there)
        await self.end(alice, there)

    async def test_park(self) -> None:
        """
        2.15: Bob parks Alice with Carol, who plays music; then he takes her back.
        """
        alice, bob = await self.call(self.alice, self.bob)
        transfer = await bob.refer(self.carol.uri)
        parked = await self.answer(self.carol)
        self.assertEqual(await self.outcome(transfer), 200)
        await self.assert_talks(alice, parked)
        # The park server has told him which call it is: ours, with the server's end.
        taking = self.bob.agent.invite(
            self.carol.uri,
            self.bob.media,
            fields=[(REPLACES, reference_to(parked.dialog))],
        )
        bob = await taking.answered()
        await self.wait_for(lambda: parked.is_over)
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)

    async def test_click_to_dial(self) -> None:
        """
        2.18: Alice has Bob called from a web page: her own phone rings first.
        """
        back = Deferred.fromCoroutine(
            self.service.actions.call_back(
                "joe", f"100@{DOMAIN}", self.alice.uri, self.bob.uri
            )
        )
        alice = await self.answer(self.alice)
        bob = await self.answer(self.bob)
        await back
        await self.assert_talks(alice, bob)
        await self.end(bob, alice)


class ScreeningTests(ServiceCase):
    """
    Calls that dialplans refuse.
    """

    plans: ClassVar[Mapping[tuple[str, str], str]] = {
        ("101", "in"): "exten => _X.,1,Respond(603,Not you)",
        ("100", "out"): "exten => _09X.,1,Respond(403,Too dear)",
    }

    async def test_incoming_screening(self) -> None:
        """
        2.13: Bob's dialplan refuses a call.
        """
        calling = self.carol.agent.invite(self.bob.uri, self.carol.media)
        with self.assertRaises(RequestFailed) as caught:
            await calling.answered()
        self.assertEqual(caught.exception.status, 603)
        self.assertEqual(self.bob.calls, [])

    async def test_outgoing_screening(self) -> None:
        """
        2.14: the dialplan of Alice does not let her call premium numbers.
        """
        calling = self.alice.agent.invite(f"sip:0900123@{DOMAIN}", self.alice.media)
        with self.assertRaises(RequestFailed) as caught:
            await calling.answered()
        self.assertEqual(caught.exception.status, 403)
