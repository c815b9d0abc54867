"""
The sockets that listen: opened all together, and chosen from to send.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.internet.protocol import Protocol, ServerFactory

from sipsorcery.endpoint import Endpoint, ListenAddress, Transport
from sipsorcery.sip.via import Via
from sipsorcery.transport import local
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import ListenError, TransportError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.udp import DatagramFlow, UDPChannel, listen_udp
from sipsorcery.transport.watch import Watch

# Connections that the system may complete before we accept them. Twisted's 50 are few
# for phones that all come back at once.
_BACKLOG = 511


class Accepting(ServerFactory):
    """
    Make connections of those who come to one listener, as long as there is room.

    :param accept: makes the connection for a remote host, or None to turn it away
        before anything is read or written.
    """

    noisy = False
    listener: Listener

    def __init__(self, accept: Callable[[str, Listener], Protocol | None]) -> None:
        self._accept = accept

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """
        Answer Twisted.
        """
        host: str = addr.host  # type: ignore[union-attr]  # TCP has no other address
        return self._accept(host, self.listener)


class Listeners:
    """
    Open the listening sockets of one layer, and know which leads where.

    :param received: is given each datagram and its flow.
    :param accept: makes a connection for a remote host and a listener, or None.
    :param secure: puts TLS around a factory.
    """

    def __init__(
        self,
        reactor: Any,
        counters: Counters,
        watch: Watch,
        *,
        received: Callable[[bytes, DatagramFlow], None],
        accept: Callable[[str, Listener], Protocol | None],
        secure: Callable[[IProtocolFactory], IProtocolFactory],
        local_addresses: Callable[[], Sequence[str]],
        source_address: Callable[[str], str | None],
    ) -> None:
        self._reactor = reactor
        self._counters = counters
        self._watch = watch
        self._received = received
        self._accept = accept
        self._secure = secure
        self._local_addresses = local_addresses
        self._source_address = source_address
        self._ports: list[IListeningPort] = []
        self._listeners: list[Listener] = []
        self._channels: dict[Listener, UDPChannel] = {}
        self._own: set[tuple[str, int]] = set()

    @property
    def all(self) -> tuple[Listener, ...]:
        """
        List the open listeners, in the order of the configuration.
        """
        return tuple(self._listeners)

    def open(self, addresses: Sequence[ListenAddress]) -> None:
        """
        Open every listener, or none.

        :raises ListenError: naming the first that cannot be.
        """
        try:
            for one in self._expanded(addresses):
                self._open(one)
        except ListenError:
            self.close()
            raise

    def close(self) -> Deferred[Any]:
        """
        Close every listener.

        :return: fires when all are closed.
        """
        ports, self._ports = self._ports, []
        self._listeners.clear()
        self._channels.clear()
        self._own.clear()
        return DeferredList([maybeDeferred(port.stopListening) for port in ports])

    def find(
        self, transport: Transport, remote: str, source: Endpoint | None = None
    ) -> Listener | None:
        """
        Choose the listener that requests to *remote* should name as ours.

        :param remote: the IP address that they go to.
        :param source: our own end, if it has been chosen already.
        :return: None if none listens on that transport and family, or at *source*.
        """
        ipv6 = ":" in remote
        fit = [
            one
            for one in self._listeners
            if one.local.transport is transport and one.local.is_ipv6 == ipv6
        ]
        if source is not None:
            fit = [one for one in fit if one.local == source]
        if len(fit) > 1:
            address = self._source_address(remote)
            fit = [one for one in fit if one.local.host == address] or fit
        return fit[0] if fit else None

    def datagram_flow(
        self, remote: Endpoint, source: Endpoint | None = None
    ) -> DatagramFlow:
        """
        Make the flow for a datagram that is no answer.

        :raises TransportError: if no socket leads there.
        """
        listener = self.find(Transport.UDP, remote.host, source)
        if listener is None:
            where = f"no UDP socket leads to {remote}"
            raise TransportError(f"{where} from {source}" if source else where)
        return DatagramFlow(self._channels[listener], (remote.host, remote.port))

    def is_own(self, via: Via) -> bool:
        """
        Tell whether the sent-by of a Via is one of ours.
        """
        port = via.port or _default_port(via)
        return (via.address.lower(), port) in self._own

    def _expanded(self, addresses: Sequence[ListenAddress]) -> list[ListenAddress]:
        here = self._local_addresses() if any(a.is_wildcard for a in addresses) else ()
        expanded = []
        for one in addresses:
            stands_for = local.expand(one, here)
            if not stands_for:
                raise ListenError(f"{one}: no interface has such an address")
            expanded += stands_for
        return expanded

    def _open(self, configured: ListenAddress) -> None:
        try:
            if configured.transport is Transport.UDP:
                port, listener = self._open_datagram(configured)
            else:
                port, listener = self._open_stream(configured)
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", error.socketError)
            raise ListenError(
                f"cannot listen on {configured.endpoint}: {reason}"
            ) from error
        self._ports.append(port)
        self._listeners.append(listener)
        sent_by = listener.sent_by
        self._own.add((sent_by.host.lower(), sent_by.port))
        self._own.add((listener.local.host, listener.local.port))

    def _open_datagram(
        self, configured: ListenAddress
    ) -> tuple[IListeningPort, Listener]:
        channel = UDPChannel(configured, self._received, self._counters, self._watch)
        port = listen_udp(self._reactor, channel, configured.host, configured.port)
        self._channels[channel.listener] = channel
        return port, channel.listener

    def _open_stream(
        self, configured: ListenAddress
    ) -> tuple[IListeningPort, Listener]:
        accepting = Accepting(self._accept)
        factory: IProtocolFactory = accepting
        if configured.transport is Transport.TLS:
            factory = self._secure(accepting)
        elif configured.transport is not Transport.TCP:
            # A WebSocket joins here.
            raise ListenError(f"{configured}: there is no such channel yet")
        port: IListeningPort = self._reactor.listenTCP(
            configured.port, factory, _BACKLOG, configured.host
        )
        bound: Any = port.getHost()
        end = Endpoint(configured.transport, bound.host, bound.port)
        accepting.listener = Listener(configured, end)
        return port, accepting.listener


def _default_port(via: Via) -> int:
    try:
        return Transport(via.transport.lower()).default_port
    except ValueError:
        return Transport.UDP.default_port
