"""
Tests for `sipsorcery.proxy.discovery`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress
from sipsorcery.proxy.discovery import Discovery
from sipsorcery.proxy.public_address import PublicAddresses
from sipsorcery.sip.uri import SIPURI
from sipsorcery.stun import Address, answer
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.target import Target

_PROXY, _SERVER, _PUBLIC = "192.168.1.2", "192.0.2.1", "203.0.113.1"


class NAT(DatagramProtocol):
    """
    A STUN server that sees its clients behind a NAT.
    """

    def __init__(self) -> None:
        self.seen = HostPort(_PUBLIC, 61000)
        self.asked: list[tuple[str, int]] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer as the NAT makes the client look.
        """
        self.asked.append(addr)
        response = answer(datagram, (self.seen.host, self.seen.port))
        assert response is not None and self.transport is not None
        self.transport.write(response, addr)


class Consumer(RecordingConsumer):
    """
    Hands STUN to the discovery, as the proxy does.
    """

    discovery: Discovery

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Hand it over.
        """
        self.discovery.received(data)


class DiscoveryTests(SynchronousTestCase):
    """
    A proxy behind a NAT, and a STUN server.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.machine = self.network.machine(_PROXY, "127.0.0.1", "2001:db8::2")
        self.server = NAT()
        self.port = self.network.machine(_SERVER).listenUDP(3478, self.server, _SERVER)
        self.addresses = PublicAddresses()
        self.news: list[tuple[str, str]] = []
        self.known = [f"udp:{_SERVER}:3478"]
        self.uris: list[str] = []

    def start(self, *listen: str) -> Discovery:
        """
        Open these listeners and begin to ask.
        """
        consumer = Consumer()
        self.layer = TransportLayer(
            self.machine,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            consumer,
        )
        self.layer.start()
        consumer.discovery = Discovery(
            self.machine,
            self.layer,
            HostPort("stun.example.com", 3478),
            self.locate,
            self.addresses,
            self.changed,
        )
        consumer.discovery.start()
        self.addCleanup(consumer.discovery.stop)
        self.network.advance()
        return consumer.discovery

    def locate(self, uri: SIPURI) -> Deferred[list[Target]]:
        """
        Find the server.
        """
        self.uris.append(str(uri))
        if not self.known:
            return fail(LocationError("nobody knows it"))
        return succeed([Target(Endpoint.parse(one)) for one in self.known])

    def changed(self, listener: Listener, address: HostPort) -> None:
        """
        Note the news.
        """
        self.news.append((str(listener.local), str(address)))

    def test_first_answer(self) -> None:
        """
        The server is asked at once, from the socket that listens, and what it says
        holds.
        """
        self.start(f"udp:{_PROXY}:5060", f"tcp:{_PROXY}:5060")
        self.assertEqual(self.server.asked, [(_PROXY, 5060)])
        self.assertEqual(self.uris, ["sip:stun.example.com:3478;transport=udp"])
        udp, tcp = self.layer.listeners
        self.assertEqual(self.addresses.of(udp), HostPort(_PUBLIC, 61000))
        self.assertEqual(self.addresses.of(tcp), HostPort(_PUBLIC, 5060))
        self.assertEqual(self.news, [(f"udp:{_PROXY}:5060", f"{_PUBLIC}:61000")])

    def test_every_minute(self) -> None:
        """
        It is asked again each minute, and a change is reported, once.
        """
        self.start(f"udp:{_PROXY}:5060")
        self.network.advance(60)
        self.assertEqual((len(self.server.asked), len(self.news)), (2, 1))
        self.server.seen = HostPort("203.0.113.9", 5060)
        with capturedLogs() as events:
            self.network.advance(120)
        self.assertEqual(len(self.server.asked), 4)
        self.assertEqual(self.news[1:], [(f"udp:{_PROXY}:5060", "203.0.113.9:5060")])
        (event,) = events
        self.assertEqual(
            formatEvent(event),
            f"udp:{_PROXY}:5060 has the public address 203.0.113.9:5060, "
            "says stun.example.com:3478",
        )

    def test_last_good_value(self) -> None:
        """
        While the server is away, what it said holds; that it is away, and that it is
        back, is said once.
        """
        self.start(f"udp:{_PROXY}:5060")
        (udp,) = self.layer.listeners
        self.network.drop = lambda data, source, to: True
        with capturedLogs() as events:
            self.network.advance(600)
        (event,) = events
        self.assertIn(f"stays {_PUBLIC}:61000: no answer", formatEvent(event))
        self.assertEqual(self.addresses.of(udp), HostPort(_PUBLIC, 61000))
        self.network.drop = None
        with capturedLogs() as events:
            self.network.advance(120)
        (event,) = events
        self.assertIn("answers", formatEvent(event))
        self.assertEqual(len(self.news), 1)

    def test_lost_datagram(self) -> None:
        """
        One lost datagram costs half a second.
        """
        lost = [True]
        self.network.drop = lambda data, source, to: bool(lost and lost.pop())
        self.start(f"udp:{_PROXY}:5060")
        self.assertEqual(self.news, [])
        self.network.advance(0.5)
        self.assertEqual(len(self.news), 1)

    def test_unknown_name(self) -> None:
        """
        A name that leads nowhere is one more way to fail, and may lead there later.
        """
        known, self.known = self.known, []
        with capturedLogs() as events:
            self.start(f"udp:{_PROXY}:5060")
        self.assertIn("nobody knows it", "".join(map(str, map(formatEvent, events))))
        self.known = known
        self.network.advance(60)
        self.assertEqual(len(self.news), 1)

    def test_who_is_asked_for(self) -> None:
        """
        Nobody asks for the loopback, an advertised address, or over another family.
        """
        self.start(
            "udp:127.0.0.1:5060",
            f"udp:{_PROXY}:5070 advertise sip.example.com:5070",
            "udp:[2001:db8::2]:5060",
            f"udp:{_PROXY}:5060",
        )
        self.assertEqual(self.server.asked, [(_PROXY, 5060)])

    def test_nobody_to_ask_for(self) -> None:
        """
        Where no socket could have a public address, the log says that it is in vain.
        """
        with capturedLogs() as events:
            self.start(f"tcp:{_PROXY}:5060")
        self.assertIn("no UDP listener", "".join(map(str, map(formatEvent, events))))
        self.assertEqual(self.server.asked, [])

    def test_nonsense(self) -> None:
        """
        What is no answer to us is for somebody else.
        """
        discovery = self.start(f"udp:{_PROXY}:5060")
        self.assertFalse(discovery.received(bytes(20)))

    def test_stop(self) -> None:
        """
        Once it is stopped, nothing goes on, not even what is under way.
        """
        self.network.drop = lambda data, source, to: True
        discovery = self.start(f"udp:{_PROXY}:5060")
        discovery.stop()
        self.assertEqual(self.machine.getDelayedCalls(), [])
        discovery.stop()

    def test_server_by_ipv6(self) -> None:
        """
        An address of IPv6 is looked for in brackets.
        """
        discovery = Discovery(
            self.machine,
            TransportLayer(self.machine, TransportSettings(()), RecordingConsumer()),
            HostPort("2001:db8::1", 3478),
            self.locate,
            self.addresses,
            self.changed,
        )
        listen = ListenAddress.parse("udp:[2001:db8::2]:5060")
        found = Deferred.fromCoroutine(
            discovery._find(Listener(listen, listen.endpoint))
        )
        self.assertEqual(self.successResultOf(found), None)
        self.assertEqual(self.uris, ["sip:[2001:db8::1]:3478;transport=udp"])
        self.known.append("udp:[2001:db8::1]:3478")
        found = Deferred.fromCoroutine(
            discovery._find(Listener(listen, listen.endpoint))
        )
        self.assertEqual(self.successResultOf(found), Address("2001:db8::1", 3478))
