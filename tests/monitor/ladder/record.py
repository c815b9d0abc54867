"""
Make the captures anew: real calls through a whole server, as files of events.

``python -m twisted.trial tests.monitor.ladder.record`` makes all of them, and
``....record.Calls.test_transfer`` one. No run of the tests does: what they draw must
not change by itself. Everybody is on the loopback, so that no address is anybody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.appserver.service import AppServerService
from sipsorcery.endpoint import ListenAddress, Transport
from sipsorcery.monitor.filter.filter import Viewer
from sipsorcery.monitor.json_form import to_json
from sipsorcery.monitor.service import MonitorService
from sipsorcery.sip.fields import CALL_ID
from sipsorcery.sip.parser import parse
from sipsorcery.store.directory import Language
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.watch import Watch
from sipsorcery.ua import (
    Account,
    RequestFailed,
    ServerCall,
    Session,
    UserAgent,
    UserAgentError,
    UserAgentSettings,
    audio,
)
from tests.integration.agents import AgentCase
from tests.integration.ports import free_port
from tests.integration.server import DOMAIN, PASSWORD, Server
from tests.monitor.ladder.captures import FOLDER

T = TypeVar("T")

_USERS = ("102", "103")
_NUMBERS = f"""
; 7 is the door, and there is nothing else
exten => 7,1,Dial(100,{PASSWORD},101@{DOMAIN})
exten => _X.,1,Respond(404,No such number)
"""
FAILOVER = """
sys.log("who is there for " + req.uri.user + "?")
result = sys.dial("101@local", ring=20)
if result.status == 486:
    sys.dial("102@local", ring=20)
