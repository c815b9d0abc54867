"""
A NAT for real sockets: what is behind it is seen at another address and port.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Endpoint, Transport

_End = tuple[str, int]


class NAT:
    """
    Let clients send to one server, and nobody but that server to them.

    It is of the kind that gives each client another port, and lets nothing in but from
    where the client has sent to.

    :param server: where everything goes that clients send to `inside`.
    :param address: by which the server knows them.
    """

    def __init__(self, server: Endpoint, address: str) -> None:
        self._server = (server.host, server.port)
        self._address = address
        loop: Any = reactor
        self._loop = loop
        self._mappings: dict[_End, _Mapping] = {}
        self._inside = _Inside(self)
        self._port = self._loop.listenUDP(0, self._inside, "127.0.0.1", 65535)

    @property
    def inside(self) -> Endpoint:
        """
        Give the address that clients send to.
        """
        return Endpoint(Transport.UDP, "127.0.0.1", self._port.getHost().port)

    @property
    def mappings(self) -> list[Endpoint]:
        """
        List how its clients are seen.
        """
        ends = [one.port.getHost() for one in self._mappings.values()]
        return [Endpoint(Transport.UDP, one.host, one.port) for one in ends]

    def stop(self) -> Deferred[Any]:
        """
        Close every socket.
        """
        ports = [self._port, *(one.port for one in self._mappings.values())]
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])

    def outwards(self, datagram: bytes, client: _End) -> None:
        """
        Send what a client has sent.
        """
        mapping = self._mappings.get(client)
        if mapping is None:
            mapping = _Mapping(self, client)
            mapping.port = self._loop.listenUDP(0, mapping, self._address, 65535)
            self._mappings[client] = mapping
        mapping.port.write(datagram, self._server)

    def inwards(self, datagram: bytes, source: _End, client: _End) -> None:
        """
        Let in what the server sends, and nothing else.
        """
        if source == self._server:
            self._port.write(datagram, client)


class _Inside(DatagramProtocol):
    def __init__(self, nat: NAT) -> None:
        self._nat = nat

    def datagramReceived(self, datagram: bytes, addr: _End) -> None:
        self._nat.outwards(datagram, addr)


class _Mapping(DatagramProtocol):
    port: Any

    def __init__(self, nat: NAT, client: _End) -> None:
        self._nat = nat
        self._client = client

    def datagramReceived(self, datagram: bytes, addr: _End) -> None:
        self._nat.inwards(datagram, addr, self._client)
