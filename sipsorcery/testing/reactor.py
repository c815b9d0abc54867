"""
A reactor without a system below it: sockets in memory, and a clock that tests move.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IConnector,
    IListeningPort,
    IProtocolFactory,
    IReactorUDP,
    IUDPTransport,
)
from twisted.internet.protocol import (
    AbstractDatagramProtocol,
    ConnectedDatagramProtocol,
)
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

if TYPE_CHECKING:
    from sipsorcery.testing.network import MemoryNetwork

# Where a system begins to choose ports for those who ask for port 0.
_EPHEMERAL = 49152


@implementer(IReactorUDP)
class MemoryReactor(MemoryReactorClock):
    """
    Twisted's `MemoryReactorClock`, with UDP, and with TCP where a network links it.

    :param addresses: the IP addresses of the machine it stands for; the first one is
        the source of what it sends.
    :param network: what it is linked to; None: datagrams are recorded, and connections
        are attempted in vain, as with Twisted's own.

    :ivar udp_ports: the open UDP ports, by address and port.
    :ivar tcp_ports: the open TCP ports, likewise.
    """

    def __init__(
        self,
        *addresses: str,
        network: MemoryNetwork | None = None,
    ) -> None:
        super().__init__()
        self.addresses = addresses or ("127.0.0.1",)
        self.network = network
        self.udp_ports: dict[tuple[str, int], MemoryDatagramPort] = {}
        self.tcp_ports: dict[tuple[str, int], MemoryPort] = {}
        self._next_port = _EPHEMERAL

    def listenUDP(
        self,
        port: int,
        protocol: AbstractDatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
    ) -> MemoryDatagramPort:
        """
        Open a UDP port.

        :raises CannotListenError: if another has that address and port.
        """
        end = self._bind(port, interface, self.udp_ports)
        opened = MemoryDatagramPort(self, end, protocol, maxPacketSize)
        self.udp_ports[end] = opened
        protocol.makeConnection(opened)
        return opened

    def listenTCP(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """
        Open a TCP port.

        :raises CannotListenError: if another has that address and port.
        """
        super().listenTCP(port, factory, backlog, interface)
        end = self._bind(port, interface, self.tcp_ports)
        opened = self.tcp_ports[end] = MemoryPort(
            address("TCP", *end), factory, lambda: self.tcp_ports.pop(end)
        )
        factory.doStart()
        return opened

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> IConnector:
        """
        Connect to a port in the network; without a network, record the attempt.
        """
        if self.network is None:
            connector: IConnector = super().connectTCP(
                host, port, factory, timeout, bindAddress
            )
            return connector
        source = bindAddress[0] if bindAddress else self.address_towards(host)
        end = (source, self.choose_port(self.tcp_ports))
        return self.network.connect(self, end, (host, port), factory, timeout)

    def address_towards(self, host: str) -> str:
        """
        Give the address that packets to *host* come from.
        """
        same = [one for one in self.addresses if (":" in one) == (":" in host)]
        return host if host in same else (same or list(self.addresses))[0]

    def choose_port(self, taken: Any) -> int:
        """
        Choose a port that nobody has had so far.
        """
        self._next_port += 1
        return self._next_port

    def _bind(self, port: int, interface: str, taken: Any) -> tuple[str, int]:
        host = interface or "0.0.0.0"
        end = (host, port or self.choose_port(taken))
        if end in taken:
            raise CannotListenError(host, port, OSError(98, "Address already in use"))
        return end


@implementer(IListeningPort)
class MemoryPort:
    """
    A TCP port that listens in memory.
    """

    def __init__(
        self,
        where: IPv4Address | IPv6Address,
        factory: IProtocolFactory,
        forget: Callable[[], object],
    ) -> None:
        self.factory = factory
        self._where = where
        self._forget: Callable[[], object] | None = forget

    def startListening(self) -> None:
        """
        Do nothing: it listens from the start.
        """

    def stopListening(self) -> Deferred[None]:
        """
        Close the port; a second time does nothing.
        """
        if self._forget is not None:
            self._forget()
            self._forget = None
            self.factory.doStop()
        return succeed(None)

    def getHost(self) -> IPv4Address | IPv6Address:
        """
        Give the address.
        """
        return self._where


@implementer(IListeningPort, IUDPTransport)
class MemoryDatagramPort:
    """
    A UDP port in memory.

    :ivar sent: the datagrams that were written and not taken away, each with its
        destination.
    """

    def __init__(
        self,
        reactor: MemoryReactor,
        end: tuple[str, int],
        protocol: AbstractDatagramProtocol,
        max_size: int,
    ) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self._reactor = reactor
        self._end = end
        self._protocol = protocol
        self._max_size = max_size
        self._peer: tuple[str, int] | None = None  # of a connected port

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """
        Send a datagram: record it, or hand it to the network.
        """
        addr = addr or self._peer
        assert addr is not None
        network = self._reactor.network
        if network is None:
            self.sent.append((packet, addr))
        else:
            host = self._end[0]
            if host in ("0.0.0.0", "::"):
                host = self._reactor.address_towards(addr[0])
            network.send(packet, (host, self._end[1]), addr)

    def deliver(self, datagram: bytes, source: tuple[str, int]) -> None:
        """
        Let a datagram arrive; one that is too long is cut, as the system does.

        A connected port hears its peer alone.
        """
        if self._peer in (None, source):
            self._protocol.datagramReceived(datagram[: self._max_size], source)

    def refuse(self) -> None:
        """
        Let it hear that nobody was there, which only a connected port does.
        """
        if self._peer is not None:
            assert isinstance(self._protocol, ConnectedDatagramProtocol)
            self._protocol.connectionRefused()

    def stopListening(self) -> Deferred[None]:
        """
        Close the port; a second time does nothing.
        """
        if self._reactor.udp_ports.pop(self._end, None) is not None:
            self._protocol.doStop()
        return succeed(None)

    def getHost(self) -> IPv4Address | IPv6Address:
        """
        Give the address.
        """
        return address("UDP", *self._end)

    def connect(self, host: str, port: int) -> None:
        """
        Speak with one end alone.
        """
        self._peer = host, port

    # The rest of the interfaces, for which SIP has no use.

    def startListening(self) -> None:
        """
        Do nothing: it listens from the start.
        """

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """
        Refuse: there is no broadcast here.
        """
        raise NotImplementedError

    def getBroadcastAllowed(self) -> bool:
        """
        Say no.
        """
        return False


def address(kind: str, host: str, port: int) -> IPv4Address | IPv6Address:
    """
    Make the address object that Twisted has for a host and a port.
    """
    of_family = IPv6Address if isIPv6Address(host) else IPv4Address
    return of_family(kind, host, port)  # type: ignore[arg-type]  # "TCP" or "UDP"
