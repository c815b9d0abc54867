"""
Connections that are being opened, and the messages that wait for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress, IConnector
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python.failure import Failure

from sipsorcery.transport.errors import TLSVerificationError, TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.stream import StreamConnection
from sipsorcery.transport.target import Target
from sipsorcery.transport.tls import SecureConnection


class Opening(ClientFactory):
    """
    Open one connection; send what waits for it once it is open.

    Everything that waits either leaves or fails; what is given up while it waits is
    not sent.

    :param failed: is told if the TCP connection cannot be made. (If TLS then fails, the
        connection tells its owner.)
    """

    noisy = False

    def __init__(
        self,
        target: Target,
        connection: StreamConnection,
        limits: TransportLimits,
        failed: Callable[[Opening], None],
    ) -> None:
        self.target = target
        self.connection = connection
        self._limits = limits
        self._failed = failed
        self._waiting: deque[tuple[bytes, Deferred[Flow]]] = deque()
        self._bytes = 0
        self._connector: IConnector | None = None

    def send(self, data: bytes) -> Deferred[Flow]:
        """
        Send *data* when the connection is open.

        :return: fires with the flow when it has been handed over; fails with
            `TransportError`.
        """
        limits = self._limits
        self._bytes += len(data)
        if len(self._waiting) >= limits.waiting or self._bytes > limits.unsent:
            self._bytes -= len(data)
            return fail(
                TransportError(
                    f"{len(self._waiting)} messages wait for {self.target} already"
                )
            )
        sent: Deferred[Flow] = Deferred(self._give_up)
        self._waiting.append((data, sent))
        return sent

    def opened(self) -> None:
        """
        Send what waits.
        """
        while self._waiting:
            data, sent = self._waiting.popleft()
            try:
                self.connection.send(data)
            except TransportError as error:
                sent.errback(error)
            else:
                sent.callback(self.connection)

    def fail(self, error: TransportError) -> None:
        """
        Tell all that wait that there is nothing to wait for.
        """
        while self._waiting:
            _, sent = self._waiting.popleft()
            sent.errback(error)

    def stop(self, reason: str) -> None:
        """
        Give up, wherever it is.
        """
        if self.connection.transport is not None:
            self.connection.abort(reason)
        elif self._connector is not None:
            self._connector.stopConnecting()

    def closed_early(self, reason: str) -> None:
        """
        Hear that the connection ended before it was open: in the TLS handshake.
        """
        connection = self.connection
        if isinstance(connection, SecureConnection) and connection.is_distrusted:
            self.fail(TLSVerificationError(reason))
        else:
            self.fail(TransportError(reason))

    # What Twisted calls

    def startedConnecting(self, connector: IConnector) -> None:
        """
        Learn how to stop.
        """
        self._connector = connector

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """
        Give the connection to the socket that has connected.
        """
        return self.connection

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """
        Hear that there will be no connection.
        """
        self._failed(self)
        said = reason.getErrorMessage()
        self.fail(TransportError(f"cannot connect to {self.target}: {said}"))

    def _give_up(self, sent: Deferred[Flow]) -> None:
        for waiting in self._waiting:
            if waiting[1] is sent:
                self._bytes -= len(waiting[0])
                self._waiting.remove(waiting)
                return
