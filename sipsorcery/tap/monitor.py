"""
``twistd sipmonitor``: the monitor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.service import MonitorService
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.process import Process
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.watching import of_monitor


class Options(CommandOptions):
    """
    The command line of ``twistd sipmonitor``.
    """

    longdesc = (
        "A monitor: collects the events of every server, keeps a window of them and "
        "serves live streams. It hears other processes by Redis; twistd sipsorcery has "
        "one in it."
    )


def makeService(options: Options) -> IService:
    """
    Make the monitor.
    """
    from twisted.internet import reactor

    settings = options.settings
    return MainService(
        IReactorCore(reactor), lambda: make_monitor(reactor, settings), options.make_log
    )


def make_monitor(reactor: Any, settings: Settings) -> Iterator[IService]:
    """
    Make what a process has that is the monitor alone.

    :raises MonitorError: if it would hear nobody.
    """
    config = settings.config
    if not config.storage.live:
        raise MonitorError(
            "a monitor of its own hears other processes by Redis, and storage.live is "
            '"local"; with that, twistd sipsorcery has a monitor in it'
        )
    process = Process(reactor, settings, reader="monitor")
    yield from process.begin()
    yield from monitor_in(process, MonitorService(reactor, config, process.bus))
    yield from process.vitals.services("monitor")


def monitor_in(process: Process, monitor: MonitorService) -> Iterator[IService]:
    """
    Give the monitor of a process, and make its control socket.
    """
    yield monitor
    process.settings.follow(monitor)
    process.vitals.add("monitor", monitor)
    verbs = {**of_tables(process.vitals, "monitor"), **of_monitor(monitor)}
    yield process.control("monitor", verbs)
