"""
Saying that a server lives, and finding out which of the others live no more.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint
from sipsorcery.store.errors import Conflict, StoreError
from sipsorcery.store.live import LiveStore, take_due
from sipsorcery.store.servers import SERVERS, Presence

# Seconds between two beats, and without one after which a server is taken for dead:
# more than a machine that is busy stands still, and than a server takes that is started
# again at once, but no longer than somebody listens to silence.
_INTERVAL = 2.0
_LEASE = 10.0
# Beats of our own in a row before we judge others: where nobody could say anything for
# a while, the store was away, everybody has a chance first.
_PROOF = int(_LEASE / _INTERVAL)
# Seconds that whoever sees to a dead one has for it, before it is the turn of others.
_HOLD = 60.0
# Seconds after which nobody waits any more for what a dead server had.
_LIFETIME = 3_600.0


class Heartbeat:
    """
    One server among several.

    :param server: where it listens.
    :param incarnation: what this process drew at its start.
    :param lost: sees to what another server has left, which is named as text of an
        `Endpoint`.
    :param now: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        live: LiveStore,
        server: Endpoint,
        incarnation: str,
        *,
        lost: Callable[[str], Awaitable[object]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._live = live
        self._server = str(server)
        self._presence = Presence(incarnation)
        self._lost = lost
        self._now = now
        self._beats = 0
        self._loop = LoopingCall(self._beat)
        self._loop.clock = clock

    def start(self) -> None:
        """
        Say so from now on.
        """
        self._loop.start(_INTERVAL)

    def stop(self) -> None:
        """
        Say so no more.

        Whoever is started here again has some seconds for that, before others see to
        what is left.
        """
        if self._loop.running:
            self._loop.stop()

    async def _beat(self) -> None:
        now = self._now()
        record = SERVERS.record(
            self._server, self._presence, expiry=now + _LIFETIME, due=now + _LEASE
        )
        try:
            await self._live.put(record)
            self._beats += 1
            if self._beats > _PROOF:
                await self._look(now)
        except StoreError as error:
            self._beats = 0
            self._log.warn("Nobody knows who lives: {error}", error=error)
        except Exception:
            # Or the loop would end, and we would be taken for dead.
            self._log.failure("What a dead server has left is not seen to")

    async def _look(self, now: float) -> None:
        for record in await take_due(self._live, SERVERS.name, now, hold=_HOLD):
            server = record.key
            self._log.warn("The application server at {server} is gone", server=server)
            await self._lost(server)
            try:
                await self._live.remove(record)
            except Conflict:
                pass  # it is back
