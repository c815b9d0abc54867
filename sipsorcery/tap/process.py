"""
What every process of servers has, whichever these are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twisted.application.service import IService

from sipsorcery.config import Config
from sipsorcery.control import ControlService, Verb
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.redis_bus import RedisBus
from sipsorcery.tap.account_changes import of_account_changes
from sipsorcery.tap.questions import of_every_server
from sipsorcery.tap.settings import Reloading, Settings, of_settings
from sipsorcery.tap.vitals import Keeping, Vitals


class Process:
    """
    Has the bus, the control sockets and what the process tells of itself.

    Each server comes from the module of its command, and is imported by nobody else:
    what a process does not run, it does not load.

    :param settings: with the ports of the servers filled in.
    :param stores: those of the process; None: it has none.
    :param reader: the name by which the process goes on, after a restart, where it was
        on the bus; empty: it hears what comes from now on.

    :ivar config: as it was at the start: what changes later is told to those who follow
        the settings.
    :ivar vitals: what the servers tell of themselves.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        stores: Keeping | None = None,
        reader: str = "",
    ) -> None:
        self.reactor = reactor
        self.settings = settings
        self.config = config = settings.config
        self.bus = _make_bus(reactor, config, reader)
        self.vitals = Vitals(reactor, config, self.bus, stores)

    def begin(self) -> Iterator[IService]:
        """
        Make what all servers of the process need running.
        """
        yield Reloading(self.reactor, self.settings)
        if isinstance(self.bus, RedisBus):
            yield self.bus

    def control(self, role: str, verbs: Mapping[str, Verb]) -> ControlService:
        """
        Make the control socket of a server.

        :param role: the name of the socket.
        :param verbs: what it answers beside that which every server does.
        """
        everywhere = of_every_server(role, self.bus)
        changes = of_account_changes(role, self.bus)
        verbs = {**everywhere, **of_settings(self.settings), **changes, **verbs}
        return ControlService(self.reactor, self.config.server.data_dir, role, verbs)


def _make_bus(reactor: Any, config: Config, reader: str) -> LocalBus | RedisBus:
    """
    Make the bus: of this process alone, or by Redis where live state lies in it.
    """
    if not config.storage.live:
        return LocalBus(reactor)
    return RedisBus(reactor, config.storage.live[0], reader=reader)
