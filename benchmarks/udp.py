"""
What a datagram costs in and out: our UDP port and channel, beside Twisted's own port.

Each server echoes and parses nothing.

* ``twisted``: ``reactor.listenUDP``, with room for whole datagrams; it answers through
  ``transport.write``.
* ``sendto``: the same, but it answers through ``socket.sendto``.
* ``drain``: our port, which reads up to 64 datagrams a wake-up; ``transport.write``.
* ``port``: our port; ``socket.sendto``.
* ``one``: our port, but it reads one datagram a wake-up; ``socket.sendto``.
* ``channel``: our port and our channel, which answers on the flow, as the layer does.

Most of what there is to gain is in ``socket.sendto``: a quarter. Twisted's own port
drains, too, by bytes instead of datagrams.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from benchmarks._measuring import run
from benchmarks.answering import Echo
from sipsorcery.endpoint import ListenAddress
from sipsorcery.transport import udp
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.limits import MAX_DATAGRAM
from sipsorcery.transport.udp import DatagramFlow, Port, UDPChannel, listen_udp

HOST = "127.0.0.1"


class Writing(DatagramProtocol):
    """
    Sends back what comes, by way of the transport.
    """

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Send it back.
        """
        assert self.transport is not None
        self.transport.write(datagram, addr)


def of_twisted(protocol: DatagramProtocol) -> Callable[[Any], Any]:
    """
    Make a server of Twisted's port.
    """
    return lambda reactor: reactor.listenUDP(0, protocol, HOST, MAX_DATAGRAM)


def of_ours(protocol: DatagramProtocol, drain: int = udp.DRAIN) -> Callable[[Any], Any]:
    """
    Make a server of our port.
    """

    def start(reactor: Any) -> Port:
        udp.DRAIN = drain
        port = Port(0, protocol, HOST, MAX_DATAGRAM, reactor)
        port.startListening()
        return port

    return start


def channel(reactor: Any) -> Any:
    """
    Start our channel, which echoes on the flow.
    """

    def received(data: bytes, flow: DatagramFlow) -> None:
        flow.send(data)

    listen = ListenAddress.parse(f"udp:{HOST}:0")
    return listen_udp(reactor, UDPChannel(listen, received, Counters()), HOST, 0)


def port_of(start: Callable[[Any], Any]) -> Callable[[Any], int]:
    """
    Make what gives the number of the port that *start* opens.
    """
    return lambda reactor: int(start(reactor).getHost().port)


SERVERS: dict[str, Callable[[Any], Any]] = {
    "twisted": of_twisted(Writing()),
    "sendto": of_twisted(Echo()),
    "drain": of_ours(Writing()),
    "port": of_ours(Echo()),
    "one": of_ours(Echo(), drain=1),
    "channel": channel,
}


if __name__ == "__main__":
    run(
        "UDP echo: processor time of the server for a datagram in and out",
        "benchmarks.udp",
        {name: port_of(start) for name, start in SERVERS.items()},
        "twisted",
    )
