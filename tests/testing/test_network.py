"""
Tests for `sipsorcery.testing`.
"""

from __future__ import annotations

from twisted.internet.error import (
    CannotListenError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    TimeoutError,
    UserError,
)
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorTCP,
    IReactorTime,
    IReactorUDP,
)
from twisted.internet.protocol import (
    ClientFactory,
    DatagramProtocol,
    Factory,
    Protocol,
    connectionDone,
)
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.reactor import MemoryReactor

A, B = "192.0.2.1", "192.0.2.2"


class Hearing(DatagramProtocol):
    """
    Keep the datagrams that arrive.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, tuple[str, int]]] = []

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Keep one.
        """
        self.heard.append((datagram, addr))


class Reading(Protocol):
    """
    Keep what arrives, and why it ended.
    """

    def __init__(self) -> None:
        self.data = b""
        self.lost: Failure | None = None
        self.calls: list[str] = []

    def dataReceived(self, data: bytes) -> None:
        """
        Keep bytes.
        """
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Keep the reason.
        """
        assert self.lost is None, "lost twice"
        self.lost = reason

    def pauseProducing(self) -> None:
        """
        Note the call.
        """
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        """
        Note the call.
        """
        self.calls.append("resume")

    def stopProducing(self) -> None:
        """
        Note the call.
        """
        self.calls.append("stop")


class Calling(ClientFactory[Reading]):
    """
    Make one `Reading`, or keep why there is none.
    """

    noisy = False

    def __init__(self) -> None:
        self.made = Reading()
        self.failed: Failure | None = None

    def buildProtocol(self, addr: object) -> Reading:
        """
        Give it.
        """
        return self.made

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        """
        Keep the reason.
        """
        self.failed = reason


class Answering(Factory[Reading]):
    """
    Make a `Reading` for each who calls, unless told to turn them away.
    """

    noisy = False
    turns_away = False

    def __init__(self) -> None:
        self.made: list[Reading] = []

    def buildProtocol(self, addr: object) -> Reading | None:
        """
        Make one.
        """
        if self.turns_away:
            return None
        self.made.append(Reading())
        return self.made[-1]


class MemoryReactorTests(SynchronousTestCase):
    """
    A reactor on its own.
    """

    def test_interfaces(self) -> None:
        """
        It offers TCP, UDP and time, as the real ones do.
        """
        reactor = MemoryReactor()
        for interface in (IReactorTCP, IReactorUDP, IReactorTime):
            verifyObject(interface, reactor)
        port = reactor.listenUDP(5060, Hearing(), interface=A)
        verifyObject(IListeningPort, port)
        verifyObject(IListeningPort, reactor.listenTCP(5060, Answering(), interface=A))

    def test_records_datagrams(self) -> None:
        """
        Without a network a port keeps what it sends, and the test delivers.
        """
        reactor = MemoryReactor()
        protocol = Hearing()
        port = reactor.listenUDP(5060, protocol, A, maxPacketSize=4)
        port.write(b"hello", (B, 5062))
        port.deliver(b"world", (B, 5062))
        self.assertEqual(port.sent, [(b"hello", (B, 5062))])
        self.assertEqual(protocol.heard, [(b"worl", (B, 5062))])

    def test_port_is_taken(self) -> None:
        """
        Two sockets of a kind cannot have one address; closed, it is free again.
        """
        reactor = MemoryReactor()
        port = reactor.listenUDP(5060, Hearing(), A)
        self.assertRaises(CannotListenError, reactor.listenUDP, 5060, Hearing(), A)
        reactor.listenTCP(5060, Answering(), interface=A)
        port.stopListening()
        port.stopListening()
        reactor.listenUDP(5060, Hearing(), A)

    def test_chooses_ports(self) -> None:
        """
        Port 0 means one that is free.
        """
        reactor = MemoryReactor()
        first = reactor.listenUDP(0, Hearing(), A).getHost()
        self.assertNotEqual(first, reactor.listenUDP(0, Hearing(), A).getHost())
        self.assertEqual(first.host, A)


class DatagramTests(SynchronousTestCase):
    """
    UDP between two machines.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork(latency=0.1)
        self.a, self.b = self.network.machine(A, "2001:db8::1"), self.network.machine(B)
        self.protocol = Hearing()
        self.port = self.a.listenUDP(5060, Hearing(), A)
        self.b.listenUDP(5060, self.protocol, B)

    def test_arrives_later(self) -> None:
        """
        A datagram takes the latency, and carries its source.
        """
        self.port.write(b"x", (B, 5060))
        self.network.advance(0.09)
        self.assertEqual(self.protocol.heard, [])
        self.network.advance(0.02)
        self.assertEqual(self.protocol.heard, [(b"x", (A, 5060))])

    def test_nobody_there(self) -> None:
        """
        One to a closed port, or to no machine, is lost without a word.
        """
        self.port.write(b"x", (B, 5061))
        self.port.write(b"x", ("192.0.2.9", 5060))
        self.network.advance(1)
        self.assertEqual(self.protocol.heard, [])

    def test_drop(self) -> None:
        """
        The test decides what gets lost.
        """
        self.network.drop = lambda data, source, to: data == b"bad"
        self.port.write(b"bad", (B, 5060))
        self.port.write(b"good", (B, 5060))
        self.network.advance(1)
        self.assertEqual([data for data, _ in self.protocol.heard], [b"good"])

    def test_wildcard(self) -> None:
        """
        A port on all addresses hears at each, and sends from one of its machine's.
        """
        wide = Hearing()
        self.a.listenUDP(5062, wide, "0.0.0.0").write(b"out", (B, 5060))
        self.b.listenUDP(5062, Hearing(), B).write(b"in", (A, 5062))
        self.network.advance(1)
        self.assertEqual(self.protocol.heard, [(b"out", (A, 5062))])
        self.assertEqual(wide.heard, [(b"in", (B, 5062))])


