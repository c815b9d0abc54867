"""
``twistd sipproxy``: the proxy.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.proxy.service import ProxyService
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipproxy``.
    """

    longdesc = (
        "A SIP proxy: owns the public sockets, for UDP, TCP and TLS. It answers "
        "OPTIONS, and sends on what comes from trunks and from the roles inside."
    )


def makeService(options: Options) -> IService:
    """
    Make the proxy.
    """
    from twisted.internet import reactor

    main = MainService(IReactorCore(reactor))
    ProxyService(reactor, options.configuration).setServiceParent(main)
    return main
