"""
What a process tells of itself: its figures, and whether it is ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from twisted.application.service import IService

from sipsorcery.config import Config
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.figures import Source
from sipsorcery.monitor.health import Check, HealthService
from sipsorcery.monitor.lag import ProcessFigures
from sipsorcery.monitor.metrics import make_registry
from sipsorcery.store.bindings import BINDINGS
from sipsorcery.tap.stores import Stores

# One that nobody has (RFC 2606): what counts is that there is an answer.
_NOBODY = "ready.invalid"


class Role(Source, Protocol):
    """
    Be a server with figures, which opens its listeners when it is started.
    """

    running: Any


class Vitals:
    """
    Gathers what the servers of a process have to tell.

    :param stores: those of the process; None: it has none.
    """

    def __init__(
        self, reactor: Any, config: Config, bus: Bus, stores: Stores | None = None
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._process = ProcessFigures(reactor, bus)
        self._sources: dict[str, Source] = {"process": self._process}
        self._checks: dict[str, Check] = {}
        if stores is not None:
            self._checks["directory"] = lambda: _directory(stores)
            self._checks["live state"] = lambda: _live(stores)

    def add(self, name: str, role: Role) -> None:
        """
        Take up a server.
        """
        self._sources[name] = role
        self.add_check(name, role)

    def add_check(self, name: str, service: Any) -> None:
        """
        Wait for a service that has no figures.
        """

        async def check() -> str | None:
            return None if service.running else "has not been started"

        self._checks[name] = check

    def services(self) -> Iterator[IService]:
        """
        Make what serves the pages, if the configuration wants that.
        """
        listen = self._config.metrics.listen
        if listen is None:
            return
        yield self._process
        registry = make_registry(self._sources)
        yield HealthService(self._reactor, listen, registry, self._checks)


async def _directory(stores: Stores) -> str | None:
    await stores.directory.everyone.domains.find(_NOBODY)
    return None


async def _live(stores: Stores) -> str | None:
    await stores.reader.get(BINDINGS.name, _NOBODY)
    return None
