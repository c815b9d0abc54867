"""
Calls between our user agents and SIPp.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.transaction.timers import Timers
from sipsorcery.ua import ServerCall, Session, UserAgent, UserAgentSettings, audio
from tests.integration.sipp import SIPp, Tally

CALLS = 1000
MEDIA = audio("127.0.0.1", 4000)
# The scenarios of SIPp do not expect anything to come twice, as it does where a busy
# machine needs half a second for an answer. Where nothing is lost nothing has to.
SLOW = Timers(t1=4.0)


class SIPpCase(TestCase):
    """
    A user agent of ours, and SIPp.
    """

    timeout = 120

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.runs: list[SIPp] = []
        listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
        self.agent = UserAgent(reactor, listen, settings=UserAgentSettings(timers=SLOW))
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
        ended: list[str] = []

        async def answer(call: ServerCall) -> None:
            call.ring()
            session = await call.answer(MEDIA)
            ending = await session.ended()
            ended.append(ending.reason)

        self.agent.on_invite(answer)
        target = self.end(transport)
        run = SIPp(self.folder, "uac", transport, calls=CALLS, target=target)
        self.runs.append(run)
        self.assert_flawless(run, await run.tally())
        self.assertEqual(ended, ["hung up by the peer"] * CALLS)
        self.assertEqual(self.agent.core.dialogs, {})


class CallingTests(SIPpCase):
    """
    We call SIPp.
    """

    def test_udp(self) -> Deferred[None]:
        """
        A thousand calls over UDP are made, with no message too many.
        """
        return Deferred.fromCoroutine(self.call_all(Transport.UDP))

    def test_tcp(self) -> Deferred[None]:
        """
        A thousand calls over TCP are made, with no message too many.
        """
        return Deferred.fromCoroutine(self.call_all(Transport.TCP))

    async def call_all(self, transport: Transport) -> None:
        """
        Call SIPp's scenario ``uas``, ten calls at a time.
        """
        run = SIPp(self.folder, "uas", transport, calls=CALLS, at_once=CALLS)
        self.runs.append(run)
        await run.ready()
        uri = f"sip:100@{run.end.host}:{run.end.port};transport={transport}"

        async def call() -> None:
            session: Session = await self.agent.invite(uri, MEDIA).answered()
            await session.bye()

        lines = DeferredSemaphore(10)
        made = await DeferredList(
            [lines.run(lambda: Deferred.fromCoroutine(call())) for _ in range(CALLS)]
        )
        self.assertEqual([each for each in made if not each[0]], [])
        self.assert_flawless(run, await run.tally())
        self.assertEqual(self.agent.core.dialogs, {})
