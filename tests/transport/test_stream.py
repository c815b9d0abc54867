"""
Tests for `sipsorcery.transport.stream`: one connection that somebody makes to us.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.request import Request
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.limits import TransportLimits
from tests.transport.cases import CLIENT, SERVER, LayerCase, Peer
from tests.transport.messages import options_bytes

VIA = "SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK1"
LIMITS = TransportLimits(idle=120, unsent=200_000, close=5)


class StreamCase(LayerCase):
    """
    A layer that listens on TCP, and a bare peer that has connected.
    """

    def setUp(self) -> None:
        super().setUp()
        self.tcp, self.consumer = self.layer(
            self.server, f"tcp:{SERVER}:5060", limits=LIMITS
        )
        self.peer = self.connect()

    def send(self, data: bytes) -> None:
        """
        Let the peer send.
        """
        self.peer.pipe.write(data)
        self.network.advance()

    @property
    def flow(self) -> Flow:
        """
        Give the flow of the last request.
        """
        return self.consumer.requests[-1][1]

    def assert_closed(self, reason: str) -> None:
        """
        Check that the connection has ended for this reason, and left nothing.
        """
        self.network.advance()
        self.assertIsNotNone(self.peer.lost)
        self.assertIn(reason, self.consumer.closed[-1][1])
        self.assert_settled(self.tcp)


class ReceivingTests(StreamCase):
    """
    From bytes to messages.
    """

    def test_trickle(self) -> None:
        """
        A message may come byte by byte.
        """
        data = options_bytes(VIA)
        for index in range(len(data)):
            self.send(data[index : index + 1])
        self.assertEqual(self.consumer.requests[0][0].to_bytes(), data)

    def test_back_to_back(self) -> None:
        """
        Several messages may come at once, and the last one not whole.
        """
        one, other = options_bytes(VIA, "1"), options_bytes(VIA, "2", b"body")
        self.send(one + other + one[:20])
        self.assertEqual(len(self.consumer.requests), 2)
        self.assertEqual(self.consumer.requests[1][0].body, b"body")
        self.send(one[20:])
        self.assertEqual(len(self.consumer.requests), 3)

    def test_flow(self) -> None:
        """
        A flow knows both ends, its listener, and its number.
        """
        self.send(options_bytes(VIA))
        flow = self.flow
        self.assertEqual(flow.local, Endpoint(Transport.TCP, SERVER, 5060))
        self.assertEqual(flow.remote.host, CLIENT)
        self.assertEqual(flow.address, (flow.remote.host, flow.remote.port))
        self.assertEqual(flow.listener, self.tcp.listeners[0])
        self.assertIs(self.tcp.connection(flow.number), flow)
        self.assertEqual((flow.certificate, flow.identities), (None, ()))

    def test_via_is_stamped(self) -> None:
        """
        The consumer finds the source in the Via.
        """
        self.send(options_bytes("SIP/2.0/TCP phone.example;branch=z9hG4bK1;rport"))
        via = self.consumer.requests[0][0].get("Via")
        port = self.flow.remote.port
        self.assertIn(f";rport={port};received={CLIENT}", str(via))

    def test_ping(self) -> None:
        """
        Two empty lines are answered with one (RFC 5626, 3.5.1); one is not.
        """
        self.send(b"\r\n")
        self.assertEqual(self.peer.data, b"")
        self.send(b"\r\n\r\n\r\n")
        self.assertEqual(self.peer.data, b"\r\n\r\n")
        self.assertEqual(self.tcp.counters.pings, 2)

    def test_closes_in_the_middle(self) -> None:
        """
        A peer that goes away in the middle of a message leaves nothing.
        """
        self.send(options_bytes(VIA)[:50])
        self.peer.pipe.loseConnection()
        self.assert_closed("closed the connection")
        self.assertEqual(self.consumer.requests, [])

    def test_no_more_after_closing(self) -> None:
        """
        What comes with a message that made us close is not handed on.
        """
        self.consumer.on_request = lambda request, flow: flow.close("enough")
        self.send(options_bytes(VIA) * 3)
        self.assertEqual(len(self.consumer.requests), 1)
        self.assert_closed("enough")


class BadInputTests(StreamCase):
    """
    What is not SIP, or never whole.
    """

    def test_garbage_is_answered_and_ends(self) -> None:
        """
        After an error that loses the framing we answer, and close.
        """
        data = options_bytes(VIA).replace(b"Content-Length: 0", b"Content-Length: x")
        self.send(data)
        self.assertTrue(self.peer.data.startswith(b"SIP/2.0 400 "))
        self.assertIn(b"Call-ID: 1@there\r\n", self.peer.data)
        self.assert_closed("not SIP")
        self.assertEqual(len(self.consumer.errors), 1)

    def test_answer_is_read_before_the_end(self) -> None:
        """
        The answer reaches a peer that still writes: only our side ends.
        """
        bad = options_bytes(VIA).replace(b"Content-Length: 0", b"Content-Length: x")
        self.peer.pipe.write(bad)
        self.peer.pipe.write(b"x" * 500_000)
        self.network.advance()
        self.assertTrue(self.peer.data.startswith(b"SIP/2.0 400 "))

    def test_bytes_without_end(self) -> None:
        """
        A message longer than the limit ends the connection, and little is kept.
        """
        self.send(b"OPTIONS " + b"x" * 70_000)
        self.assert_closed("not SIP")

    def test_half_a_message(self) -> None:
        """
        A message that is not whole within its time ends the connection.
        """
        self.send(options_bytes(VIA)[:50])
        self.network.advance(3.9)
        self.assertIsNone(self.peer.lost)
        self.network.advance(0.2)
        self.assert_closed("not SIP")

    def test_trickle_does_not_help(self) -> None:
        """
        The time runs from the first byte, however many follow.
        """
        for byte in options_bytes(VIA)[:6]:
            self.send(bytes([byte]))
            self.network.advance(1)
        self.assert_closed("not SIP")

    def test_error_of_a_field(self) -> None:
        """
        A broken field leaves the framing whole: a 400, and the connection goes on.
        """
        self.consumer.on_request = lambda request, flow: request.check()
        self.send(options_bytes(VIA).replace(b"CSeq: 1 OPTIONS", b"CSeq: one"))
        self.assertTrue(self.peer.data.startswith(b"SIP/2.0 400 "))
        self.assertIn(b";tag=", self.peer.data.split(b"To:")[1].split(b"\r\n")[0])
        self.send(options_bytes(VIA))
        self.assertEqual(len(self.consumer.requests), 2)

    def test_bug_of_the_consumer(self) -> None:
        """
        A consumer that fails is logged, and the connection goes on.
        """

        def fail(request: Request, flow: Flow) -> None:
            raise RuntimeError("a bug")

        self.consumer.on_request = fail
        self.send(options_bytes(VIA) * 2)
        self.assertEqual(len(self.consumer.requests), 2)
        self.assertEqual(self.tcp.counters.consumer_failures, 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)


class TimeTests(StreamCase):
    """
    Idle connections, and those that are in use.
    """

    def test_idle(self) -> None:
        """
        A connection on which nothing moves is closed.
        """
        self.network.advance(119)
        self.assertIsNone(self.peer.lost)
        self.network.advance(2)
        self.assert_closed("nothing moved for 120 seconds")

    def test_traffic_keeps_it(self) -> None:
        """
        A message or a ping in either direction begins the time anew.
        """
        self.network.advance(100)
        self.send(options_bytes(VIA))
        self.network.advance(100)
        self.send(b"\r\n\r\n")
        self.network.advance(100)
        self.flow.send(b"hello")
        self.network.advance(100)
        self.assertIsNone(self.peer.lost)
        self.network.advance(21)
        self.assert_closed("nothing moved")

    def test_held(self) -> None:
        """
        A flow in use stays open, and costs no timer, until the last user lets go.
        """
        self.send(options_bytes(VIA))
        flow = self.flow
        flow.hold()
        flow.hold()
        self.network.advance(100_000)
        self.assertEqual(self.server.getDelayedCalls(), [])
        flow.release()
        self.network.advance(1000)
        self.assertTrue(flow.is_open)
        flow.release()
        self.network.advance(119)
        self.assertTrue(flow.is_open)
        self.network.advance(2)
        self.assert_closed("nothing moved")

    def test_released_late(self) -> None:
        """
        Letting go of a flow that has closed meanwhile is no error, and sets no timer.
        """
        self.send(options_bytes(VIA))
        self.flow.hold()
        self.flow.close("enough")
        self.network.advance()
        self.flow.release()
        self.assert_closed("enough")

    def test_one_timer(self) -> None:
        """
        A connection never has more than one delayed call.
        """
        for _ in range(5):
            self.send(options_bytes(VIA)[:30])
            self.assertEqual(len(self.server.getDelayedCalls()), 1)
            self.send(options_bytes(VIA)[30:])
            self.assertEqual(len(self.server.getDelayedCalls()), 1)


class HalfCloseTests(StreamCase):
    """
    Peers that end their side when they have asked.
    """

    def ask(self, data: bytes) -> None:
        """
        Send, and end the peer's side.
        """
        self.peer.pipe.write(data)
        self.peer.pipe.loseWriteConnection()
        self.network.advance()

    def answer(self, number: int = 0, status: int = 200) -> None:
        """
        Answer one of the requests.
        """
        request, flow = self.consumer.requests[number]
        self.fired(self.tcp.send_response(request.respond(status), flow))

    def test_answered_at_once(self) -> None:
        """
        The answers that were ready reach the peer before we close.
        """

        def answer(request: Request, flow: Flow) -> None:
            self.tcp.send_response(request.respond(200), flow)

        self.consumer.on_request = answer
        self.ask(options_bytes(VIA, "1") + options_bytes(VIA, "2"))
        self.assertEqual(self.peer.data.count(b"SIP/2.0 200 "), 2)
        self.assert_closed("closed the connection")

    def test_answered_later(self) -> None:
        """
        Those that take longer are waited for; a provisional one is not the last.
        """
        self.ask(options_bytes(VIA, "1") + options_bytes(VIA, "2"))
        self.network.advance(0.9)
        self.answer(1)
        self.answer(0, 183)
        self.network.advance(0.9)
        self.assertIsNone(self.peer.lost)
        self.answer(0)
        self.assertEqual(self.peer.data.count(b"SIP/2.0 200 "), 2)
        self.assertEqual(self.peer.data.count(b"SIP/2.0 183 "), 1)
        self.assert_closed("closed the connection")

    def test_no_requests(self) -> None:
        """
        Meanwhile nothing is sent that the peer would have to answer.
        """
        self.ask(options_bytes(VIA))
        self.assertFalse(self.flow.is_open)
        self.assertIsNone(self.tcp.connection(self.flow.number))
        error = self.assertRaises(TransportError, self.flow.send, options_bytes(VIA))
        self.assertIn("is closed", str(error))
        self.answer()
        self.assert_closed("closed the connection")

    def test_never_answered(self) -> None:
        """
        An answer that does not come is not waited for without end.
        """
        self.ask(options_bytes(VIA))
        self.network.advance(1.9)
        self.assertIsNone(self.peer.lost)
        self.network.advance(0.2)
        self.assert_closed("answers did not come")

    def test_nothing_to_answer(self) -> None:
        """
        A peer that waits for nothing is closed at once, whatever half a message is
        there.
        """
        self.send(options_bytes(VIA))
        self.answer()
        self.ask(options_bytes(VIA)[:40])
        self.assert_closed("closed the connection")

    def test_after_our_end(self) -> None:
        """
        A peer that ends its side after we have ended ours leaves nothing.
        """
        bad = options_bytes(VIA).replace(b"Content-Length: 0", b"Content-Length: x")
        self.send(bad)
        self.peer.pipe.loseWriteConnection()
        self.assert_closed("not SIP")


class SlowPeerTests(StreamCase):
    """
    Peers that do not read.
    """

    def setUp(self) -> None:
        super().setUp()
        self.send(options_bytes(VIA))
        self.peer.pipe.pauseProducing()

    def fill(self, size: int) -> None:
        """
        Send this many bytes.
        """
        for _ in range(size // 10_000):
            self.flow.send(b"x" * 10_000)

    def test_what_waits_arrives(self) -> None:
        """
        Up to the bound everything arrives once the peer reads, and in order.
        """
        self.fill(150_000)
        self.flow.send(b"last")
        self.network.advance()
        self.assertEqual(self.peer.data, b"")
        self.peer.pipe.resumeProducing()
        self.network.advance()
        self.assertEqual(len(self.peer.data), 150_004)
        self.assertTrue(self.peer.data.endswith(b"last"))

    def test_too_much_waits(self) -> None:
        """
        Past the bound the connection is given up, and the sender told.
        """
        error = self.assertRaises(TransportError, self.fill, 1_000_000)
        self.assertIn("does not read", str(error))
        self.assertRaises(TransportError, self.flow.send, b"x")
        self.assert_closed("does not read")

    def test_pings_have_the_same_bound(self) -> None:
        """
        A peer that pings and never reads is given up, too.
        """
        for _ in range(20):
            self.send(b"\r\n\r\n" * 10_000)
        self.assert_closed("does not read")

    def test_closing_has_its_time(self) -> None:
        """
        A peer that does not take what is left is cut off.
        """
        self.fill(100_000)
        self.flow.close("enough")
        self.network.advance(4.9)
        self.assertEqual(len(self.tcp._connections.table), 1)
        self.network.advance(0.2)
        assert self.peer.lost is not None
        self.peer.lost.trap(ConnectionLost)
        self.assert_closed("enough")

    def test_closing_delivers(self) -> None:
        """
        What was sent before the end arrives before the end.
        """
        self.fill(100_000)
        self.flow.close("enough")
        self.peer.pipe.resumeProducing()
        self.network.advance()
        self.assertEqual(len(self.peer.data), 100_000)
        assert self.peer.lost is not None
        self.peer.lost.trap(ConnectionDone)
        self.assert_closed("enough")


class CapTests(LayerCase):
    """
    How many may come.
    """

    def start(self, limits: TransportLimits) -> None:
        """
        Begin with these caps.
        """
        self.tcp, self.consumer = self.layer(
            self.server, f"tcp:{SERVER}:5060", limits=limits
        )

    def connected(self, peers: list[Peer]) -> int:
        """
        Count those that were let in.
        """
        return sum(peer.lost is None for peer in peers)

    def test_per_address(self) -> None:
        """
        One address has its share; when one connection goes, another may come.
        """
        self.start(TransportLimits(connections_per_address=3))
        peers = [self.connect() for _ in range(5)]
        self.assertEqual(self.connected(peers), 3)
        self.assertEqual(self.tcp.counters.connections_refused, 2)
        peers[0].pipe.loseConnection()
        self.network.advance()
        self.assertIsNone(self.connect().lost)
        self.assertIsNotNone(self.connect().lost)

    def test_in_all(self) -> None:
        """
        All addresses together have theirs; a refusal leaves nothing behind.
        """
        self.start(TransportLimits(connections=2))
        peers = [self.connect() for _ in range(4)]
        self.assertEqual(self.connected(peers), 2)
        for peer in peers:
            peer.pipe.loseConnection()
        self.network.advance()
        self.assert_settled(self.tcp)
