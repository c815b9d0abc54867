"""
``twistd sipproxy``: the proxy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.control import ControlError, Verb
from sipsorcery.monitor.hep_export import HEPService
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.service import ProxyService
from sipsorcery.tap.banning import of_guard
from sipsorcery.tap.guarded import GuardedProcess
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import Stores


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

    settings = options.settings
    return MainService(
        IReactorCore(reactor), lambda: make_proxy(reactor, settings), options.make_log
    )


def make_proxy(reactor: Any, settings: Settings) -> Iterator[IService]:
    """
    Make what a process has that is the proxy alone. It reads the live state.
    """
    config = settings.settle()
    stores = Stores(reactor, config)
    yield stores
    process = GuardedProcess(reactor, settings, stores, "proxy")
    yield from process.begin()
    yield from proxy_in(process)
    yield from process.vitals.services("proxy")


def proxy_in(process: GuardedProcess, here: Collection[str] = ()) -> Iterator[IService]:
    """
    Make the proxy of a process, and its control socket.

    :param here: the names of the servers that it has beside it.
    """
    if (target := process.config.hep.target) is not None:
        yield HEPService(process.reactor, target, process.bus)
    proxy = ProxyService(
        process.reactor,
        process.config,
        bus=process.bus,
        secrets=process.stores.secrets,
        accounts=process.accounts,
        authenticator=process.authenticator("proxy"),
        guard=process.guard,
        contacts=process.contacts(),
        here=here,
    )
    yield proxy
    process.settings.follow(proxy)
    process.vitals.add("proxy", proxy)
    verbs = {
        **of_tables(process.vitals, "proxy"),
        **of_guard(process.guard, process.reactor.seconds),
        **of_dispatcher(proxy.dispatcher),
    }
    yield process.control("proxy", verbs)


def of_dispatcher(dispatcher: Dispatcher | None) -> Mapping[str, Verb]:
    """
    Give what a proxy answers that has a dispatch file: ``dispatch``.

    :param dispatcher: None: it has none, and nobody is probed.
    """

    def dispatch() -> list[dict[str, Any]]:
        if dispatcher is None:
            raise ControlError(
                "proxy.dispatch_file is not set: calls go to [appserver] listen"
            )
        return dispatcher.table()

    return {"dispatch": dispatch}
