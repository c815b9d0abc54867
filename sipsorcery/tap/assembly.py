"""
The servers of one process, and what they share.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from twisted.application.service import IService

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.access.gruu import GRUUs
from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.access.throttle import Throttle
from sipsorcery.appserver.listing import Listing
from sipsorcery.appserver.service import AppServerService
from sipsorcery.config import Config
from sipsorcery.console.commands import Commands
from sipsorcery.console.login import Login
from sipsorcery.console.seats import Seats
from sipsorcery.console.service import ConsoleService
from sipsorcery.control import ControlService, Verb
from sipsorcery.control.naming import instance
from sipsorcery.monitor.bus import Bus, LocalBus
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.hep_export import HEPService
from sipsorcery.monitor.redis_bus import RedisBus
from sipsorcery.monitor.service import MonitorService
from sipsorcery.proxy.service import ProxyService
from sipsorcery.registrar.service import RegistrarService
from sipsorcery.store.ports import settle
from sipsorcery.tap.account_changes import of_account_changes
from sipsorcery.tap.asking import ControlledServers
from sipsorcery.tap.questions import (
    of_calls,
    of_dispatcher,
    of_every_server,
    of_guard,
    of_tables,
)
from sipsorcery.tap.stores import Stores, WritableStores
from sipsorcery.tap.vitals import Vitals
from sipsorcery.tap.watching import of_monitor


def make_proxy(reactor: Any, config: Config) -> Iterator[IService]:
    """
    Make what a process has that is the proxy alone. It reads the live state.
    """
    config = settle(config)
    stores = Stores(reactor, config)
    yield stores
    process = _Process(reactor, config, stores, "proxy")
    yield from process.begin()
    yield from process.proxy()
    yield from process.vitals.services()


def make_registrar(reactor: Any, config: Config) -> Iterator[IService]:
    """
    Make what a process has that is the registrar alone.
    """
    config = settle(config)
    stores = WritableStores(reactor, config)
    yield stores
    process = _Process(reactor, config, stores, "registrar")
    yield from process.begin()
    yield from process.registrar(stores)
    yield from process.vitals.services()


def make_appserver(
    reactor: Any, config: Config, is_one_of_several: bool = False
) -> Iterator[IService]:
    """
    Make what a process has that is the application server alone.

    :param is_one_of_several: whether others have the same configuration, but for where
        they listen.
    """
    config = settle(config)
    stores = WritableStores(reactor, config)
    yield stores
    listen, name = config.appserver.listen, "appserver"
    if is_one_of_several and listen is not None:
        name = instance(name, listen.port)
    process = _Process(reactor, config, stores, "appserver")
    yield from process.begin()
    yield from process.appserver(stores, name)
    yield from process.vitals.services()


def make_monitor(reactor: Any, config: Config) -> Iterator[IService]:
    """
    Make what a process has that is the monitor alone.

    :raises MonitorError: if it would hear nobody.
    """
    if not config.storage.live:
        raise MonitorError(
            "a monitor of its own hears other processes by Redis, and storage.live is "
            '"local"; with that, twistd sipsorcery has a monitor in it'
        )
    # By its name it goes on where it was before a restart.
    bus = RedisBus(reactor, config.storage.live[0], reader="monitor")
    yield bus
    vitals = Vitals(reactor, config, bus)
    monitor = MonitorService(reactor, config, bus)
    yield from _monitor(reactor, config, monitor, bus, vitals)
    yield from vitals.services()


def make_ssh(reactor: Any, config: Config) -> Iterator[IService]:
    """
    Make what a process has that is the console alone.

    :raises MonitorError: if it would hear nobody, or is not to listen.
    """
    if not config.storage.live:
        raise MonitorError(
            "a console of its own hears other processes by Redis, and storage.live is "
            '"local"; with that, twistd sipsorcery has a console in it'
        )
    if config.ssh.listen is None:
        raise MonitorError("ssh.listen is empty: there is nowhere to listen")
    config = settle(config)
    stores = Stores(reactor, config)
    yield stores
    process = _Process(reactor, config, stores, "ssh")
    yield from process.begin()
    # Its own window: a monitor may have the one of this folder.
    folder = config.server.data_dir / "ssh"
    apart = replace(config, server=replace(config.server, data_dir=folder))
    monitor = MonitorService(reactor, apart, process.bus)
    yield monitor
    yield from process.console(monitor)
    yield from process.vitals.services()


def make_all(reactor: Any, config: Config) -> Iterator[IService]:
    """
    Make every server that there is and the configuration wants.

    The proxy comes last: when the first request arrives, all are there.
    """
    config = settle(config)
    stores = WritableStores(reactor, config)
    yield stores
    process = _Process(reactor, config, stores, "proxy")
    yield from process.begin()
    if config.monitor.enabled:
        yield from process.monitor()
    if config.registrar.enabled:
        yield from process.registrar(stores)
    if config.appserver.enabled:
        yield from process.appserver(stores)
    if config.monitor.enabled and config.ssh.listen is not None:
        yield from process.console()
    yield from process.proxy(here=("appserver",) if config.appserver.enabled else ())
    yield from process.vitals.services()


class _Process:
    """
    What the servers of a process share.

    :param config: with the ports of the servers filled in.
    :param stores: started.
    :param server: the one that tells of bans.

    :ivar vitals: what they tell of themselves.
    """

    def __init__(
        self, reactor: Any, config: Config, stores: Stores, server: str
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._stores = stores
        self.bus = make_bus(reactor, config)
        self.vitals = Vitals(reactor, config, self.bus, stores)
        self._accounts = Accounts(stores.directory, config, reactor)
        self._throttle = Throttle()
        self._monitor: MonitorService | None = None
        notices = Notices(server, self.bus, time.time)
        self._guard = Guard.of_config(config, banned=notices.banned)

    def begin(self) -> Iterator[IService]:
        """
        Make what all servers of the process need running.
        """
        if isinstance(self.bus, RedisBus):
            yield self.bus

    def proxy(self, here: Collection[str] = ()) -> Iterator[IService]:
        """
        Make the proxy and its control socket.

        :param here: the names of the servers that it has beside it.
        """
        if (target := self._config.hep.target) is not None:
            yield HEPService(self._reactor, target, self.bus)
        proxy = ProxyService(
            self._reactor,
            self._config,
            bus=self.bus,
            secrets=self._stores.secrets,
            accounts=self._accounts,
            authenticator=self._authenticator("proxy"),
            guard=self._guard,
            contacts=self._contacts(),
            here=here,
        )
        yield proxy
        self.vitals.add("proxy", proxy)
        verbs = {
            **of_tables(self.vitals, "proxy"),
            **of_guard(self._guard, self._reactor.seconds),
            **of_dispatcher(proxy.dispatcher),
        }
        yield self._control("proxy", verbs)

    def monitor(self) -> Iterator[IService]:
        """
        Make the monitor and its control socket.
        """
        monitor = MonitorService(self._reactor, self._config, self.bus)
        self._monitor = monitor
        yield from _monitor(self._reactor, self._config, monitor, self.bus, self.vitals)

    def console(self, monitor: MonitorService | None = None) -> Iterator[IService]:
        """
        Make the SSH console.

        :param monitor: which it shows; None: the one of `monitor`.
        """
        monitor = monitor or self._monitor
        assert monitor is not None
        reactor, config, directory = self._reactor, self._config, self._stores.directory
        folder = config.server.data_dir
        seats = Seats()
        commands = Commands(
            reactor,
            view=monitor.view,
            directory=directory,
            servers=ControlledServers(reactor, folder, self._stores.reader, time.time),
            seats=seats,
            bus=self.bus,
            clock=time.time,
        )
        login = Login(
            reactor,
            directory=directory,
            throttle=self._throttle,
            guard=self._guard,
            notices=Notices("ssh", self.bus, time.time),
        )
        service = ConsoleService(
            reactor,
            config,
            login=login,
            seats=seats,
            commands=commands,
            directory=directory,
            bus=self.bus,
            clock=time.time,
        )
        yield service
        self.vitals.add_check("ssh", service)

    def registrar(self, stores: WritableStores) -> Iterator[IService]:
        """
        Make the registrar and its control socket.
        """
        registrar = RegistrarService(
            self._reactor,
            self._config,
            accounts=self._accounts,
            authenticator=self._authenticator("registrar"),
            live=stores.live,
            secrets=stores.secrets,
            bus=self.bus,
        )
        yield registrar
        self.vitals.add("registrar", registrar)
        yield self._control("registrar", of_tables(self.vitals, "registrar"))

    def appserver(
        self, stores: WritableStores, name: str = "appserver"
    ) -> Iterator[IService]:
        """
        Make the application server and its control socket.

        :param name: that of the socket.
        """
        service = AppServerService(
            self._reactor,
            self._config,
            accounts=self._accounts,
            authenticator=self._authenticator("appserver"),
            contacts=self._contacts(),
            directory=stores.directory,
            live=stores.live,
            secrets=stores.secrets,
            bus=self.bus,
        )
        yield service
        self.vitals.add("appserver", service)
        listing = Listing(service.calls, service.connections)
        tables = of_tables(self.vitals, "appserver")
        yield self._control(name, {**tables, **of_calls(listing)})

    def _contacts(self) -> Contacts:
        gruus = GRUUs(self._stores.secrets)
        return Contacts(self._accounts, self._stores.reader, gruus)

    def _authenticator(self, server: str) -> Authenticator:
        return Authenticator(
            self._reactor,
            self._config,
            accounts=self._accounts,
            secrets=self._stores.secrets,
            server=server,
            guard=self._guard,
            bus=self.bus,
            throttle=self._throttle,
        )

    def _control(self, role: str, verbs: Mapping[str, Verb]) -> ControlService:
        everywhere = of_every_server(role, self.bus)
        changes = of_account_changes(role, self.bus)
        verbs = {**everywhere, **changes, **verbs}
        return ControlService(self._reactor, self._config.server.data_dir, role, verbs)


def make_bus(reactor: Any, config: Config) -> LocalBus | RedisBus:
    """
    Make the bus: of this process alone, or by Redis where live state lies in it.
    """
    if not config.storage.live:
        return LocalBus(reactor)
    return RedisBus(reactor, config.storage.live[0])


def _monitor(
    reactor: Any, config: Config, monitor: MonitorService, bus: Bus, vitals: Vitals
) -> Iterator[IService]:
    yield monitor
    vitals.add("monitor", monitor)
    verbs = {
        **of_every_server("monitor", bus),
        **of_tables(vitals, "monitor"),
        **of_account_changes("monitor", bus),
        **of_monitor(monitor),
    }
    yield ControlService(reactor, config.server.data_dir, "monitor", verbs)
