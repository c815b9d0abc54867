"""
An application server is killed under load, behind a proxy and below a watchtower.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from twisted.internet.defer import Deferred, DeferredList

from sipsorcery.ua import RequestFailed, ServerCall, Session, UserAgentError
from tests import LONG
from tests.integration.killed import MEDIA, Phone, sleep
from tests.integration.test_watchtower import GuardedCase

# Calls per second, and for how many seconds before and after the kill.
RATE, BEFORE, AFTER = 50, 10, 30
RINGING = 0.5  # seconds
TALKING = 2.0
# Seconds after a kill in which an attempt may fail, and how many of all later ones.
_MOMENT = 2.0
_FAILURES = 0.01


class SlowPhone(Phone):
    """
    A phone that rings for a while before it answers.
    """

    async def _answer(self, call: ServerCall) -> None:
        try:
            call.ring()
            await sleep(RINGING)
            self.sessions.append(await call.answer(MEDIA))
        except UserAgentError:
            pass  # the caller has gone


@dataclass(slots=True)
class Attempt:
    """
    One call.

    :ivar begun: when, in seconds.
    :ivar answered: when; None: it was not.
    :ivar status: of what has refused it; 0: nothing has.
    :ivar ended: whether its end was heard of at both ends.
    """

    begun: float
    answered: float | None = None
    status: int = 0
    ended: bool = False


class FailoverTests(GuardedCase):
    """
    Calls that begin, ring and are established when a server is killed.
    """

    timeout = 300
    skip = None if LONG else "it takes a machine for itself: set SIPSORCERY_LONG=1"
    bob_is = SlowPhone

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.attempts: list[Attempt] = []
        return super().setUp()

    async def attempt(self) -> None:
        """
        Make one call, talk, hold, and end it.
        """
        attempt = Attempt(monotonic())
        self.attempts.append(attempt)
        try:
            session: Session = await self.alice.call("101")
            attempt.answered = monotonic()
            await sleep(TALKING)
            await session.hold()
            await session.bye()
            attempt.ended = True
        except RequestFailed as failed:
            attempt.status = failed.status
        except UserAgentError:
            attempt.status = 999

    def begun(self, first: float, last: float) -> Iterator[Attempt]:
        """
        Give the attempts that have begun between two times.
        """
        return (each for each in self.attempts if first <= each.begun < last)

    async def test_killed(self) -> None:
        """
        Of the attempts after a moment none fails; every call that rang gets a final
        answer, and all that were established can be held and ended.
        """
        running: list[Deferred[None]] = []

        async def load(seconds: float) -> None:
            end = monotonic() + seconds
            while (now := monotonic()) < end:
                running.append(Deferred.fromCoroutine(self.attempt()))
                await sleep(max(0.0, now + 1 / RATE - monotonic()))

        await load(BEFORE)
        killed = monotonic()
        os.kill((await self.server.workers())[0]["pid"], signal.SIGKILL)
        await load(AFTER)
        await DeferredList(running, consumeErrors=True)

        established = [
            each
            for each in self.attempts
            if each.answered is not None and each.answered < killed
        ]
        ringing = [
            each
            for each in self.begun(0, killed)
            if each.answered is None or each.answered >= killed
        ]
        soon = list(self.begun(killed, killed + _MOMENT))
        later = list(self.begun(killed + _MOMENT, float("inf")))
        figures = {
            name: (len(some), sum(each.answered is not None for each in some))
            for name, some in (
                ("established", established),
                ("ringing", ringing),
                ("soon after", soon),
                ("later", later),
            )
        }
        print(f"\n{RATE} calls/s: {figures}")  # for the long form
        self.assertEqual([each for each in established if not each.ended], [])
        for each in ringing:
            self.assertTrue(each.answered is not None or each.status, each)
        self.assertEqual([each for each in later if each.answered is None], [])
        failed = sum(each.answered is None for each in soon)
        self.assertLess(failed / len([*soon, *later]), _FAILURES)
