"""
What the tests of user agents share: agents in memory, and a peer who obeys.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import (
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    TO,
    VIA,
)
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import Via
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.ua import Account, UserAgent, UserAgentSettings, audio
from sipsorcery.ua.agent import ANONYMOUS
from tests.transport.location.zones import Zones

T = TypeVar("T")

ALICE, BOB, PEER = "192.0.2.1", "192.0.2.2", "192.0.2.3"
#: Where the agents and the peer are reached.
ALICE_URI, BOB_URI, PEER_URI = (f"sip:{host}" for host in (ALICE, BOB, PEER))

ALICE_MEDIA = audio(ALICE, 4000)
BOB_MEDIA = audio(BOB, 5000)
PEER_MEDIA = audio(PEER, 6000)

# Longer than every timer of a transaction, and of the repetitions of a 2xx.
_LONG = 70.0


class Peer(DatagramProtocol):
    """
    Somebody at a UDP port who sends what the test says, and keeps what comes.

    :ivar requests: every request, repetitions included.
    :ivar responses: every response, likewise.
    """

    def __init__(self, machine: MemoryReactor, host: str = PEER) -> None:
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self.host = host
        self.uri = f"sip:{host}"
        self._sent = 0
        machine.listenUDP(5060, self, host)

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Keep a message.
        """
        message = parse(datagram)
        if isinstance(message, Request):
            self.requests.append(message)
        else:
            self.responses.append(message)

    def send(self, message: Request | Response, host: str = ALICE) -> None:
        """
        Send a message to an agent.
        """
        pipe: Any = self.transport
        pipe.write(message.to_bytes(), (host, 5060))

    # Reading

    def last(self, method: str) -> Request:
        """
        Give the last request with a method.
        """
        return [one for one in self.requests if one.method == method][-1]

    @property
    def methods(self) -> list[str]:
        """
        Give the methods of all requests, in their order.
        """
        return [request.method for request in self.requests]

    @property
    def statuses(self) -> list[int]:
        """
        Give the status codes of all responses, in their order.
        """
        return [response.status for response in self.responses]

    # Writing

    def respond(
        self,
        request: Request,
        status: int,
        *fields: tuple[Any, Any],
        tag: str | None = "peer",
        body: bytes = b"",
    ) -> Response:
        """
        Answer a request, with a Contact, and with a session description as the body.
        """
        contact = (CONTACT, Address.parse(f"<{self.uri}>"))
        every: list[tuple[Any, Any]] = [contact, *fields]
        if body and CONTENT_TYPE not in {field for field, _ in fields}:
            every.append((CONTENT_TYPE, MediaType("application", "sdp")))
        response = request.respond(status, fields=every, body=body, to_tag=tag)
        self.send(response, request[VIA].host)
        return response

    def request(
        self,
        method: str,
        *fields: tuple[Any, Any],
        number: int = 1,
        call_id: str = "call",
        to_tag: str | None = None,
        tag: str = "peer",
        branch: str | None = None,
        body: bytes = b"",
        host: str = ALICE,
    ) -> Request:
        """
        Send a request to an agent, with a Contact.
        """
        self._sent += 1
        branch = branch or f"z9hG4bKpeer{self._sent}"
        here = Address.parse(f"<{self.uri}>")
        to = Address.parse(f"<sip:100@{host}>")
        given = {field for field, _ in fields}
        usual: list[tuple[Any, Any]] = [
            (VIA, Via.parse(f"SIP/2.0/UDP {self.host}:5060;branch={branch};rport")),
            (MAX_FORWARDS, 70),
            (FROM, here.with_tag(tag)),
            (TO, to if to_tag is None else to.with_tag(to_tag)),
            (CALL_ID, call_id),
            (CSEQ, CSeq(number, method)),
            (CONTACT, here),
        ]
        if body and CONTENT_TYPE not in given:
            usual.append((CONTENT_TYPE, MediaType("application", "sdp")))
        every = [(field, value) for field, value in usual if field not in given]
        request = Request(method, f"sip:100@{host}", [*every, *fields], body)
        self.send(request, host)
        return request


class AgentCase(SynchronousTestCase):
    """
    Agents and a peer, each on a machine of its own in one network.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.machines = {
            host: self.network.machine(host) for host in (ALICE, BOB, PEER)
        }
        self.agents: list[UserAgent] = []

    def agent(
        self,
        host: str = ALICE,
        *,
        account: Account | None = None,
        resolver: Zones | None = None,
        **settings: Any,
    ) -> UserAgent:
        """
        Start an agent on a machine, over UDP and TCP.
        """
        machine = self.machines[host]
        agent = UserAgent(
            machine,
            [f"udp:{host}:5060", f"tcp:{host}:5060"],
            settings=UserAgentSettings(**settings),
            resolver=resolver or Zones(),
            local_addresses=lambda: machine.addresses,
            source_address=machine.address_towards,
            account=ANONYMOUS if account is None else account,
        )
        self.run_through(agent.start())
        self.agents.append(agent)
        return agent

    def peer(self) -> Peer:
        """
        Put a peer on its machine.
        """
        return Peer(self.machines[PEER])

    # Running

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
        """
        Start a coroutine, and let arrive what is under way.
        """
        running = Deferred.fromCoroutine(coroutine)
        self.network.advance()
        return running

    def run_through(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine to its end, which must not need any time.
        """
        return self.successResultOf(self.begin(coroutine))

    def given(self, deferred: Deferred[T]) -> T:
        """
        Give the result of a Deferred, after what is under way has arrived.
        """
        self.network.advance()
        return self.successResultOf(deferred)

    def refused(self, deferred: Deferred[Any], kind: type[Exception]) -> Any:
        """
        Give the error of a Deferred, after what is under way has arrived.
        """
        self.network.advance()
        return self.failureResultOf(deferred, kind).value

    def answering(self, agent: UserAgent, description: Any = BOB_MEDIA) -> list[Any]:
        """
        Let an agent answer every call at once.

        :return: gathers the calls.
        """
        calls: list[Any] = []

        async def answer(call: Any) -> None:
            calls.append(call)
            await call.answer(description)

        agent.on_invite(answer)
        return calls

    # Checking

    def assert_settled(self) -> None:
        """
        Check that after the longest timer nothing is left of anything.
        """
        self.network.advance(_LONG)
        for agent in self.agents:
            core = agent.core
            self.assertEqual(core.dialogs, {})
            self.assertEqual(core.calls, set())
            self.assertEqual(len(core.wheel), 0)
            self.assertTrue(agent.transactions.is_idle, agent.transactions.size)
        for machine in self.machines.values():
            self.assertEqual(machine.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
