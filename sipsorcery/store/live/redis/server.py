"""
One Redis: a connection that comes back by itself, and what is expected of its disk.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from txredisapi import (  # type: ignore[import-untyped]
    RedisError,
    RedisProtocol,
    ResponseError,
)

from sipsorcery.config import Durability
from sipsorcery.endpoint import HostPort
from sipsorcery.store.live.redis import sentinel

# Seconds without an answer after which a connection is taken for dead. A Redis that
# begins to write its file anew stands still for less.
_SILENCE = 5.0
# Seconds between two attempts to connect, at first and at most: who waits 2 seconds for
# an answer shall see it come back.
_RETRY, _MAX_RETRY = 0.1, 1.0
# Seconds that connecting may take.
_CONNECTING = 5.0
_PORT = 6379
# Replicas that have a change before it counts with durability "power", where Sentinels
# may make one of them the master: of those that they can, they take the one that is
# furthest. And milliseconds that these may take: less than a caller waits.
_REPLICAS, _REPLICATING_MS = 1, 1000


class NotReplicated(RedisError):  # type: ignore[misc]  # it has no types
    """
    Says that a change was made on a master alone, and would be lost with it.
    """


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
        self._reactor = reactor
        self._replicates = False
        endpoint: IStreamClientEndpoint
        if scheme == "redis+sentinel":
            sentinels = [
                HostPort.parse(each, default_port=sentinel.DEFAULT_PORT)
                for each in hosts.split(",")
            ]
            endpoint = sentinel.MasterEndpoint(reactor, sentinels, path[0])
            self._replicates = durability is Durability.POWER
        else:
            place = HostPort.parse(hosts, default_port=_PORT)
            endpoint = HostnameEndpoint(
                reactor, place.host, place.port, timeout=_CONNECTING
            )
        self._service = ClientService(
            endpoint,
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

    async def settle(self, connection: _Connection) -> None:
        """
        Wait until what was changed by a connection is where the durability wants it.

        :raises NotReplicated: if it is not, in time.
        :raises RedisError: if nobody knows.
        """
        # WAIT is about all that the master has written when this connection asked it
        # last, so also about a change that an earlier connection has made.
        if (
            self._replicates
            and await connection.execute_command("WAIT", _REPLICAS, _REPLICATING_MS)
            < _REPLICAS
        ):
            raise NotReplicated("no replica has acknowledged the change")

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
            await self._check_role(connection)
            if self._durability is not None:
                await self._check_disk(connection)
        except RedisError as error:
            # Not at once: the next attempt would be just as much in vain.
            connection.hang_up_after(_MAX_RETRY, self._reactor)
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

    async def _check_role(self, connection: _Connection) -> None:
        """
        Check that it takes changes: what was the master may be a replica now.
        """
        try:
            role, *_ = await connection.execute_command("ROLE")
        except ResponseError:
            return  # an operator who forbids to ask knows
        if role != b"master":
            raise RedisError("it is a replica, and no master")

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
        self._end: IDelayedCall | None = None

    def hang_up_after(self, seconds: float, reactor: Any) -> None:
        """
        Hang up after a while, if nobody has done so before.
        """
        if self.connected:
            self._end = reactor.callLater(seconds, self._hang_up)

    def _hang_up(self) -> None:
        self._end = None
        self.transport.loseConnection()

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
        if self._end is not None:
            self._end.cancel()
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


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
