"""
What a datagram costs in and out: our UDP port and channel, beside Twisted's own port.

Each server echoes in a process of its own and parses nothing; see `answering` for how
its processor time is measured.

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

import sys
from collections.abc import Callable
from subprocess import PIPE, Popen
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.protocol import DatagramProtocol

from benchmarks.answering import ROUNDS, SECONDS, Echo, load, processor_time
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


SERVERS: dict[str, Callable[[Any], Any]] = {
    "twisted": of_twisted(Writing()),
    "sendto": of_twisted(Echo()),
    "drain": of_ours(Writing()),
    "port": of_ours(Echo()),
    "one": of_ours(Echo(), drain=1),
    "channel": channel,
}


def serve(name: str) -> None:
    """
    Run one server until this process is ended.
    """
    reactor: Any = installed_reactor
    print(SERVERS[name](reactor).getHost().port, flush=True)
    reactor.run()


def measure(name: str) -> tuple[float, float]:
    """
    Return microseconds of the server for a datagram in and out, and how many a second.
    """
    command = [sys.executable, "-m", "benchmarks.udp", name]
    with Popen(command, stdout=PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        load(port, 0.5)
        before = processor_time(server.pid)
        answered = load(port, SECONDS)
        used = processor_time(server.pid) - before
        server.terminate()
    return used / answered * 1e6, answered / SECONDS


def main() -> None:
    """
    Measure all in turn and print a table of the best rounds.
    """
    best = dict.fromkeys(SERVERS, (float("inf"), 0.0))
    for _ in range(ROUNDS):
        for name in SERVERS:
            best[name] = min(best[name], measure(name))
    print("UDP echo: processor time of the server for a datagram in and out")
    for name, (microseconds, rate) in best.items():
        ratio = best["twisted"][0] / microseconds
        print(f"  {name:8}{microseconds:8.1f} us  {rate:8.0f}/s  twisted x {ratio:.2f}")


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
