"""
``twistd sipssh``: the SSH console.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_ssh
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


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

    config = options.configuration
    return MainService(
        IReactorCore(reactor), lambda: make_ssh(reactor, config), options.make_log
    )
