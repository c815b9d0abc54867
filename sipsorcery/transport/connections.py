"""
The connections of one layer: accepted, opened, used again, closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Protocol

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.framing import Framer
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.certificates import TLSContexts
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.opening import Opening
from sipsorcery.transport.reception import Reception
from sipsorcery.transport.stream import StreamConnection
from sipsorcery.transport.table import ConnectionTable
from sipsorcery.transport.target import Target
from sipsorcery.transport.tls import (
    ClientSide,
    SecureConnection,
    ServerSide,
    TLSFactory,
)
from sipsorcery.transport.watch import Watch

# Which class of connection serves which transport. A WebSocket's joins here.
_KINDS: dict[Transport, type[StreamConnection]] = {
    Transport.TCP: StreamConnection,
    Transport.TLS: SecureConnection,
}


class Connections:
    """
    Own every connection of a layer, whoever opened it.

    :param contexts: gives the TLS contexts; raises `TransportError` where there are
        none, because the layer does not run.
    """

    def __init__(
        self,
        reactor: Any,
        limits: TransportLimits,
        counters: Counters,
        reception: Reception,
        contexts: Callable[[], TLSContexts],
        watch: Watch,
    ) -> None:
        self.watch = watch
        self.table = ConnectionTable(limits)
        self._reactor = reactor
        self.counters = counters
        self._reception = reception
        self._contexts = contexts
        self._openings: dict[int, Opening] = {}  # by the number of the connection
        self._opening_to: dict[Target, Opening] = {}
        self._closing = False
        self._closed: Deferred[None] = Deferred()

    def accept(self, host: str, listener: Listener) -> Protocol | None:
        """
        Make the connection for somebody who comes, if there is room.
        """
        number = None if self._closing else self.table.take_place(host)
        if number is None:
            self.counters.connections_refused += 1
            return None
        self.counters.connections_accepted += 1
        connection = self._make(listener.local.transport, number, listener)
        self.table.add(connection)
        return connection

    def secure(self, accepting: IProtocolFactory) -> IProtocolFactory:
        """
        Put TLS around the connections that a factory accepts.
        """
        return TLSFactory(ServerSide(self._contexts), False, accepting, self._reactor)

    def send(
        self, data: bytes, target: Target, source: Endpoint | None = None
    ) -> Deferred[Flow]:
        """
        Send on the connection that serves *target*; open one if there is none.

        :param source: our address to connect from; None leaves it to the system.
        :return: fires with the flow; fails with `TransportError`.
        """
        connection = self.table.find(target)
        try:
            if connection is not None:
                connection.send(data)
                return succeed(connection)
            wanted = Target(target.endpoint, target.expected)
            opening = self._opening_to.get(wanted) or self._open(wanted, source)
        except TransportError as error:
            return fail(error)
        return opening.send(data)

    def close(self, reason: str) -> Deferred[None]:
        """
        Accept no more, and close all that there are.

        :return: fires when the last one is gone.
        """
        self._closing = True
        for opening in tuple(self._openings.values()):
            opening.stop(reason)
        for connection in self.table:
            connection.close(reason)
        self._note_if_closed()
        return self._closed

    # What connections report

    def connection_opened(self, connection: StreamConnection) -> None:
        """
        Enter it in the table; send what waits for it.
        """
        opening = self._openings.pop(connection.number, None)
        if opening is None:
            self.table.opened(connection)
            return
        del self._opening_to[opening.target]
        self.counters.connections_opened += 1
        self.table.opened(connection, opening.target.expectation)
        opening.opened()

    def connection_closed(self, connection: StreamConnection, reason: str) -> None:
        """
        Forget it; tell whoever waits for it or uses it.
        """
        self.table.remove(connection)
        self.table.give_place(connection.number)
        opening = self._forget(connection.number)
        if opening is not None:
            opening.closed_early(reason)
        elif connection.was_open:
            self._reception.flow_closed(connection, reason)
        else:
            self.counters.handshakes_failed += 1
        self._note_if_closed()

    def message_received(
        self, message: Request | Response, connection: StreamConnection
    ) -> None:
        """
        Hand a message on; see first whether it asks for an alias.
        """
        if connection.identities and isinstance(message, Request):
            self._note_alias(message, connection)
        self._reception.message_received(message, connection)

    def parse_failed(self, error: ParseError, connection: StreamConnection) -> None:
        """
        Hand an error on.
        """
        self._reception.parse_failed(error, connection)

    # Inside

    def _make(
        self, transport: Transport, number: int, listener: Listener | None = None
    ) -> StreamConnection:
        framer = Framer(self.table.limits.message, self.table.limits.message_time)
        kind = _KINDS[transport]
        return kind(self, number, framer, self.table.limits, self._reactor, listener)

    def _open(self, target: Target, source: Endpoint | None) -> Opening:
        if target.endpoint.transport not in _KINDS:
            raise TransportError(f"no channel leads to {target}")
        contexts = self._contexts()
        number = self.table.take_place(target.endpoint.host)
        if number is None:
            self.counters.connections_refused += 1
            raise TransportError(f"too many connections for one more to {target}")
        connection = self._make(target.endpoint.transport, number)
        opening = Opening(target, connection, self.table.limits, self._opening_failed)
        self._openings[number] = self._opening_to[target] = opening
        factory: IProtocolFactory = opening
        if target.expectation is not None:
            assert isinstance(connection, SecureConnection)
            connection.expectation = target.expectation
            side = ClientSide(contexts, target.expectation)
            factory = TLSFactory(side, True, opening, self._reactor)
        self._reactor.connectTCP(
            target.endpoint.host,
            target.endpoint.port,
            factory,
            self.table.limits.connect,
            None if source is None else (source.host, 0),
        )
        return opening

    def _opening_failed(self, opening: Opening) -> None:
        number = opening.connection.number
        self._forget(number)
        self.table.give_place(number)
        self._note_if_closed()

    def _forget(self, number: int) -> Opening | None:
        opening = self._openings.pop(number, None)
        if opening is not None:
            del self._opening_to[opening.target]
            self.counters.connections_failed += 1
        return opening

    def _note_alias(self, request: Request, connection: StreamConnection) -> None:
        try:
            via = request[VIA]
        except ParseError:
            return  # whoever reads the request next will say so
        if "alias" in via.parameters:
            self.table.add_alias(connection, via.port or Transport.TLS.default_port)

    def _note_if_closed(self) -> None:
        if self._closing and not self.table.taken and not self._closed.called:
            self._closed.callback(None)
