"""
``twistd sipmonitor``: the monitor.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_monitor
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


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

    config = options.configuration
    return MainService(
        IReactorCore(reactor), lambda: make_monitor(reactor, config), options.make_log
    )
