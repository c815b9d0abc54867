"""
Tests for `sipsorcery.testing.relay`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.relay import LossyRelay

CLIENT, SERVER, OUTER, INNER = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"


class Peer(DatagramProtocol):
    """
    One end; it keeps what it hears.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, tuple[str, int]]] = []

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Keep a datagram and its source.
        """
        self.heard.append((datagram, addr))

    def send(self, data: bytes, end: tuple[str, int]) -> None:
        """
        Send one.
        """
        assert self.transport is not None
        self.transport.write(data, end)


class LossyRelayTests(SynchronousTestCase):
    """
    A relay in memory.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.client_machine = self.network.machine(CLIENT)
        self.server = Peer()
        self.network.machine(SERVER).listenUDP(5060, self.server, SERVER)
        self.machine = self.network.machine(OUTER, INNER)

    def relay(self, loss: float = 0.0, seed: int = 1) -> LossyRelay:
        """
        Start a relay.
        """
        relay = LossyRelay(
            self.machine,
            Endpoint(Transport.UDP, SERVER, 5060),
            loss=loss,
            seed=seed,
            host=OUTER,
            inner_host=INNER,
        )
        relay.start()
        return relay

    def client(self, port: int) -> Peer:
        """
        Open a client.
        """
        client = Peer()
        self.client_machine.listenUDP(port, client, CLIENT)
        return client

    def test_both_ways(self) -> None:
        """
        The server sees the client at the inner address with the client's own port, and
        the client the relay.
        """
        relay = self.relay()
        outer = (relay.endpoint.host, relay.endpoint.port)
        client = self.client(5070)
        client.send(b"there", outer)
        self.network.advance()
        self.assertEqual(self.server.heard, [(b"there", (INNER, 5070))])
        self.server.send(b"back", (INNER, 5070))
        self.network.advance()
        self.assertEqual(client.heard, [(b"back", outer)])
        self.assertEqual((relay.passed, relay.lost), (2, 0))

    def test_several_clients(self) -> None:
        """
        Each client gets its own answers.
        """
        outer = (OUTER, self.relay().endpoint.port)
        clients = [self.client(port) for port in (5070, 5080)]
        for client in clients:
            client.send(b"there", outer)
        self.network.advance()
        for number, (_, source) in enumerate(self.server.heard):
            self.server.send(b"%d" % number, source)
        self.network.advance()
        heard = [[data for data, _ in client.heard] for client in clients]
        self.assertEqual(heard, [[b"0"], [b"1"]])

    def lost_ones(self, seed: int) -> list[int]:
        """
        Send a thousand datagrams, and tell which of them got lost.
        """
        relay = self.relay(loss=0.1, seed=seed)
        client = self.client(5070)
        before = len(self.server.heard)
        for number in range(1000):
            client.send(b"%d" % number, (OUTER, relay.endpoint.port))
        self.network.advance()
        arrived = {int(data) for data, _ in self.server.heard[before:]}
        self.assertEqual(
            (relay.passed, relay.lost), (len(arrived), 1000 - len(arrived))
        )
        self.successResultOf(Deferred.fromCoroutine(relay.stop()))
        client.transport.stopListening()  # type: ignore[union-attr]  # it is open
        return [number for number in range(1000) if number not in arrived]

    def test_loss(self) -> None:
        """
        As many get lost as it was told, the same ones with the same seed.
        """
        first = self.lost_ones(seed=1)
        self.assertTrue(70 < len(first) < 130, len(first))
        self.assertEqual(first, self.lost_ones(seed=1))
        self.assertNotEqual(first, self.lost_ones(seed=2))

    def test_loss_of_answers(self) -> None:
        """
        Answers get lost as well.
        """
        relay = self.relay(loss=0.5)
        client = self.client(5070)
        while not self.server.heard:
            client.send(b"there", (OUTER, relay.endpoint.port))
            self.network.advance()
        for _ in range(100):
            self.server.send(b"back", (INNER, 5070))
        self.network.advance()
        self.assertTrue(30 < len(client.heard) < 70, len(client.heard))

    def test_stop(self) -> None:
        """
        At the end every socket is closed.
        """
        relay = self.relay()
        self.client(5070).send(b"there", (OUTER, relay.endpoint.port))
        self.network.advance()
        self.assertEqual(len(self.machine.udp_ports), 2)
        self.successResultOf(Deferred.fromCoroutine(relay.stop()))
        self.assertEqual(self.machine.udp_ports, {})
