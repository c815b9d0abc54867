"""
Calls of all kinds, one over the other, and nothing left of any of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from sipsorcery.sdp import NotAcceptable
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import AUTHORIZATION, WWW_AUTHENTICATE
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.uri import SIPURI, parse_uri
from sipsorcery.ua import (
    Account,
    CallCancelled,
    NotAcknowledged,
    Referral,
    RequestFailed,
    ServerCall,
    Session,
    SessionEnded,
)
from tests import LONG
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

CALLS = 10_000 if LONG else 1_000
# Seconds between two calls, and that a datagram takes: a call ends while the next ones
# begin, and what two sides do at a time crosses.
_BETWEEN, _LATENCY = 0.05, 0.02

# How long a call may ring, and how long a session lasts that is not refreshed.
_RING, _SESSION = 15.0, 90

DTMF = MediaType("application", "dtmf-relay")
CHALLENGE = Challenge.parse('Digest realm="home", nonce="n", qop="auth"')
ELSEWHERE = parse_uri(f"sip:elsewhere@{BOB}")

# What may come of a call that somebody disturbs.
_OUTCOMES = (CallCancelled, RequestFailed, SessionEnded, NotAcknowledged, NotAcceptable)


class SoakTests(AgentCase):
    """
    Two agents who call each other in every way they can, and a third one.
    """

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(1)
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home"])
        settings: dict[str, Any] = {"ring_time": _RING, "session_expires": _SESSION}
        self.alice = self.agent(ALICE, account=account, **settings)
        self.bob = self.agent(BOB, **settings)
        self.carol = self.agent(PEER, **settings)
        self.bob.on_invite(self.take)
        self.bob.on_refer(self.transferred)
        self.bob.on("INFO", lambda transaction: transaction.respond(200))
        self.carol.on_invite(self.take_transferred)
        self.network.latency = _LATENCY
        self.outcomes: Counter[str] = Counter()
        self.done: Counter[str] = Counter()  # by the kind of the call
        self.running = 0

    def test_everything_at_once(self) -> None:
        """
        After thousands of calls, whatever crossed, no table holds anything.
        """
        self.soak()
        self.assertGreater(self.outcomes["done"], CALLS / 4)
        for outcome in ("CallCancelled", "RequestFailed"):
            self.assertGreater(self.outcomes[outcome], CALLS / 50, self.outcomes)
        self.assertEqual({kind.__name__ for kind in self.kinds}, set(self.done))

    def test_with_loss(self) -> None:
        """
        Nor does any where every twentieth datagram is lost.
        """
        self.network.drop = lambda *_: self.random.random() < 0.05
        self.soak()
        self.assertGreater(self.outcomes["done"], CALLS / 5, self.outcomes)

    def soak(self) -> None:
        """
        Make all calls, and check that nothing is left.
        """
        for _ in range(CALLS):
            kind = self.random.choice(self.kinds)
            self.running += 1
            Deferred.fromCoroutine(self.live(kind))
            self.network.advance(_BETWEEN)
        self.network.advance(4.0 * _SESSION)
        self.assertEqual(self.running, 0)
        self.assertEqual(sum(self.outcomes.values()), CALLS)
        self.assert_settled()

    async def live(self, kind: Callable[[SoakTests], Awaitable[None]]) -> None:
        """
        Make one call and count what came of it.
        """
        try:
            await kind(self)
        except _OUTCOMES as error:
            self.outcomes[type(error).__name__] += 1
        else:
            self.outcomes["done"] += 1
            self.done[kind.__name__] += 1
        finally:
            self.running -= 1

    def later(self, most: float = 0.2) -> Deferred[None]:
        """
        Wait for a random time.
        """
        delay = self.random.random() * most
        return deferLater(self.machines[ALICE], delay)

    async def call(self, *, late_offer: bool = False) -> Session:
        """
        Call, and wait for the answer.
        """
        call = self.alice.invite(BOB_URI, ALICE_MEDIA, late_offer=late_offer)
        return await call.answered()

    # What the caller does

    async def talk(self) -> None:
        """
        Call, talk, hang up.
        """
        session = await self.call(late_offer=self.random.random() < 0.2)
        await self.later()
        await session.bye()

    async def listen(self) -> None:
        """
        Call, and wait until the other one hangs up.
        """
        session = await self.call()
        await session.ended()

    async def cancel(self) -> None:
        """
        Call, and give up at any moment.
        """
        call = self.alice.invite(BOB_URI, ALICE_MEDIA)
        await self.later()
        call.cancel()
        await call.answered()

    async def change(self) -> None:
        """
        Call, put on hold, take back, hang up.
        """
        session = await self.call()
        await session.hold()
        await session.resume()
        await session.bye()

    async def hang_up_while_changing(self) -> None:
        """
        Call, change something, and hang up while that is under way.
        """
        session = await self.call()
        method = self.random.choice((session.hold, session.update, session.reinvite))
        changing = Deferred.fromCoroutine(method())
        changing.addErrback(lambda reason: reason.trap(*_OUTCOMES))
        await self.later(0.05)
        await session.bye()
        await changing

    async def stay(self) -> None:
        """
        Call, and talk for longer than a session lasts without being refreshed.
        """
        call = self.alice.invite(f"sip:patient@{BOB}", ALICE_MEDIA)
        session = await call.answered()
        await deferLater(self.machines[ALICE], 1.5 * _SESSION)
        await session.bye()

    async def transfer(self) -> None:
        """
        Call, and ask for a call to somebody else.
        """
        session = await self.call()
        try:
            transfer = await session.refer(PEER_URI)
        finally:
            await session.bye()
        await transfer.done()

    async def dial(self) -> None:
        """
        Call, and send a digit.
        """
        session = await self.call()
        try:
            await session.info(DTMF, b"Signal=5\r\n")
        finally:
            await session.bye()

    async def ring_in_vain(self) -> None:
        """
        Call who lets it ring for longer than we wait.
        """
        await self.call_in_vain(f"sip:absent@{BOB}")

    async def be_refused(self) -> None:
        """
        Call where nobody takes connections.
        """
        await self.call_in_vain(f"{BOB_URI}:5999;transport=tcp")

    async def be_unheard(self) -> None:
        """
        Call where nobody listens.
        """
        await self.call_in_vain(f"{BOB_URI}:5999")

    async def call_in_vain(self, uri: str) -> None:
        """
        Call who will not answer.
        """
        try:
            await self.alice.invite(uri, ALICE_MEDIA).answered()
        except RequestFailed:
            return
        raise AssertionError(f"{uri} has answered")

    async def ask(self) -> None:
        """
        Send a request outside of any call.
        """
        await self.alice.request("OPTIONS", BOB_URI)

    kinds = (
        *(talk, talk, listen, cancel, cancel, change, hang_up_while_changing),
        *(stay, transfer, dial, ring_in_vain, be_refused, be_unheard, ask),
    )

    # What the callee does

    async def take(self, call: ServerCall) -> None:
        """
        Answer, mostly, after some time; or do not.
        """
        user = call.uri.user if isinstance(call.uri, SIPURI) else None
        if user == "absent":
            call.ring()
            return
        chance = self.random.random()
        if chance < 0.1:
            call.reject(486)
            return
        if chance < 0.2 and user != "elsewhere":
            call.redirect(ELSEWHERE)
            return
        if chance < 0.3 and AUTHORIZATION not in call.request:
            call.reject(401, fields=[(WWW_AUTHENTICATE, CHALLENGE)])
            return
        if chance < 0.4:
            call.ring(183, BOB_MEDIA)
        elif chance < 0.5:
            call.ring(reliable=True)
        elif chance < 0.8:
            call.ring()
        await self.later()
        session = await call.answer(BOB_MEDIA)
        if user == "patient":
            return
        await self.later(0.3)
        if self.random.random() < 0.2:
            await session.reinvite()
        await session.bye()

    async def transferred(self, referral: Referral) -> None:
        """
        Do not make the call that is asked for, or do.
        """
        if self.random.random() < 0.2:
            referral.reject()
        else:
            session = await referral.follow()
            await session.ended()

    async def take_transferred(self, call: ServerCall) -> None:
        """
        Answer, as who is called in the end.
        """
        session = await call.answer(PEER_MEDIA)
        await self.later()
        await session.bye()
