"""
``twistd sipssh``: the SSH console.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.console.commands import Commands
from sipsorcery.console.login import Login
from sipsorcery.console.seats import Seats
from sipsorcery.console.service import ConsoleService
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.service import MonitorService
from sipsorcery.tap.asking import ControlledServers
from sipsorcery.tap.guarded import GuardedProcess
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import Stores


class Options(CommandOptions):
    """
    The command line of ``twistd sipssh``.
    """

    longdesc = (
        "An SSH console: live events, calls and ladder diagrams, to each user their "
        "own. It hears other processes by Redis; twistd sipsorcery has one in it."
    )


def makeService(options: Options) -> IService:
    """
    Make the console.
    """
    from twisted.internet import reactor

    settings = options.settings
    return MainService(
        IReactorCore(reactor), lambda: make_ssh(reactor, settings), options.make_log
    )


def make_ssh(reactor: Any, settings: Settings) -> Iterator[IService]:
    """
    Make what a process has that is the console alone.

    :raises MonitorError: if it would hear nobody, or is not to listen.
    """
    config = settings.config
    if not config.storage.live:
        raise MonitorError(
            "a console of its own hears other processes by Redis, and storage.live is "
            '"local"; with that, twistd sipsorcery has a console in it'
        )
    if config.ssh.listen is None:
        raise MonitorError("ssh.listen is empty: there is nowhere to listen")
    config = settings.settle()
    stores = Stores(reactor, config)
    yield stores
    process = GuardedProcess(reactor, settings, stores, "ssh")
    yield from process.begin()
    # Its own window: a monitor may have the one of this folder.
    folder = config.server.data_dir / "ssh"
    apart = replace(config, server=replace(config.server, data_dir=folder))
    monitor = MonitorService(reactor, apart, process.bus)
    yield monitor
    settings.follow(monitor)
    yield from console_in(process, monitor)
    yield from process.vitals.services("ssh")


def console_in(process: GuardedProcess, monitor: MonitorService) -> Iterator[IService]:
    """
    Make the SSH console of a process, and its control socket.

    :param monitor: which it shows.
    """
    reactor, config, stores = process.reactor, process.config, process.stores
    folder, clock = config.server.data_dir, time.time
    seats = Seats()
    commands = Commands(
        reactor,
        view=monitor.view,
        directory=stores.directory,
        servers=ControlledServers(reactor, folder, stores.reader, clock),
        seats=seats,
        bus=process.bus,
        clock=clock,
    )
    login = Login(
        reactor,
        directory=stores.directory,
        throttle=process.throttle,
        guard=process.guard,
        notices=process.notices("ssh"),
    )
    service = ConsoleService(
        reactor,
        config,
        login=login,
        seats=seats,
        commands=commands,
        directory=stores.directory,
        bus=process.bus,
        clock=clock,
    )
    yield service
    process.vitals.add("ssh", service)
    yield process.control("ssh", of_tables(process.vitals, "ssh"))
