"""
``twistd sipwatchtower``: the watchtower.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.config import find
from sipsorcery.control import ControlError, ControlService, Verb
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.questions import of_every_server, of_tables
from sipsorcery.tap.settings import Reloading, Settings, of_settings
from sipsorcery.tap.vitals import Vitals
from sipsorcery.watchtower.service import WatchtowerService


class Options(CommandOptions):
    """
    The command line of ``twistd sipwatchtower``.
    """

    longdesc = (
        "A watchtower: starts, probes and replaces the worker processes of the "
        "application server."
    )


def makeService(options: Options) -> IService:
    """
    Make the watchtower.
    """
    from twisted.internet import reactor

    settings, file = options.settings, find(options["config"])
    return MainService(
        IReactorCore(reactor),
        lambda: make_watchtower(reactor, settings, file),
        options.make_log,
    )


def make_watchtower(
    reactor: Any, settings: Settings, file: Path | None
) -> Iterator[IService]:
    """
    Make the watchtower and its control socket.

    :param file: the configuration, for the workers; None: they find none, either.
    """
    config = settings.config
    named = [] if file is None else ["--config", str(file.absolute())]
    twistd = str(Path(sys.executable).with_name("twistd"))

    def command(endpoint: Endpoint) -> list[str]:
        words = [sys.executable, twistd, "--nodaemon", "--pidfile=", "sipappserver"]
        return [*words, *named, "--listen", str(endpoint)]

    service = WatchtowerService(reactor, config, command)
    yield service
    settings.follow(service)
    yield Reloading(reactor, settings)
    # It tells nobody of anything: calls are what the servers below it have.
    bus = LocalBus(reactor)
    vitals = Vitals(reactor, config, bus)
    vitals.add(service.name, service)
    vitals.add_check("dispatching", service.check)
    verbs = {
        **of_every_server(service.name, bus),
        **of_settings(settings),
        **of_tables(vitals, service.name),
        **of_watchtower(service),
    }
    yield ControlService(reactor, config.server.data_dir, service.name, verbs)
    yield from vitals.services(service.name)


def of_watchtower(service: WatchtowerService) -> Mapping[str, Verb]:
    """
    Give what a watchtower answers: ``workers``, ``restart``.
    """

    def workers() -> list[dict[str, Any]]:
        return service.table()

    def restart(server: str = "") -> int:
        try:
            endpoint = Endpoint.parse(str(server)) if server else None
        except ValueError as error:
            raise ControlError(str(error)) from None
        return service.restart(endpoint)

    return {"workers": workers, "restart": restart}