class StreamTests(SynchronousTestCase):
    """
    TCP between two machines.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.a, self.b = self.network.machine(A), self.network.machine(B)
        self.server = Answering()
        self.b.listenTCP(5060, self.server, interface=B)

    def connect(self, port: int = 5060) -> Calling:
        """
        Connect from one machine to the other.
        """
        calling = Calling()
        self.a.connectTCP(B, port, calling, timeout=5)
        self.network.advance()
        return calling

    def pair(self) -> tuple[Reading, Reading]:
        """
        Give both ends of a connection.
        """
        near = self.connect().made
        return near, self.server.made[-1]

    def test_both_ways(self) -> None:
        """
        Bytes arrive at both ends, which know each other's address.
        """
        near, far = self.pair()
        assert near.transport is not None and far.transport is not None
        near.transport.write(b"hello")
        far.transport.writeSequence([b"wor", b"ld"])
        self.network.advance()
        self.assertEqual((far.data, near.data), (b"hello", b"world"))
        self.assertEqual(near.transport.getHost(), far.transport.getPeer())
        self.assertEqual(near.transport.getPeer(), far.transport.getHost())

    def test_refused(self) -> None:
        """
        A closed port refuses at once.
        """
        failed = self.connect(5061).failed
        assert failed is not None
        failed.trap(ConnectionRefusedError)

    def test_no_answer(self) -> None:
        """
        Where no machine is, the attempt ends with its time.
        """
        calling = Calling()
        self.a.connectTCP("192.0.2.9", 5060, calling, timeout=5)
        self.network.advance(4.9)
        self.assertIsNone(calling.failed)
        self.network.advance(0.2)
        assert calling.failed is not None
        calling.failed.trap(TimeoutError)

    def test_stop_connecting(self) -> None:
        """
        An attempt can be given up.
        """
        calling = Calling()
        self.a.connectTCP("192.0.2.9", 5060, calling, timeout=5).stopConnecting()
        assert calling.failed is not None
        calling.failed.trap(UserError)
        self.assertEqual(self.a.getDelayedCalls(), [])

    def test_turned_away(self) -> None:
        """
        A server that builds no protocol closes a connection that was made already.
        """
        self.server.turns_away = True
        near = self.connect().made
        assert near.lost is not None
        near.lost.trap(ConnectionDone)

    def test_close(self) -> None:
        """
        What was written before arrives; then both ends hear of the end.
        """
        near, far = self.pair()
        assert near.transport is not None
        near.transport.write(b"bye")
        near.transport.loseConnection()
        near.transport.write(b"never")
        self.network.advance()
        self.assertEqual(far.data, b"bye")
        for end in (near, far):
            assert end.lost is not None
            end.lost.trap(ConnectionDone)

    def test_abort(self) -> None:
        """
        An aborted connection loses what was on its way.
        """
        near, far = self.pair()
        assert near.transport is not None
        near.transport.write(b"bye")
        near.transport.abortConnection()  # type: ignore[attr-defined]  # of ITCPTransport
        self.network.advance()
        assert far.lost is not None
        far.lost.trap(ConnectionLost)
        self.assertEqual(far.data, b"")

    def test_half_close(self) -> None:
        """
        After its own end one side still reads, until the other ends, too.
        """
        near, far = self.pair()
        assert near.transport is not None and far.transport is not None
        far.transport.write(b"last")
        near.transport.loseWriteConnection()  # type: ignore[attr-defined]  # of ITCPTransport
        self.network.advance()
        self.assertEqual(near.data, b"last")
        assert near.lost is not None
        assert far.lost is not None

    def test_slow_reader(self) -> None:
        """
        A producer waits while the other end does not read.
        """
        near, far = self.pair()
        assert near.transport is not None and far.transport is not None
        near.transport.registerProducer(near, True)  # type: ignore[attr-defined]  # of ITCPTransport
        far.transport.pauseProducing()  # type: ignore[attr-defined]  # of ITCPTransport
        near.transport.write(b"x" * 70000)
        self.network.advance()
        self.assertEqual((near.calls, far.data), (["pause"], b""))
        far.transport.resumeProducing()  # type: ignore[attr-defined]  # of ITCPTransport
        self.network.advance()
        self.assertEqual((near.calls, len(far.data)), (["pause", "resume"], 70000))


class TimeTests(SynchronousTestCase):
    """
    One time for all machines.
    """

    def test_moments_in_order(self) -> None:
        """
        What is due happens in the order of time, whichever machine it is on.
        """
        network = MemoryNetwork()
        a, b = network.machine(A), network.machine(B)
        order: list[tuple[str, float]] = []
        b.callLater(1, lambda: order.append(("b", b.seconds())))
        a.callLater(2, lambda: order.append(("a", a.seconds())))
        b.callLater(3, lambda: order.append(("b", b.seconds())))
        network.advance(2.5)
        self.assertEqual(order, [("b", 1), ("a", 2)])
        self.assertEqual(a.seconds(), b.seconds())

    def test_late_machine(self) -> None:
        """
        A machine that joins later has the others' time.
        """
        network = MemoryNetwork()
        network.machine(A)
        network.advance(7)
        self.assertEqual(network.machine(B).seconds(), 7)
