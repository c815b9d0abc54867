"""
What the tests of the layer share: machines in memory, and peers made of bare bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress
from sipsorcery.sip.request import Request
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.limits import TransportLimits

SERVER, CLIENT = "192.0.2.1", "192.0.2.2"
SERVER6, CLIENT6 = "2001:db8::1", "2001:db8::2"


class Peer(Protocol):
    """
    The other end of a connection: bytes, and no opinion about them.
    """

    def __init__(self) -> None:
        self.data = b""
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        """
        Keep bytes.
        """
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Keep the reason.
        """
        self.lost = reason

    @property
    def pipe(self) -> Any:
        """
        Give the transport.
        """
        return self.transport


class PeerFactory(ClientFactory[Peer]):
    """
    Make peers, on either side.
    """

    noisy = False

    def __init__(self) -> None:
        self.made: list[Peer] = []
        self.failed: Failure | None = None

    def buildProtocol(self, addr: object) -> Peer:
        """
        Make one.
        """
        self.made.append(Peer())
        return self.made[-1]

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        """
        Keep the reason.
        """
        self.failed = reason


class LayerCase(SynchronousTestCase):
    """
    Two machines in one network; layers and bare peers on them as needed.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.server = self.network.machine(SERVER, SERVER6)
        self.client = self.network.machine(CLIENT, CLIENT6)

    def layer(
        self,
        machine: MemoryReactor,
        *listen: str,
        on_request: Callable[[Request, Flow], object] | None = None,
        limits: TransportLimits | None = None,
        tls: TLSSettings | None = None,
        resolve: Any = None,
        follow_maddr: bool = False,
    ) -> tuple[TransportLayer, RecordingConsumer]:
        """
        Start a layer on a machine.
        """
        consumer = RecordingConsumer(on_request)
        settings = TransportSettings(
            tuple(map(ListenAddress.parse, listen)),
            tls or TLSSettings(),
            limits or TransportLimits(),
            follow_maddr,
        )
        layer = TransportLayer(
            machine,
            settings,
            consumer,
            resolve=resolve,
            local_addresses=lambda: machine.addresses,
            source_address=machine.address_towards,
        )
        layer.start()
        return layer, consumer

    def connect(self, host: str = SERVER, port: int = 5060) -> Peer:
        """
        Connect a bare peer from the client's machine.
        """
        factory = PeerFactory()
        self.client.connectTCP(host, port, factory)
        self.network.advance()
        return factory.made[0]

    def listen(self, port: int, host: str = CLIENT) -> PeerFactory:
        """
        Let bare peers accept connections on the client's machine.
        """
        factory = PeerFactory()
        self.client.listenTCP(port, factory, interface=host)
        return factory

    def fired(self, deferred: Deferred[Any]) -> Any:
        """
        Give the result, after what is under way has arrived.
        """
        self.network.advance()
        return self.successResultOf(deferred)

    def failed(self, deferred: Deferred[Any], kind: type[Exception]) -> str:
        """
        Give the sentence of a failure, after what is under way has arrived.
        """
        self.network.advance()
        return str(self.failureResultOf(deferred, kind).value)

    def assert_settled(self, *layers: TransportLayer) -> None:
        """
        Check that nothing is left: no connection, no attempt, no timer.
        """
        for layer in layers:
            table = layer._connections.table
            self.assertEqual((len(table), table.taken), (0, 0))
            self.assertEqual(layer._connections._openings, {})
            self.assertEqual(layer._connections._opening_to, {})
        for machine in (self.server, self.client):
            self.assertEqual(machine.getDelayedCalls(), [])
