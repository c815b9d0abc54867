"""
``twistd sipregistrar``: the registrar.
"""

from __future__ import annotations

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.tap.assembly import make_registrar
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipregistrar``.
    """

    longdesc = (
        "A registrar (RFC 3261, section 10): authenticates REGISTER and keeps the "
        "bindings of each account."
    )


def makeService(options: Options) -> IService:
    """
    Make the registrar.
    """
    from twisted.internet import reactor

    config = options.configuration
    return MainService(
        IReactorCore(reactor), lambda: make_registrar(reactor, config), options.make_log
    )
