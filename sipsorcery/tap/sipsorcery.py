"""
``twistd sipsorcery``: all roles in one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore
from twisted.logger import Logger

from sipsorcery.monitor.service import MonitorService
from sipsorcery.tap.appserver import appserver_in
from sipsorcery.tap.guarded import GuardedProcess
from sipsorcery.tap.main import MainService
from sipsorcery.tap.monitor import monitor_in
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.proxy import proxy_in
from sipsorcery.tap.registrar import registrar_in
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.ssh import console_in
from sipsorcery.tap.stores import WritableStores

#: What it says where it has no monitor.
WITHOUT_MONITOR = (
    "monitor.enabled is false: there is no console, and no events and traces of calls "
    "are kept"
)

_log = Logger()


class Options(CommandOptions):
    """
    The command line of ``twistd sipsorcery``.
    """

    longdesc = (
        "All servers of sipsorcery in one process: proxy, registrar, application "
        "server, monitor and SSH console. Phones register and call, over UDP, TCP and "
        "TLS."
    )


def makeService(options: Options) -> IService:
    """
    Make the service of every role that there is.
    """
    from twisted.internet import reactor

    settings = options.settings
    return MainService(
        IReactorCore(reactor), lambda: make_all(reactor, settings), options.make_log
    )


def make_all(reactor: Any, settings: Settings) -> Iterator[IService]:
    """
    Make every server that there is and the configuration wants.

    The proxy comes last: when the first request arrives, all are there.
    """
    config = settings.settle()
    stores = WritableStores(reactor, config)
    yield stores
    process = GuardedProcess(reactor, settings, stores, "proxy")
    yield from process.begin()
    monitor: MonitorService | None = None
    if config.monitor.enabled:
        monitor = MonitorService(reactor, config, process.bus)
        yield from monitor_in(process, monitor)
    else:
        _log.warn("{sentence}", sentence=WITHOUT_MONITOR)
    if config.registrar.enabled:
        yield from registrar_in(process, stores)
    if config.appserver.enabled:
        yield from appserver_in(process, stores)
    if monitor is not None and config.ssh.listen is not None:
        yield from console_in(process, monitor)
    yield from proxy_in(process, ("appserver",) if config.appserver.enabled else ())
    yield from process.vitals.services("sipsorcery")
