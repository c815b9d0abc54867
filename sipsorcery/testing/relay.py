"""
A bad network for real sockets.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Endpoint, Transport

_End = tuple[str, int]


class LossyRelay:
    """
    Relay datagrams between any number of clients and one server, and lose some.

    On Linux, where there is all of 127.0.0.0/8, nothing but the server is to be named::

        relay = LossyRelay(reactor, server, loss=0.03, seed=1)
        relay.start()
        ...  # let clients send to relay.endpoint
        await relay.stop()

    The server sees each client at an address of the relay, with the client's own port:
    so answers come back through the relay whether they are sent to where the request
    came from, or to the port that the Via names, as to a client that does not ask for
    `rport` (:rfc:`3581`).

    :param reactor: one that has UDP.
    :param server: the UDP endpoint to relay to.
    :param loss: the part of the datagrams that gets lost, in each direction.
    :param seed: of the random numbers; the same one loses the same datagrams, as far as
        they come in the same order.
    :param host: the address that clients send to.
    :param inner_host: the address that the server is to see; another one, so that the
        ports of the clients are free there.

    :ivar passed: the number of datagrams that were relayed.
    :ivar lost: the number of those that were not.
    """

    def __init__(
        self,
        reactor: Any,
        server: Endpoint,
        *,
        loss: float,
        seed: int,
        host: str = "127.0.0.1",
        inner_host: str = "127.0.0.2",
    ) -> None:
        self.passed = 0
        self.lost = 0
        self._reactor = reactor
        self._server = (server.host, server.port)
        self._loss = loss
        self._random = random.Random(seed)
        self._host = host
        self._inner_host = inner_host
        self._outside = _Side(self._to_server)
        self._port: IListeningPort | None = None
        self._inside: dict[_End, _Side] = {}  # by the address of the client

    def start(self) -> None:
        """
        Open the socket for the clients, on a port of its own.
        """
        self._port = self._reactor.listenUDP(0, self._outside, self._host, 65535)

    async def stop(self) -> None:
        """
        Close every socket.
        """
        sides = [self._outside, *self._inside.values()]
        self._inside.clear()
        await gatherResults([side.close() for side in sides])

    @property
    def endpoint(self) -> Endpoint:
        """
        The address for clients to send to.
        """
        assert self._port is not None, "the relay has not been started"
        host: Any = self._port.getHost()
        return Endpoint(Transport.UDP, host.host, host.port)

    def _to_server(self, data: bytes, client: _End) -> None:
        if self._loses():
            return
        side = self._inside.get(client)
        if side is None:
            side = _Side(lambda data, _: self._to_client(data, client))
            self._inside[client] = side
            self._reactor.listenUDP(client[1], side, self._inner_host, 65535)
        side.send(data, self._server)

    def _to_client(self, data: bytes, client: _End) -> None:
        if not self._loses():
            self._outside.send(data, client)

    def _loses(self) -> bool:
        if self._random.random() < self._loss:
            self.lost += 1
            return True
        self.passed += 1
        return False


class _Side(DatagramProtocol):
    """
    One socket.

    :param received: is given each datagram and where it came from.
    """

    noisy = False

    def __init__(self, received: Callable[[bytes, _End], object]) -> None:
        self._received = received

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Pass a datagram on.
        """
        self._received(datagram, addr[:2])

    def send(self, data: bytes, end: _End) -> None:
        """
        Send a datagram.
        """
        transport: Any = self.transport
        transport.write(data, end)

    def close(self) -> Deferred[None]:
        """
        Close the socket.
        """
        transport: Any = self.transport
        closed: Deferred[None] = transport.stopListening()
        return closed
