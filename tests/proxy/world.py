"""
A proxy at work in a network in memory, with bare peers around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, ip_address
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.contacts import Contact
from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.attendance import Attendance
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.express import Express
from sipsorcery.proxy.forward import Forwarder
from sipsorcery.proxy.gate import Gate
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.nat import Nat
from sipsorcery.proxy.networks import LocalNetworks
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.overload import Load
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.owners import Owners
from sipsorcery.proxy.registered import RegisteredFlows
from sipsorcery.proxy.relay import Relays
from sipsorcery.proxy.routing import Router
from sipsorcery.proxy.switchboard import Switchboard
from sipsorcery.proxy.token import Tokens
from sipsorcery.proxy.tools import Known, Tools
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.proxy.ways import Ways
from sipsorcery.sip import ParseError, Request, Response, parse
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Key, Secrets
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.target import Target

PROXY, INSIDE, SERVER = "203.0.113.1", "10.0.0.1", "10.0.0.2"
PHONE_A, PHONE_B, TRUNK, EVIL = (
    "198.51.100.7",
    "198.51.100.9",
    "192.0.2.80",
    "192.0.2.66",
)


class KnownPlaces:
    """
    A location of servers that knows addresses, and some names.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.failures: list[str] = []
        self.asked: list[str] = []
        self.pending: list[Deferred[list[Target]]] | None = None

    def locate(self, uri: SIPURI) -> Deferred[list[Target]]:
        """
        Give what is known.
        """
        self.asked.append(str(uri))
        if self.pending is not None:
            self.pending.append(Deferred())
            return self.pending[-1]
        try:
            ip_address(uri.address)
        except ValueError:
            found = self.names.get(uri.host)
            if found is None:
                return fail(LocationError(f"nobody knows {uri.host}"))
            return succeed([Target(Endpoint.parse(one)) for one in found])
        transport = uri.transport or "udp"
        end = Endpoint.parse(f"{transport}:{uri.host}:{uri.port or 5060}")
        return succeed([Target(end)])

    def pick(self, uri: SIPURI, call_id: str) -> Deferred[Target]:
        """
        Give the first.
        """
        return self.locate(uri).addCallback(lambda targets: targets[0])

    def failed(self, target: Target) -> None:
        """
        Keep it.
        """
        self.failures.append(str(target))


class Peer:
    """
    A UDP socket that keeps what comes.
    """

    def __init__(self, world: ProxyWorld, host: str, port: int = 5060) -> None:
        self.world = world
        self.end = (host, port)
        self.inbox: list[Request | Response] = []
        world.peers[self.end] = self

    def send(
        self, message: Request | Response, to: str = PROXY, port: int = 5060
    ) -> None:
        """
        Send a message, and let everything settle.
        """
        self.world.network.send(message.to_bytes(), self.end, (to, port))
        self.world.network.advance()

    def make(
        self,
        method: str,
        uri: str,
        *lines: str,
        branch: str = "1",
        to_tag: str = "",
        call_id: str = "call",
    ) -> Request:
        """
        Make a request with our Via.
        """
        host, port = self.end
        tag = f";tag={to_tag}" if to_tag else ""
        text = "\r\n".join(
            [
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch};rport",
                *lines,
                "Max-Forwards: 70",
                f"From: <sip:me@{host}>;tag=me",
                f"To: <sip:you@example.com>{tag}",
                f"Call-ID: {call_id}",
                f"CSeq: 1 {method}",
                "Content-Length: 0",
                "\r\n",
            ]
        )
        request = parse(text.encode())
        assert isinstance(request, Request)
        return request

    def request(self) -> Request:
        """
        Take the one request that came.
        """
        (message,) = self.inbox
        self.inbox.clear()
        assert isinstance(message, Request), message
        return message

    def response(self) -> Response:
        """
        Take the one response that came.
        """
        (message,) = self.inbox
        self.inbox.clear()
        assert isinstance(message, Response), message
        return message

    def statuses(self) -> list[int]:
        """
        Take the responses that came; give their status codes.
        """
        found = [one.status for one in self.inbox if isinstance(one, Response)]
        assert len(found) == len(self.inbox), self.inbox
        self.inbox.clear()
        return found


