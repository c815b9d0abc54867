"""
Calls between our user agents and SIPp.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.testing.relay import LossyRelay
from sipsorcery.transaction.timers import Timers
from sipsorcery.ua import ServerCall, UserAgent, UserAgentSettings, audio
from tests import LONG
from tests.integration.ports import free_port
from tests.integration.sipp import SIPp, Tally

CALLS = 1000
# Where datagrams get lost: how many calls, how many of them at a time, of a hundred
# datagrams how many. A call has seven, so every fifth one loses some.
LOSSY_CALLS = 1000 if LONG else 300
AT_ONCE = 50
LOSS = 0.03
MEDIA = audio("127.0.0.1", 4000)
# The scenarios of SIPp do not expect anything to come twice, as it does where a busy
# machine needs half a second for an answer. Where nothing is lost nothing has to.
SLOW = Timers(t1=4.0)


class SIPpCase(TestCase):
    """
    A user agent of ours, and SIPp.
    """

    timeout = 120
    timers = SLOW

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.runs: list[SIPp] = []
        listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
        settings = UserAgentSettings(timers=self.timers)
        self.agent = UserAgent(reactor, listen, settings=settings)
        self.ended: list[str] = []
        return Deferred.fromCoroutine(self.agent.start())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # likewise
        return Deferred.fromCoroutine(self.stop())

    async def stop(self) -> None:
        """
        Stop everything.
        """
        for run in self.runs:
            await run.program.stop()
        await self.agent.stop()

    def end(self, transport: Transport) -> Endpoint:
        """
        Give where our user agent listens.
        """
        ends = [one.local for one in self.agent.listeners]
        return next(end for end in ends if end.transport is transport)

    async def take(self, call: ServerCall) -> None:
        """
        Answer a call, and let the caller end it.
        """
        call.ring()
        session = await call.answer(MEDIA)
        ending = await session.ended()
        self.ended.append(ending.reason)

    async def call_all(self, uri: str, calls: int, at_once: int) -> None:
        """
        Call somebody again and again, and hang up when he has answered.
        """

        async def call() -> None:
            session = await self.agent.invite(uri, MEDIA).answered()
            await session.bye()

        lines = DeferredSemaphore(at_once)
        made = await DeferredList(
            [lines.run(lambda: Deferred.fromCoroutine(call())) for _ in range(calls)]
        )
        self.assertEqual([each for each in made if not each[0]], [])

    def assert_flawless(self, run: SIPp, tally: Tally) -> None:
        """
        Check that each call went as the scenario says, and nothing else came.
        """
        self.assertEqual(tally, Tally(CALLS, 0, 0, 0), run.errors)


class AnsweringTests(SIPpCase):
    """
    SIPp calls us.
    """

    def test_udp(self) -> Deferred[None]:
        """
        A thousand calls over UDP are answered, with no message too many.
        """
        return Deferred.fromCoroutine(self.answer_all(Transport.UDP))

    def test_tcp(self) -> Deferred[None]:
        """
        A thousand calls over TCP are answered, with no message too many.
        """
        return Deferred.fromCoroutine(self.answer_all(Transport.TCP))

    async def answer_all(self, transport: Transport) -> None:
        """
        Answer the calls of SIPp's scenario ``uac``.
        """
        self.agent.on_invite(self.take)
        target = self.end(transport)
        run = SIPp(self.folder, "uac", transport, calls=CALLS, target=target)
        self.runs.append(run)
        self.assert_flawless(run, await run.tally())
        self.assertEqual(self.ended, ["hung up by the peer"] * CALLS)
        self.assertEqual(self.agent.core.dialogs, {})


class CallingTests(SIPpCase):
    """
    We call SIPp.
    """

    def test_udp(self) -> Deferred[None]:
        """
        A thousand calls over UDP are made, with no message too many.
        """
        return Deferred.fromCoroutine(self.call_over(Transport.UDP))

    def test_tcp(self) -> Deferred[None]:
        """
        A thousand calls over TCP are made, with no message too many.
        """
        return Deferred.fromCoroutine(self.call_over(Transport.TCP))

    async def call_over(self, transport: Transport) -> None:
        """
        Call SIPp's scenario ``uas``, ten calls at a time.
        """
        run = SIPp(self.folder, "uas", transport, calls=CALLS, at_once=CALLS)
        self.runs.append(run)
        await run.ready()
        uri = f"sip:100@{run.end.host}:{run.end.port};transport={transport}"
        await self.call_all(uri, CALLS, 10)
        self.assert_flawless(run, await run.tally())
        self.assertEqual(self.agent.core.dialogs, {})


class LossCase(SIPpCase):
    """
    Three of a hundred datagrams get lost in each direction.

    Timers are the usual ones, as SIPp's are.
    """

    timers = Timers()

    def relay(self, server: Endpoint) -> LossyRelay:
        """
        Put a relay before a server.
        """
        relay = LossyRelay(reactor, server, loss=LOSS, seed=1)
        relay.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(relay.stop()))
        return relay

    def assert_complete(self, run: SIPp, tally: Tally, relay: LossyRelay) -> None:
        """
        Check that every call was made, though much was lost.
        """
        made = (tally.successful, tally.failed)
        self.assertEqual(made, (LOSSY_CALLS, 0), run.errors)
        self.assertGreater(relay.lost, LOSSY_CALLS * 7 * LOSS / 2)
        self.assertGreater(tally.repeated, 0)


class LossAnsweringTests(LossCase):
    """
    SIPp calls us over the bad network.
    """

    async def test_udp(self) -> None:
        """
        Every call of SIPp to us completes.
        """
        self.agent.on_invite(self.take)
        relay = self.relay(self.end(Transport.UDP))
        run = SIPp(
            *(self.folder, "uac", Transport.UDP),
            calls=LOSSY_CALLS,
            at_once=AT_ONCE,
            repeats=True,
            target=relay.endpoint,
        )
        self.runs.append(run)
        self.assert_complete(run, await run.tally(), relay)
        # If ACK and BYE are lost SIPp takes the repeated 200 to the INVITE for the
        # answer to its BYE, and does not send that again.
        open_yet = len(self.agent.core.dialogs)
        self.assertEqual(self.ended, ["hung up by the peer"] * (LOSSY_CALLS - open_yet))
        self.assertLess(open_yet, LOSSY_CALLS * LOSS**2 * 10)


class LossCallingTests(LossCase):
    """
    We call SIPp over the bad network.
    """

    async def test_udp(self) -> None:
        """
        Every call of ours to SIPp completes.
        """
        port = free_port()
        relay = self.relay(Endpoint(Transport.UDP, "127.0.0.1", port))
        run = SIPp(
            *(self.folder, "uas", Transport.UDP),
            calls=LOSSY_CALLS,
            at_once=LOSSY_CALLS,
            repeats=True,
            port=port,
            contact=relay.endpoint,
        )
        self.runs.append(run)
        await run.ready()
        uri = f"sip:100@{relay.endpoint.host}:{relay.endpoint.port}"
        await self.call_all(uri, LOSSY_CALLS, AT_ONCE)
        self.assertEqual(self.agent.core.dialogs, {})
        self.assert_complete(run, await run.tally(), relay)
