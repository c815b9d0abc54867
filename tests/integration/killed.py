"""
A whole server in a process of its own, which is killed and started again, with phones.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime, IReactorUDP
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from sipsorcery.config import parse
from sipsorcery.sip.parser import parse as parse_message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.directory import CDR
from sipsorcery.tap.stores import WritableStores
from sipsorcery.ua import Account, ServerCall, Session, UserAgent, audio
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.redis_server import RedisServer
from tests.integration.twistd import Twistd

DOMAIN = "example.com"
PASSWORD = "zanzibar"
USERS = ("100", "101", "102")
MEDIA = audio("127.0.0.1", 4000)

_TEXT = """
[server]
data_dir = "{folder}"
[sip]
domains = ["{domain}"]
[proxy]
listen = ["udp:127.0.0.1:{port}"]
[limits]
incoming = ""
[ssh]
listen = ""
[web]
listen = ""
"""

# What a busy machine may take for what an idle one does at once.
_PATIENCE = 60.0
_STEP, _SLOW_STEP = 0.02, 0.1

_T = TypeVar("_T")


class KilledServer:
    """
    ``twistd sipsorcery`` with the accounts `USERS`, each with the password `PASSWORD`.

    :param folder: where it runs and has its data.
    :param text: further sections of its configuration.

    :cvar users: who has an account.
    """

    users: tuple[str, ...] = USERS

    def __init__(self, folder: Path, text: str = "") -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        own = _TEXT.format(
            folder=(folder / "data").absolute(), domain=DOMAIN, port=self.port
        )
        self.text = f"{own}\n{text}"
        self.process: Twistd | None = None

    @property
    def proxy(self) -> str:
        """
        Give the URI of its proxy.
        """
        return f"sip:127.0.0.1:{self.port};lr"

    async def prepare(self) -> None:
        """
        Write the configuration and make the accounts.
        """
        (self.folder / "sipsorcery.toml").write_text(self.text, "utf-8")
        stores = WritableStores(reactor, parse(self.text.encode()))
        stores.startService()
        await stores.directory.everyone.users.add("joe", "a long password")
        accounts = stores.directory.of("joe").accounts
        for name in self.users:
            await accounts.add(name, DOMAIN, PASSWORD)
        await stores.stopService()

    async def start(self) -> None:
        """
        Start it, and wait until it takes calls.
        """
        self.process = Twistd(self.folder, "-n", "sipsorcery")
        await self.process.wait_for("Ready")

    async def kill(self) -> None:
        """
        End it without a warning.
        """
        if self.process is not None:
            await self.process.kill()
            self.process = None

    async def stop(self) -> None:
        """
        End it as an operator does.
        """
        if self.process is not None:
            await self.process.stop()
            self.process = None

    async def command(self, *arguments: str) -> Any:
        """
        Run the ``sipsorcery`` command; give its JSON.
        """
        name = str(Path(sys.executable).with_name("sipsorcery"))
        program = Program(self.folder, name, *arguments, "--json")
        status = await program.ended()
        assert status == 0, program.output
        return json.loads(program.output)

    async def cdrs(self) -> list[CDR]:
        """
        Give the records of all calls, while it does not run.
        """
        stores = WritableStores(reactor, parse(self.text.encode()))
        stores.startService()
        found = await stores.directory.everyone.cdrs.recent(limit=10_000)
        await stores.stopService()
        return found


class Phone:
    """
    A phone of a user, which answers every call.

    :ivar sessions: those that came in, in their order.
    """

    def __init__(self, server: KilledServer, user: str) -> None:
        self.account = Account(
            f"sip:{user}@{DOMAIN}", PASSWORD, realms=["*"], proxy=server.proxy
        )
        self.agent = UserAgent(reactor, ["udp:127.0.0.1:0"], account=self.account)
        self.sessions: list[Session] = []

    async def start(self) -> None:
        """
        Start it, registered for longer than any test takes.
        """
        await self.agent.start()
        self.agent.on_invite(self._answer)

    async def register(self) -> None:
        """
        Let calls find it.
        """
        await self.agent.register(expires=3600).registered()

    async def call(self, user: str) -> Session:
        """
        Call somebody, and wait until he has answered.
        """
        call = self.agent.invite(f"sip:{user}@{DOMAIN}", MEDIA)
        return await call.answered()

    async def stop(self) -> None:
        """
        Switch it off.
        """
        await self.agent.stop()

    async def _answer(self, call: ServerCall) -> None:
        session = await call.answer(MEDIA)
        self.sessions.append(session)


class OldPhone(DatagramProtocol):
    """
    A phone of somebody else, which ignores Record-Route, and sends what a test says.

    :ivar responses: to it, repetitions included.
    """

    def __init__(self, server: KilledServer) -> None:
        self.responses: list[Response] = []
        self._server = server
        udp = IReactorUDP(reactor)
        self._port: Any = udp.listenUDP(0, self, "127.0.0.1", 65535)
        self._sent = 0

    def stop(self) -> Any:
        """
        Switch it off.
        """
        return self._port.stopListening()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Keep a response; answer a request.
        """
        message = parse_message(datagram)
        if isinstance(message, Response):
            self.responses.append(message)
        elif message.method != "ACK":
            self._write(message.respond(200))

    @property
    def contact(self) -> str:
        """
        Give its Contact.
        """
        return f"<sip:old@127.0.0.1:{self._port.getHost().port}>"

    def send(
        self,
        method: str,
        uri: str,
        number: int,
        to: str,
        body: bytes = b"",
        more: Iterable[tuple[str, str]] = (),
    ) -> None:
        """
        Send a request of its one call.

        :param more: further fields.
        """
        port = self._port.getHost().port
        self._sent += 1
        fields: list[tuple[str, str]] = [
            ("Via", f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKold{self._sent}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:old@127.0.0.1:{port}>;tag=old"),
            ("To", to),
            ("Call-ID", f"old-{port}"),
            ("CSeq", f"{number} {method}"),
            ("Contact", self.contact),
            *more,
        ]
        if body:
            fields.append(("Content-Type", "application/sdp"))
        self._write(Request(method, uri, fields, body))

    def statuses(self) -> list[int]:
        """
        Take the responses that came; give their status codes.
        """
        statuses = [response.status for response in self.responses]
        self.responses.clear()
        return statuses

    def _write(self, message: Request | Response) -> None:
        assert self.transport is not None
        self.transport.write(message.to_bytes(), ("127.0.0.1", self._server.port))


async def wait_for(condition: Callable[[], Any]) -> None:
    """
    Wait until something is so.
    """
    for _ in range(int(_PATIENCE / _STEP)):
        if condition():
            return
        await sleep(_STEP)
    raise AssertionError("it never came to that")


async def wait_until(condition: Callable[[], Awaitable[_T]]) -> _T:
    """
    Wait until something comes of it; give what.
    """
    for _ in range(int(_PATIENCE / _SLOW_STEP)):
        if found := await condition():
            return found
        await sleep(_SLOW_STEP)
    raise AssertionError(f"it never came to that: {found}")


def runs(pid: int) -> bool:
    """
    Tell whether there is a process, and it has not ended.
    """
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


async def sleep(seconds: float) -> None:
    """
    Let time pass, which real sockets and processes need.
    """
    await deferLater(IReactorTime(reactor), seconds)


class TwoPhonesCase(TestCase):
    """
    A server in processes of its own, and two phones that are registered with it.
    """

    timeout = 240
    server: KilledServer
    bob_is: type[Phone] = Phone

    def make_server(self) -> KilledServer:
        """
        Make the server; it is not started.
        """
        return KilledServer(Path(self.mktemp()))

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.server = self.make_server()
        self.alice = Phone(self.server, "100")
        self.bob = self.bob_is(self.server, "101")
        self.addCleanup(lambda: Deferred.fromCoroutine(self.stop()))
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Start everything.
        """
        await self.server.prepare()
        await self.server.start()
        for phone in (self.alice, self.bob):
            await phone.start()
            await phone.register()

    async def stop(self) -> None:
        """
        Stop everything.
        """
        for phone in (self.alice, self.bob):
            await phone.stop()
        await self.server.stop()


class RedisPhonesCase(TwoPhonesCase):
    """
    The live state of the server is in a Redis.
    """

    redis_options: tuple[str, ...] = ()

    def make_server(self) -> KilledServer:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.redis = RedisServer(folder, *self.redis_options)
        return self.make_server_with(folder / "server", self.redis.url)

    def make_server_with(self, folder: Path, redis: str) -> KilledServer:
        """
        Make the server; it is not started.
        """
        return KilledServer(folder, f'[storage]\nlive = "{redis}"')

    async def start(self) -> None:
        """
        Start everything.
        """
        await self.redis.start()
        await super().start()

    async def stop(self) -> None:
        """
        Stop everything.
        """
        await super().stop()
        await self.redis.stop()
