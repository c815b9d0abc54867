"""
Tests for `sipsorcery.monitor.hep_export`.
"""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.hep_export import Correlation, HEPService
from sipsorcery.testing.network import MemoryNetwork
from tests.monitor.test_hep import chunks
from tests.monitor.test_window import trace

RECEIVER = "192.0.2.9"


class Receiver(DatagramProtocol):
    """
    Takes what comes.
    """

    def __init__(self) -> None:
        self.received: list[dict[int, bytes]] = []

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Take a packet apart.
        """
        self.received.append(chunks(datagram))


class StreamReceiver(Protocol):
    """
    Takes what comes on a connection.
    """

    def __init__(self) -> None:
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        """
        Take some of it.
        """
        self.received += data


def leg(call_id: str, call: str) -> Event:
    """
    Make what a server says of a leg before it sends the first request.
    """
    return Event(
        time=0,
        server="appserver",
        kind=EventKind.OWNER_KNOWN,
        owner="joe",
        call_id=call_id,
        dialogue=call,
        detail={"origin": call_id},
    )


class HEPServiceTests(SynchronousTestCase):
    """
    What a receiver gets.
    """

    def setUp(self) -> None:
        """
        Have a machine with a bus, and one that receives.
        """
        self.network = MemoryNetwork()
        self.here = self.network.machine("192.0.2.1")
        self.there = self.network.machine(RECEIVER)
        self.bus = LocalBus(self.here)

    def start(self, transport: str) -> HEPService:
        """
        Start to send.
        """
        target = Endpoint.parse(f"{transport}:{RECEIVER}:9060")
        service = HEPService(self.here, target, self.bus)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def emit(self, *events: Event) -> None:
        """
        Emit events, and let them arrive.
        """
        for event in events:
            self.bus.emit(event)
        self.network.advance()

    def of_leg(self, number: int, call_id: str, **detail: str) -> Event:
        """
        Make a trace.
        """
        return msgspec.structs.replace(trace(number), call_id=call_id, detail=detail)

    def test_udp(self) -> None:
        """
        Each trace is a packet; the legs of a call have the Call-ID of the first one,
        and what goes between our servers is left out.
        """
        receiver = Receiver()
        self.there.listenUDP(9060, receiver)
        service = self.start("udp")
        self.emit(
            self.of_leg(1, "a"),
            leg("a", "call"),
            self.of_leg(2, "a", role="appserver"),
            leg("b", "call"),
            self.of_leg(3, "b"),
            self.of_leg(4, "other"),
        )
        self.assertEqual(
            [(packet[9][-1], packet[17]) for packet in receiver.received],
            [(1, b"a"), (3, b"a"), (4, b"other")],
        )
        self.assertEqual(receiver.received[0][15], b"OPTIONS")
        self.assertEqual(service.dropped, 0)

    def test_nobody_receives(self) -> None:
        """
        Without a receiver nothing waits, and nothing fails.
        """
        service = self.start("udp")
        self.emit(*(self.of_leg(n, "a") for n in range(200)))
        self.network.advance(1)
        self.assertTrue(service.running)

    def test_stop(self) -> None:
        """
        At the end nobody wants traces any more.
        """
        service = self.start("udp")
        self.assertTrue(self.bus.wants(EventKind.SIP_TRACE))
        self.successResultOf(service.stopService())
        self.assertFalse(self.bus.wants(EventKind.SIP_TRACE))
        self.assertEqual(self.here.udp_ports, {})

    def test_tcp(self) -> None:
        """
        On TCP packets wait until there is a connection; of too many the oldest go, and
        are counted.
        """
        service = self.start("tcp")
        self.network.advance(0.1)
        for first in range(0, 1100, 100):
            self.emit(*(self.of_leg(n, "a") for n in range(first, first + 100)))
            self.network.advance()
        self.assertEqual(service.dropped, 100)
        receivers: list[StreamReceiver] = []

        class Receivers(Factory):
            def buildProtocol(self, addr: IAddress | None) -> StreamReceiver:
                receivers.append(StreamReceiver())
                return receivers[-1]

        self.there.listenTCP(9060, Receivers())
        self.network.advance(60)
        (receiver,) = receivers
        packets = receiver.received.split(b"HEP3")[1:]
        self.assertEqual(len(packets), 1000)
        self.emit(self.of_leg(1, "b"))
        self.assertEqual(len(receiver.received.split(b"HEP3")[1:]), 1001)
        self.assertEqual(service.dropped, 100)


class CorrelationTests(SynchronousTestCase):
    """
    Which legs are of one call.
    """

    def test_bounded(self) -> None:
        """
        Only the last calls are remembered.
        """
        correlation = Correlation(limit=2)
        for number in range(5):
            correlation.learn(f"a{number}", f"call{number}")
            correlation.learn(f"b{number}", f"call{number}")
        self.assertEqual(correlation.of("b4"), "a4")
        self.assertEqual(correlation.of("b1"), "b1")

    def test_nothing_is_made_up(self) -> None:
        """
        A registration, which is of no call, correlates with nothing else.
        """
        correlation = Correlation()
        correlation.learn("a", "")
        correlation.learn("", "call")
        self.assertEqual(correlation.of("a"), "a")
