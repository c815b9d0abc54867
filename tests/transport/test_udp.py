"""
Tests for `sipsorcery.transport.udp`.
"""

from __future__ import annotations

import errno
import gc
from typing import Any

from twisted.internet.error import MessageLengthError
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, ListenAddress, Transport
from sipsorcery.testing.reactor import MemoryReactor, address
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.udp import DRAIN, DatagramFlow, Port, UDPChannel, listen_udp

LISTEN = ListenAddress.parse("udp:192.0.2.1:0 advertise sip.example.com:5060")
PEER = ("192.0.2.2", 5062)


class FakeSocket:
    """
    A socket that hands over what it was given, then has nothing more.
    """

    def __init__(self, waiting: list[tuple[bytes, tuple[Any, ...]] | OSError]) -> None:
        self.waiting = waiting

    def recvfrom(self, size: int) -> tuple[bytes, tuple[Any, ...]]:
        """
        Give the next.
        """
        if not self.waiting:
            raise BlockingIOError
        one = self.waiting.pop(0)
        if isinstance(one, OSError):
            raise one
        return one[0][:size], one[1]


class FailingTransport:
    """
    A transport that fails in a way of the test's choice.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error

    def getHost(self) -> object:
        """
        Give an address.
        """
        return address("UDP", "192.0.2.1", 5060)

    def write(self, data: bytes, to: tuple[str, int]) -> None:
        """
        Fail.
        """
        raise self.error


class ChannelCase(SynchronousTestCase):
    """
    A channel that keeps what it receives.
    """

    def setUp(self) -> None:
        self.counters = Counters()
        self.received: list[tuple[bytes, DatagramFlow]] = []
        self.channel = UDPChannel(LISTEN, self.receive, self.counters)

    def receive(self, data: bytes, flow: DatagramFlow) -> None:
        """
        Keep a datagram.
        """
        self.received.append((data, flow))


class UDPChannelTests(ChannelCase):
    """
    What comes, and what goes.
    """

    def setUp(self) -> None:
        super().setUp()
        self.reactor = MemoryReactor()
        self.port = listen_udp(self.reactor, self.channel, "192.0.2.1", 0)
        (self.memory,) = self.reactor.udp_ports.values()

    def test_flow(self) -> None:
        """
        Each datagram comes with both ends, and the flow leads back.
        """
        self.memory.deliver(b"hello", PEER)
        ((data, flow),) = self.received
        self.assertEqual((data, flow.address), (b"hello", PEER))
        self.assertEqual(flow.remote, Endpoint(Transport.UDP, *PEER))
        self.assertEqual(flow.local.host, "192.0.2.1")
        self.assertNotEqual(flow.local.port, 0)
        self.assertEqual(str(flow.listener.sent_by), "sip.example.com:5060")
        flow.send(b"world")
        self.assertEqual(self.memory.sent, [(b"world", PEER)])
        self.assertEqual(self.counters.sent, 1)

    def test_long_datagrams(self) -> None:
        """
        Nothing is cut that UDP can carry.
        """
        self.memory.deliver(b"x" * 65507, PEER)
        self.assertEqual(len(self.received[0][0]), 65507)

    def test_equality(self) -> None:
        """
        Flows are equal that send from and to the same addresses.
        """
        flow = DatagramFlow(self.channel, PEER)
        self.assertEqual({flow}, {DatagramFlow(self.channel, ("192.0.2.2", 5062))})
        self.assertNotEqual(flow, DatagramFlow(self.channel, ("192.0.2.2", 5063)))
        other = UDPChannel(LISTEN, self.receive, self.counters)
        self.assertNotEqual(flow, DatagramFlow(other, PEER))

    def test_many_addresses(self) -> None:
        """
        A peer keeps its flow, but however many there are, not all are remembered.
        """
        for number in range(5000):
            self.memory.deliver(b"hello", PEER)
            self.memory.deliver(
                b"hello", (f"198.51.{number >> 8}.{number & 255}", 5060)
            )
        kept = {id(flow) for _, flow in self.received}
        self.assertLess(len(kept), 5000 + 5)
        self.assertEqual({flow.address for _, flow in self.received[::2]}, {PEER})
        self.received.clear()
        gc.collect()
        alive = [one for one in gc.get_objects() if isinstance(one, DatagramFlow)]
        self.assertLess(sum(one.channel is self.channel for one in alive), 4500)

    def test_exception_ends_here(self) -> None:
        """
        One datagram that makes somebody fail does not end the service.
        """

        def fail(data: bytes, flow: DatagramFlow) -> None:
            raise RuntimeError("a bug")

        channel = UDPChannel(LISTEN, fail, self.counters)
        channel.datagramReceived(b"x", PEER)
        self.assertEqual(self.counters.consumer_failures, 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_closed(self) -> None:
        """
        A socket that is closed takes nothing, and says so.
        """
        flow = DatagramFlow(self.channel, PEER)
        self.port.stopListening()
        self.assertRaises(TransportError, flow.send, b"x")


class SendErrorTests(ChannelCase):
    """
    What the system may say to a datagram.
    """

    def send(self, error: Exception) -> None:
        """
        Send through a transport that fails so.
        """
        channel = UDPChannel(LISTEN, self.receive, self.counters)
        channel.makeConnection(FailingTransport(error))  # type: ignore[arg-type]  # a double
        channel.send(b"data", PEER)

    def test_full_buffer(self) -> None:
        """
        A full socket buffer is a datagram lost, as any may be.
        """
        self.send(BlockingIOError(errno.EWOULDBLOCK, "try again"))
        self.assertEqual((self.counters.dropped, self.counters.sent), (1, 0))

    def test_refused_earlier(self) -> None:
        """
        An ICMP error of some earlier datagram is not this one's.
        """
        self.send(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
        self.assertEqual(self.counters.send_failures, 0)

    def test_refused_now(self) -> None:
        """
        All else is told to the sender, with the address and the reason.
        """
        for error in (
            OSError(errno.EMSGSIZE, "Message too long"),
            OSError(errno.ENETUNREACH, "Network is unreachable"),
            MessageLengthError("message too long"),
        ):
            raised = self.assertRaises(TransportError, self.send, error)
            self.assertIn("udp:192.0.2.2:5062", str(raised))
        self.assertEqual(self.counters.send_failures, 3)


class PortTests(ChannelCase):
    """
    Reading in one go.
    """

    def read(self, waiting: list[tuple[bytes, tuple[Any, ...]] | OSError]) -> None:
        """
        Wake up a port with this waiting in its socket.
        """
        self.port = Port(0, self.channel, "127.0.0.1", 65535, MemoryReactor())
        self.socket = self.port.socket = FakeSocket(waiting)  # type: ignore[assignment]  # a double
        self.port.doRead()

    def test_drains(self) -> None:
        """
        Everything that waits is read in one wake-up.
        """
        self.read([(b"1", PEER), (b"2", PEER), (b"3", PEER)])
        self.assertEqual([data for data, _ in self.received], [b"1", b"2", b"3"])

    def test_leaves_room_for_others(self) -> None:
        """
        After a fixed number the rest of the reactor has its turn.
        """
        waiting: list[tuple[bytes, tuple[Any, ...]] | OSError] = [(b"x", PEER)]
        self.read(waiting * (DRAIN + 5))
        self.assertEqual(len(self.received), DRAIN)

    def test_ipv6_source(self) -> None:
        """
        Flow label and scope of an IPv6 source are left out.
        """
        self.read([(b"x", ("2001:db8::1", 5060, 0, 0))])
        self.assertEqual(self.received[0][1].address, ("2001:db8::1", 5060))

    def test_error_of_the_socket(self) -> None:
        """
        An error that the kernel reports while reading ends this turn and no more.
        """
        self.read([ConnectionRefusedError(), (b"x", PEER)])
        self.port.doRead()
        self.assertEqual(len(self.received), 1)
