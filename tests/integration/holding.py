"""
Many calls that are held, by phones in a process of their own.

``python -m tests.integration.holding PROXY COUNT RATE`` makes *COUNT* calls, *RATE* a
second, and tells in lines of JSON how far it is. Told ``end`` it hangs up: every other
call by the one who called, then the rest by the one who was called. It ends with its
standard input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import deferLater, react
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.ua import (
    Account,
    Ending,
    RequestFailed,
    ServerCall,
    Session,
    UserAgent,
    UserAgentSettings,
    audio,
)

# Of the callers' phones one has sessions that it refreshes soon, the others seldom.
_CALLERS = 5
# How often somebody calls whom a busy server asks to come back later.
_ATTEMPTS = 5
# Calls that end while one is made: that is so much less work.
_ENDS = 2
# Looks whether the last call is there, and seconds from one to the next.
_LOOKS, _STEP = 300, 0.1
# Seconds that a registration lasts: longer than any calls are held.
_EXPIRES = 3 * 3600
_MEDIA = audio("127.0.0.1", 4000)


class Phones:
    """
    Those who call, and the one whom they call.

    :ivar failed: why calls were not answered.
    :ivar lost: why calls have ended that nobody here has hung up.
    """

    def __init__(self, reactor: Any, options: argparse.Namespace) -> None:
        self.failed: list[str] = []
        self.lost: list[str] = []
        self._reactor = reactor
        self._options = options
        self._callee = self._phone(options.callee)
        self._callers = [self._phone(options.caller) for _ in range(_CALLERS - 1)]
        soon = UserAgentSettings(session_expires=options.expires)
        self._callers.append(self._phone(options.caller, soon))
        self._made: list[Session] = []
        self._taken: list[Session] = []
        self._is_ending = False

    async def start(self) -> None:
        """
        Switch them on, and let calls find the one who is called.
        """
        for phone in (self._callee, *self._callers):
            await phone.start()
        self._callee.on_invite(self._answer)
        await self._callee.register(expires=_EXPIRES).registered()

    async def stop(self) -> None:
        """
        Switch them off.
        """
        self._is_ending = True
        for phone in (self._callee, *self._callers):
            await phone.stop()

    async def call(self) -> None:
        """
        Make all calls, and wait until each is answered.
        """
        options = self._options
        callee = f"sip:{options.callee}@{options.domain}"

        def call(number: int) -> Coroutine[Any, Any, None]:
            return self._call(self._callers[number % _CALLERS], callee)

        await self._pace(options.rate, options.count, call)
        for _ in range(_LOOKS):
            if self.held == len(self._made):
                break  # the last ACK has come as well
            await deferLater(self._reactor, _STEP)

    async def hang_up(self) -> None:
        """
        End all calls.
        """
        self._is_ending = True
        await self._hang_up(self._made[::2])
        await self._hang_up(self._taken)

    @property
    def held(self) -> int:
        """
        Give how many calls both sides have.
        """
        sides = (self._made, self._taken)
        return min(sum(not one.is_over for one in side) for side in sides)

    @property
    def requests(self) -> int:
        """
        Give how many requests within their calls those have sent who have called.
        """
        return sum(one.dialog.local_cseq for one in self._made)

    def _phone(self, user: str, settings: UserAgentSettings | None = None) -> UserAgent:
        options = self._options
        account = Account(
            f"sip:{user}@{options.domain}",
            options.password,
            realms=["*"],
            proxy=options.proxy,
        )
        return UserAgent(
            self._reactor,
            ["udp:127.0.0.1:0"],
            account=account,
            settings=settings or UserAgentSettings(),
        )

    async def _call(self, phone: UserAgent, callee: str) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                session = await phone.invite(callee, _MEDIA).answered()
            except RequestFailed as error:
                response = error.response
                wait = None if response is None else response.get(RETRY_AFTER)
                if wait is None or attempt == _ATTEMPTS - 1:
                    self.failed.append(str(error))
                    return
                await deferLater(self._reactor, wait.seconds)
            else:
                self._keep(session, self._made)
                return

    async def _answer(self, call: ServerCall) -> None:
        call.ring()
        self._keep(await call.answer(_MEDIA), self._taken)

    def _keep(self, session: Session, side: list[Session]) -> None:
        side.append(session)
        session.ended().addCallback(self._ended)

    def _ended(self, ending: Ending) -> None:
        if not self._is_ending:
            self.lost.append(ending.reason)

    async def _hang_up(self, sessions: Iterable[Session]) -> None:
        left = [session for session in sessions if not session.is_over]
        rate = self._options.rate * _ENDS
        await self._pace(rate, len(left), lambda number: left[number].bye())

    async def _pace(
        self, rate: float, count: int, act: Callable[[int], Coroutine[Any, Any, None]]
    ) -> None:
        """
        Do something so many times, so often in a second, and wait until all is done.
        """
        begun, acts = self._reactor.seconds(), []
        for number in range(count):
            due = begun + number / rate
            await deferLater(self._reactor, max(0.0, due - self._reactor.seconds()))
            acts.append(Deferred.fromCoroutine(act(number)))
        await gatherResults(acts)


class Orders(LineOnlyReceiver):
    """
    Hears when to hang up, and when to go.
    """

    delimiter = b"\n"

    def __init__(self) -> None:
        self.end: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        """
        Take an order.
        """
        if line == b"end" and not self.end.called:
            self.end.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Go.
        """
        self.gone.callback(None)
        if not self.end.called:
            self.end.callback(None)


async def main(reactor: Any, options: argparse.Namespace) -> None:
    """
    Do as the module says.
    """
    orders = Orders()
    StandardIO(orders, reactor=reactor)
    phones = Phones(reactor, options)
    await phones.start()
    await phones.call()
    _tell("held", phones)
    await orders.end
    _tell("ending", phones)
    await phones.hang_up()
    _tell("ended", phones)
    await orders.gone
    await phones.stop()


def _tell(what: str, phones: Phones) -> None:
    told = {
        "is": what,
        "held": phones.held,
        "requests": phones.requests,
        "failed": phones.failed[:5],
        "lost": phones.lost[:5],
    }
    print(json.dumps(told), flush=True)


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proxy")
    parser.add_argument("count", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("--domain", default="example.com")
    parser.add_argument("--caller", default="100")
    parser.add_argument("--callee", default="101")
    parser.add_argument("--password", default="zanzibar")
    parser.add_argument("--expires", type=int, default=90)
    return parser.parse_args(words)


if __name__ == "__main__":
    chosen = _options(sys.argv[1:])
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, chosen)))
