"""
STUN with coturn: its server answers our client, our server answers its client.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Transport
from sipsorcery.proxy.stun import answer_stun
from sipsorcery.stun import Address
from sipsorcery.stun.protocol import ClientProtocol, ServerProtocol
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport.flow import Flow
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.sockets import SocketCase
from tests.peers import require

_HOST = "127.0.0.1"
_SERVER = (
    *("--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "-n"),
    *("-L", _HOST, "--log-file", "stdout", "--simple-log"),
)
# More than an answer takes on the slowest machine.
_PATIENCE = 20.0


class AnsweringConsumer(RecordingConsumer):
    """
    Answers STUN on a SIP socket, as the proxy does.
    """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Answer.
        """
        answer_stun(data, flow)


class CoturnServerTests(TestCase):
    """
    Our client.
    """

    timeout = 120

    async def test_discover(self) -> None:
        """
        A server of another make tells us our own address.
        """
        program = require("turnserver", "coturn")
        folder, port = Path(self.mktemp()), free_port()
        folder.mkdir()
        paths = ("--pidfile", "pid", "--db", "users")
        server = Program(folder, program, *_SERVER, "-p", str(port), *paths)
        client = ClientProtocol(IReactorTime(reactor))
        loop: Any = reactor
        socket = loop.listenUDP(0, client, _HOST)
        try:
            await server.listens(Transport.UDP, port)
            found = client.discover(Address(_HOST, port))
            found.addTimeout(_PATIENCE, IReactorTime(reactor))
            self.assertEqual(await found, (_HOST, socket.getHost().port))
        finally:
            await socket.stopListening()
            await server.stop()


class CoturnClientTests(SocketCase):
    """
    Our servers.
    """

    async def ask_by_coturn(self, port: int) -> str:
        """
        Let the client of coturn ask, and give what it says.
        """
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        command = require("turnutils_stunclient", "coturn")
        client = Program(folder, command, "-p", str(port), _HOST)
        ended = client.ended().addTimeout(_PATIENCE, IReactorTime(reactor))
        self.assertEqual(await ended, 0, client.output)
        return client.output

    async def test_own_port(self) -> None:
        """
        A server on a port of its own answers it.
        """
        loop: Any = reactor
        socket = loop.listenUDP(0, ServerProtocol("us"), _HOST)
        try:
            said = await self.ask_by_coturn(socket.getHost().port)
        finally:
            await socket.stopListening()
        self.assertIn(f"UDP reflexive addr: {_HOST}:", said)

    async def test_sip_port(self) -> None:
        """
        So does the port that SIP comes by.
        """
        layer, _ = self.layer(f"udp:{_HOST}:0", consumer=AnsweringConsumer())
        said = await self.ask_by_coturn(layer.listeners[0].local.port)
        self.assertIn(f"UDP reflexive addr: {_HOST}:", said)
        self.assertGreaterEqual(layer.counters.stun, 1)