sys.respond(480, "Nobody is there")
"""
_ALL_AT_ONCE = 'sys.dial("101@local&102@local&103@local")'
# People do nothing at once, and a ladder shows how long they took.
_MOMENT = 0.4


class PhonesCase(AgentCase):
    """
    A server, its phones, and all that it tells of one call.
    """

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        super().setUp()
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Start the server, with two accounts more, and hear everything it tells.
        """
        folder = Path(self.mktemp())
        self.server = server = Server(folder, self.text(), appserver=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        own = self.authority.issue("server", "127.0.0.1")
        self.tls = ListenAddress.parse(f"tls:127.0.0.1:{free_port()}")
        proxy = replace(
            server.config.proxy,
            listen=(*server.config.proxy.listen, self.tls),
            tls_certificate=(own.certificate,),
            tls_key=(own.key,),
        )
        server.config = replace(server.config, proxy=proxy)
        await server.start()
        joe = server.directory.of("joe")
        for name in _USERS:
            await joe.accounts.add(name, DOMAIN, PASSWORD)
        self.call_id = ""  # of the first INVITE that a phone has sent
        self.phones: dict[UserAgent, list[ServerCall]] = {}

    def text(self) -> str:
        """
        Give more of its configuration.
        """
        return ""

    def service(self, kind: type[T]) -> T:
        """
        Give one of the services of the server.
        """
        (service,) = [each for each in self.server.services if isinstance(each, kind)]
        return service

    async def phone(
        self,
        user: str,
        transport: Transport = Transport.UDP,
        password: str = PASSWORD,
        admits: Callable[[Flow], bool] | None = None,
    ) -> UserAgent:
        """
        Start a phone at an address of its own, and register it if it can.

        :param admits: whether it hears what has come; None: always.
        """
        port = (
            self.server.port if transport is Transport.UDP else self.tls.endpoint.port
        )
        proxy = f"sip:127.0.0.1:{port};transport={transport.value}"
        account = Account(
            f"sip:{user}@{DOMAIN}", password, realms=[DOMAIN], proxy=proxy
        )
        host = f"127.0.0.{user}"
        settings = UserAgentSettings(
            product="phone",
            tls=TLSSettings(
                (self.authority.issue(f"phone{user}", host),),
                authorities=self.authority.file,
            ),
        )
        agent = await self.agent(
            f"{transport.value}:{host}:0",
            account=account,
            settings=settings,
            watch=Watch(admits, self.trace),
        )
        self.phones[agent] = []
        agent.on_invite(self.phones[agent].append)
        if password == PASSWORD:
            await agent.register().registered()
        return agent

    def trace(self, data: bytes, flow: Flow, received: bool) -> None:
        """
        See a message of a phone.
        """
        if not self.call_id and not received and data.startswith(b"INVITE "):
            self.call_id = parse(data)[CALL_ID]

    async def put(self, text: str, language: Language, way: str = "out") -> None:
        """
        Let a dialplan decide about the calls that 100 makes.
        """
        joe = self.server.directory.of("joe")
        await joe.dialplans.put("main", text, language)
        await joe.accounts.change("100", DOMAIN, out_dialplan="main")

    async def moment(self) -> None:
        """
        Do as people do.
        """
        await deferLater(IReactorTime(reactor), _MOMENT)

    async def ringing(self, agent: UserAgent) -> ServerCall:
        """
        Wait until a phone rings.
        """
        calls = self.phones[agent]
        await self.wait_for(lambda: calls)
        calls[0].ring()
        await self.moment()
        return calls.pop(0)

    async def answer(self, agent: UserAgent) -> Session:
        """
        Let a phone ring and answer.
        """
        call = await self.ringing(agent)
        session = await call.answer(audio("127.0.0.1", 4002))
        session.shared.account = agent.account
        return session

    def call(self, agent: UserAgent, user: str) -> Deferred[Session]:
        """
        Let a phone call.
        """
        return agent.invite(f"sip:{user}@{DOMAIN}", audio("127.0.0.1", 4000)).answered()

    async def keep(self, name: str) -> None:
        """
        Wait until all is over, and write what was told to a file.
        """
        server = self.service(AppServerService)
        await self.wait_for(lambda: not len(server.calls) + len(server.connections))
        await self.moment()  # the last ones to arrive: answers to BYE, ACKs
        view = self.service(MonitorService).view
        story = await view.call(Viewer("", is_admin=True), self.call_id)
        lines = [f"{json.dumps(to_json(each))}\n" for each in story.events]
        FOLDER.joinpath(f"{name}.jsonl").write_text("".join(lines), "ascii")


class Calls(PhonesCase):
    """
    What is recorded.
    """

    async def test_call(self) -> None:
        """
        A plain call by a line plan; the callee hangs up.
        """
        await self.put(_NUMBERS, Language.LINES)
        alice, bob = await self.phone("100"), await self.phone("101")
        calling = self.call(alice, "7")
        session = await self.answer(bob)
        await calling
        await self.moment()
        await session.bye()
        await self.keep("call")

    async def test_no_number(self) -> None:
        """
        A number that the dialplan refuses.
        """
        await self.put(_NUMBERS, Language.LINES)
        alice = await self.phone("100")
        with self.assertRaises(RequestFailed):
            await self.call(alice, "4711")
        await self.keep("refused")

    async def test_wrong_password(self) -> None:
        """
        A phone whose password is wrong.
        """
        alice = await self.phone("100", password="not the one")
        with self.assertRaises(UserAgentError):
            await self.call(alice, "101")
        await self.keep("wrong-password")

    async def test_all_at_once(self) -> None:
        """
        Three phones ring at once: one is not there, one answers, one is called off.
        """
        await self.put(_ALL_AT_ONCE, Language.PYTHON)
        alice, bob, carol = [await self.phone(name) for name in ("100", "101", "102")]
        calling = self.call(alice, "7")
        await self.wait_for(lambda: self.phones[carol])
        self.phones[carol].pop().ring()
        await self.answer(bob)
        session = await calling
        await self.moment()
        await session.bye()
        await self.keep("all-at-once")

    async def test_failover(self) -> None:
        """
        A dialplan in Python tries another phone when one is busy.
        """
        await self.put(FAILOVER, Language.PYTHON)
        alice, bob, carol = [await self.phone(name) for name in ("100", "101", "102")]
        calling = self.call(alice, "sales")
        (await self.ringing(bob)).reject(486)
        await self.answer(carol)
        session = await calling
        await self.moment()
        await session.bye()
        await self.keep("failover")

    async def test_given_up(self) -> None:
        """
        Nobody answers, until the caller gives up.
        """
        alice, bob = await self.phone("100"), await self.phone("101")
        call = alice.invite(f"sip:101@{DOMAIN}", audio("127.0.0.1", 4000))
        await self.ringing(bob)
        call.cancel()
        with self.assertRaises(UserAgentError):
            await call.answered()
        await self.keep("given-up")

    async def test_hold(self) -> None:
        """
        The callee holds the call, and takes it up again.
        """
        alice, bob = await self.phone("100"), await self.phone("101")
        calling = self.call(alice, "101")
        session = await self.answer(bob)
        caller = await calling
        await self.moment()
        await session.hold()
        await self.moment()
        await session.resume()
        await self.moment()
        await caller.bye()
        await self.keep("hold")

    async def test_transfer(self) -> None:
        """
        The callee transfers the caller to somebody else.
        """
        alice, bob, carol = [await self.phone(name) for name in ("100", "101", "102")]
        calling = self.call(alice, "101")
        session = await self.answer(bob)
        caller = await calling
        await self.moment()
        transfer = await session.refer(f"sip:102@{DOMAIN}")
        await self.answer(carol)
        await transfer.done()
        await self.wait_for(lambda: session.is_over)
        await self.moment()
        await caller.bye()
        await self.keep("transfer")

    async def test_secure(self) -> None:
        """
        One phone is on TLS, and the other on UDP.
        """
        alice, bob = await self.phone("100", Transport.TLS), await self.phone("101")
        calling = self.call(alice, "101")
        await self.answer(bob)
        session = await calling
        await self.moment()
        await session.bye()
        await self.keep("secure")

    async def test_unreachable(self) -> None:
        """
        A phone hears nothing any more.
        """
        alice = await self.phone("100")
        is_lost: list[bool] = []
        await self.phone("101", admits=lambda flow: not is_lost)
        is_lost.append(True)
        with self.assertRaises(RequestFailed):
            await self.call(alice, "101")
        await self.keep("unreachable")

    async def test_lossy(self) -> None:
        """
        A phone is behind a network that loses datagrams.
        """
        lost: list[bool] = []
        alice = await self.phone("100")
        bob = await self.phone("101", admits=lambda flow: not (lost and lost.pop()))
        lost += reversed([True, True, False, True])  # INVITE, again, again, and the ACK
        calling = self.call(alice, "101")
        await self.answer(bob)
        session = await calling
        await self.wait_for(lambda: not lost)
        await deferLater(IReactorTime(reactor), 1.0)  # until the 200 has come again
        await session.bye()
        await self.keep("lossy")
