"""
One connection of SSH: who it is, and what they may open on it.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

from twisted.conch.error import ConchError, IgnoreAuthentication, ValidPublicKey
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import NS, getNS
from twisted.conch.ssh.connection import (
    MSG_CHANNEL_OPEN_FAILURE,
    OPEN_ADMINISTRATIVELY_PROHIBITED,
    OPEN_RESOURCE_SHORTAGE,
    SSHConnection,
)
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.transport import (
    DISCONNECT_PROTOCOL_ERROR,
    DISCONNECT_TOO_MANY_CONNECTIONS,
    SSHServerTransport,
)
from twisted.conch.ssh.userauth import SSHUserAuthServer
from twisted.cred.credentials import ISSHPrivateKey
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.console.channel import SessionChannel
from sipsorcery.console.commands import Commands
from sipsorcery.console.login import SIGNATURES, Login
from sipsorcery.console.seats import Seat, Seats
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.store.directory import User

#: Seconds to log in.
GRACE = 60.0
# Seconds for whoever is sent away to read why.
_FAREWELL = 5.0
# Attempts on one connection: an agent offers each of its keys.
_ATTEMPTS = 10


class Shared(Protocol):
    """
    What all connections share.
    """

    reactor: Any
    login: Login
    seats: Seats
    commands: Commands

    def came(self, seat: Seat) -> None:
        """
        Note that somebody has logged in.
        """

    def went(self, seat: Seat) -> None:
        """
        Note that somebody has left.
        """


class ConsoleTransport(SSHServerTransport):
    """
    SSH as far as it is safe today; what else conch speaks is not offered.

    :param shared: what it shares with the others.
    :param remote: the other end.
    """

    _log = Logger()
    transport: Any  # that of TCP
    supportedKeyExchanges = [
        b"mlkem768x25519-sha256",
        b"curve25519-sha256",
        b"curve25519-sha256@libssh.org",
        b"ecdh-sha2-nistp256",
        b"ecdh-sha2-nistp384",
        b"ecdh-sha2-nistp521",
    ]
    supportedCiphers = [b"aes256-ctr", b"aes192-ctr", b"aes128-ctr"]
    supportedMACs = [b"hmac-sha2-512", b"hmac-sha2-256"]
    # A few bytes could become megabytes.
    supportedCompressions = [b"none"]

    def __init__(self, shared: Shared, remote: Endpoint) -> None:
        self.shared = shared
        self.remote = remote
        self.seat: Seat | None = None
        self.is_blocked = False
        self._is_stranger = True
        self._grace: IDelayedCall | None = None
        self._farewell: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """
        Begin, and give them some time to log in.
        """
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(1)
        self.transport.registerProducer(self, True)
        self._grace = self.shared.reactor.callLater(GRACE, self.abort)
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """
        Take bytes; whoever sends what is no SSH is cut off.
        """
        try:
            super().dataReceived(data)
        except Exception as error:
            # conch raises whatever struct and dict do.
            self._log.info(
                "Cut off {peer}: {error!r}", peer=str(self.remote), error=error
            )
            self.abort()

    def sendExtInfo(self, extensions: list[tuple[bytes, bytes]]) -> None:
        """
        Tell with which keys they may log in (:rfc:`8308#section-3.1`).

        conch would tell those of the host.
        """
        super().sendExtInfo([(b"server-sig-algs", b",".join(SIGNATURES))])

    def sendDisconnect(self, reason: int, desc: bytes) -> None:
        """
        Say goodbye, and wait a moment for them to hear it.
        """
        super().sendDisconnect(reason, desc)
        self.transport.unregisterProducer()
        self._cut_soon()

    def receiveError(self, reasonCode: int, description: bytes) -> None:
        """
        Take their goodbye, which conch would log as an error.
        """

    def connectionLost(self, reason: Failure | None = None) -> None:
        """
        Forget everything.
        """
        self._left_strangers()
        if self._farewell is not None:
            self._farewell.cancel()
            self._farewell = None
        super().connectionLost(reason)
        self.shared.login.gone(self.remote)
        seat, self.seat = self.seat, None
        if seat is not None:
            self.shared.went(seat)

    def enter(self, user: User) -> None:
        """
        Take the seat of a user.
        """
        self._left_strangers()
        reactor = self.shared.reactor
        self.seat = self.shared.seats.take(
            user.name,
            self.remote.host,
            reactor.seconds(),
            self._end_soon,
            since=self.shared.commands.now(),
            is_admin=user.is_admin,
        )
        self.shared.came(self.seat)

    def abort(self) -> None:
        """
        End it at once.
        """
        self.transport.abortConnection()

    def _end_soon(self, text: str) -> None:
        # Who asks for it may be the command that runs here.
        self.shared.reactor.callLater(0, self._end, text)

    def _end(self, text: str) -> None:
        if isinstance(self.service, ConsoleConnection):
            self.service.say_goodbye(text)
        self._cut_soon()

    def _cut_soon(self) -> None:
        if self._farewell is None:
            reactor = self.shared.reactor
            self._farewell = reactor.callLater(_FAREWELL, self._cut)

    def _cut(self) -> None:
        self._farewell = None
        self.abort()

    def _left_strangers(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self.shared.seats.forget(self.remote.host)
        grace, self._grace = self._grace, None
        if grace is not None and grace.active():
            grace.cancel()

    # As the producer of what is sent

    def pauseProducing(self) -> None:
        """
        Wait: they do not read. Nor is there an answer to what they send meanwhile.
        """
        self.is_blocked = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self.is_blocked = False
        self.transport.resumeProducing()
        if isinstance(self.service, ConsoleConnection):
            self.service.resumed()

    def stopProducing(self) -> None:
        """
        End: the connection is gone.
        """


class ConsoleAuth(SSHUserAuthServer):
    """
    Asks for a password or a key (:rfc:`4252`), one attempt after the other.
    """

    attemptsBeforeDisconnect = _ATTEMPTS
    transport: ConsoleTransport
    user: Any  # bytes

    def serviceStarted(self) -> None:
        """
        Begin. Time to log in is counted by the connection.
        """
        self.authenticatedWith: list[bytes] = []
        self.loginAttempts = 0
        self.user = b""
        self.nextService = b""
        self.supportedAuthentications = [b"publickey", b"password"]
        self.clock = self.transport.shared.reactor
        self.portal = self
        self._is_busy = False
        self._is_over = False

    def serviceStopped(self) -> None:
        """
        End: they are logged in, or gone.
        """
        self._is_over = True

    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> Deferred[Any] | None:
        """
        Take an attempt.
        """
        if self._is_busy:
            # Nobody who has one password to try sends the next before the answer.
            self.transport.sendDisconnect(DISCONNECT_PROTOCOL_ERROR, b"one at a time")
            return None
        self._is_busy = True
        attempt = super().ssh_USERAUTH_REQUEST(packet)
        if attempt is None:
            self._is_busy = False
        else:
            attempt.addBoth(self._answered)
        return attempt

    def _answered(self, result: Any) -> Any:
        self._is_busy = False
        return result

    def auth_password(self, packet: bytes) -> Deferred[Any]:
        """
        Log in with a password (:rfc:`4252#section-8`); none is changed here.
        """
        if packet[:1] != b"\0":
            raise ConchError("a password cannot be changed here")
        return Deferred.fromCoroutine(self._by_password(getNS(packet[1:])[0]))

    def login(
        self, credentials: ISSHPrivateKey, mind: object, *interfaces: object
    ) -> Deferred[Any]:
        """
        Log in with a key, as the portal that conch asks.
        """
        return Deferred.fromCoroutine(self._by_key(credentials))

    async def _by_password(self, password: bytes) -> Any:
        transport = self.transport
        user = await transport.shared.login.by_password(
            self.user, password, transport.remote
        )
        return self._enter(user)

    async def _by_key(self, shown: Any) -> Any:
        def verify(key: Key) -> bool:
            # The algorithm of the signature has to be the one that was asked about.
            algorithm = getNS(shown.signature)[0]
            return algorithm == shown.algName and bool(
                key.verify(shown.signature, shown.sigData)
            )

        user = await self.transport.shared.login.by_key(
            self.user,
            shown.algName,
            shown.blob,
            self.transport.remote,
            verify if shown.signature else None,
        )
        if not shown.signature:
            raise ValidPublicKey
        return self._enter(user)

    def _enter(self, user: User) -> Any:
        transport = self.transport
        if self._is_over:
            raise IgnoreAuthentication
        reason = transport.shared.seats.is_full(user.name, transport.remote.host)
        if reason:
            transport.sendDisconnect(DISCONNECT_TOO_MANY_CONNECTIONS, reason.encode())
            raise IgnoreAuthentication
        transport.enter(user)
        return IConchUser, _Nobody(), lambda: None


class _Nobody:
    """
    What conch calls the avatar; our connection knows more.
    """

    conn: object = None


class ConsoleConnection(SSHConnection):
    """
    Opens a session, one at a time, and nothing else (:rfc:`4254`).
    """

    transport: ConsoleTransport

    def __init__(self) -> None:
        super().__init__()
        self._session: SessionChannel | None = None

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        """
        Open a session; no way through to other machines.
        """
        kind, rest = getNS(packet)
        refusal = self._refusal(kind)
        if refusal is None:
            super().ssh_CHANNEL_OPEN(packet)
            return
        text, code = refusal
        (sender,) = struct.unpack(">L", rest[:4])
        self.transport.sendPacket(
            MSG_CHANNEL_OPEN_FAILURE,
            struct.pack(">2L", sender, code) + NS(text) + NS(b""),
        )

    def getChannel(
        self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes
    ) -> SessionChannel:
        """
        Make the session.
        """
        seat, shared = self.transport.seat, self.transport.shared
        assert seat is not None  # or there is no connection
        self._session = SessionChannel(
            shared.reactor,
            seat,
            shared.commands,
            lambda: self.transport.is_blocked,
            self._closed,
            remoteWindow=windowSize,
            # Whoever takes no bytes at a time would keep us busy for ever.
            remoteMaxPacket=max(maxPacket, 256),
            conn=self,
        )
        return self._session

    def _refusal(self, kind: bytes) -> tuple[bytes, int] | None:
        if kind != b"session":
            return b"there are sessions only", OPEN_ADMINISTRATIVELY_PROHIBITED
        if self._session is not None:
            return b"one session at a time", OPEN_RESOURCE_SHORTAGE
        return None

    def gotGlobalRequest(self, requestType: bytes, data: bytes) -> int:
        """
        Refuse to listen for others.
        """
        return 0

    def say_goodbye(self, text: str) -> None:
        """
        End the session.
        """
        if self._session is not None:
            self._session.say_goodbye(text)

    def resumed(self) -> None:
        """
        Let those go on who waited for room.
        """
        if self._session is not None:
            self._session.room.changed()

    def _closed(self, session: SessionChannel) -> None:
        self._session = None


def remote_of(host: str, port: int) -> Endpoint:
    """
    Give the other end of a connection, as guards count it.
    """
    return Endpoint(Transport.TCP, host, port)
