"""
The locator with a real DNS server, and what it finds with real sockets.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns, hosts
from twisted.names.client import Resolver
from twisted.names.server import DNSServerFactory

from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.sip.uri import SIPURI
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.errors import TLSVerificationError, TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.locator import Locator
from sipsorcery.transport.target import Target
from tests.integration.sockets import SocketCase
from tests.transport.location.zones import Zones, records
from tests.transport.messages import options

_HOST = "127.0.0.1"


class Datagrams(dns.DNSDatagramProtocol):
    """
    Cut what is too long for a datagram, as DNS servers do (Twisted's does not).
    """

    def writeMessage(self, message: dns.Message, address: tuple[str, int]) -> None:
        """
        Send a message of 512 bytes at most.
        """
        message.maxSize = 512
        super().writeMessage(message, address)


class DNSServer:
    """
    A DNS server on the loopback, over UDP and TCP.

    :ivar port: the same one for both.
    """

    def __init__(self, zones: Zones) -> None:
        factory = DNSServerFactory(clients=[zones])
        factory.noisy = False
        loop: Any = reactor
        while True:
            datagrams = loop.listenUDP(0, Datagrams(factory, reactor), _HOST)
            self.port: int = datagrams.getHost().port
            try:
                stream = loop.listenTCP(self.port, factory, interface=_HOST)
            except CannotListenError:
                datagrams.stopListening()
            else:
                break
        self._ports = [datagrams, stream]

    async def stop(self) -> None:
        """
        Stop listening; a second time does nothing.
        """
        while self._ports:
            await maybeDeferred(self._ports.pop().stopListening)


class LocatorCase(SocketCase):
    """
    A DNS server, a resolver that asks it, and a locator that asks that.
    """

    def setUp(self) -> None:
        super().setUp()
        self.zones = Zones()
        self.server = DNSServer(self.zones)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))
        self.resolver = Resolver(servers=[(_HOST, self.server.port)], reactor=reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.disconnect()))
        self.client, self.consumer = self.layer(f"udp:{_HOST}:0", tls=self.trusting())
        self.locator = self.make_locator(self.resolver)

    async def disconnect(self) -> None:
        """
        Close the resolver's connections, which would stay open.
        """
        for connection in self.resolver.connections:
            connection.transport.loseConnection()
        await self.wait_for(lambda: not self.resolver.connections)

    def make_locator(
        self, resolver: Resolver, limits: LocationLimits | None = None
    ) -> Locator:
        """
        Make a locator that knows no hosts file.
        """
        nobody = Path(self.mktemp())
        nobody.touch()
        return Locator(
            resolver,
            IReactorTime(reactor),
            listeners=lambda: self.client.listeners,
            limits=limits,
            local_names=hosts.Resolver(str(nobody).encode()),
            chance=lambda: 0.0,
        )

    def answering(self, listen: str, tls: TLSSettings | None = None) -> Endpoint:
        """
        Start a layer that answers every request.
        """
        layer, _ = self.layer(listen, answers=True, tls=tls)
        return layer.listeners[0].local

    def closed_port(self) -> int:
        """
        Find a port on which nothing listens.
        """
        with socket.socket() as taken:
            taken.bind((_HOST, 0))
            number: int = taken.getsockname()[1]
        return number

    async def locate(self, uri: str) -> list[Target]:
        """
        Locate a URI.
        """
        return await self.locator.locate(SIPURI.parse(uri))

    async def walk(self, targets: Sequence[Target]) -> Flow:
        """
        Try one target after the other until one answers, as a caller does.
        """
        for target in targets:
            try:
                return await self.ask(self.client, self.consumer, target)
            except TransportError:
                self.locator.failed(target)
        raise AssertionError("no target has answered")


class DNSTests(LocatorCase):
    """
    What a resolver on the wire makes of zones.
    """

    async def test_naptr_srv_addresses(self) -> None:
        """
        From NAPTR over SRV to addresses, each a question of its own, asked once.
        """
        self.zones.add(
            """
            example.com            NAPTR 90 50 s SIP+D2T - _sip._tcp.example.com
            example.com            NAPTR 99 50 s SIP+D2U - _sip._udp.example.com
            _sip._tcp.example.com  SRV 0 1 5060 server1.example.com
            _sip._tcp.example.com  SRV 1 2 5070 server2.example.com
            server1.example.com    AAAA ::1
            server1.example.com    A 127.0.0.1
            server2.example.com    CNAME server3.example.com
            server3.example.com    A 127.0.0.3
            """
        )
        for _ in range(2):
            targets = await self.locate("sip:alice@example.com")
            self.assertCountEqual(
                map(str, targets),
                ["tcp:127.0.0.1:5060", "tcp:[::1]:5060", "tcp:127.0.0.3:5070"],
            )
            self.assertEqual(str(targets[2]), "tcp:127.0.0.3:5070")
        self.assertCountEqual(self.zones.asked, set(self.zones.asked))

    async def test_truncated_answer(self) -> None:
        """
        An answer that is too long for UDP is fetched over TCP.
        """
        for number in range(30):
            host = f"a-name-that-makes-answers-long-{number}.example.com"
            self.zones.add(f"_sip._udp.example.com SRV {number} 0 5060 {host}")
            self.zones.add(f"{host} A 127.0.1.{number}")
        targets = await self.locate("sip:example.com;transport=udp")
        limits = LocationLimits()
        self.assertEqual(
            [target.endpoint.host for target in targets],
            [f"127.0.1.{number}" for number in range(limits.hosts)],
        )
        self.assertEqual(self.zones.asked[0], self.zones.asked[1])

    async def test_additional(self) -> None:
        """
        Addresses that come along with SRV records are used.
        """
        self.zones.add("_sip._udp.example.com SRV 0 0 5060 a.example.com")
        self.zones.additional = records("a.example.com A 127.0.0.1")
        (target,) = await self.locate("sip:example.com;transport=udp")
        self.assertEqual(str(target), "udp:127.0.0.1:5060")
        self.assertEqual(self.zones.asked, ["SRV _sip._udp.example.com"])

    async def test_nothing(self) -> None:
        """
        A name that does not exist, one without such records, and a server that fails
        are told apart.
        """
        self.zones.add("example.com SOA 60")
        self.zones.authority = records("example.com SOA 60")
        self.zones.fail(RuntimeError("broken"), "A broken.example.com")
        for uri, said in (
            ("sip:missing.example.com:5060", "no such name"),
            ("sip:example.com:5060", "no such records"),
            ("sip:broken.example.com:5060", "the DNS server failed"),
        ):
            error = await self.assertFailure(
                self.locator.locate(SIPURI.parse(uri)), LocationError
            )
            self.assertIn(said, str(error))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    async def test_dead_server(self) -> None:
        """
        Where no DNS server is, the time for a question ends it.
        """
        await self.server.stop()
        self.locator = self.make_locator(self.resolver, LocationLimits(question=(1,)))
        found = self.locator.locate(SIPURI.parse("sip:example.com"))
        error = await self.assertFailure(found, LocationError)
        self.assertIn("SRV _sip._udp.example.com: no answer", str(error))


class WalkingTests(LocatorCase):
    """
    From target to target, until one answers.
    """

    async def test_refused_connection(self) -> None:
        """
        The first server refuses TCP, the second answers; from then on it comes first.
        """
        closed = self.closed_port()
        end = self.answering(f"tcp:{_HOST}:0")
        self.zones.add(
            f"""
            _sip._tcp.example.com  SRV 0 0 {closed} server1.example.com
            _sip._tcp.example.com  SRV 1 0 {end.port} server2.example.com
            server1.example.com    A {_HOST}
            server2.example.com    A {_HOST}
            """
        )
        uri = "sip:example.com;transport=tcp"
        targets = await self.locate(uri)
        self.assertEqual([one.endpoint.port for one in targets], [closed, end.port])
        flow = await self.walk(targets)
        self.assertEqual(flow.remote, end)
        targets = await self.locate(uri)
        self.assertEqual([one.endpoint.port for one in targets], [end.port, closed])

    async def test_certificate(self) -> None:
        """
        A server that proves only its own name is passed over for one that proves the
        domain (RFC 5922).
        """
        host = "server1.hosting.test"
        strange = self.answering(f"tls:{_HOST}:0", self.secure(host))
        proper = self.answering(f"tls:{_HOST}:0", self.secure("example.com"))
        self.zones.add(
            f"""
            example.com              NAPTR 0 0 s SIPS+D2T - _sips._tcp.hosting.test
            _sips._tcp.hosting.test  SRV 0 0 {strange.port} {host}
            _sips._tcp.hosting.test  SRV 1 0 {proper.port} server2.hosting.test
            {host}                   A {_HOST}
            server2.hosting.test     A {_HOST}
            """
        )
        targets = await self.locate("sips:example.com")
        via = str(self.client.via_for(targets[0]).with_parameter("branch", "z9hG4bK1"))
        refused = self.client.send_request(options(via), targets[0])
        await self.assertFailure(refused, TLSVerificationError)
        flow = await self.walk(targets)
        self.assertEqual(flow.remote, proper)

    async def test_response(self) -> None:
        """
        A response whose connection is gone, and to whose source nothing leads, goes
        where DNS says that its sent-by is.
        """
        port = self.closed_port()
        self.zones.add("caller.example.com A 127.0.0.2")
        caller, heard = self.layer(f"tcp:127.0.0.2:{port}")
        arrived = RecordingConsumer()
        server = TransportLayer(
            reactor,
            TransportSettings((ListenAddress.parse(f"tcp:{_HOST}:0"),)),
            arrived,
            resolve=self.locator.locate_response,
        )
        server.start()
        self.layers.append(server)
        via = f"SIP/2.0/TCP caller.example.com:{port};branch=z9hG4bK1"
        sent: Any = await self.client.send_request(
            options(via), Target(server.listeners[0].local)
        )
        request, flow = (await self.wait_for(lambda: arrived.requests))[0]
        sent.close("the test wants it")
        await self.wait_for(lambda: not flow.takes_answers)
        await server.send_response(request.respond(200), flow)
        response: Any = (await self.wait_for(lambda: heard.responses))[0][0]
        self.assertEqual(response.status, 200)
        self.assertEqual(caller.counters.connections_accepted, 1)
