"""
The SSH server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.application.service import Service
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.access.networks import read as read_address
from sipsorcery.config import Config
from sipsorcery.console.commands import Commands
from sipsorcery.console.connection import (
    ConsoleAuth,
    ConsoleConnection,
    ConsoleTransport,
    remote_of,
)
from sipsorcery.console.host_key import fingerprint_of, host_key
from sipsorcery.console.login import Login
from sipsorcery.console.seats import Seat, Seats
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.figures import Figure, counter, of_tables
from sipsorcery.store.directory import Directory
from sipsorcery.store.errors import StoreError
from sipsorcery.transport.errors import ListenError

# Seconds between two looks at who has stayed too long, or may not be here any more.
_ROUND = 10.0


class ConsoleFactory(SSHFactory):
    """
    Makes connections, and knows what they share.
    """

    services = {
        b"ssh-userauth": ConsoleAuth,
        b"ssh-connection": ConsoleConnection,
    }
    noisy = False

    def __init__(
        self,
        reactor: Any,
        *,
        login: Login,
        seats: Seats,
        commands: Commands,
        key: Key,
        told: Callable[[Seat, EventKind], object],
    ) -> None:
        self.reactor = reactor
        self.login = login
        self.seats = seats
        self.commands = commands
        self.privateKeys = {b"ssh-ed25519": key}
        self.publicKeys = {b"ssh-ed25519": key.public()}
        self.primes: None = None
        self._told = told

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Take a connection, unless there are too many or its source is banned.
        """
        found = read_address(getattr(addr, "host", ""))
        host = str(found or "")
        if self.login.is_banned(host) or not self.seats.admit(host):
            return None
        transport = ConsoleTransport(self, remote_of(host, getattr(addr, "port", 0)))
        transport.factory = self
        transport.supportedPublicKeys = [b"ssh-ed25519"]
        return transport

    def getService(self, transport: ConsoleTransport, service: bytes) -> Any:
        """
        Give what is asked for: first to log in, and then a connection.
        """
        if service == b"ssh-connection" and transport.seat is None:
            return None
        return self.services.get(service)

    def came(self, seat: Seat) -> None:
        """
        Note that somebody has logged in.
        """
        self._told(seat, EventKind.SESSION_STARTED)

    def went(self, seat: Seat) -> None:
        """
        Note that somebody has left.
        """
        self.seats.leave(seat)
        self._told(seat, EventKind.SESSION_ENDED)


class ConsoleService(Service):
    """
    Listens for those who log in.

    :param reactor: has sockets and time.
    :param clock: gives the seconds since the epoch.
    """

    name = "ssh"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        login: Login,
        seats: Seats,
        commands: Commands,
        directory: Directory,
        bus: Bus,
        clock: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._login = login
        self._seats = seats
        self._commands = commands
        self._directory = directory
        self._bus = bus
        self._clock = clock
        self._port: IListeningPort | None = None
        self._revision = -1
        self._round = LoopingCall(self._look)
        self._round.clock = reactor

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        yield counter("logins", "Who has logged in.", self._seats.taken)
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count those who are logged in, and those who have yet to.
        """
        return {"sessions": len(self._seats), "strangers": self._seats.strangers}

    @property
    def port(self) -> int:
        """
        The port on which it listens.
        """
        assert self._port is not None
        host: Any = self._port.getHost()
        return int(host.port)

    def startService(self) -> None:
        """
        Listen.

        :raises StoreDamaged: if the host key is none.
        :raises OSError: if it cannot be read or made.
        :raises ListenError: if the address cannot be had.
        """
        listen = self._config.ssh.listen
        assert listen is not None
        key = host_key(self._config.server.data_dir / "ssh")
        factory = ConsoleFactory(
            self._reactor,
            login=self._login,
            seats=self._seats,
            commands=self._commands,
            key=key,
            told=self._tell,
        )
        try:
            self._port = self._reactor.listenTCP(
                listen.port, factory, interface=listen.host
            )
        except CannotListenError as error:
            raise ListenError(f"ssh.listen: {error}") from error
        self._log.info(
            "The console listens on {host}:{port}; its key is {fingerprint}",
            host=listen.host,
            port=self.port,
            fingerprint=fingerprint_of(key),
        )
        self._round.start(_ROUND, now=False).addErrback(self._stumbled)
        super().startService()

    def stopService(self) -> Deferred[None] | None:
        """
        Send everybody away.
        """
        super().stopService()
        if self._round.running:
            self._round.stop()
        for seat in self._seats:
            seat.end("The server stops.")
        port, self._port = self._port, None
        stopped: Deferred[None] | None = None if port is None else port.stopListening()
        return stopped

    def _tell(self, seat: Seat, kind: EventKind) -> None:
        did = "logged in" if kind is EventKind.SESSION_STARTED else "left"
        self._bus.emit(
            Event(
                time=self._clock(),
                server="ssh",
                kind=kind,
                owner=seat.user,
                message=f"{seat.user} {did} from {seat.address}",
                detail={"user": seat.user, "address": seat.address},
            )
        )

    # Who stays too long

    def _look(self) -> Deferred[None]:
        for seat, reason in self._seats.overdue(self._reactor.seconds()):
            seat.end(reason)
        return Deferred.fromCoroutine(self._look_again())

    async def _look_again(self) -> None:
        """
        Send those away who have been disabled, or are no administrators any more.
        """
        if not len(self._seats):
            self._revision = -1
            return
        try:
            revisions = await self._directory.revisions()
            revision = revisions.get("users", 0)
            if revision == self._revision:
                return
            for name in {seat.user for seat in self._seats}:
                user = await self._directory.everyone.users.find(name)
                for seat in self._seats:
                    if seat.user != name:
                        continue
                    if user is None or user.disabled is not None:
                        seat.end("You may not log in any more.")
                    elif user.is_admin != seat.is_admin:
                        seat.end("What you may do has changed.")
            self._revision = revision
        except StoreError as error:
            self._log.warn("The directory cannot be asked: {error}", error=error)

    def _stumbled(self, failure: Any) -> None:
        self._log.failure("The console looks after its sessions no more", failure)
