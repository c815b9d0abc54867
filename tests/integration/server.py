"""
Proxy and registrar in the process of the test, on real sockets, with two accounts.

Without an application server the proxy relays calls to the phones itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred

from sipsorcery.config import parse
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.store.directory import Directory
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.sipsorcery import make_all
from sipsorcery.tap.stores import WritableStores
from tests.integration.ports import free_port

DOMAIN = "example.com"
PASSWORD = "zanzibar"
USERS = ("100", "101")

_TEXT = """
[server]
data_dir = "{folder}"
[sip]
domains = ["{domain}"]
{sip}
[proxy]
listen = ["udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"]
[appserver]
enabled = {appserver}
{ssh}
[web]
listen = ""
"""


class Server:
    """
    One server with the accounts `USERS`, each with the password `PASSWORD`.

    :param folder: where it has its data.
    :param text: further sections of its configuration.
    :param sip: further keys of the section ``[sip]``.
    :param appserver: whether calls go through the application server; without it they
        go to the phones at once.
    :param prepare: puts more into the directory, before anybody asks it: what changes
        later is known to all within two seconds only.

    :ivar services: those that run.
    :ivar directory: that of the service, once it is started.
    """

    directory: Directory

    def __init__(
        self,
        folder: Path,
        text: str = "",
        sip: str = "",
        *,
        appserver: bool = False,
        prepare: Callable[[Directory], Awaitable[None]] | None = None,
    ) -> None:
        self._prepare = prepare
        self.port = free_port()
        whole = _TEXT.format(
            folder=folder.absolute(),
            domain=DOMAIN,
            port=self.port,
            sip=sip,
            appserver=str(appserver).lower(),
            ssh="" if "[ssh]" in text else '[ssh]\nlisten = ""',
        )
        self.config = parse(f"{whole}\n{text}".encode())
        self.services = MultiService()

    def end(self, transport: Transport = Transport.UDP) -> Endpoint:
        """
        Give the place where it listens.
        """
        return Endpoint(transport, "127.0.0.1", self.port)

    async def start(self) -> None:
        """
        Start everything.
        """
        self.services.startService()
        for service in make_all(reactor, Settings(lambda: self.config)):
            service.setServiceParent(self.services)
            if isinstance(service, WritableStores):
                await self._fill(service)

    async def stop(self) -> None:
        """
        Stop everything, the last one first.
        """
        for service in reversed(list(self.services)):
            await maybeDeferred(service.stopService)

    async def _fill(self, stores: WritableStores) -> None:
        self.directory = stores.directory
        await stores.directory.everyone.users.add("joe", "a long password")
        accounts = stores.directory.of("joe").accounts
        for name in USERS:
            await accounts.add(name, DOMAIN, PASSWORD)
        if self._prepare is not None:
            await self._prepare(stores.directory)
