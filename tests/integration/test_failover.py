"""
An application server is killed under load, in a whole suite: calls that begin, that
ring, and that are established, which are held, transferred and ended by either party.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from time import monotonic

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, TimeoutError
from twisted.internet.interfaces import IReactorTime

from sipsorcery.store.directory import CDR
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import RequestFailed, ServerCall, Session, UserAgentError
from tests import LONG
from tests.integration.killed import DOMAIN, MEDIA, Phone, sleep
from tests.integration.suite_process import RunningSuite, SuiteCase

# Calls per second, which is what two processors carry with all of the suite, and both
# ends of the calls, on them; and for how many seconds before and after the kill.
RATE, BEFORE, AFTER = float(os.environ.get("SIPSORCERY_RATE", 30)), 10, 30
RINGING = 0.5  # seconds
TALKING = 2.0
# Seconds after a kill in which an attempt may fail, and how many of all later ones.
_MOMENT = 2.0
_FAILURES = 0.01


class Deed(Enum):
    """
    Name what the parties do before the call ends.
    """

    HOLD = "held and ended by the caller"
    LEFT = "ended by the callee"
    TRANSFER = "transferred"


class SlowPhone(Phone):
    """
    A phone that rings for a while before it answers.
    """

    async def _answer(self, call: ServerCall) -> None:
        try:
            call.ring()
            await sleep(RINGING)
            await self.talk(await call.answer(MEDIA))
        except UserAgentError:
            pass  # the caller has gone

    async def talk(self, session: Session) -> None:
        """
        Leave all the rest to the caller.
        """
        self.sessions.append(session)


class LeavingPhone(SlowPhone):
    """
    A phone that holds its callers, and hangs them up.
    """

    async def talk(self, session: Session) -> None:
        await sleep(TALKING)
        if not session.is_over:
            with contextlib.suppress(
                RequestFailed
            ):  # such as 491: the others agree as well
                await session.hold()
            await session.bye()


@dataclass(slots=True)
class Attempt:
    """
    One call.

    :ivar begun: when, in seconds.
    :ivar answered: when; None: it was not.
    :ivar status: of what has refused it; 0: nothing has.
    :ivar ended: whether its end was heard of at both ends.
    :ivar why: what has gone wrong.
    """

    deed: Deed
    begun: float
    answered: float | None = None
    status: int = 0
    ended: bool = False
    why: str = ""
    call_id: str = ""


class FailoverTests(SuiteCase):
    """
    Calls that begin, ring and are established when a server is killed.
    """

    timeout = 400
    skip = None if LONG else "it takes a machine for itself: set SIPSORCERY_LONG=1"
    bob_is = SlowPhone

    def make_server(self) -> RunningSuite:
        self.attempts: list[Attempt] = []
        server = super().make_server()
        server.text = server.text.replace(
            "[limits]\n", "[limits]\nringing_at_once = 0\n"
        )
        return server

    async def start(self) -> None:
        await super().start()
        self.carol = LeavingPhone(self.server, "102")
        await self.carol.start()
        await self.carol.register()

    async def stop(self) -> None:
        await self.carol.stop()
        await super().stop()

    async def attempt(self, deed: Deed) -> None:
        """
        Make one call, talk, and do what is to be done.
        """
        attempt = Attempt(deed, monotonic())
        self.attempts.append(attempt)
        try:
            user = "102" if deed is Deed.LEFT else "101"
            session: Session = await self.alice.call(user)
            attempt.answered = monotonic()
            attempt.call_id = session.dialog.call_id
            over = session.ended()
            if deed is not Deed.LEFT:
                await sleep(TALKING)
            match deed:
                case Deed.HOLD:
                    await session.hold()
                    await session.bye()
                case Deed.TRANSFER:
                    attempt.why = await self.transfer(session)
            await over.addTimeout(30, IReactorTime(reactor))
            attempt.ended = True
        except RequestFailed as failed:
            attempt.status, attempt.why = failed.status, str(failed)
        except Exception as error:
            # Whatever it is, the figures tell of it.
            attempt.status, attempt.why = 999, repr(error)

    async def transfer(self, session: Session) -> str:
        """
        Have the callee call somebody else.

        One that is cut off leaves the call as it was, and the caller hangs up.

        :return: what has gone wrong.
        """
        await session.refer(f"sip:102@{DOMAIN}")
        try:
            await session.ended().addTimeout(10, IReactorTime(reactor))
        except TimeoutError:
            await session.bye()
            return "its transfer was cut off"
        return ""

    def begun(self, first: float, last: float) -> Iterator[Attempt]:
        """
        Give the attempts that have begun between two times.
        """
        return (each for each in self.attempts if first <= each.begun < last)

    async def test_killed(self) -> None:
        """
        Of the attempts after a moment none fails; every call that rang gets a final
        answer; all that were established can be held, transferred and ended by either
        party; and no record of a call stays open.
        """
        running: list[Deferred[None]] = []
        deeds = [Deed.HOLD, Deed.LEFT, Deed.HOLD, Deed.LEFT, Deed.TRANSFER]

        async def load(seconds: float) -> None:
            begun = monotonic()
            for number in range(int(seconds * RATE)):
                deed = deeds[len(running) % len(deeds)]
                running.append(Deferred.fromCoroutine(self.attempt(deed)))
                await sleep(max(0.0, begun + (number + 1) / RATE - monotonic()))

        await load(BEFORE)
        killed = monotonic()
        os.kill((await self.server.workers())[0]["pid"], signal.SIGKILL)
        await load(AFTER)
        await DeferredList(running, consumeErrors=True)
        await self.server.all_up()
        await sleep(TALKING + 2)  # what was transferred ends

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
        rate = (len(self.attempts) - 1) / (
            self.attempts[-1].begun - self.attempts[0].begun
        )
        print(f"\n{rate:.0f} calls/s; of each, how many were answered:")
        for name, some in (
            ("established", established),
            ("ringing", ringing),
            ("soon after", soon),
            ("later", later),
        ):
            answered = sum(each.answered is not None for each in some)
            print(f"{name}: {answered} of {len(some)}, {dict(_causes(some))}")
        self.assertEqual([each for each in established if not each.ended], [])
        for each in ringing:
            self.assertTrue(each.answered is not None or each.status, each)
        self.assertEqual([each for each in later if each.answered is None], [])
        failed = sum(each.answered is None for each in soon)
        self.assertLess(failed / len([*soon, *later]), _FAILURES)
        calls = await self.server.command("calls")
        left = [each for each in self.bob.sessions if not each.is_over]
        self.assertEqual((calls, left), ([], []), f"still there: {calls}, {left}")
        await self.server.stop()
        self._check_cdrs(await self.server.cdrs())

    def _check_cdrs(self, cdrs: list[CDR]) -> None:
        """
        Check that each call has a record of its caller's leg, and all are closed.
        """
        self.assertEqual([each for each in cdrs if each.ended_at is None], [])
        callers = Counter(
            each.call_id for each in cdrs if each.direction is Direction.IN
        )
        self.assertEqual([each for each in callers.items() if each[1] > 1], [])
        told = {
            each.call_id
            for each in cdrs
            if each.direction is Direction.IN and each.answered_at is not None
        }
        print(f"{len(cdrs)} call detail records, {len(told)} of answered callers")
        untold = {
            each.call_id: each
            for each in self.attempts
            if each.answered is not None and each.call_id not in told
        }
        rows = [each for each in cdrs if each.call_id in untold]
        self.assertEqual(untold, {}, rows)


def _causes(attempts: Iterable[Attempt]) -> Counter[str]:
    return Counter(each.why for each in attempts if each.why)
