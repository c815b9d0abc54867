"""
One Redis: a connection that comes back by itself, and what is expected of its disk.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import (
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from txredisapi import (  # type: ignore[import-untyped]
    RedisError,
    RedisProtocol,
    ResponseError,
    Sentinel,
)
from zope.interface import implementer

from sipsorcery.config import Durability
from sipsorcery.endpoint import HostPort

# Seconds without an answer after which a connection is taken for dead. A Redis that
# begins to write its file anew stands still for less.
_SILENCE = 5.0
# Seconds between two attempts to connect, at first and at most: who waits 2 seconds for
# an answer shall see it come back.
_RETRY, _MAX_RETRY = 0.1, 1.0
# Seconds that connecting may take.
_CONNECTING = 5.0
_PORT, _SENTINEL_PORT = 6379, 26379


class Server:
    """
    One Redis, or the one of several that a Sentinel calls the master.

    :param reactor: has time, and sockets.
    :param url: as in ``storage.live``.
    :param durability: what is expected of its disk; None: nothing.
    :param does: what it does for us, to go on after its name.

    :ivar name: what to call it in a text: the URL without a password.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        url: str,
        durability: Durability | None,
        does: str = "keeps the live state",
    ) -> None:
        scheme, _, rest = url.partition("://")
        credentials, _, rest = rest.rpartition("@")
        self.name = f"{scheme}://{rest}"
        self._durability = durability
        self._does = does
        user, _, password = credentials.partition(":")
        self._credentials = [each for each in (user, password) if each]
        hosts, *path = rest.split("/")
        self._database = path[-1] if path and path[-1].isdecimal() else "0"
        self._ready: _Connection | None = None
        self._waiting: list[Deferred[_Connection]] = []
        self._told = ""  # why it could not be used, as the log has it
        self._endpoint: HostnameEndpoint | _Master
        if scheme == "redis+sentinel":
            self._endpoint = _Master(reactor, hosts.split(","), path[0])
        else:
            self._endpoint = _endpoint(
                reactor, HostPort.parse(hosts, default_port=_PORT)
            )
        self._service = ClientService(
            self._endpoint,
            _Connections(self),
            retryPolicy=backoffPolicy(_RETRY, _MAX_RETRY),
            clock=reactor,
        )

    def connect(self) -> None:
        """
        Begin to connect; it goes on to try until `disconnect`.
        """
        self._service.startService()

    def connected(self) -> Deferred[_Connection]:
        """
        Wait for a connection that can be used.
        """
        if self._ready is not None:
            return succeed(self._ready)
        waiting: Deferred[_Connection] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    async def disconnect(self) -> None:
        """
        Hang up.
        """
        await self._service.stopService()
        if isinstance(self._endpoint, _Master):
            await self._endpoint.stop()

    async def made(self, connection: _Connection) -> None:
        """
        Log in and look around; hang up if it cannot be used now.
        """
        ask = connection.execute_command
        try:
            if self._credentials:
                await ask("AUTH", *self._credentials)
            await ask("SELECT", self._database)
            await ask("PING")  # refused while it reads its file
            if self._durability is not None:
                await self._check_disk(connection)
        except RedisError as error:
            connection.transport.loseConnection()
            if str(error) != self._told:
                self._told = str(error)
                self._log.warn("{name}: {error}", name=self.name, error=error)
            return
        self._told = ""
        self._ready = connection
        self._log.info("{name} {does}", name=self.name, does=self._does)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(connection)

    def lost(self, connection: _Connection) -> None:
        """
        Use a connection no longer.
        """
        if self._ready is connection:
            self._ready = None

    async def _check_disk(self, connection: _Connection) -> None:
        try:
            answer = await connection.execute_command("CONFIG", "GET", "append*")
        except ResponseError:
            return  # an operator who forbids to ask knows
        told = {name.decode(): value.decode() for name, value in _pairs(answer)}
        if told.get("appendonly") != "yes":
            self._log.warn(
                "{name} forgets the live state when it ends: set appendonly yes",
                name=self.name,
            )
        elif (
            self._durability is Durability.POWER and told.get("appendfsync") != "always"
        ):
            self._log.warn(
                "{name} may forget the last second when the power fails, other "
                'than storage.durability = "power" says: set appendfsync always',
                name=self.name,
            )


class _Connection(RedisProtocol):  # type: ignore[misc]  # it has no types
    """
    The protocol of txredisapi, with bytes for bytes.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(charset=None, convertNumbers=False, replyTimeout=_SILENCE)
        self._server = server

    def connectionMade(self) -> None:
        """
        Let it be made ready.
        """
        super().connectionMade()
        Deferred.fromCoroutine(self._server.made(self))

    def connectionLost(self, why: Any) -> None:
        """
        Say that it is gone, and tell who waits for an answer.
        """
        self._server.lost(self)
        super().connectionLost(why)


class _Connections(Factory):
    """
    Makes connections for one server.
    """

    noisy = False

    def __init__(self, server: Server) -> None:
        self._server = server

    def buildProtocol(self, addr: Any) -> _Connection:
        """
        Make one.
        """
        connection = _Connection(self._server)
        connection.factory = self
        return connection


@implementer(IStreamClientEndpoint)
class _Master:
    """
    The place of the one that Sentinel calls the master now.
    """

    def __init__(self, reactor: Any, hosts: list[str], service: str) -> None:
        self._reactor = reactor
        self._service = service
        self._hosts = [HostPort.parse(h, default_port=_SENTINEL_PORT) for h in hosts]
        self._sentinel: Any = None

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """
        Ask where it is, and connect.
        """
        if self._sentinel is None:
            self._sentinel = Sentinel([(one.host, one.port) for one in self._hosts])
        place: Deferred[Any] = self._sentinel.discover_master(self._service)
        return place.addCallback(
            lambda found: _endpoint(self._reactor, HostPort(*found)).connect(factory)
        )

    async def stop(self) -> None:
        """
        Hang up at the Sentinels.
        """
        sentinel, self._sentinel = self._sentinel, None
        if sentinel is not None:
            await sentinel.disconnect()


def _endpoint(reactor: Any, place: HostPort) -> HostnameEndpoint:
    return HostnameEndpoint(reactor, place.host, place.port, timeout=_CONNECTING)


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
