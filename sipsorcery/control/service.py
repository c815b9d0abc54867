"""
The side of the server.
"""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeAlias

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IListeningPort,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from sipsorcery.control.errors import ControlError
from sipsorcery.control.naming import short_name, socket_file

#: What a server does on request: takes arguments by name, and gives what JSON can hold,
#: at once or later. An error that is a `ControlError` is told.
Verb: TypeAlias = Callable[..., Awaitable[Any] | Any]

# Octets of a question. The longest there is, an address-of-record, has a few hundred.
_MAX_QUESTION = 65_536
# Commands at a time: one person has a few, and each costs a file descriptor.
_CONNECTIONS = 32
# Seconds in which a command has to ask, or to go.
_IDLE = 60.0


class ControlService(Service):
    """
    Listens on the socket of one server.

    :param reactor: one that has Unix sockets and time.
    :param data_dir: where the service keeps its files.
    :param role: the name of the server.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, data_dir: Path, role: str, verbs: Mapping[str, Verb]
    ) -> None:
        self.name = f"control of {role}"
        self._reactor = reactor
        self._role = role
        self._file = socket_file(data_dir, role)
        self._factory = ControlFactory(reactor, verbs)
        self._port: IListeningPort | None = None
        self._names = ExitStack()

    def startService(self) -> None:
        """
        Listen, in place of a process that was killed and left its socket.

        :raises ControlError: if another process has it, or it cannot be made.
        :raises OSError: if its folder cannot be made.
        """
        for folder in (self._file.parent.parent, self._file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as names:
            name = names.enter_context(short_name(self._file))
            self._make_room(name)
            try:
                self._port = self._reactor.listenUNIX(name, self._factory, mode=0o600)
            except CannotListenError as error:
                raise ControlError(
                    f"cannot listen on '{self._file}': {error.socketError}"
                ) from error
            self._names = names.pop_all()
        super().startService()

    async def _stop(self, port: IListeningPort) -> None:
        await maybeDeferred(port.stopListening)
        self._names.close()
        self._factory.close()

    def stopService(self) -> Deferred[None] | None:
        """
        Remove the socket and end the connections.
        """
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else Deferred.fromCoroutine(self._stop(port))

    def _make_room(self, name: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(name)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.ECONNREFUSED:
                    raise ControlError(
                        f"cannot use '{self._file}': {error.strerror}"
                    ) from error
                # Nobody is behind it.
                Path(name).unlink()
                return
        raise ControlError(
            f"another process is the {self._role} of '{self._file.parent.parent}' "
            f"already: it listens on '{self._file}'"
        )


class ControlFactory(Factory):
    """
    Takes connections, a few at a time.
    """

    noisy = False

    def __init__(self, reactor: Any, verbs: Mapping[str, Verb]) -> None:
        self.reactor = reactor
        self.verbs = verbs
        self.connections: set[_Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> _Connection | None:
        """
        Take a connection, unless there are too many.
        """
        if len(self.connections) >= _CONNECTIONS:
            return None
        return _Connection(self)

    def close(self) -> None:
        """
        End all connections.
        """
        for each in list(self.connections):
            each.close()


@implementer(IHalfCloseableProtocol)
class _Connection(LineOnlyReceiver, TimeoutMixin):
    """
    One command: asks one question after the other.
    """

    delimiter = b"\n"
    MAX_LENGTH = _MAX_QUESTION
    _log = Logger(namespace="sipsorcery.control.service.ControlService")

    def __init__(self, factory: ControlFactory) -> None:
        self._factory = factory
        self._answering: Deferred[dict[str, Any]] | None = None
        self._has_asked_all = False

    def callLater(self, period: float, func: Callable[..., Any]) -> Any:
        """
        Take the time from the reactor that was given.
        """
        return self._factory.reactor.callLater(period, func)

    def close(self) -> None:
        """
        Hang up.
        """
        if self.transport is not None:
            self.transport.loseConnection()

    # What Twisted calls

    def connectionMade(self) -> None:
        """
        Wait for a question.
        """
        self._factory.connections.add(self)
        self.setTimeout(_IDLE)

    def lineReceived(self, line: bytes) -> None:
        """
        Answer; a question that comes before the answer is out ends it all.
        """
        if self._answering is not None:
            self._end("one question at a time")
            return
        self.setTimeout(None)
        self._answering = Deferred.fromCoroutine(self._answer(line))
        self._answering.addCallbacks(self._answered, self._failed)

    def lineLengthExceeded(self, line: bytes) -> None:
        """
        Refuse a question without end.
        """
        self._end(f"a question has at most {_MAX_QUESTION} octets")

    def timeoutConnection(self) -> None:
        """
        Close a connection on which nothing is asked.
        """
        self.close()

    def readConnectionLost(self) -> None:
        """
        Let who has asked everything, as ``nc -N`` says at once, still get the answer.
        """
        self._has_asked_all = True
        if self._answering is None:
            self.close()

    def writeConnectionLost(self) -> None:
        """
        Go: nobody listens.
        """
        self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Give up what was being answered.
        """
        self.setTimeout(None)
        self._factory.connections.discard(self)
        if self._answering is not None:
            self._answering.cancel()

    # Inside

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            found, arguments = self._read(line)
            answer = found(**arguments)
            return {"result": await answer if isawaitable(answer) else answer}
        except ControlError as error:
            return {"error": str(error)}

    def _read(self, line: bytes) -> tuple[Verb, dict[str, Any]]:
        try:
            question = json.loads(line)
            name, arguments = str(question["verb"]), dict(question["arguments"])
        except (ValueError, TypeError, LookupError, RecursionError):
            raise ControlError("this is no question") from None
        try:
            return self._factory.verbs[name], arguments
        except KeyError:
            raise ControlError(f"this server does not know {name[:64]!r}") from None

    def _answered(self, answer: dict[str, Any]) -> None:
        self._answering = None
        self.sendLine(json.dumps(answer).encode("ascii"))
        self.setTimeout(_IDLE)
        if self._has_asked_all:
            self.close()

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return  # whoever asked has gone
        self._log.failure("A command on the control socket fails", failure)
        self._answered({"error": "the server fails; its log says why"})

    def _end(self, reason: str) -> None:
        self.sendLine(json.dumps({"error": reason}).encode("ascii"))
        self.close()
