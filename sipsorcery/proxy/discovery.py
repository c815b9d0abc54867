"""
Asking a STUN server for the public addresses of the proxy, again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint, HostPort, Transport
from sipsorcery.proxy.public_address import PublicAddresses
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.uri import SIPURI
from sipsorcery.stun import Address, STUNError
from sipsorcery.stun.protocol import Client
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target

# Seconds. A new address of the provider is known within a minute; a server that is away
# has been given up (after 39.5 s) when it is asked again.
_INTERVAL = 60.0


class Discovery:
    """
    Keeps `PublicAddresses` right: what was learned last holds until there is news.

    The questions leave by the sockets that listen, so that the answer is about these.

    :param server: whom to ask.
    :param locate: finds the addresses of a name.
    :param changed: is told of each listener that has got another address.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        transport: TransportLayer,
        server: HostPort,
        locate: Callable[[SIPURI], Deferred[list[Target]]],
        addresses: PublicAddresses,
        changed: Callable[[Listener, HostPort], None],
    ) -> None:
        self._transport = transport
        self._server = server
        self._locate = locate
        self._addresses = addresses
        self._changed = changed
        self._client = Client(clock)
        self._loop = LoopingCall(self._ask_all)
        self._loop.clock = clock
        # Those whose failure has been reported; as many as there are listeners.
        self._failing: set[Endpoint] = set()

    def start(self) -> None:
        """
        Ask for the first time, and go on.
        """
        if not self._listeners():
            self._log.warn(
                "{server} is asked for no public address: no UDP listener may have one",
                server=str(self._server),
            )
        started = self._loop.start(_INTERVAL)
        started.addErrback(
            lambda failure: self._log.failure(
                "Nobody asks for the public address any more", failure
            )
        )

    def stop(self) -> None:
        """
        Ask no more.
        """
        if self._loop.running:
            self._loop.stop()
        self._client.stop()

    def received(self, data: bytes) -> bool:
        """
        Take a STUN message that a listener has received.

        :return: whether it was an answer to us.
        """
        return self._client.received(data)

    # Inside

    def _listeners(self) -> Sequence[Listener]:
        return [
            one
            for one in self._transport.listeners
            if one.local.transport is Transport.UDP and self._addresses.may_differ(one)
        ]

    def _ask_all(self) -> Deferred[list[None]]:
        return gatherResults(
            [Deferred.fromCoroutine(self._ask(one)) for one in self._listeners()]
        )

    async def _ask(self, listener: Listener) -> None:
        try:
            server = await self._find(listener)
            if server is None:
                return
            found = await self._client.discover(
                server, lambda data, to: self._send(listener, data, to)
            )
        except CancelledError:
            return  # we are stopped
        except (STUNError, TransportError) as error:
            self._fail(listener, error)
        else:
            self._learn(listener, HostPort(*found))

    async def _find(self, listener: Listener) -> Address | None:
        """
        Find an address of the server that the listener can send to.
        """
        host = self._server.host
        uri = SIPURI(
            "sip",
            None,
            f"[{host}]" if ":" in host else host,
            self._server.port,
            Parameters((("transport", "udp"),)),
        )
        for target in await self._locate(uri):
            end = target.endpoint
            if end.is_ipv6 == listener.local.is_ipv6:
                return Address(end.host, end.port)
        return None  # a family that the server does not have

    def _send(self, listener: Listener, data: bytes, to: Address) -> None:
        end = Endpoint(Transport.UDP, to.host, to.port)
        self._transport.datagram_flow(end, listener.local).send(data)

    def _learn(self, listener: Listener, address: HostPort) -> None:
        if listener.local in self._failing:
            self._failing.remove(listener.local)
            self._log.info(
                "{server} answers {local} again",
                server=str(self._server),
                local=str(listener.local),
            )
        if self._addresses.learn(listener, address):
            self._log.info(
                "{local} has the public address {address}, says {server}",
                local=str(listener.local),
                address=str(address),
                server=str(self._server),
            )
            self._changed(listener, address)

    def _fail(self, listener: Listener, error: Exception) -> None:
        if listener.local in self._failing:
            return
        self._failing.add(listener.local)
        self._log.warn(
            "{server} does not tell the public address of {local}, which stays "
            "{address}: {error}",
            server=str(self._server),
            local=str(listener.local),
            address=str(self._addresses.of(listener)),
            error=error,
        )
