"""
Tests for :mod:`sipsorcery.stun.protocol`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    Address,
    ErrorCode,
    ErrorResponse,
    LocalProtocolError,
    Message,
    MessageClass,
    TransactionTimeout,
    answer,
)
from sipsorcery.stun.protocol import Client, ClientProtocol, ServerProtocol
from sipsorcery.testing.network import MemoryNetwork

_SERVER, _OTHER, _CLIENT = "192.0.2.1", "192.0.2.2", "198.51.100.7"
_PORT = 3478


class Redirecting(DatagramProtocol):
    """
    A server that sends everybody to another one.
    """

    def __init__(self, other: Address, code: int = 300) -> None:
        self.asked = 0
        self._other = other
        self._code = code

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Refuse.
        """
        self.asked += 1
        response = Message.parse(datagram).respond(MessageClass.ERROR)
        response = response.add(ERROR_CODE, ErrorCode(self._code, "Elsewhere"))
        response = response.add(ALTERNATE_SERVER, self._other)
        assert self.transport is not None
        self.transport.write(bytes(response), addr)


class SocketTests(SynchronousTestCase):
    """
    Client and server, each on a socket of a network in memory.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork(latency=0.01)
        self.server = self.network.machine(_SERVER, _OTHER)
        self.machine = self.network.machine(_CLIENT)
        self.client = ClientProtocol(self.machine)
        self.port = self.machine.listenUDP(6000, self.client, _CLIENT)

    def discover(self, host: str = _SERVER) -> Deferred[Address]:
        """
        Ask a server.
        """
        return self.client.discover(Address(host, _PORT))

    def test_address(self) -> None:
        """
        The client learns where the server saw it, and nothing goes on after that.
        """
        self.server.listenUDP(_PORT, ServerProtocol(), _SERVER)
        found = self.discover()
        self.network.advance(0.02)
        self.assertEqual(self.successResultOf(found), (_CLIENT, 6000))
        self.assertEqual(self.machine.getDelayedCalls(), [])

    def test_loss(self) -> None:
        """
        A request that is lost is repeated.
        """
        self.server.listenUDP(_PORT, ServerProtocol("us"), _SERVER)
        lost = [True, True, False, False]
        self.network.drop = lambda *_: lost.pop(0)
        found = self.discover()
        self.network.advance(1.49)
        self.assertNoResult(found)
        self.network.advance(0.04)
        self.assertEqual(self.successResultOf(found), (_CLIENT, 6000))

    def test_nobody_there(self) -> None:
        """
        Without any answer it gives up after 39.5 seconds.
        """
        found = self.discover()
        self.network.advance(39.4)
        self.assertNoResult(found)
        self.network.advance(0.2)
        self.failureResultOf(found, TransactionTimeout)

    def test_redirection(self) -> None:
        """
        Another server is asked at the word of the first.
        """
        first = Redirecting(Address(_OTHER, _PORT))
        self.server.listenUDP(_PORT, first, _SERVER)
        self.server.listenUDP(_PORT, ServerProtocol(), _OTHER)
        found = self.discover()
        self.network.advance(0.1)
        self.assertEqual(self.successResultOf(found), (_CLIENT, 6000))
        self.assertEqual(first.asked, 1)

    def test_redirection_in_a_circle(self) -> None:
        """
        No server is asked twice.
        """
        first = Redirecting(Address(_OTHER, _PORT))
        second = Redirecting(Address(_SERVER, _PORT))
        self.server.listenUDP(_PORT, first, _SERVER)
        self.server.listenUDP(_PORT, second, _OTHER)
        found = self.discover()
        self.network.advance(1)
        self.assertEqual(self.failureResultOf(found, ErrorResponse).value.code, 300)
        self.assertEqual((first.asked, second.asked), (1, 1))

    def test_redirection_without_end(self) -> None:
        """
        Only so many servers are asked.
        """
        chain = [Redirecting(Address(_SERVER, _PORT + n)) for n in range(1, 9)]
        for number, one in enumerate(chain):
            self.server.listenUDP(_PORT + number, one, _SERVER)
        found = self.discover()
        self.network.advance(1)
        self.failureResultOf(found, ErrorResponse)
        self.assertEqual([one.asked for one in chain], [1, 1, 1, 1, 0, 0, 0, 0])

    def test_redirection_to_another_family(self) -> None:
        """
        A socket of IPv4 cannot ask a server of IPv6.
        """
        first = Redirecting(Address("2001:db8::1", _PORT))
        self.server.listenUDP(_PORT, first, _SERVER)
        found = self.discover()
        self.network.advance(1)
        self.failureResultOf(found, ErrorResponse)

    def test_refusal(self) -> None:
        """
        An error is handed on.
        """
        self.server.listenUDP(
            _PORT, Redirecting(Address(_OTHER, _PORT), code=400), _SERVER
        )
        found = self.discover()
        self.network.advance(1)
        self.assertEqual(self.failureResultOf(found, ErrorResponse).value.code, 400)

    def test_server_ignores_noise(self) -> None:
        """
        What is no request gets no answer.
        """
        self.server.listenUDP(_PORT, ServerProtocol(), _SERVER)
        heard: list[bytes] = []

        class Listening(DatagramProtocol):
            def datagramReceived(self, datagram: bytes, addr: Any) -> None:
                heard.append(datagram)

        port = self.machine.listenUDP(6001, Listening(), _CLIENT)
        port.write(b"hello", (_SERVER, _PORT))
        self.network.advance(1)
        self.assertEqual(heard, [])

    def test_closed_socket(self) -> None:
        """
        When the socket closes, whoever waits is told; nothing goes on.
        """
        found = self.discover()
        self.port.stopListening()
        self.network.advance()
        self.failureResultOf(found, CancelledError)
        self.assertEqual(self.machine.getDelayedCalls(), [])


class ClientTests(SynchronousTestCase):
    """
    The client on somebody else's socket.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.client = Client(self.clock)
        self.sent: list[tuple[bytes, Address]] = []

    def discover(self) -> Deferred[Address]:
        """
        Ask a server.
        """
        coroutine = self.client.discover(Address(_SERVER, _PORT), self.send)
        return Deferred.fromCoroutine(coroutine)

    def send(self, data: bytes, server: Address) -> None:
        """
        Note what would be sent.
        """
        self.sent.append((data, server))

    def test_own_answers_only(self) -> None:
        """
        It says which messages were for it; others are for the server of that socket.
        """
        found = self.discover()
        [(request, server)] = self.sent
        self.assertEqual(server, (_SERVER, _PORT))
        other = bytes(Message(MessageClass.SUCCESS, bytes(12)))
        response = answer(request, (_CLIENT, 5060)) or b""
        for data in (b"", other, request, response[:-1], response + bytes(4)):
            self.assertFalse(self.client.received(data))
        self.assertTrue(self.client.received(response))
        self.assertEqual(self.successResultOf(found), (_CLIENT, 5060))
        self.assertFalse(self.client.received(response))

    def test_ids_differ(self) -> None:
        """
        Each transaction has an ID of its own.
        """
        waiting = [self.discover() for _ in range(20)]
        self.assertEqual(len({data[8:20] for data, _ in self.sent}), 20)
        self.client.stop()
        for one in waiting:
            self.failureResultOf(one, CancelledError)

    def test_socket_that_fails(self) -> None:
        """
        An error of sending ends the transaction and is handed on.
        """

        def broken(data: bytes, server: Address) -> None:
            raise OSError("no network")

        coroutine = self.client.discover(Address(_SERVER, _PORT), broken)
        self.failureResultOf(Deferred.fromCoroutine(coroutine), OSError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_many(self) -> None:
        """
        There is a bound to what is under way.
        """
        waiting = [self.discover() for _ in range(256)]
        self.failureResultOf(self.discover(), LocalProtocolError)
        self.client.stop()
        for one in waiting:
            self.failureResultOf(one, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
