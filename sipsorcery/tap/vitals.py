"""
What a process tells of itself: its figures, what it holds, and whether it is ready.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Protocol

from twisted.application.service import IService

from sipsorcery.config import Config
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.figures import Source
from sipsorcery.monitor.lag import ProcessFigures
from sipsorcery.monitor.readiness import Check


class Role(Source, Protocol):
    """
    Be a server with figures, which opens its listeners when it is started.
    """

    running: Any

    def tables(self) -> Mapping[str, int]:
        """
        Count what it holds as long as something is under way: nothing in the end.
        """


class Keeping(Protocol):
    """
    Be what keeps the state of the servers.
    """

    def checks(self) -> Mapping[str, Check]:
        """
        Give what has to be so before they can do their work.
        """

    def tables(self) -> Awaitable[Mapping[str, int]]:
        """
        Count what it keeps.
        """


class Vitals:
    """
    Gathers what the servers of a process have to tell.

    :param stores: those of the process; None: it has none.
    """

    def __init__(
        self, reactor: Any, config: Config, bus: Bus, stores: Keeping | None = None
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._stores = stores
        self._process = ProcessFigures(reactor, bus)
        self._sources: dict[str, Source] = {"process": self._process}
        self._roles: dict[str, Role] = {}
        self._checks = {} if stores is None else dict(stores.checks())

    def add(self, name: str, role: Role) -> None:
        """
        Take up a server.
        """

        async def check() -> str | None:
            return None if role.running else "has not been started"

        self._sources[name] = self._roles[name] = role
        self._checks[name] = check

    def add_check(self, name: str, check: Check) -> None:
        """
        Wait for something else, too.
        """
        self._checks[name] = check

    async def tables(self, name: str) -> dict[str, int]:
        """
        Count what a server holds, what waits for its time, and what is kept for all.
        """
        tables = {**self._roles[name].tables(), **self._process.tables()}
        if self._stores is not None:
            tables |= await self._stores.tables()
        return tables

    def services(self, process: str) -> Iterator[IService]:
        """
        Make what serves the pages, if the configuration wants that.

        :param process: the name of the process, unlike that of any other on the
            machine.
        """
        listen = self._config.metrics.listen
        if listen is None:
            return
        # Web server and Prometheus are 5 MB, and most processes go without.
        from sipsorcery.monitor.health import HealthService
        from sipsorcery.monitor.metrics import make_registry
        from sipsorcery.monitor.targets import Targets

        yield self._process
        registry = make_registry(self._sources)
        targets = Targets(self._config.server.data_dir, process)
        yield HealthService(self._reactor, listen, registry, self._checks, targets)
