"""
What answering OPTIONS over UDP costs, beside echoing datagrams without reading them.

Each server runs in a process of its own; this process keeps a window of requests in
flight and counts the answers. The figure is the server's processor time for each
transaction, so it holds even where the sender, and not the server, is the limit.

* ``echo``: Twisted, our UDP port, ``socket.sendto``, nothing parsed: what Python and
  the kernel take for one datagram in and one out.
* ``layer``: the transport layer: parse, note the source, answer unseen.
* ``proxy``: the proxy service: every mandatory field checked, the answer decided.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.protocol import DatagramProtocol

from sipsorcery import config
from sipsorcery.endpoint import ListenAddress
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.proxy.service import ProxyService
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import Secrets
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.udp import Port

SECONDS = 3.0
WINDOW = 64
ROUNDS = 3

REQUEST = (
    "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKg{id}T;rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f{id}\r\n'
    "To: <sip:100@127.0.0.1>\r\n"
    "Call-ID: {id}@127.0.0.1\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Contact: <sip:gen@127.0.0.1:{port}>\r\n"
    "User-Agent: gen/1.0\r\n"
    "Accept: application/sdp\r\n"
    "Content-Length: 0\r\n\r\n"
)


class Echo(DatagramProtocol):
    """
    Sends back what comes, unread.
    """

    def startProtocol(self) -> None:
        """
        Keep the one function that is needed.
        """
        transport: Any = self.transport
        self.send = transport.socket.sendto

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Send it back.
        """
        self.send(datagram, addr)


class Answer:
    """
    Answers each request without looking at it.
    """

    def __init__(self, reactor: Any) -> None:
        listen = (ListenAddress.parse("udp:127.0.0.1:0"),)
        self.layer = TransportLayer(reactor, TransportSettings(listen), self)
        self.layer.start()

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Answer.
        """
        self.layer.send_response(request.respond(200, to_tag="1"), flow)

    def response_received(self, *_: object) -> None:
        """
        Never happens here; nor do the next three.
        """

    stun_received = parse_failed = flow_closed = response_received


def echo(reactor: Any) -> int:
    """
    Start the echo and return its port.
    """
    port = Port(0, Echo(), "127.0.0.1", 65535, reactor)
    port.startListening()
    return int(port.getHost().port)


def layer(reactor: Any) -> int:
    """
    Start a bare transport layer and return its port.
    """
    return Answer(reactor).layer.listeners[0].local.port


def proxy(reactor: Any) -> int:
    """
    Start the proxy service and return its port.
    """
    folder = tempfile.mkdtemp()
    file = Path(folder, "sipsorcery.toml")
    listen = f"udp:127.0.0.1:{free()}"
    file.write_text(f'server.data_dir = "{folder}"\nproxy.listen = ["{listen}"]\n')
    loaded = config.load(file)
    bus, secrets = LocalBus(reactor), Secrets(Path(folder))
    ProxyService(reactor, loaded, bus=bus, secrets=secrets).startService()
    return loaded.proxy.listen[0].port


SERVERS: dict[str, Callable[[Any], int]] = {
    "echo": echo,
    "layer": layer,
    "proxy": proxy,
}


def free() -> int:
    """
    Find a UDP port that nobody has.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(name: str) -> None:
    """
    Run one server until this process is ended.
    """
    reactor: Any = installed_reactor
    print(SERVERS[name](reactor), flush=True)
    reactor.run()


def processor_time(pid: int) -> float:
    """
    Return the seconds of processor time that a process has used.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, seconds: float) -> int:
    """
    Keep `WINDOW` requests in flight and return how many were answered.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        sender.settimeout(1)
        own = sender.getsockname()[1]
        requests = [
            REQUEST.format(port=own, id=f"{number:012x}").encode()
            for number in range(4096)
        ]
        for request in requests[:WINDOW]:
            sender.send(request)
        answered, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for request in requests:
                sender.recv(65535)
                answered += 1
                sender.send(request)
        for _ in range(WINDOW):
            sender.recv(65535)
        return answered


def measure(name: str) -> tuple[float, float]:
    """
    Return microseconds of the server and transactions a second.
    """
    command = [sys.executable, "-m", "benchmarks.answering", name]
    with Popen(command, stdout=PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        load(port, 0.5)
        before, start = processor_time(server.pid), time.monotonic()
        answered = load(port, SECONDS)
        used = processor_time(server.pid) - before
        elapsed = time.monotonic() - start
        server.terminate()
    return used / answered * 1e6, answered / elapsed


def main() -> None:
    """
    Measure all in turn and print a table of the best rounds.
    """
    best = dict.fromkeys(SERVERS, (float("inf"), 0.0))
    for _ in range(ROUNDS):
        for name in SERVERS:
            best[name] = min(best[name], measure(name))
    print("OPTIONS over UDP: processor time of the server for each transaction")
    for name, (microseconds, rate) in best.items():
        ratio = best["echo"][0] / microseconds
        print(f"  {name:8}{microseconds:8.1f} us  {rate:8.0f}/s  echo x {ratio:.2f}")


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
