"""
Calls, registrations and questions in a steady stream, through a whole suite, and what
has become of each.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import (
    Account,
    Registration,
    RegistrationState,
    RequestFailed,
    Session,
    UserAgentError,
)
from tests import LONG
from tests.integration.killed import (
    DOMAIN,
    PASSWORD,
    USERS,
    KilledServer,
    Phone,
    sleep,
    wait_for,
)
from tests.integration.suite_process import RunningSuite, SuiteCase

#: Of each kind so many a second: what leaves a machine time for all else.
RATE = float(os.environ.get("SIPSORCERY_RATE", 20 if LONG else 4))

_PHONES = tuple(str(number) for number in range(200, 300))
# Seconds that a registration lasts: longer than any test.
_EXPIRES = 3600
_TALK = 1.0


class Kind(Enum):
    """
    Name what is asked of the suite.
    """

    CALL = "calls"
    REGISTER = "registrations"
    OPTIONS = "questions"


@dataclass(slots=True)
class Attempt:
    """
    One call, registration or question.

    :ivar begun: when, in seconds.
    :ivar answered: when it succeeded at last; None: it has not.
    :ivar refused: why it was refused, the first time.
    :ivar broken: why it went wrong after it had succeeded.
    :ivar call_id: of an answered call.
    :ivar is_over: whether nothing more comes of it.
    """

    kind: Kind
    begun: float
    answered: float | None = None
    refused: RequestFailed | None = None
    broken: str = ""
    call_id: str = ""
    is_over: bool = False

    @property
    def is_well(self) -> bool:
        """
        Whether it succeeded at once.
        """
        return self.answered is not None and not self.refused and not self.broken

    @property
    def is_postponed(self) -> bool:
        """
        Whether it was refused with 503, and told when to come again.
        """
        answer = None if self.refused is None else self.refused.response
        if answer is None or answer.status != 503:
            return False
        try:
            return answer.get(RETRY_AFTER) is not None
        except ParseError:
            return False

    def __str__(self) -> str:
        return str(self.refused or self.broken or "well")


class Traffic:
    """
    Phones that call, register and ask, each at a rate, whatever becomes of it.

    :ivar attempts: all of them, in their order.
    :ivar acknowledged: the addresses-of-record that have been registered.
    """

    def __init__(self, server: KilledServer) -> None:
        self.attempts: list[Attempt] = []
        self.acknowledged: set[str] = set()
        self._server = server
        self._phone = Phone(server, USERS[-1])
        self._numbers = count()
        deeds: dict[Kind, Callable[[Attempt], Coroutine[Any, Any, None]]] = {
            Kind.CALL: self._call,
            Kind.REGISTER: self._register,
            Kind.OPTIONS: self._ask,
        }
        self._loops = [
            LoopingCall(self._begin, kind, deed) for kind, deed in deeds.items()
        ]

    async def start(self) -> None:
        """
        Switch the phones on.
        """
        await self._phone.start()

    def run(self) -> None:
        """
        Begin, or go on.
        """
        for loop in self._loops:
            loop.start(1 / RATE)

    async def rest(self) -> None:
        """
        Begin no more, and wait until all that was begun is over.
        """
        self._halt()
        await wait_for(lambda: all(each.is_over for each in self.attempts))

    async def registered(self) -> None:
        """
        Wait until what was not registered at first is so: phones try it again.
        """
        tries = self.of(Kind.REGISTER)
        await wait_for(lambda: all(each.answered is not None for each in tries))

    async def stop(self) -> None:
        """
        Switch the phones off, once all that was begun is over.
        """
        await self.rest()
        await self._phone.stop()

    def of(self, kind: Kind, since: float = 0.0) -> list[Attempt]:
        """
        Give the attempts of a kind that have begun since a time.
        """
        every = self.attempts
        return [each for each in every if each.kind is kind and each.begun >= since]

    def figures(self) -> str:
        """
        Say how many there were of each kind, what failed, and what took longest.
        """
        return "; ".join(_figures(kind, self.of(kind)) for kind in Kind)

    # Inside

    def _halt(self) -> None:
        for loop in self._loops:
            if loop.running:
                loop.stop()

    def _begin(
        self, kind: Kind, deed: Callable[[Attempt], Coroutine[Any, Any, None]]
    ) -> None:
        attempt = Attempt(kind, monotonic())
        self.attempts.append(attempt)
        Deferred.fromCoroutine(self._try(attempt, deed(attempt)))

    async def _try(self, attempt: Attempt, deed: Coroutine[Any, Any, None]) -> None:
        try:
            await deed
        except RequestFailed as failed:
            if attempt.answered is None:
                attempt.refused = failed
            else:
                attempt.broken = str(failed)
        except (UserAgentError, TimeoutError) as error:
            attempt.broken = repr(error)
        attempt.is_over = True

    async def _call(self, attempt: Attempt) -> None:
        session: Session = await self._phone.call("101")
        attempt.answered = monotonic()
        attempt.call_id = session.dialog.call_id
        await sleep(_TALK)
        if session.is_over:
            attempt.broken = "it has ended before anybody has hung up"
        else:
            await session.bye()

    async def _register(self, attempt: Attempt) -> None:
        user = _PHONES[next(self._numbers) % len(_PHONES)]
        aor = f"sip:{user}@{DOMAIN}"
        account = Account(aor, PASSWORD, realms=["*"], proxy=self._server.proxy)
        hear = partial(self._hear, attempt, aor)
        registration = self._phone.agent.register(
            account, expires=_EXPIRES, on_change=hear
        )
        await registration.registered()

    def _hear(self, attempt: Attempt, aor: str, registration: Registration) -> None:
        if registration.state is RegistrationState.Registered:
            attempt.answered = attempt.answered or monotonic()
            self.acknowledged.add(aor)

    async def _ask(self, attempt: Attempt) -> None:
        await self._phone.agent.request("OPTIONS", f"sip:{DOMAIN}")
        attempt.answered = monotonic()


class LoadedSuite(RunningSuite):
    """
    A whole suite, with accounts for those who register all the time.
    """

    users = (*USERS, *_PHONES)


class LoadedCase(SuiteCase):
    """
    Two phones at a whole suite, which is busy with others.
    """

    def make_server(self) -> RunningSuite:
        server = self.make_loaded(Path(self.mktemp()))
        self.traffic = Traffic(server)
        return server

    def make_loaded(self, folder: Path) -> LoadedSuite:
        """
        Make the server; it is not started.
        """
        return LoadedSuite(folder)

    async def start(self) -> None:
        await super().start()
        await self.traffic.start()
        self.traffic.run()

    async def stop(self) -> None:
        await self.traffic.stop()
        await super().stop()

    def all_well(self, attempts: Iterable[Attempt]) -> None:
        """
        Check that none was refused or broken.

        On a machine that other tests keep busy, a server may ask for patience.
        """
        ill = Counter(
            str(each)
            for each in attempts
            if not each.is_well and (LONG or not each.is_postponed)
        )
        self.assertEqual(ill, Counter(), self.server.log("sipproxy")[-2000:])

    async def none_lost(self) -> None:
        """
        Check that whatever has been registered is registered.
        """
        before = set(self.traffic.acknowledged)  # there are more while we look
        rows = await self.server.command("bindings")
        lost = before - {row["aor"] for row in rows}
        self.assertEqual(lost, set())

    async def all_recorded(self) -> None:
        """
        End the suite; check that each answered call has one closed record.
        """
        await self.server.stop()
        cdrs = await self.server.cdrs()
        self.assertEqual([each for each in cdrs if each.ended_at is None], [])
        answered = Counter(
            each.call_id
            for each in cdrs
            if each.direction is Direction.IN and each.answered_at is not None
        )
        calls = {each.call_id for each in self.traffic.of(Kind.CALL) if each.call_id}
        self.assertEqual(
            {call: answered[call] for call in calls if answered[call] != 1}, {}
        )


def _figures(kind: Kind, attempts: list[Attempt]) -> str:
    took = [each.answered - each.begun for each in attempts if each.answered]
    ill = Counter(str(each) for each in attempts if not each.is_well)
    causes = ", ".join(f"{number} {why!r}" for why, number in ill.most_common(3))
    return (
        f"{len(attempts)} {kind.value}, {sum(ill.values())} failed at first"
        f"{causes and f' ({causes})'}, the slowest took {max(took, default=0):.1f} s"
    )
