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
from sipsorcery.store.errors import StoreError, StoreUnavailable
from sipsorcery.store.live import LiveReader, LocalReader, LocalStore
from sipsorcery.store.secrets import Secrets

# Seconds between two looks for new keys: half of the time after which they are used.
_RENEWAL = 60.0


class Stores(Service):
    """
    Opens the stores, and closes them when all who use them have stopped.

    :param reactor: one that has time and threads.
    :ivar secrets: loaded from the start on, and refreshed.
    :ivar directory: started with this.
    :ivar reader: the live state, to look at.
    """

    name = "stores"
    _log = Logger()

    def __init__(self, reactor: Any, config: Config) -> None:
        self._config = config
        self.secrets = Secrets(config.server.data_dir)
        self.directory = Directory.of_config(reactor, config, self.secrets)
        self.reader: LiveReader = LocalReader(config.server.data_dir)
        self._renewing = LoopingCall(self._renew)
        self._renewing.clock = reactor

    def startService(self) -> None:
        """
        Open everything, or nothing.

        :raises StoreError: if one of them cannot be used, with the reason.
        :raises OSError: if a file cannot be read or made.
        """
        if self._config.storage.live:
            raise StoreUnavailable(
                "storage.live names Redis, which this version does not have yet; "
                'the live state can be kept in "local"'
            )
        self.secrets.load()
        with ExitStack() as opened:
            self.directory.start()
            opened.callback(self.directory.stop)
            self._open_live()
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
        await self._close_live()
        self.directory.stop()

    def _open_live(self) -> None:
        """
        Do nothing: the file is opened when somebody asks.
        """

    async def _close_live(self) -> None:
        assert isinstance(self.reader, LocalReader)
        self.reader.stop()

    def _renew(self) -> None:
        try:
            self.secrets.refresh()
        except (StoreError, OSError) as error:
            # Those that are known go on to be good.
            self._log.error("The secrets cannot be read: {error}", error=error)


class WritableStores(Stores):
    """
    Opens the stores for a process that writes live state, of which there is one.

    :ivar live: the live state.
    """

    def __init__(self, reactor: Any, config: Config) -> None:
        super().__init__(reactor, config)
        self.live = LocalStore(
            reactor, config.server.data_dir, durability=config.storage.durability
        )
        self.reader = self.live

    def _open_live(self) -> None:
        self.live.start()

    async def _close_live(self) -> None:
        await self.live.stop()
