"""
The UDP channel: one socket, and a flow for each address that speaks to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509
from twisted.internet import error, udp
from twisted.internet.interfaces import IListeningPort, IReactorUDP
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint, ListenAddress, Transport
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.limits import MAX_DATAGRAM
from sipsorcery.transport.watch import Watch

#: Datagrams read in one go before the rest of the reactor has its turn. More gains
#: nothing measurable; one at a time costs three quarters more (benchmarks/udp.py).
DRAIN = 64
# Flows that a channel remembers: those of a few thousand phones, or of as many proxies
# as anybody has. Each takes 300 bytes, all of them 1.2 MB.
_FLOWS = 4096


class Port(udp.Port):
    """
    A UDP port that reads what waits, up to `DRAIN` datagrams, at each wake-up.

    It leaves out what Twisted's own does for each datagram and a SIP socket has no use
    for: the count of bytes, the logging context. Nor does it log that it starts, for
    whoever has it opened says where it listens.
    """

    def startListening(self) -> None:
        """
        Bind the socket and begin to read.

        :raises CannotListenError: if the address is taken or not ours.
        """
        opened = self.createInternetSocket()
        try:
            opened.bind((self.interface, self.port))
        except OSError as reason:
            opened.close()
            raise error.CannotListenError(self.interface, self.port, reason) from reason
        self._realPortNumber = opened.getsockname()[1]
        self.connected = True
        self.socket = opened
        self.fileno = opened.fileno  # type: ignore[method-assign]  # it is deleted later
        self._connectToProtocol()

    def doRead(self) -> None:
        """
        Read and deliver.
        """
        receive = self.socket.recvfrom
        deliver = self.protocol.datagramReceived
        for _ in range(DRAIN):
            try:
                data, address = receive(MAX_DATAGRAM)
            except OSError:
                # Nothing more waits; or the kernel reports an ICMP error that some
                # datagram caused, which is for whoever waits for its answer to find.
                return
            deliver(data, address[:2])


class DatagramFlow:
    """
    The flow between one of our UDP sockets and a remote address.

    Two of them are equal if they would send from and to the same addresses.

    :ivar memo: whatever the consumer remembers of the peer, as long as the channel
        remembers the flow.
    """

    __slots__ = ("address", "channel", "memo")

    number = 0
    is_open = True
    takes_answers = True
    certificate: x509.Certificate | None = None
    identities: tuple[str, ...] = ()

    def __init__(self, channel: UDPChannel, address: tuple[str, int]) -> None:
        self.channel = channel
        self.address = address
        self.memo: object = None

    @property
    def listener(self) -> Listener:
        """
        Give the listener of the socket.
        """
        return self.channel.listener

    @property
    def local(self) -> Endpoint:
        """
        Give our end.
        """
        return self.channel.listener.local

    @property
    def remote(self) -> Endpoint:
        """
        Give the peer's end.
        """
        return Endpoint(Transport.UDP, *self.address)

    def send(self, data: bytes) -> None:
        """
        Send one message in one datagram.

        :raises TransportError: if the system refuses it, such as for its length.
        """
        self.channel.send(data, self.address)

    def hold(self) -> None:
        """
        Do nothing: there is no connection that could close.
        """

    def release(self) -> None:
        """
        Do nothing, as `hold` did.
        """

    def close(self, reason: str) -> None:
        """
        Do nothing, likewise.
        """

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DatagramFlow):
            return NotImplemented
        return self.channel is other.channel and self.address == other.address

    def __hash__(self) -> int:
        return hash((id(self.channel), self.address))

    def __repr__(self) -> str:
        return f"<DatagramFlow {self.local} to {self.remote}>"


class UDPChannel(DatagramProtocol):
    """
    One listening UDP socket.

    :param received: is given each datagram and its flow.
    """

    noisy = False
    listener: Listener
    _log = Logger()

    def __init__(
        self,
        configured: ListenAddress,
        received: Callable[[bytes, DatagramFlow], None],
        counters: Counters,
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch or Watch()
        self._configured = configured
        self._received = received
        self._counters = counters
        self._flows: dict[tuple[str, int], DatagramFlow] = {}
        self._send_to: Callable[[bytes, tuple[str, int]], object] = _closed

    def startProtocol(self) -> None:
        """
        Learn the address and how to send.
        """
        transport: Any = self.transport
        host = transport.getHost()
        local = Endpoint(Transport.UDP, host.host, host.port)
        self.listener = Listener(self._configured, local)
        # transport.write checks both addresses again for each datagram: a quarter of
        # the time of one in and one out (see benchmarks/udp.py).
        own = isinstance(transport, Port)
        self._send_to = transport.socket.sendto if own else transport.write

    def stopProtocol(self) -> None:
        """
        Refuse to send from now on.
        """
        self._send_to = _closed

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Hand a datagram on with its flow. Whatever it causes ends here.
        """
        try:
            self._received(datagram, self._flows.get(addr) or self._flow(addr))
        except Exception:
            self._counters.consumer_failures += 1
            self._log.failure("A datagram from {peer} failed", peer=addr)

    def _flow(self, address: tuple[str, int]) -> DatagramFlow:
        """
        Make a flow and remember it.

        Most of what is held is held with its flow, and much of it comes from the same
        few peers. Whoever forges many addresses only makes us start anew.
        """
        if len(self._flows) >= _FLOWS:
            self._flows.clear()
        flow = self._flows[address] = DatagramFlow(self, address)
        return flow

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """
        Send one datagram.

        :param address: a numeric IP address and a port.
        :raises TransportError: if the system refuses it.
        """
        try:
            self._send_to(data, address)
        except BlockingIOError:
            # The socket's buffer is full. To SIP that is a datagram lost on the way:
            # whoever minds repeats it.
            self._counters.dropped += 1
        except ConnectionRefusedError:
            # Some systems tell an unconnected socket of the ICMP error that an earlier
            # datagram, to whomever, caused.
            self._counters.dropped += 1
        except (OSError, error.MessageLengthError, error.InvalidAddressError) as e:
            self._counters.send_failures += 1
            to = Endpoint(Transport.UDP, *address)
            raise TransportError(
                f"cannot send {len(data)} bytes to {to}: {_reason(e)}"
            ) from e
        else:
            self._counters.sent += 1
            if self._watch.trace is not None:
                self._watch.trace(data, DatagramFlow(self, address), False)


def listen_udp(
    reactor: IReactorUDP, channel: UDPChannel, host: str, port: int
) -> IListeningPort:
    """
    Bind a socket and begin to read it.

    A reactor that has no file descriptors to watch (a double of the tests, or that of
    Windows) opens a port of its own.

    :raises CannotListenError: if the address is taken or not ours.
    """
    if isinstance(reactor, PosixReactorBase):
        own = Port(port, channel, host, MAX_DATAGRAM, reactor)
        own.startListening()
        return own
    return reactor.listenUDP(port, channel, host, MAX_DATAGRAM)


def _closed(data: bytes, address: tuple[str, int]) -> object:
    raise TransportError("the socket is closed")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
