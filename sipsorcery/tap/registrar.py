"""
``twistd sipregistrar``: the registrar.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.registrar.service import RegistrarService
from sipsorcery.tap.guarded import GuardedProcess
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import WritableStores


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

    settings = options.settings
    return MainService(
        IReactorCore(reactor),
        lambda: make_registrar(reactor, settings),
        options.make_log,
    )


def make_registrar(reactor: Any, settings: Settings) -> Iterator[IService]:
    """
    Make what a process has that is the registrar alone.
    """
    config = settings.settle()
    stores = WritableStores(reactor, config)
    yield stores
    process = GuardedProcess(reactor, settings, stores, "registrar")
    yield from process.begin()
    yield from registrar_in(process, stores)
    yield from process.vitals.services("registrar")


def registrar_in(process: GuardedProcess, stores: WritableStores) -> Iterator[IService]:
    """
    Make the registrar of a process, and its control socket.
    """
    registrar = RegistrarService(
        process.reactor,
        process.config,
        accounts=process.accounts,
        authenticator=process.authenticator("registrar"),
        live=stores.live,
        secrets=stores.secrets,
        bus=process.bus,
    )
    yield registrar
    process.settings.follow(registrar)
    process.vitals.add("registrar", registrar)
    yield process.control("registrar", of_tables(process.vitals, "registrar"))
