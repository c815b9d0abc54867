"""
The two ends of a connection in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.main import CONNECTION_DONE
from twisted.python.failure import Failure
from zope.interface import implementer

from sipsorcery.testing.reactor import address

# What a socket of Twisted holds before it asks its producer to wait.
_BUFFER = 2**16


@implementer(ITCPTransport)
class MemoryTransport:
    """
    One end of a connection in memory.

    It pauses a producer when the other end does not read, as a socket does: see
    `pauseProducing`, which is how a test makes a peer slow.

    :param protocol: whose end it is; None turns the connection away.
    """

    disconnecting = False

    def __init__(
        self,
        reactor: IReactorTime,
        here: tuple[str, int],
        there: tuple[str, int],
        protocol: Any,
        latency: float,
    ) -> None:
        self.protocol = protocol
        self._reactor = reactor
        self._here = here
        self._there = there
        self._latency = latency
        self._other: MemoryTransport | None = None
        self._unsent = bytearray()  # written here, not yet read there
        self._reading = True
        self._ended = False  # nothing more is written here
        self._told_end = False  # and the other end has heard that
        self._aborted = False
        self._is_open = True
        self._producer: Any = None
        self._under_way = False

    def link(self, other: MemoryTransport) -> None:
        """
        Connect both ends.
        """
        self._other, other._other = other, self
        if other.protocol is None:  # turned away: the system has connected all the same
            other._is_open = False
            other._ended = True
            self.protocol.makeConnection(self)
            other._move()
            return
        other.protocol.makeConnection(other)
        self.protocol.makeConnection(self)

    # Writing

    def write(self, data: bytes) -> None:
        """
        Send bytes.
        """
        if self._is_open and not self._ended:
            self._unsent += data
            if self._producer is not None and len(self._unsent) > _BUFFER:
                self._producer.pauseProducing()
            self._move()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        Send bytes.
        """
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Take the producer that waits when the other end does not read.
        """
        assert streaming, "there is no double for pull producers"
        assert self._producer is None, "there is a producer already"
        self._producer = producer

    def unregisterProducer(self) -> None:
        """
        Forget the producer.
        """
        self._producer = None

    # Reading

    def pauseProducing(self) -> None:
        """
        Stop reading; what the other end writes piles up there.
        """
        self._reading = False

    def resumeProducing(self) -> None:
        """
        Read again.
        """
        self._reading = True
        if self._other is not None:
            self._other._move()

    def stopProducing(self) -> None:
        """
        Close the connection.
        """
        self.loseConnection()

    # Ending

    def loseConnection(self) -> None:
        """
        Close the connection when all that was written has been read.
        """
        if self._told_end:
            self._lose(ConnectionDone())  # at once, as Twisted's own does
            return
        self.disconnecting = self._ended = True
        self._reading = False
        self._move()

    def loseWriteConnection(self) -> None:
        """
        Write no more; read until the other end has ended, too.
        """
        self._ended = True
        self._move()

    def abortConnection(self) -> None:
        """
        Close the connection at once.
        """
        if self._is_open:
            self._unsent.clear()
            self._aborted = True
            self._reactor.callLater(0, self._lose, ConnectionAborted())
            self._move()

    # Knowing

    def getPeer(self) -> IPv4Address | IPv6Address:
        """
        Give the other end's address.
        """
        return address("TCP", *self._there)

    def getHost(self) -> IPv4Address | IPv6Address:
        """
        Give this end's address.
        """
        return address("TCP", *self._here)

    def getTcpNoDelay(self) -> bool:
        """
        Say yes: nothing is delayed here.
        """
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """
        Do nothing.
        """

    def getTcpKeepAlive(self) -> bool:
        """
        Say no: nothing dies unnoticed here.
        """
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """
        Do nothing.
        """

    # Inside

    def _move(self) -> None:
        if not self._under_way and self._other is not None:
            self._under_way = True
            self._other._reactor.callLater(self._latency, self._arrive)

    def _arrive(self) -> None:
        """
        Let what was written be read at the other end.
        """
        self._under_way = False
        other = self._other
        assert other is not None
        if self._aborted:
            other._lose(ConnectionLost())
            return
        if self._unsent and other._reading and other._is_open:
            data = bytes(self._unsent)
            self._unsent.clear()
            other.protocol.dataReceived(data)
            if self._producer is not None:
                self._producer.resumeProducing()
        if self._unsent and other._is_open:
            return  # until it reads again
        if self._ended:
            self._told_end = True
            if self.disconnecting:
                self._lose(ConnectionDone())
            other._hear_end()

    def _hear_end(self) -> None:
        if not self._is_open:
            return
        if IHalfCloseableProtocol.providedBy(self.protocol) and not self._ended:
            self.protocol.readConnectionLost()
        else:
            self._lose(CONNECTION_DONE)

    def _lose(self, error: Exception) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._ended = True
        self._unsent.clear()
        if self._producer is not None:
            self._producer.stopProducing()
            self._producer = None
        self.protocol.connectionLost(Failure(error))
        if self._other is not None:
            self._move()  # the other end hears of it
