"""
How long call detail records are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.appserver.records.cdr_writer import CDRStore
from sipsorcery.store.errors import StoreError

# Seconds between two looks: those of a day go bit by bit.
_INTERVAL = 3600.0


class Retention:
    """
    Removes call detail records that are old enough.

    :param days: that they are kept; 0: for ever.
    :param now: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        cdrs: CDRStore,
        days: float,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cdrs = cdrs
        self._age = timedelta(days=days)
        self._now = now
        self._loop = LoopingCall(self._remove)
        self._loop.clock = clock

    def start(self) -> None:
        """
        Remove what is old, now and every hour.
        """
        if self._age:
            self._loop.start(_INTERVAL)

    def stop(self) -> None:
        """
        Remove no more.
        """
        if self._loop.running:
            self._loop.stop()

    async def _remove(self) -> None:
        oldest = datetime.fromtimestamp(self._now(), UTC) - self._age
        try:
            count = await self._cdrs.remove_before(oldest)
        except StoreError as error:
            self._log.warn("Old call detail records stay: {error}", error=error)
            return
        if count:
            self._log.info("{count} old call detail records are gone", count=count)
