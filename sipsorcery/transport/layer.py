"""
The transport layer: every listener and connection of one service.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import Via
from sipsorcery.transport import local, vias
from sipsorcery.transport.certificates import TLSContexts, TLSSettings
from sipsorcery.transport.connections import Connections
from sipsorcery.transport.consumer import TransportConsumer
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import ListenError, TransportError
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.identity import Expectation
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.listening import Listeners
from sipsorcery.transport.reception import Reception
from sipsorcery.transport.target import Target
from sipsorcery.transport.watch import Watch


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """
    Say what a transport layer is to do.

    :ivar listen: any number of addresses; a wildcard means a socket for each local
        address of its family.
    :ivar follow_maddr: whether a response over UDP goes to the maddr of its Via where
        that is not the address that the request came from. :rfc:`3261#section-18.2.2`
        says so, for the answers to multicast requests; but then anybody can have our
        answers sent to anybody, without forging an address.
    """

    listen: tuple[ListenAddress, ...] = ()
    tls: TLSSettings = field(default_factory=TLSSettings)
    limits: TransportLimits = field(default_factory=TransportLimits)
    follow_maddr: bool = False


class TransportLayer:
    """
    Own the listeners and connections; receive for a consumer, and send for it.

    :param reactor: one that has TCP, UDP and time.
    :param resolve: finds the targets for the sent-by of a Via that names a host
        (:rfc:`3263#section-5`); fails with `TransportError`. Without it only numeric
        addresses are reached.
    :param local_addresses: lists the addresses that a wildcard stands for.
    :param source_address: tells which of them leads to a peer.
    :param watch: stands beside the traffic.

    :ivar counters: what happened so far.
    """

    def __init__(
        self,
        reactor: Any,
        settings: TransportSettings,
        consumer: TransportConsumer,
        *,
        resolve: Callable[[Via], Awaitable[Sequence[Target]]] | None = None,
        local_addresses: Callable[[], Sequence[str]] = local.local_addresses,
        source_address: Callable[[str], str | None] = local.source_address,
        watch: Watch | None = None,
    ) -> None:
        self.counters = Counters()
        self._settings = settings
        self._reactor = reactor
        self._resolve = resolve
        self._source_address = source_address
        self._contexts: TLSContexts | None = None  # None: it does not run
        watch = watch or Watch()
        reception = Reception(consumer, self.counters, self.send_response, watch)
        self._connections = Connections(
            reactor,
            settings.limits,
            self.counters,
            reception,
            self._running_contexts,
            watch,
        )
        self._listeners = Listeners(
            reactor,
            self.counters,
            watch,
            received=reception.datagram_received,
            accept=self._connections.accept,
            secure=self._connections.secure,
            local_addresses=local_addresses,
            source_address=source_address,
        )

    @property
    def limits(self) -> TransportLimits:
        """
        Give what connections may take; other limits hold for those that come.
        """
        return self._connections.table.limits

    @limits.setter
    def limits(self, limits: TransportLimits) -> None:
        self._connections.table.limits = limits

    # Life

    def start(self) -> None:
        """
        Open every listener, or none.

        :raises ListenError: naming the first that cannot be opened.
        :raises CertificateError: if a certificate file cannot be used.
        """
        listen, tls = self._settings.listen, self._settings.tls
        secure = [one for one in listen if one.transport.is_secure]
        if secure and not tls.certificates:
            raise ListenError(f"{secure[0]} needs a certificate")
        contexts = TLSContexts(tls)
        self._listeners.open(listen)
        contexts.start(self._reactor)
        self._contexts = contexts

    async def stop(self) -> None:
        """
        Close the listeners, and the connections after what was written has left.

        That takes `TransportLimits.close` seconds at most, and a moment. A stopped
        layer cannot be started again.
        """
        if self._contexts is not None:
            self._contexts.stop()
            self._contexts = None
        listeners = self._listeners.close()
        await self._connections.close("the service stops")
        await listeners

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """
        List the open listeners, in the order of the configuration.
        """
        return self._listeners.all

    # Sending

    def send_request(
        self,
        request: Request,
        target: Target,
        flow: Flow | None = None,
        source: Endpoint | None = None,
    ) -> Deferred[Flow]:
        """
        Send a request, whose top Via is in it already: see `via_for`.

        :param flow: the flow to use, whatever *target* says: that of a registration.
            If it is closed, the request fails (:rfc:`5626#section-5.3`).
        :param source: our own end to send from; None lets the layer choose.
        :return: fires with the flow that it left on; fails with `TransportError`.
        """
        data = request.to_bytes()
        return self._send(data, target, source) if flow is None else _put(data, flow)

    def send_response(self, response: Response, flow: Flow) -> Deferred[Flow]:
        """
        Send a response to where its top Via says (:rfc:`3261#section-18.2.2`).

        :param flow: the one that the request came by. A connection that is there takes
            the response; if it is gone, one to the address in the Via is opened.
        :return: fires with the flow that it left on; fails with `TransportError`.
        """
        sent = self.answer(response, flow)
        return succeed(flow) if sent is None else sent

    def answer(self, response: Response, flow: Flow) -> Deferred[Flow] | None:
        """
        Send a response as `send_response` does, for whoever sends very many.

        :return: None, and nothing to wait for, if it has left by *flow*, as nearly all
            do; else as `send_response`.
        """
        data = response.to_bytes()
        if (
            flow.takes_answers
            if flow.number
            else vias.leads_back(response.get("Via"), *flow.address)
        ):
            try:
                flow.send(data)
            except TransportError as error:
                return fail(error)
            return None
        transport, source = flow.local.transport, flow.address[0]
        return Deferred.fromCoroutine(
            self._respond(response, data, transport, source, flow.local)
        )

    def send_response_anew(self, response: Response) -> Deferred[Flow]:
        """
        Send a response whose connection is gone and forgotten, by its top Via alone.

        :return: fires with the flow that it left on; fails with `TransportError`.
        """
        return Deferred.fromCoroutine(self._respond_anew(response))

    def via_for(self, way: Flow | Target, source: Endpoint | None = None) -> Via:
        """
        Make the Via for a request that goes this way; the branch is the caller's.

        Its sent-by is the advertised address of the listener that the answer may come
        to. Over UDP it asks for the source port (:rfc:`3581`); over TLS it offers the
        connection for requests back, if we have a certificate (:rfc:`5923`).

        :param source: our own end, if the request is to be sent from a certain one.
        """
        to = way.endpoint if isinstance(way, Target) else way.remote
        listener = None if isinstance(way, Target) else way.listener
        if listener is None:
            listener = self._listeners.find(to.transport, to.host, source)
        sent_by = self._sent_by(to) if listener is None else listener.sent_by
        flags = []
        if to.transport is Transport.UDP:
            flags.append("rport")
        if to.transport is Transport.TLS and self._settings.tls.certificates:
            flags.append("alias")
        return Via(
            str(to.transport).upper(),
            f"[{sent_by.host}]" if ":" in sent_by.host else sent_by.host,
            sent_by.port,
            Parameters((flag, None) for flag in flags),
        )

    # Finding

    @property
    def connected(self) -> int:
        """
        Give how many connections there are.
        """
        return len(self._connections.table)

    def connection(self, number: int) -> Flow | None:
        """
        Find the flow of an open connection by its number.
        """
        return self._connections.table.get(number)

    def datagram_flow(self, remote: Endpoint, source: Endpoint | None = None) -> Flow:
        """
        Make the UDP flow from one of our listeners to *remote*.

        :param source: the end that the listener is bound to; None: which leads there.
        :raises TransportError: if there is no such listener.
        """
        return self._listeners.datagram_flow(remote, source)

    def is_own(self, via: Via) -> bool:
        """
        Tell whether the sent-by of a Via is an address that we listen on.

        A response whose top Via is not ours must be dropped
        (:rfc:`3261#section-18.1.2`).
        """
        return self._listeners.is_own(via)

    # Inside

    def _running_contexts(self) -> TLSContexts:
        if self._contexts is None:
            raise TransportError("the transport layer does not run")
        return self._contexts

    def _send(
        self, data: bytes, target: Target, source: Endpoint | None = None
    ) -> Deferred[Flow]:
        end = target.endpoint
        try:
            vias.check_unicast(end.host)
            if end.transport is Transport.UDP:
                return _put(data, self._listeners.datagram_flow(end, source))
        except TransportError as error:
            return fail(error)
        return self._connections.send(data, target, source)

    async def _respond_anew(self, response: Response) -> Flow:
        via = _top_via(response)
        try:
            transport = Transport(via.transport.lower())
        except ValueError:
            raise TransportError(f"no transport is called {via.transport}") from None
        if transport is Transport.UDP:
            raise TransportError(f"no socket leads back to {via.sent_by}")
        data, source = response.to_bytes(), via.received or via.address
        return await self._respond(response, data, transport, source)

    async def _respond(
        self,
        response: Response,
        data: bytes,
        transport: Transport,
        source: str,
        local: Endpoint | None = None,
    ) -> Flow:
        """
        Send a response whose connection is gone, or that goes elsewhere over UDP.

        :param source: where the request came from.
        :param local: the end of ours that it came to, over UDP.
        """
        via = _top_via(response)
        failure = TransportError(f"nothing says where {via.sent_by} is")
        address = vias.response_address(
            via,
            transport,
            source,
            follow_maddr=self._settings.follow_maddr,
        )
        if address is not None:
            end = Endpoint(transport, *address)
            try:
                if transport is Transport.UDP:
                    return await _put(data, self.datagram_flow(end, local))
                return await self._send(data, Target(end, _expected(via)))
            except TransportError as error:
                failure = error
        # "If that fails, the procedures of RFC 3263 for the sent-by" (18.2.2).
        for target in await self._resolve(via) if self._resolve is not None else ():
            try:
                return await self._send(data, target)
            except TransportError as error:
                failure = error
        raise failure

    def _sent_by(self, to: Endpoint) -> HostPort:
        """
        Name ourselves where nothing of ours listens: answers come on the connection.
        """
        host = self._source_address(to.host)
        if host is None:
            raise TransportError(f"no address of ours leads to {to}")
        return HostPort(host, to.transport.default_port)


def _put(data: bytes, flow: Flow) -> Deferred[Flow]:
    try:
        flow.send(data)
    except TransportError as error:
        return fail(error)
    return succeed(flow)


def _top_via(response: Response) -> Via:
    try:
        return response[VIA]
    except ParseError as error:
        raise TransportError(f"a response without a way: {error.text}") from error


def _expected(via: Via) -> Expectation | None:
    """
    Expect of a connection for a response that it leads to whom the Via names.
    """
    try:
        ipaddress.ip_address(via.address)
    except ValueError:
        return Expectation(via.host)
    return None
