"""
The stores of one process: opened once, for all its servers.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.config import Config
from sipsorcery.store.directory import Directory
from sipsorcery.store.errors import StoreError
from sipsorcery.store.live import LiveReader, LiveStore, LocalReader, LocalStore
from sipsorcery.store.live.redis import RedisStore
from sipsorcery.store.secrets import Secrets

# Seconds between two looks for new keys: half of the time after which they are used.
_RENEWAL = 60.0


class Stores(Service):
    """
    Opens the stores, and closes them when all who use them have stopped.

    :param reactor: one that has sockets, time and threads.
    :ivar secrets: loaded from the start on, and refreshed.
    :ivar directory: started with this.
    :ivar reader: the live state, to look at.
    """

    name = "stores"
    reader: LiveReader
    _log = Logger()

    def __init__(self, reactor: Any, config: Config) -> None:
        self.secrets = Secrets(config.server.data_dir)
        self.directory = Directory.of_config(reactor, config, self.secrets)
        self._live = self._make_live(reactor, config)
        self.reader = self._live
        self._renewing = LoopingCall(self._renew)
        self._renewing.clock = reactor

    def startService(self) -> None:
        """
        Open everything, or nothing.

        A Redis that is away is waited for later, by those who ask.

        :raises StoreError: if one of them cannot be used, with the reason.
        :raises OSError: if a file cannot be read or made.
        """
        self.secrets.load()
        with ExitStack() as opened:
            self.directory.start()
            opened.callback(self.directory.stop)
            if not isinstance(self._live, LocalReader):
                # That one opens its file when somebody asks.
                self._live.start()
            opened.pop_all()
        self._renewing.start(_RENEWAL, now=False)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Write what waits and close everything.
        """
        super().stopService()
        self._renewing.stop()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if isinstance(self._live, LocalReader):
            self._live.stop()
        else:
            await self._live.stop()
        self.directory.stop()

    def _make_live(
        self, reactor: Any, config: Config
    ) -> LocalReader | LocalStore | RedisStore:
        return _in_redis(reactor, config) or LocalReader(config.server.data_dir)

    def _renew(self) -> None:
        try:
            self.secrets.refresh()
        except (StoreError, OSError) as error:
            # Those that are known go on to be good.
            self._log.error("The secrets cannot be read: {error}", error=error)


class WritableStores(Stores):
    """
    Opens the stores for a process that writes live state.

    On the disk of one machine there is one such process; with Redis there are many.

    :ivar live: the live state.
    """

    live: LiveStore

    def _make_live(self, reactor: Any, config: Config) -> LocalStore | RedisStore:
        live = _in_redis(reactor, config) or LocalStore(
            reactor, config.server.data_dir, durability=config.storage.durability
        )
        self.live = live
        return live


def _in_redis(reactor: Any, config: Config) -> RedisStore | None:
    urls, durability = config.storage.live, config.storage.durability
    return RedisStore(reactor, urls, durability=durability) if urls else None
