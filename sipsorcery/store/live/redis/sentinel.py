"""
Where the master of several Redis is: what their Sentinels say.

Each is asked in turn, over a connection of its own, each time that a connection to the
master is wanted: who has been away may come back with what was true before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.logger import Logger
from txredisapi import (  # type: ignore[import-untyped]
    RedisError,
    RedisProtocol,
)
from zope.interface import implementer

from sipsorcery.endpoint import HostPort

DEFAULT_PORT = 26379

# Seconds for a connection to a Sentinel, and for its answer: one that is down shall not
# take all of the 2 seconds that a caller waits for the next to be asked.
_PATIENCE = 0.5
# Seconds that connecting to the master may take: one that is gone is given up early,
# as meanwhile another one may have become it.
_CONNECTING = 1.0


@implementer(IStreamClientEndpoint)
class MasterEndpoint:
    """
    Connects to the one that Sentinels call the master at that moment.

    :param sentinels: whom to ask, in this order.
    :param service: what they call the group of a master and its replicas.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, sentinels: Sequence[HostPort], service: str
    ) -> None:
        self._reactor = reactor
        self._sentinels = sentinels
        self._service = service

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """
        Ask where it is, and connect.
        """
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: IProtocolFactory) -> Any:
        for sentinel in self._sentinels:
            try:
                master = await self._ask(sentinel)
            except (ConnectError, DNSLookupError, RedisError, ValueError) as error:
                self._log.debug(
                    "The Sentinel {place.host}:{place.port} is no help: {error}",
                    place=sentinel,
                    error=error,
                )
            else:
                return await self._endpoint(master, _CONNECTING).connect(factory)
        raise ConnectError(string=f"no Sentinel knows a master of {self._service!r}")

    async def _ask(self, sentinel: HostPort) -> HostPort:
        """
        Ask one of them.

        :raises ValueError: if it knows no such master.
        """
        protocol = RedisProtocol(charset=None, replyTimeout=_PATIENCE)
        await connectProtocol(self._endpoint(sentinel, _PATIENCE), protocol)
        try:
            found = await protocol.execute_command(
                "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service
            )
        finally:
            protocol.transport.loseConnection()
        match found:
            case [bytes(host), bytes() | int() as port]:
                return HostPort(host.decode(), int(port))
        raise ValueError("it knows no such master")

    def _endpoint(self, place: HostPort, timeout: float) -> HostnameEndpoint:
        return HostnameEndpoint(self._reactor, place.host, place.port, timeout=timeout)
