"""
``twistd sipproxy``: the proxy.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore, IReactorTime

from sipsorcery.monitor.bus import LocalBus
from sipsorcery.proxy.service import ProxyService
from sipsorcery.store.secrets import Secrets
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
    config = options.configuration
    bus = LocalBus(IReactorTime(reactor))
    secrets = Secrets(config.server.data_dir)
    ProxyService(reactor, config, bus=bus, secrets=secrets).setServiceParent(main)
    return main
