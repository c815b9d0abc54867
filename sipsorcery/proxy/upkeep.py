"""
What a running proxy looks after, from time to time.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.access.accounts import CURRENCY, Accounts
from sipsorcery.proxy.token import Tokens
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.store.errors import StoreError
from sipsorcery.store.secrets import Purpose, Secrets

# Seconds between two looks for new keys: often enough before they are used (SETTLING).
_RENEWAL = 60.0


class Upkeep:
    """
    Takes over new keys, and new domains.

    :param secrets: those that somebody else refreshes.
    :param accounts: None: there are no domains but those of the configuration.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        secrets: Secrets,
        tokens: Tokens,
        transparency: Transparency,
        accounts: Accounts | None = None,
    ) -> None:
        self._secrets = secrets
        self._tokens = tokens
        self._transparency = transparency
        self._accounts = accounts
        self._loops = [(_RENEWAL, self._loop(clock, self._renew))]
        if accounts is not None:
            self._loops.append((CURRENCY, self._loop(clock, self._catch_up)))

    def start(self) -> None:
        """
        Look for the first time, and go on.
        """
        for interval, loop in self._loops:
            loop.start(interval)

    def stop(self) -> None:
        """
        Look no more.
        """
        for _, loop in self._loops:
            loop.stop()

    def _loop(self, clock: IReactorTime, look: Callable[[], object]) -> LoopingCall:
        loop = LoopingCall(look)
        loop.clock = clock
        return loop

    def _renew(self) -> None:
        self._tokens.renew(self._secrets.keys(Purpose.FLOW))
        self._transparency.renew(self._secrets.keys(Purpose.VIA))

    async def _catch_up(self) -> None:
        assert self._accounts is not None  # else nobody calls this
        try:
            await self._accounts.catch_up()
        except StoreError as error:
            self._log.warn("No domains of the directory: {error}", error=error)
