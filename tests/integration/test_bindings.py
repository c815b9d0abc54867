"""
Bindings through a whole server: NATs are kept open, and connections end them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorTime, IReactorUDP
from twisted.internet.protocol import DatagramProtocol, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Transport
from sipsorcery.sip import parse
from sipsorcery.sip.digest import DigestClient, Secret
from sipsorcery.sip.fields import WWW_AUTHENTICATE
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.bindings import BINDINGS, Bindings
from sipsorcery.tap.stores import WritableStores
from tests.integration.server import DOMAIN, PASSWORD, Server

# More than anything takes on the slowest machine.
_PATIENCE = 20.0


class Phone:
    """
    The phone 101, as far as it goes without its socket.

    :ivar inbox: what came.
    """

    def __init__(self, transport: str, send: Callable[[bytes], object]) -> None:
        self.inbox: list[Request | Response] = []
        self._digest = DigestClient(lambda realm: Secret("101", PASSWORD))
        self._transport = transport
        self._send = send
        self._attempt = self._digest.attempt("REGISTER", f"sip:{DOMAIN}")
        self._cseq = 0

    def register(self) -> None:
        """
        Send a REGISTER, with a contact that only a NAT's inside knows.
        """
        self._cseq += 1
        via = (
            f"SIP/2.0/{self._transport} 10.0.0.5:4444;rport;branch=z9hG4bK{self._cseq}"
        )
        request = Request(
            "REGISTER",
            f"sip:{DOMAIN}",
            [
                ("Via", via),
                ("Max-Forwards", "70"),
                ("From", f"<sip:101@{DOMAIN}>;tag=1"),
                ("To", f"<sip:101@{DOMAIN}>"),
                ("Call-ID", "nat"),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", "<sip:101@10.0.0.5:4444>"),
                *self._attempt.authorize(),
                ("Content-Length", "0"),
            ],
        )
        self._send(request.to_bytes())

    def receive(self, data: bytes) -> None:
        """
        Take a message, and answer a challenge.
        """
        message = parse(data)
        if isinstance(message, Response) and message.status == 401:
            self._attempt.challenged(message.all(WWW_AUTHENTICATE))
            self.register()
            return
        self.inbox.append(message)


class _Datagrams(DatagramProtocol):
    phone: Phone
    transport: Any

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        self.phone.receive(datagram)


class _Stream(Protocol):
    phone: Phone

    def dataReceived(self, data: bytes) -> None:
        # The answers to a phone that has one request under way come one by one.
        self.phone.receive(data)


class BindingTests(TestCase):
    """
    A server whose NAT keep-alives come every second.
    """

    timeout = 60

    async def start(self) -> Server:
        """
        Start the server.
        """
        folder = Path(self.mktemp())
        server = Server(folder, "[registrar]\nkeep_alive = 1")
        await server.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return server

    async def test_keep_alive(self) -> None:
        """
        A phone behind a NAT hears an OPTIONS now and then, from the very socket of the
        proxy that it has registered at, and its binding stays whatever it answers.
        """
        server = await self.start()
        protocol = _Datagrams()
        port = IReactorUDP(reactor).listenUDP(0, protocol, "127.0.0.1", 65535)
        self.addCleanup(port.stopListening)
        # A connected socket hears nothing from anywhere else, as a NAT would have it.
        protocol.transport.connect("127.0.0.1", server.port)
        protocol.phone = Phone("UDP", protocol.transport.write)
        protocol.phone.register()
        inbox = protocol.phone.inbox
        await until(lambda: len(inbox) >= 3)
        registered, *pings = inbox
        assert isinstance(registered, Response)
        self.assertEqual(registered.status, 200)
        for ping in pings:
            assert isinstance(ping, Request)
            self.assertEqual(ping.method, "OPTIONS")
            self.assertEqual(ping.request_uri, "sip:101@10.0.0.5:4444")
            self.assertNotIn("Route", ping)
            protocol.transport.write(ping.respond(486, to_tag="1").to_bytes())
        self.assertEqual(len(await bindings(server)), 1)

    async def test_connection_closes(self) -> None:
        """
        A binding over TCP goes when its connection does, and not before.
        """
        server = await self.start()
        protocol = _Stream()
        end = server.end(Transport.TCP)
        endpoint = HostnameEndpoint(reactor, end.host, end.port)
        await connectProtocol(endpoint, protocol)
        assert protocol.transport is not None
        protocol.phone = Phone("TCP", protocol.transport.write)
        protocol.phone.register()
        await until(lambda: bool(protocol.phone.inbox))
        self.assertEqual(len(await bindings(server)), 1)
        protocol.transport.loseConnection()
        found = Bindings()
        for _ in range(100):
            found = await bindings(server)
            if not found:
                break
            await deferLater(IReactorTime(reactor), _PATIENCE / 100)
        self.assertEqual(len(found), 0)


async def until(condition: Callable[[], bool]) -> None:
    """
    Wait until something has come about.
    """
    for _ in range(1000):
        if condition():
            return
        await deferLater(IReactorTime(reactor), _PATIENCE / 1000)
    raise AssertionError("it never came about")


async def bindings(server: Server) -> Bindings:
    """
    Give what is stored of the phone.
    """
    (stores,) = (each for each in server.services if isinstance(each, WritableStores))
    record = await stores.live.get(BINDINGS.name, f"sip:101@{DOMAIN}")
    return Bindings() if record is None else BINDINGS.read(record)
