"""
``twistd sipsorcery``: all roles in one process.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.proxy.service import ProxyService
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipsorcery``.
    """

    longdesc = (
        "All servers of sipsorcery in one process. This version has the proxy alone, "
        "for UDP, TCP and TLS: it answers OPTIONS, and sends on what comes from trunks."
    )


def makeService(options: Options) -> IService:
    """
    Make the service of every role that there is.
    """
    from twisted.internet import reactor

    main = MainService(IReactorCore(reactor))
    ProxyService(reactor, options.configuration).setServiceParent(main)
    return main
