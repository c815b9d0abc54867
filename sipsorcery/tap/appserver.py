"""
``twistd sipappserver``: the application server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.appserver.listing import Listing
from sipsorcery.appserver.service import AppServerService
from sipsorcery.config import Config
from sipsorcery.control import Verb
from sipsorcery.control.naming import instance
from sipsorcery.endpoint import ListenAddress, Transport
from sipsorcery.tap.guarded import GuardedProcess
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import WritableStores


class Options(CommandOptions):
    """
    The command line of ``twistd sipappserver``.
    """

    _here: ListenAddress | None = None

    longdesc = (
        "An application server: a back-to-back user agent that runs each user's own "
        "dialplan for each call."
    )
    optParameters = [
        *CommandOptions.optParameters,
        [
            "listen",
            "l",
            None,
            "Where to listen, in place of [appserver] listen: one of several servers "
            "with one configuration. Its name on the control socket has the port.",
        ],
    ]

    def postOptions(self) -> None:
        """
        Read the configuration, and the address.

        :raises SystemExit: with what is wrong with them.
        """
        if self["listen"] is not None:
            try:
                address = ListenAddress.parse(self["listen"])
            except ValueError as error:
                raise SystemExit(f"--listen: {error}") from error
            if address.transport is not Transport.UDP or not address.port:
                raise SystemExit(f"--listen: expected udp:HOST:PORT, not {address}")
            self._here = address
        super().postOptions()

    def read(self) -> Config:
        """
        Read the configuration, in which the address is that of the command line.
        """
        config = super().read()
        if self._here is None:
            return config
        here = replace(config.appserver, listen=self._here)
        return replace(config, appserver=here)


def makeService(options: Options) -> IService:
    """
    Make the application server.
    """
    from twisted.internet import reactor

    settings = options.settings
    is_one_of_several = options["listen"] is not None
    return MainService(
        IReactorCore(reactor),
        lambda: make_appserver(reactor, settings, is_one_of_several),
        options.make_log,
    )


def make_appserver(
    reactor: Any, settings: Settings, is_one_of_several: bool = False
) -> Iterator[IService]:
    """
    Make what a process has that is the application server alone.

    :param is_one_of_several: whether others have the same configuration, but for where
        they listen.
    """
    config = settings.settle()
    stores = WritableStores(reactor, config)
    yield stores
    listen, name = config.appserver.listen, "appserver"
    if is_one_of_several and listen is not None:
        name = instance(name, listen.port)
    process = GuardedProcess(reactor, settings, stores, "appserver")
    yield from process.begin()
    yield from appserver_in(process, stores, name)
    yield from process.vitals.services(name)


def appserver_in(
    process: GuardedProcess, stores: WritableStores, name: str = "appserver"
) -> Iterator[IService]:
    """
    Make the application server of a process, and its control socket.

    :param name: that of the socket.
    """
    service = AppServerService(
        process.reactor,
        process.config,
        accounts=process.accounts,
        authenticator=process.authenticator("appserver"),
        contacts=process.contacts(),
        directory=stores.directory,
        live=stores.live,
        secrets=stores.secrets,
        bus=process.bus,
    )
    yield service
    process.settings.follow(service)
    process.vitals.add("appserver", service)
    listing = Listing(service.calls, service.connections)
    tables = of_tables(process.vitals, "appserver")
    yield process.control(name, {**tables, **of_calls(listing)})


def of_calls(listing: Listing) -> Mapping[str, Verb]:
    """
    Give what a server answers that has calls: ``calls``, ``hangup``.
    """

    def calls() -> list[dict[str, Any]]:
        return listing.calls()

    def hangup(call: str) -> bool:
        return listing.hang_up(str(call))

    return {"calls": calls, "hangup": hangup}
