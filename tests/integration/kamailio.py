"""
Kamailio: a stateful proxy in the path of every call.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Endpoint, Transport
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.peers import require

_HOST = "127.0.0.1"
_CONFIG = Path(__file__).with_name("kamailio") / "proxy.cfg"
# What it writes of each request: the method, and what tells it from all others.
_RELAYS = re.compile(r"relays (\w+) (\d+ of \S+ in \S+)")
_PROOFS = re.compile(r"proof for (\w+) (\d+ of \S+ in \S+)")
# More than any command takes on the slowest machine.
_PATIENCE = 30.0
# Megabytes, for all processes and for each: a few calls need no more.
_MEMORY = ("-m", "32", "-M", "4")
_TTL = 3600


class Kamailio:
    """
    One proxy, over UDP and TCP.

    :param folder: where it runs; it must exist.
    :param upstream: the URI that it sends those calls to that have no Route.
    :param realm: where it is a provider: what its customer 42, whose password is
        "secret", has to prove who it is for.
    """

    def __init__(self, folder: Path, upstream: str, realm: str | None = None) -> None:
        # Here it has UDP and TCP; on the next port it takes commands.
        self._port = free_port(row=2)
        self._commands = _Commands(self._port + 1)
        folder = folder.absolute()
        self.program = Program(
            folder,
            require("kamailio", "kamailio"),
            *("-DD", "-E", "-f", str(_CONFIG), "-w", str(folder), "-Y", str(folder)),
            *("-l", f"udp:{_HOST}:{self._port}", "-l", f"tcp:{_HOST}:{self._port}"),
            *("-A", f'COMMANDS="udp:{_HOST}:{self._port + 1}"'),
            *("-A", f'UPSTREAM="{upstream}"'),
            *(() if realm is None else ("-A", f'REALM="{realm}"')),
            *_MEMORY,
        )

    async def ready(self) -> None:
        """
        Wait until it takes requests and commands.
        """
        await self.program.listens(Transport.UDP, self._port + 1)
        self._commands.open()
        try:
            await self._commands.give("core.version")
        except TimeoutError as error:
            raise AssertionError(self.program.last) from error

    def end(self, transport: Transport) -> Endpoint:
        """
        Give the place where it listens.
        """
        return Endpoint(transport, _HOST, self._port)

    async def add_srv(self, name: str, *targets: Endpoint) -> None:
        """
        Let it know a domain's servers, the preferred one first.
        """
        for number, one in enumerate(targets):
            owner, host = f"_sip._{one.transport.value}.{name}", f"s{number}.{name}"
            await self._commands.give(
                "dns.add_srv", owner, _TTL, number, 1, one.port, host, 0
            )
            await self._commands.give("dns.add_a", host, _TTL, one.host, 0)

    @property
    def relayed(self) -> Counter[str]:
        """
        Count the requests that it has relayed, by method; repeated ones count once.
        """
        return self._count(_RELAYS)

    @property
    def proofs(self) -> Counter[str]:
        """
        Count the requests with credentials that have come to it as a provider.
        """
        return self._count(_PROOFS)

    async def stop(self) -> None:
        """
        End it.
        """
        await self._commands.close()
        await self.program.stop()

    def _count(self, pattern: re.Pattern[str]) -> Counter[str]:
        every = set(pattern.findall(self.program.output))
        return Counter(method for method, _ in every)


class _Commands(DatagramProtocol):
    """
    The socket of its module jsonrpcs: one JSON-RPC request a datagram.
    """

    def __init__(self, port: int) -> None:
        self._server = (_HOST, port)
        self._replies: dict[int, Deferred[dict[str, Any]]] = {}
        self._number = 0
        self._port: Any = None

    def open(self) -> None:
        """
        Take a port of our own.
        """
        loop: Any = reactor
        self._port = loop.listenUDP(0, self, _HOST)

    async def close(self) -> None:
        """
        Give the port back.
        """
        if self._port is not None:
            await self._port.stopListening()

    async def give(self, method: str, *parameters: str | int) -> None:
        """
        Give a command and wait until it has been carried out.
        """
        self._number += 1
        reply: Deferred[dict[str, Any]] = Deferred()
        self._replies[self._number] = reply
        request = {
            "jsonrpc": "2.0",
            "method": method,
            "params": parameters,
            "id": self._number,
        }
        self._port.write(json.dumps(request).encode(), self._server)
        answer = await reply.addTimeout(_PATIENCE, IReactorTime(reactor))
        assert "result" in answer, f"kamailio does not {method}: {answer}"

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Take a reply.
        """
        answer = json.loads(datagram)
        self._replies.pop(answer["id"]).callback(answer)
