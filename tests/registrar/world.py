"""
A registrar at work on a network in memory, with a phone and a proxy of its own.
"""

from __future__ import annotations

from sipsorcery.access.decision import Allowed, Challenge, Decision, Proof
from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.registrar.service import RegistrarService
from sipsorcery.sip import parse as parse_message
from sipsorcery.sip.auth import AuthenticationInfo
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.live import LocalStore
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.threads import SteppedThreads
from tests.access.cases import NOW, KnownAccounts, StoreCase, make_account

PHONE, PROXY, REGISTRAR = "192.0.2.4", "10.0.0.1", "10.0.0.2"
LISTEN = (REGISTRAR, 5001)
CONFIGURATION = b"""
[proxy]
inside = "udp:10.0.0.1:5059"
[registrar]
listen = "udp:10.0.0.2:5001"
"""


class Doorkeeper:
    """
    Lets those in whose Authorization is the name of their account.

    :ivar sources: from where it was asked.
    :ivar info: what shows that we know the passwords as well.
    """

    def __init__(self, accounts: KnownAccounts) -> None:
        self._accounts = accounts
        self.sources: list[str] = []
        self.info: AuthenticationInfo | None = None

    async def authenticate(
        self,
        request: Request,
        *,
        source: Endpoint,
        domain: str,
        username: str | None,
        status: int,
    ) -> Decision:
        """
        Decide on a request.
        """
        self.sources.append(str(source))
        account = await self._accounts.find(username or "", domain)
        if account is None or request.get("Authorization") != f"Test {username}":
            return Challenge(status, (("WWW-Authenticate", "Test"),))
        return Allowed(account, Proof.DIGEST, self.info)


class Peer:
    """
    A UDP socket that keeps what comes.
    """

    def __init__(self, world: World, host: str, port: int) -> None:
        self.end = (host, port)
        self.inbox: list[Request | Response] = []
        self._world = world
        world.peers[self.end] = self

    def send(self, request: Request) -> None:
        """
        Send a request to the registrar, and let everything settle.
        """
        self._world.network.send(request.to_bytes(), self.end, LISTEN)
        self._world.settle()

    def ask(self, request: Request) -> Response:
        """
        Send a request and give the answer.
        """
        self.send(request)
        response = self.inbox.pop()
        assert isinstance(response, Response), response
        return response


class World(StoreCase):
    """
    The accounts ``bob`` and ``carol``, at a registrar that is running.
    """

    configuration = CONFIGURATION

    def setUp(self) -> None:
        super().setUp()
        self.wait(self.live.stop())
        self.network = MemoryNetwork()
        self.network.drop = self.deliver
        self.peers: dict[tuple[str, int], Peer] = {}
        self.reactor = self.network.machine(REGISTRAR)
        self.network.advance(NOW)
        self.accounts = KnownAccounts(make_account("bob"), make_account("carol"))
        self.phone = Peer(self, PHONE, 5060)
        self.proxy = Peer(self, PROXY, 5059)
        self.bus = LocalBus(self.reactor)
        self.events: list[Event] = []
        self.bus.subscribe(self.events.append)
        self.begin()
        self.addCleanup(self.end)

    def begin(self, delay: float = 0.0) -> None:
        """
        Start the store and the registrar.

        :param delay: seconds until the reactor runs.
        """
        self.threads = SteppedThreads(waits=False)
        self.live = LocalStore(
            self.reactor,
            self.folder,
            threads=self.threads,
            clock=self.reactor.seconds,
        )
        self.live.start()
        self.door = Doorkeeper(self.accounts)
        self.service = RegistrarService(
            self.reactor,
            self.config(),
            accounts=self.accounts,
            authenticator=self.door,
            live=self.live,
            secrets=self.secrets,
            bus=self.bus,
            clock=self.reactor.seconds,
        )
        self.service.startService()
        self.reactor.rightNow += delay
        self.settle()

    def end(self) -> None:
        """
        Stop both.
        """
        stopping = self.service.stopService()
        self.settle()
        if stopping is not None:
            self.successResultOf(stopping)
        self.wait(self.live.stop())

    def config(self) -> Config:
        """
        Read the configuration.
        """
        return parse(self.configuration)

    def deliver(
        self, data: bytes, source: tuple[str, int], destination: tuple[str, int]
    ) -> bool:
        """
        Hand a datagram to a peer, if it is for one.
        """
        peer = self.peers.get(destination)
        if peer is None:
            return False
        peer.inbox.append(parse_message(data))
        return True

    def settle(self, seconds: float = 0.0) -> None:
        """
        Let time pass.
        """
        self.network.advance(seconds)
        self.network.advance()

    def kinds(self) -> list[EventKind]:
        """
        Give the kinds of the events so far, and forget these.
        """
        kinds = [event.kind for event in self.events]
        self.events.clear()
        return kinds


def contacts(response: Response) -> list[str]:
    """
    Give the contacts of an answer, without their parameters.
    """
    return [str(getattr(each, "uri", each)) for each in response.all(CONTACT)]
