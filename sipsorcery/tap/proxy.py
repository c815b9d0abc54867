"""
``twistd sipproxy``: the proxy.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_proxy
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipproxy``.
    """

    longdesc = (
        "A SIP proxy: owns the public sockets, for UDP, TCP and TLS, and routes by "
        "script. The registrar is a command of its own, sipregistrar."
    )


def makeService(options: Options) -> IService:
    """
    Make the proxy.
    """
    from twisted.internet import reactor

    config = options.configuration
    return MainService(
        IReactorCore(reactor), lambda: make_proxy(reactor, config), options.make_log
    )
