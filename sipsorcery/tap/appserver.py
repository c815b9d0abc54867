"""
``twistd sipappserver``: the application server.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_appserver
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipappserver``.
    """

    longdesc = (
        "An application server: a back-to-back user agent that runs each user's own "
        "dialplan for each call."
    )


def makeService(options: Options) -> IService:
    """
    Make the application server.
    """
    from twisted.internet import reactor

    config = options.configuration
    return MainService(IReactorCore(reactor), lambda: make_appserver(reactor, config))
