"""
Tests for `sipsorcery.transport.watch`: who stands beside the traffic.
"""

from __future__ import annotations

from sipsorcery.endpoint import ListenAddress
from sipsorcery.sip.request import Request
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.watch import Watch
from tests.transport.cases import CLIENT, SERVER, LayerCase
from tests.transport.messages import options_bytes

GARBAGE = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\n\r\n"


class WatchTests(LayerCase):
    """
    A server that is watched.
    """

    def setUp(self) -> None:
        super().setUp()
        self.watch = Watch()
        self.seen: list[tuple[bytes, str, bool]] = []
        self.consumer = RecordingConsumer(self.answer)
        listen = (f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060")
        self.layer_watched = TransportLayer(
            self.server,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            self.consumer,
            local_addresses=lambda: self.server.addresses,
            source_address=self.server.address_towards,
            watch=self.watch,
        )
        self.layer_watched.start()

    def answer(self, request: Request, flow: Flow) -> None:
        """
        Answer 200.
        """
        self.layer_watched.send_response(request.respond(200), flow)

    def trace(self, data: bytes, flow: Flow, received: bool) -> None:
        """
        Keep what is seen.
        """
        self.seen.append((data, str(flow.remote), received))

    def send(self, data: bytes) -> None:
        """
        Send a datagram.
        """
        self.network.send(data, (CLIENT, 5060), (SERVER, 5060))
        self.network.advance()

    def test_trace_of_datagrams(self) -> None:
        """
        Each message is seen as it is on the wire, what cannot be read included.
        """
        self.watch.trace = self.trace
        request = options_bytes()
        for data in (request, GARBAGE, b"\r\n\r\n"):
            self.send(data)
        (first, answer, garbage) = self.seen[:3]
        self.assertEqual(first, (request, f"udp:{CLIENT}:5060", True))
        self.assertEqual(answer[0][:15], b"SIP/2.0 200 OK\r")
        self.assertEqual(answer[1:], (f"udp:{CLIENT}:5060", False))
        self.assertEqual(garbage, (GARBAGE, f"udp:{CLIENT}:5060", True))

    def test_trace_of_connections(self) -> None:
        """
        So is each on a connection.
        """
        self.watch.trace = self.trace
        peer = self.connect()
        request = options_bytes("SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bKnow")
        peer.pipe.write(request)
        self.network.advance()
        received, sent = self.seen
        self.assertEqual((received[0], received[2]), (request, True))
        self.assertEqual((sent[0], sent[2]), (peer.data, False))

    def test_not_admitted(self) -> None:
        """
        Of what is not admitted nobody hears: there is no answer, not even to garbage.
        """
        self.watch.admits = lambda flow: flow.address[0] != CLIENT
        self.watch.trace = self.trace
        for data in (options_bytes(), GARBAGE, b"\x00\x01\x00\x00\x21\x12\xa4\x42" * 4):
            self.send(data)
        peer = self.connect()
        peer.pipe.write(options_bytes("SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKnow"))
        self.network.advance()
        consumer = self.consumer
        self.assertEqual((consumer.requests, consumer.stun, consumer.errors), ([],) * 3)
        self.assertEqual((self.seen, peer.data), ([], b""))

    def test_admitted(self) -> None:
        """
        Everybody else is served.
        """
        self.watch.admits = lambda flow: flow.address[0] == CLIENT
        self.send(options_bytes())
        self.assertEqual(len(self.consumer.requests), 1)
