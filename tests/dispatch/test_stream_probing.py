"""
Tests for `sipsorcery.dispatch.stream_probing`.
"""

from __future__ import annotations

from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import DispatchProbe
from sipsorcery.dispatch.stream_probing import StreamProbe
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.testing.network import MemoryNetwork

HOST = "127.0.0.1"
END = Endpoint.parse(f"tcp:{HOST}:5070")


class Line(Protocol):
    """
    One connection to a server, which answers what comes on it.
    """

    factory: Server

    def connectionMade(self) -> None:
        """
        Note the connection.
        """
        self.factory.lines.append(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Answer.
        """
        request = parse(data)
        assert isinstance(request, Request) and self.transport is not None
        self.factory.requests.append(request)
        if self.factory.answer is not None:
            self.transport.write(self.factory.answer)
        elif request.method != "ACK":
            response = request.respond(self.factory.status, to_tag="x")
            self.transport.write(response.to_bytes())


class Server(Factory):
    """
    A server that is reached over TCP.

    :ivar answer: what it sends in place of an answer.
    """

    noisy = False
    protocol = Line  # type: ignore[assignment]  # its factory is of this class
    status = 200
    answer: bytes | None = None

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.requests: list[Request] = []


class StreamProbeTests(SynchronousTestCase):
    """
    Probes of one server.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.reactor = self.network.machine(HOST)
        self.server = Server()
        self.port = self.reactor.listenTCP(END.port, self.server, interface=HOST)
        self.answers: list[int] = []
        self.refusals = 0
        self.probe = self.make(DispatchProbe.OPTIONS)

    def make(self, kind: DispatchProbe) -> StreamProbe:
        """
        Make a probe that tells this test.
        """
        probe = StreamProbe(self.reactor, END, kind, self)
        self.addCleanup(probe.stop)
        return probe

    def answered(self, endpoint: Endpoint, response: Response) -> None:
        """
        Note an answer.
        """
        self.answers.append(response.status)

    def refused(self, endpoint: Endpoint) -> None:
        """
        Note a refusal.
        """
        self.refusals += 1

    def ask(self) -> None:
        """
        Send a probe, and let it be answered.
        """
        self.probe.ask()
        self.network.advance(0.1)

    def test_answers(self) -> None:
        """
        All questions go over one connection.
        """
        for _ in range(3):
            self.ask()
        self.assertEqual(self.answers, [200, 200, 200])
        self.assertEqual(len(self.server.lines), 1)
        via = self.server.requests[0].get("Via") or ""
        self.assertTrue(via.startswith("SIP/2.0/TCP 127.0.0.1:"), via)
        self.assertTrue(self.probe.is_healthy(Response(200, "OK", [])))

    def test_invite(self) -> None:
        """
        The answer to an INVITE is acknowledged.
        """
        self.server.status = 420
        self.probe = self.make(DispatchProbe.INVITE)
        self.ask()
        self.assertEqual(self.answers, [420])
        methods = [request.method for request in self.server.requests]
        self.assertEqual(methods, ["INVITE", "ACK"])

    def test_refused(self) -> None:
        """
        If nobody listens, that is known at once.
        """
        self.port.stopListening()
        self.ask()
        self.assertEqual((self.answers, self.refusals), ([], 1))

    def test_gone(self) -> None:
        """
        When the server ends, and its connection with it, that is known before the next
        question; if another is there, it is not taken for gone.
        """
        self.ask()
        self.server.lines[0].transport.loseConnection()  # type: ignore[union-attr]  # open
        self.network.advance(0.1)
        self.assertEqual((len(self.server.lines), self.refusals), (2, 0))
        self.port.stopListening()
        self.server.lines[1].transport.loseConnection()  # type: ignore[union-attr]  # open
        self.network.advance(0.1)
        self.assertEqual(self.refusals, 1)

    def test_only_closes(self) -> None:
        """
        Whoever never answers, or not with SIP, is asked no sooner for it.
        """
        self.server.answer = b"HTTP/1.0 400 what\r\n\r\n"
        self.ask()
        self.assertEqual((self.answers, len(self.server.lines)), ([], 1))
        self.ask()
        self.assertEqual(len(self.server.lines), 2)

    def test_stop(self) -> None:
        """
        Nothing comes back after a stop.
        """
        self.ask()
        self.probe.stop()
        self.network.advance(1)
        self.assertEqual((len(self.server.lines), self.refusals), (1, 0))
