"""
STUN on Twisted: a server and a client, on sockets of their own or on somebody else's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, TypeAlias

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import DatagramProtocol
from twisted.python.failure import Failure

from sipsorcery.stun.address import Address
from sipsorcery.stun.binding import alternate_server, answer, mapped_address
from sipsorcery.stun.errors import LocalProtocolError, ParseError, TransactionTimeout
from sipsorcery.stun.message import ID_SIZE, Message, MessageClass
from sipsorcery.stun.transaction import ClientTransaction, Deliver, Send, Timing

#: Sends a datagram to an address.
SendTo: TypeAlias = Callable[[bytes, Address], object]

# Requests under way. A host has few servers to ask and few sockets to ask from.
_MAX_UNDER_WAY = 256
# Servers asked for one address, each at the word of the one before.
_MAX_SERVERS = 4


class Client:
    """
    Asks servers, from whichever socket its user has.

    The user hands over each STUN message that the socket receives.

    :param clock: the reactor, or whatever has its time.
    """

    def __init__(self, clock: IReactorTime, timing: Timing | None = None) -> None:
        self._clock = clock
        self._timing = timing or Timing()
        self._under_way: dict[bytes, _Exchange] = {}

    async def discover(self, server: Address, send_to: SendTo) -> Address:
        """
        Find out by what address a server sees a socket.

        :param send_to: sends from that socket; may raise.
        :raises TransactionTimeout: if nobody answers.
        :raises ErrorResponse: if the server refuses.
        :raises ParseError: if it answers nonsense.
        """
        asked = [server]
        while True:
            response = await self._ask(asked[-1], send_to)
            other = alternate_server(response)
            if (
                other is None
                # "If the client has been redirected to a server to which it has already
                # tried to send this request [...] it MUST ignore the redirection"
                or other in asked
                or len(asked) == _MAX_SERVERS
                or (":" in other.host) != (":" in server.host)
            ):
                return mapped_address(response)
            asked.append(other)

    def received(self, data: bytes) -> bool:
        """
        Take a STUN message.

        :return: whether it was an answer to us.
        """
        # Most of what a busy socket receives is for its server.
        exchange = self._under_way.get(data[8:20])
        if exchange is None:
            return False
        try:
            message = Message.parse(data)
        except ParseError:
            return False
        return exchange.receive(message)

    def stop(self) -> None:
        """
        Give up all that is under way.
        """
        for exchange in list(self._under_way.values()):
            exchange.response.cancel()

    def _ask(self, server: Address, send_to: SendTo) -> Deferred[Message]:
        if len(self._under_way) >= _MAX_UNDER_WAY:
            text = f"{_MAX_UNDER_WAY} requests are under way"
            return fail(LocalProtocolError(text))
        # "uniformly and randomly chosen [...] cryptographically random" (RFC 8489, 5):
        # it is all that tells an answer from a forged one.
        request = Message(MessageClass.REQUEST, secrets.token_bytes(ID_SIZE))

        def send(message: Message) -> None:
            send_to(bytes(message), server)

        exchange = _Exchange(self._clock, request, self._timing, send)
        self._under_way[request.transaction_id] = exchange

        def forget(result: Message | Failure) -> Message | Failure:
            del self._under_way[request.transaction_id]
            return result

        exchange.response.addBoth(forget)
        exchange.start()
        return exchange.response


class _Exchange:
    """
    Drives one transaction.
    """

    def __init__(
        self,
        clock: IReactorTime,
        request: Message,
        timing: Timing,
        send: Callable[[Message], None],
    ) -> None:
        self.response: Deferred[Message] = Deferred(self._cancelled)
        self._clock = clock
        self._send = send
        self._transaction = ClientTransaction(
            request, now=clock.seconds(), timing=timing
        )
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        self._act()

    def receive(self, message: Message) -> bool:
        self._transaction.receive(message)
        if self._transaction.next_timer() is not None:
            return False
        self._act()
        return True

    def _due(self) -> None:
        self._timer = None
        self._transaction.handle_timer(self._clock.seconds())
        self._act()

    def _act(self) -> None:
        self._stop_timer()
        due = self._transaction.next_timer()
        if due is not None:
            delay = max(0.0, due - self._clock.seconds())
            self._timer = self._clock.callLater(delay, self._due)
        for effect in self._transaction.take_effects():
            match effect:
                case Send(message):
                    self._try_to_send(message)
                case Deliver(message):
                    self.response.callback(message)
                case _:
                    self.response.errback(TransactionTimeout("no answer"))

    def _try_to_send(self, message: Message) -> None:
        try:
            self._send(message)
        except Exception:
            # A network that is not there yet, or a socket that is gone.
            self._stop_timer()
            self.response.errback(Failure())

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _cancelled(self, response: Deferred[Message]) -> None:
        self._stop_timer()
        response.errback(CancelledError())


class ServerProtocol(DatagramProtocol):
    """
    Answers Binding requests on a socket of its own.

    :param software: names us in each answer.
    """

    noisy = False

    def __init__(self, software: str = "") -> None:
        self._software = software

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer Twisted, and the client.
        """
        source = Address(*addr[:2])
        response = answer(datagram, source, self._software)
        if response is not None and self.transport is not None:
            self.transport.write(response, source)


class ClientProtocol(DatagramProtocol):
    """
    Asks servers from a socket of its own.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, timing: Timing | None = None) -> None:
        self._client = Client(clock, timing)

    def discover(self, server: Address) -> Deferred[Address]:
        """
        Find out by what address a server sees this socket; see `Client.discover`.
        """
        return Deferred.fromCoroutine(self._client.discover(server, self._write))

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer Twisted.
        """
        self._client.received(datagram)

    def stopProtocol(self) -> None:
        """
        Give up what is under way.
        """
        self._client.stop()

    def _write(self, data: bytes, server: Address) -> None:
        if self.transport is None:
            raise LocalProtocolError("the socket is not open")
        self.transport.write(data, server)
