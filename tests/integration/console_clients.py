"""
Many who watch: a console, its monitor, and clients of conch in the process of the test.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.application.service import MultiService
from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.connection import SSHConnection
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.transport import SSHClientTransport
from twisted.conch.ssh.userauth import SSHUserAuthClient
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorTime

from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.access.throttle import Throttle
from sipsorcery.config import parse
from sipsorcery.console.commands import Commands
from sipsorcery.console.login import Login
from sipsorcery.console.seats import Caps, Seats
from sipsorcery.console.service import ConsoleService
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.service import MonitorService
from sipsorcery.store.directory import Directory
from sipsorcery.store.live import LocalStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.tap.asking import ControlledServers

# More than anything here takes on the slowest machine.
_PATIENCE = 60.0
_ROOM = Caps(sessions=1000, of_source=1000, strangers=1000, strangers_of=1000)


class Watcher:
    """
    One who watches events as JSON.

    :param wanted: the filter.

    :ivar seen: the messages of the events that have come, in order.
    :ivar missed: how many the console has said are missing.
    """

    def __init__(self, user: str, key: Key, wanted: str) -> None:
        self.user = user
        self.key = key
        self.wanted = wanted
        self.seen: list[str] = []
        self.missed = 0
        self.transport: Any = None
        self._rest = b""
        self._goal: tuple[int, Deferred[None]] | None = None

    async def log_in(self, port: int) -> None:
        """
        Log in and begin to watch.
        """
        self.began: Deferred[None] = Deferred()
        end = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        self.transport = await connectProtocol(end, _Client(self))
        await self.began.addTimeout(_PATIENCE, IReactorTime(reactor))

    def come_to(self, count: int) -> Deferred[None]:
        """
        Wait until so many events have come or are missing.
        """
        goal: Deferred[None] = Deferred()
        self._goal = (count, goal)
        self._look()
        return goal.addTimeout(_PATIENCE, IReactorTime(reactor))

    def stop_reading(self) -> None:
        """
        Read nothing any more, as somebody does who presses Ctrl-S.
        """
        self.transport.transport.pauseProducing()

    def read_again(self) -> None:
        """
        Read on.
        """
        self.transport.transport.resumeProducing()

    def leave(self) -> None:
        """
        Leave at once.
        """
        if self.transport is not None:
            self.transport.transport.abortConnection()

    def took(self, data: bytes) -> None:
        """
        Take lines as they come.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            if "missed" in fields:
                self.missed += fields["missed"]
            else:
                self.seen.append(fields["message"])
        self._look()

    def _look(self) -> None:
        if self._goal is not None and len(self.seen) + self.missed >= self._goal[0]:
            (_, goal), self._goal = self._goal, None
            goal.callback(None)


class _Client(SSHClientTransport):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def verifyHostKey(self, hostKey: bytes, fingerprint: bytes) -> Deferred[bool]:
        return succeed(True)

    def connectionSecure(self) -> None:
        self.requestService(_Auth(self._watcher, _Connection(self._watcher)))


class _Auth(SSHUserAuthClient):
    def __init__(self, watcher: Watcher, connection: SSHConnection) -> None:
        super().__init__(watcher.user.encode("ascii"), connection)
        self._watcher = watcher
        self._keys = [watcher.key]

    def getPublicKey(self) -> Key | None:
        return self._keys.pop() if self._keys else None

    def getPrivateKey(self) -> Deferred[Key]:
        return succeed(self._watcher.key)


class _Connection(SSHConnection):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def serviceStarted(self) -> None:
        self.openChannel(_Channel(self._watcher, conn=self))


class _Channel(SSHChannel):
    name = b"session"

    def __init__(self, watcher: Watcher, conn: SSHConnection) -> None:
        super().__init__(conn=conn)
        self._watcher = watcher

    def channelOpen(self, specificData: bytes) -> None:
        assert self.conn is not None
        command = NS(f"tail {self._watcher.wanted} --json".encode("ascii"))
        self.conn.sendRequest(self, b"exec", command, wantReply=1).addCallback(
            lambda answer: self._watcher.began.callback(None)
        )

    def dataReceived(self, data: bytes) -> None:
        self._watcher.took(data)


class Audience:
    """
    A console with many who watch.

    :ivar users: one for each of *count* users, named u0, u1 and so on.
    :ivar administrators: who see everything.
    """

    def __init__(self, folder: Path, count: int, administrators: int = 2) -> None:
        self._folder = folder
        self._sent = [0] * count
        self.services = MultiService()
        self.bus = LocalBus(IReactorTime(reactor))
        self.users = [
            Watcher(f"u{number}", _key(), "event dialplan and server appserver")
            for number in range(count)
        ]
        self.administrators = [
            Watcher(f"root{number}", _key(), "event dialplan")
            for number in range(administrators)
        ]

    async def start(self) -> None:
        """
        Start everything, and let everybody log in.
        """
        text = f'[server]\ndata_dir = "{self._folder.absolute()}"\n'
        config = parse(f'{text}[ssh]\nlisten = "127.0.0.1:0"'.encode())
        self._folder.mkdir(parents=True, exist_ok=True)
        secrets = Secrets(self._folder)
        secrets.load()
        self.directory = Directory.of_config(reactor, config, secrets)
        self.directory.start()
        await self._add_users()
        monitor = MonitorService(reactor, config, self.bus)
        seats = Seats(_ROOM)
        store = LocalStore(reactor, self._folder)
        commands = Commands(
            reactor,
            view=monitor.view,
            directory=self.directory,
            servers=ControlledServers(reactor, self._folder, store, time.time),
            seats=seats,
            bus=self.bus,
            clock=time.time,
        )
        login = Login(
            IReactorTime(reactor),
            directory=self.directory,
            throttle=Throttle(),
            guard=Guard(),
            notices=Notices("ssh"),
        )
        console = ConsoleService(
            reactor,
            config,
            login=login,
            seats=seats,
            commands=commands,
            directory=self.directory,
            bus=self.bus,
            clock=time.time,
        )
        for service in (monitor, console):
            service.setServiceParent(self.services)
        self.services.startService()
        for watcher in (*self.users, *self.administrators):
            await watcher.log_in(console.port)

    async def stop(self) -> None:
        """
        Let everybody leave, and stop everything.
        """
        for watcher in (*self.users, *self.administrators):
            watcher.leave()
        for service in reversed(list(self.services)):
            stopped = service.stopService()
            if stopped is not None:
                await stopped
        self.directory.stop()

    def emit(self, number: int, padding: str = "") -> None:
        """
        Emit the next event of a user.
        """
        user = self.users[number].user
        message = f"{user} {self._sent[number]}{padding}"
        self._sent[number] += 1
        self.bus.emit(
            Event(
                time=time.time(),
                server="appserver",
                kind=EventKind.DIALPLAN_STEP,
                owner=user,
                message=message,
            )
        )

    def sent(self, number: int) -> list[str]:
        """
        Give the messages that were emitted for a user, without padding.
        """
        return [
            f"{self.users[number].user} {each}" for each in range(self._sent[number])
        ]

    async def _add_users(self) -> None:
        everyone = self.directory.everyone.users
        for watcher in self.users:
            await everyone.add(watcher.user)
            await self._add_key(watcher)
        for watcher in self.administrators:
            await everyone.add(watcher.user, is_admin=True)
            await self._add_key(watcher)

    async def _add_key(self, watcher: Watcher) -> None:
        line = watcher.key.public().toString("openssh").decode("ascii")
        await self.directory.of(watcher.user).keys.add(line)


def _key() -> Key:
    return Key(Ed25519PrivateKey.generate())
