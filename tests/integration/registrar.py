"""
A registrar of its own, in the process of the test, on a real socket.
"""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import TestCase

from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.store.bindings import BINDINGS, Bindings
from sipsorcery.tap.registrar import make_registrar
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import WritableStores
from tests.integration.ports import free_port

DOMAIN = "example.com"
PASSWORD = "zanzibar"

_TEXT = """
[server]
data_dir = "{folder}"
[sip]
domains = ["{domain}"]
[registrar]
listen = "udp:127.0.0.1:{port}"
"""


def configure(folder: Path, port: int, more: str = "") -> str:
    """
    Write the configuration of a registrar.
    """
    text = _TEXT.format(folder=folder.absolute(), domain=DOMAIN, port=port)
    return f"{text}\n{more}"


class RegistrarCase(TestCase):
    """
    A registrar with the accounts ``100`` and ``101``.
    """

    timeout = 60

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.end = Endpoint.parse(f"udp:127.0.0.1:{free_port()}")
        self._services = MultiService()
        return Deferred.fromCoroutine(self._start())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # likewise
        return Deferred.fromCoroutine(self._stop())

    def config(self) -> Config:
        """
        Give the configuration.
        """
        return parse(configure(self.folder / "data", self.end.port).encode())

    async def bindings(self, user: str = "100") -> Bindings:
        """
        Give what is stored of an account.
        """
        found = await self.stores.live.get(BINDINGS.name, f"sip:{user}@{DOMAIN}")
        return Bindings() if found is None else BINDINGS.read(found)

    async def _start(self) -> None:
        self._services.startService()
        for service in make_registrar(reactor, Settings(self.config)):
            service.setServiceParent(self._services)
            if isinstance(service, WritableStores):
                self.stores = service
                await fill(service, ["100", "101"])

    async def _stop(self) -> None:
        for service in reversed(list(self._services)):
            await maybeDeferred(service.stopService)


async def fill(stores: WritableStores, users: list[str]) -> None:
    """
    Make accounts, each with the password `PASSWORD`.
    """
    await stores.directory.everyone.users.add("joe", "a long password")
    accounts = stores.directory.of("joe").accounts
    for name in users:
        await accounts.add(name, DOMAIN, PASSWORD)
