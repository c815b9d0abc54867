"""
What has to be done about calls at a time, whoever has them.

Whoever has a call does it: its session timers and its limit are timers in memory. The
record of the call says by when; if it still says so a while later, nobody has the call
any more, and the first server that notices takes it over and does what is due.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.appserver.calls.connection import Connections
from sipsorcery.appserver.records.records import GRACE, Records
from sipsorcery.appserver.records.takeover import Takeover
from sipsorcery.store.dialogues import DIALOGUES
from sipsorcery.store.errors import Conflict, StoreError
from sipsorcery.store.live import LiveStore, Record

# Seconds between two looks: a limit is exceeded by no more than this and `GRACE`, even
# if the server that had the call is gone.
_INTERVAL = 1.0
# Seconds that whoever takes a call has for it, before it is due for others again.
_HOLD = 60.0
# Calls of one look; what is more comes a second later.
_AT_ONCE = 100


class Deadlines:
    """
    Looks for what is due.

    :param now: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        live: LiveStore,
        *,
        connections: Connections,
        records: Records,
        takeover: Takeover,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._live = live
        self._connections = connections
        self._records = records
        self._takeover = takeover
        self._now = now
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def start(self) -> None:
        """
        Look every second.
        """
        self._loop.start(_INTERVAL, now=False)

    def stop(self) -> None:
        """
        Look no more.
        """
        if self._loop.running:
            self._loop.stop()

    async def _look(self) -> None:
        now = self._now()
        try:
            # Our own are looked at a little earlier than others may have them.
            for record in await self._live.due(DIALOGUES.name, now + GRACE, _AT_ONCE):
                connection = self._connections.find(record.key)
                if connection is not None:
                    self._records.changed(connection)
                elif record.due is not None and record.due <= now:
                    await self._take(record, now)
        except StoreError as error:
            self._log.warn("Nobody knows what is due: {error}", error=error)
        except Exception:
            # Or the loop would end, and nobody would look again.
            self._log.failure("What is due is not done")

    async def _take(self, record: Record, now: float) -> None:
        try:
            await self._live.swap(record.replace(due=now + _HOLD))
        except Conflict:
            return  # another server is at it
        await self._takeover.take(record)
