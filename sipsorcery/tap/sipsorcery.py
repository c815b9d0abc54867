"""
``twistd sipsorcery``: all roles in one process.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_all
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipsorcery``.
    """

    longdesc = (
        "All servers of sipsorcery in one process. This version has the proxy and the "
        "registrar: phones register and call each other, over UDP, TCP and TLS."
    )


def makeService(options: Options) -> IService:
    """
    Make the service of every role that there is.
    """
    from twisted.internet import reactor

    config = options.configuration
    return MainService(
        IReactorCore(reactor), lambda: make_all(reactor, config), options.make_log
    )
