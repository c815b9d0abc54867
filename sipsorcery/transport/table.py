"""
The table of connections: who may connect, and which connection serves a target.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from itertools import count

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.transport.errors import TLSVerificationError
from sipsorcery.transport.identity import Expectation
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.stream import StreamConnection
from sipsorcery.transport.target import Target

# Under which a connection is found again: where it leads, and what was proved there.
_Key = tuple[Endpoint, Expectation | None]


class ConnectionTable:
    """
    Know every connection, and count those that are being opened as well.

    A connection is reused for the same transport and remote address, and over TLS only
    for the same expectation: one that was verified for ``example.com`` never carries a
    request for ``example.net``, wherever DNS leads.
    """

    def __init__(self, limits: TransportLimits) -> None:
        self.limits = limits
        self._numbers = count(1)
        self._places: Counter[str] = Counter()  # taken, by home
        self._homes: dict[int, str] = {}  # who takes a place: a number, from where
        self._connections: dict[int, StreamConnection] = {}
        self._by_key: dict[_Key, StreamConnection] = {}
        self._keys: dict[int, _Key] = {}  # of each connection, by its number
        self._by_alias: dict[Endpoint, StreamConnection] = {}
        self._aliases: dict[int, Endpoint] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[StreamConnection]:
        return iter(tuple(self._connections.values()))

    @property
    def taken(self) -> int:
        """
        Give the number of places taken, by connections and attempts.
        """
        return len(self._homes)

    def take_place(self, host: str) -> int | None:
        """
        Count one more connection with *host*, if there is room for it.

        :return: its number, which no connection has had before; None if there is none.
        """
        limits, home = self.limits, _home(host)
        if (
            len(self._homes) >= limits.connections
            or self._places[home] >= limits.connections_per_address
        ):
            # Reading a Counter adds nothing to it: a refusal costs no memory.
            return None
        number = next(self._numbers)
        self._places[home] += 1
        self._homes[number] = home
        return number

    def give_place(self, number: int) -> None:
        """
        Count one less.
        """
        home = self._homes.pop(number)
        self._places[home] -= 1
        if not self._places[home]:
            del self._places[home]

    def add(self, connection: StreamConnection) -> None:
        """
        Enter a connection, open or not yet.
        """
        self._connections[connection.number] = connection

    def opened(
        self, connection: StreamConnection, expectation: Expectation | None = None
    ) -> None:
        """
        Let a connection serve requests to its remote address.

        :param expectation: what the peer has proved, if we opened it over TLS. One that
            came in over TLS has proved nothing; only an alias makes it serve requests.
        """
        self.add(connection)
        if connection.kind is Transport.TLS and expectation is None:
            return
        key = (connection.remote, expectation)
        self._by_key[key] = connection
        self._keys[connection.number] = key

    def add_alias(self, connection: StreamConnection, port: int) -> None:
        """
        Let a connection that came in serve requests to the peer's own listener.

        It takes a peer that has proved its name with a certificate; all others are
        ignored, for they could divert somebody else's calls (:rfc:`5923#section-10`).

        :param port: the port of sent-by in the Via that asked for it.
        """
        if connection.listener is None or not connection.identities:
            return
        remote = connection.remote
        alias = Endpoint(remote.transport, remote.host, port)
        self._drop_alias(connection)  # one for each connection bounds the table
        self._by_alias[alias] = connection
        self._aliases[connection.number] = alias

    def remove(self, connection: StreamConnection) -> None:
        """
        Forget a connection; it need not have been entered.
        """
        self._connections.pop(connection.number, None)
        key = self._keys.pop(connection.number, None)
        if key is not None and self._by_key.get(key) is connection:
            del self._by_key[key]
        self._drop_alias(connection)

    def find(self, target: Target) -> StreamConnection | None:
        """
        Find an open connection that a request to *target* may take.
        """
        expected = target.expected
        found = self._by_key.get((target.endpoint, expected))
        if found is not None and found.is_open:
            return found
        found = self._by_alias.get(target.endpoint)
        if found is not None and found.is_open and _proves(found, expected):
            return found
        return None

    def get(self, number: int) -> StreamConnection | None:
        """
        Find an open connection by its number.
        """
        found = self._connections.get(number)
        return found if found is not None and found.is_open else None

    def _drop_alias(self, connection: StreamConnection) -> None:
        alias = self._aliases.pop(connection.number, None)
        if alias is not None and self._by_alias.get(alias) is connection:
            del self._by_alias[alias]


def _home(host: str) -> str:
    """
    Give what a cap is counted for: an address, or the network of one household.

    Whoever has one IPv6 address has the other 2**64 of its network as well.
    """
    return ipaddress.IPv6Address(host).packed[:8].hex() if ":" in host else host


def _proves(connection: StreamConnection, expected: Expectation | None) -> bool:
    if connection.certificate is None or expected is None:
        return False
    try:
        expected.check(connection.certificate)
    except TLSVerificationError:
        return False
    return True
