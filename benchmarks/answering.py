"""
What answering OPTIONS over UDP costs, beside echoing datagrams without reading them.

* ``echo``: Twisted, our UDP port, ``socket.sendto``, nothing parsed: what Python and
  the kernel take for one datagram in and one out.
* ``layer``: the transport layer: parse, note the source, answer unseen.
* ``proxy``: the proxy service: every mandatory field checked, the answer decided.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from benchmarks._measuring import free_port, run
from sipsorcery import config
from sipsorcery.endpoint import ListenAddress
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.proxy.service import ProxyService
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import Secrets
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.udp import Port


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
    listen = f"udp:127.0.0.1:{free_port()}"
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


if __name__ == "__main__":
    run(
        "OPTIONS over UDP: processor time of the server for each transaction",
        "benchmarks.answering",
        SERVERS,
        "echo",
    )
