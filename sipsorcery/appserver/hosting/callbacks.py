"""
Calling two people back, and connecting them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.limits import CallRate
from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.hosting.arguments import number, text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import HostError, Value
from sipsorcery.config.values import Rate
from sipsorcery.store.errors import StoreError
from sipsorcery.ua import UserAgentError

#: Call-backs of a run, and those of a user.
MAX_CALLBACKS = 3
RATE = Rate(10, 60)


class Actions(Protocol):
    """
    Calls people back: `sipsorcery.appserver.transfers.web_actions.WebActions`.
    """

    def call_back(
        self, owner: str, account: str, first: str, second: str, *, delay: float = 0.0
    ) -> Awaitable[object]:
        """
        Call somebody, then somebody else, and connect them.
        """


class CallbackFunctions:
    """
    Calls back for dialplans, and lets them go on meanwhile.

    :param actions: gives what calls people back.
    :param clock: gives seconds that do not go back.
    """

    _log = Logger()

    def __init__(
        self, actions: Callable[[], Actions], clock: Callable[[], float]
    ) -> None:
        self._actions = actions
        self._clock = clock
        self._rate = CallRate(RATE)

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {"callback": partial(self._call_back, guest)}

    async def _call_back(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        if not guest.request.fields:
            # The dialplan decides about a call-back: if it made others, so would they.
            return HostError("a call-back makes no call-backs")
        if not guest.may_use("callback", MAX_CALLBACKS):
            return HostError(f"a run calls back {MAX_CALLBACKS} times at most")
        if not self._rate.take(guest.owner, self._clock()):
            return HostError("there were too many call-backs in a short time")
        account = f"{guest.account.username}@{guest.account.domain}"
        first, second = text(arguments, "first"), text(arguments, "second")
        delay = number(arguments, "delay", 0.0)
        guest.note(f"calls {first} and {second} back")
        calling = Deferred.fromCoroutine(
            self._connect(guest.owner, account, first, second, delay)
        )
        calling.addCallback(lambda _: guest.note(f"{first} and {second} are connected"))
        calling.addErrback(self._failed, guest, first, second)
        return None

    async def _connect(
        self, owner: str, account: str, first: str, second: str, delay: float
    ) -> None:
        await self._actions().call_back(owner, account, first, second, delay=delay)

    def _failed(self, failure: Failure, guest: Guest, first: str, second: str) -> None:
        if not failure.check(AppServerError, StoreError, UserAgentError):
            self._log.failure("A call-back has failed", failure)
        guest.note(f"{first} and {second} are not connected: {failure.value}")