class ProxyWorld(SynchronousTestCase):
    """
    A proxy with one outside and one inside socket, and a script.

    :ivar here: the roles that are there from the start.
    """

    script: Path | None = None
    here: frozenset[str] = frozenset()
    local_networks: tuple[IPv4Network, ...] = ()

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.machine = self.network.machine(PROXY, INSIDE, "127.0.0.1")
        self.peers: dict[tuple[str, int], Peer] = {}
        self.network.drop = self.deliver
        self.users: dict[str, list[Contact]] = {}
        self.bus = RecordingBus()
        self.places = KnownPlaces()
        self.roles = {"registrar": Endpoint.parse(f"udp:{SERVER}:5001")}
        self.start()
        self.a = Peer(self, PHONE_A, 33000)
        self.b = Peer(self, PHONE_B)
        self.trunk = Peer(self, TRUNK)
        self.evil = Peer(self, EVIL)
        self.role = Peer(self, SERVER, 5001)

    def start(self) -> None:
        """
        Start the proxy.
        """
        inside = Endpoint.parse(f"udp:{INSIDE}:5059")
        listen = (f"udp:{PROXY}:5060", f"tcp:{PROXY}:5060", str(inside))
        transport = TransportLayer(
            self.machine,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            self,
            local_addresses=lambda: self.machine.addresses,
            source_address=lambda _: PROXY,
        )
        transport.start()
        own = OwnAddresses(
            ["example.com"], [HostPort(PROXY, 5060), HostPort(INSIDE, 5059)]
        )
        tokens = Tokens([Key(1, b"f" * 32, 0.0)])
        secrets = Secrets(Path(self.mktemp()))
        secrets.load()
        self.names = DialogueNames(secrets)
        branches, outgoing = Branches(b"v" * 32), Outgoing(tokens, own.have_realm)
        self.trusted = set(self.roles.values())
        ways = Ways(
            transport,
            inside,
            self.trusted,
            b"incarnat",
            is_trunk=lambda flow: flow.address[0] == TRUNK,
        )
        self.ways = ways
        self.relays = Relays(
            self.machine, transport, ways, branches, outgoing, self.places.failed
        )
        self.answers = Answers(transport, ProxyCore(own, b"core"), b"tag")
        gate = Gate(self.machine, None, inside)
        events = Events(self.bus, lambda: 1000.0)
        self.load = Load(self.machine, events)
        self.express = Express(transport, ways, own, tokens, branches, outgoing)
        self.tokens = tokens
        tools = Tools(
            ways=ways,
            express=self.express,
            tokens=tokens,
            forwarder=Forwarder(
                transport,
                ways,
                tokens,
                branches,
                outgoing,
                Transparency([Key(1, b"s" * 32, 0.0)]),
            ),
            relays=self.relays,
            location=self.places,
            answers=self.answers,
            events=events,
            nat=Nat(LocalNetworks(self.local_networks)),
            gate=gate,
            load=self.load,
            registered=RegisteredFlows(self.machine, gate),
            known=Known(contacts=self),
            roles=self.roles,
            attendance=Attendance(self.roles, self.here),
            owner=Owners(self.names, self.roles).find,
        )
        self.loaded = Script(self.script, self.machine)
        self.loaded.start()
        self.addCleanup(self.loaded.stop)
        router = Router(own, tokens, branches)
        self.board = Switchboard(self.machine, router, self.loaded, tools)

    async def of(self, uri: SIPURI | str) -> Sequence[Contact] | None:
        """
        Find a user's contacts.
        """
        aor = uri if isinstance(uri, str) else uri.aor
        return self.users.get(aor)

    def register(self, aor: str, *uris: str) -> None:
        """
        Give a user contacts, without a Path.
        """
        self.users[aor] = [Contact(SIPURI.parse(uri)) for uri in uris]

    def deliver(
        self, data: bytes, source: tuple[str, int], to: tuple[str, int]
    ) -> bool:
        """
        Hand a datagram to a peer, in the place of the network.
        """
        peer = self.peers.get(to)
        if peer is not None:
            peer.inbox.append(parse(data))
        return peer is not None or to[0] not in self.machine.addresses

    # What the transport layer calls

    def request_received(self, request: Request, flow: Flow) -> None:
        self.board.request_received(request, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        self.board.response_received(response, flow)

    def stun_received(self, data: bytes, flow: Flow) -> None:
        pass

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        pass

    def flow_closed(self, flow: Flow, reason: str) -> None:
        self.board.flow_closed(flow, reason)
