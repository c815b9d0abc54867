"""
Calls of all kinds, one over the other, and nothing left of any of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from sipsorcery.sdp import NotAcceptable
from sipsorcery.ua import (
    CallCancelled,
    NotAcknowledged,
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
    AgentCase,
)

CALLS = 10_000 if LONG else 1_000
# Seconds between two calls, and that a datagram takes: a call ends while the next ones
# begin, and what two sides do at a time crosses.
_BETWEEN, _LATENCY = 0.05, 0.02

# What may come of a call that somebody disturbs.
_OUTCOMES = (CallCancelled, RequestFailed, SessionEnded, NotAcknowledged, NotAcceptable)


class SoakTests(AgentCase):
    """
    Two agents who call each other in every way they can.
    """

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(1)
        self.alice, self.bob = self.agent(ALICE), self.agent(BOB)
        self.bob.on_invite(self.take)
        self.bob.on_refer(lambda referral: referral.reject())
        self.network.latency = _LATENCY
        self.outcomes: Counter[str] = Counter()
        self.running = 0

    def test_everything_at_once(self) -> None:
        """
        After thousands of calls, whatever crossed, no table holds anything.
        """
        self.soak()
        self.assertGreater(self.outcomes["done"], CALLS / 4)
        for outcome in ("CallCancelled", "RequestFailed"):
            self.assertGreater(self.outcomes[outcome], CALLS / 50, self.outcomes)

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
        self.network.advance(200.0)
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

    async def transfer(self) -> None:
        """
        Call, and ask for what is refused.
        """
        session = await self.call()
        try:
            await session.refer(BOB_URI)
        finally:
            await session.bye()

    async def ask(self) -> None:
        """
        Send a request outside of any call.
        """
        await self.alice.request("OPTIONS", BOB_URI)

    kinds = (talk, talk, listen, cancel, change, hang_up_while_changing, transfer, ask)

    # What the callee does

    async def take(self, call: ServerCall) -> None:
        """
        Answer, mostly, after some time; or do not.
        """
        chance = self.random.random()
        if chance < 0.1:
            call.reject(486)
            return
        if chance < 0.2:
            call.ring(183, BOB_MEDIA)
        elif chance < 0.7:
            call.ring()
        await self.later()
        session = await call.answer(BOB_MEDIA)
        await self.later(0.3)
        if self.random.random() < 0.2:
            await session.reinvite()
        await session.bye()
