"""
The stream channel: one TCP connection as a flow.

What arrives is cut into messages by a pure framer; this module gives it bytes and
time. TLS adds its handshake in `tls`. A WebSocket, when there is one, brings its own
framing and is the third kind of connection beside these two.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol

from cryptography import x509
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.framing import Framer, Ping, Pong, Received
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.watch import Watch

# How a response begins, and one after which another follows.
_RESPONSE = b"SIP/2.0 "
_PROVISIONAL = b"SIP/2.0 1"


class ConnectionOwner(Protocol):
    """
    Whoever a connection reports to.
    """

    counters: Counters
    watch: Watch

    def connection_opened(self, connection: StreamConnection) -> None:
        """
        Hear that messages can be sent now; over TLS, that the peer was verified.
        """

    def connection_closed(self, connection: StreamConnection, reason: str) -> None:
        """
        Hear that the connection is gone; once for each that was made.
        """

    def message_received(
        self, message: Request | Response, connection: StreamConnection
    ) -> None:
        """
        Take a message.
        """

    def parse_failed(self, error: ParseError, connection: StreamConnection) -> None:
        """
        Take what broke the grammar or a limit; the framing may be lost with it.
        """


class State(Enum):
    """
    Name the states of a connection.
    """

    SECURING = "securing"  # TLS shakes hands
    OPEN = "open"
    ANSWERING = "answering"  # the peer has ended its side, and waits for answers
    CLOSING = "closing"  # what was written leaves; nothing more is read
    CLOSED = "closed"


@implementer(IPushProducer, IHalfCloseableProtocol)
class StreamConnection(TwistedProtocol):
    """
    One connection, whoever opened it.

    A connection that nobody holds closes after `TransportLimits.idle` seconds without
    a byte in either direction. One delayed call, which fires for the nearest of all its
    deadlines and then looks for the next, is all it costs the reactor.

    A peer may end its side as soon as it has asked. Then it gets its answers, within
    `TransportLimits.answers` seconds, and the connection closes behind the last.

    :ivar number: what tells it from every other connection of its layer.
    :ivar listener: where it came in; None if we opened it.
    :ivar was_open: whether it ever was open.
    """

    kind = Transport.TCP
    certificate: x509.Certificate | None = None
    identities: tuple[str, ...] = ()
    local: Endpoint
    remote: Endpoint
    address: tuple[str, int]
    was_open = False

    def __init__(
        self,
        owner: ConnectionOwner,
        number: int,
        framer: Framer,
        limits: TransportLimits,
        clock: IReactorTime,
        listener: Listener | None = None,
    ) -> None:
        self.number = number
        self.listener = listener
        self._owner = owner
        self._framer = framer
        self._limits = limits
        self._clock = clock
        self._state = State.SECURING
        self._holds = 0
        self._used = 0.0  # when a byte last moved
        self._owed = 0  # final responses that the peer waits for
        self._deadline: float | None = None  # of the handshake, of answers, of closing
        self._timer: IDelayedCall | None = None
        self._paused = False  # the socket's buffer is full
        self._backlog: deque[bytes] = deque()
        self._unsent = 0  # bytes in the backlog
        self._reason: str | None = None  # why we closed it, if we did

    # The flow

    @property
    def is_open(self) -> bool:
        """
        Tell whether anything can still be sent, and answered.
        """
        return self._state is State.OPEN

    @property
    def takes_answers(self) -> bool:
        """
        Tell whether a response can still be sent.
        """
        return self._state in (State.OPEN, State.ANSWERING)

    def send(self, data: bytes) -> None:
        """
        Send one whole message.

        :raises TransportError: if the connection is closed, be it by the peer alone and
            the message no response, or the peer has not read for so long that too much
            waits already; then it is closed, too.
        """
        is_answer = data.startswith(_RESPONSE)
        if not (self.takes_answers if is_answer else self.is_open):
            raise TransportError(f"the connection to {self.remote} is closed")
        self._used = self._clock.seconds()
        self._owner.counters.sent += 1
        if self._paused:
            self._keep(data)
        else:
            self._write(data)
        if self._owner.watch.trace is not None:
            self._owner.watch.trace(data, self, False)
        if is_answer and not data.startswith(_PROVISIONAL):
            self._owed = max(0, self._owed - 1)  # a 2xx to INVITE can be sent twice
            self._close_if_answered()

    def hold(self) -> None:
        """
        Keep the flow open although nothing moves on it: it is in use.
        """
        self._holds += 1

    def release(self) -> None:
        """
        Undo one `hold`.
        """
        self._holds -= 1
        self._used = self._clock.seconds()
        self._set_timer()

    # Ending it

    def close(self, reason: str) -> None:
        """
        Close the connection after what was written has left.
        """
        if self._state in (State.CLOSING, State.CLOSED):
            return
        if self._state is State.SECURING:
            self.abort(reason)  # nothing was written yet
            return
        self._state = State.CLOSING
        self._reason = reason
        transport = self._transport
        transport.unregisterProducer()
        if self._backlog:
            transport.write(b"".join(self._backlog))
            self._backlog.clear()
        # A peer that does not read, or that never ends its side of TLS, would keep it.
        self._deadline = self._clock.seconds() + self._limits.close
        self._set_timer()
        self._finish()

    def abort(self, reason: str) -> None:
        """
        Close the connection at once.
        """
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSING
        self._reason = self._reason or reason
        self._deadline = None
        self._backlog.clear()
        self._transport.abortConnection()

    # What Twisted calls

    def connectionMade(self) -> None:
        """
        Open at once: TCP has no handshake of ours.
        """
        self._begin()
        self._opened()

    def dataReceived(self, data: bytes) -> None:
        """
        Cut what arrived into messages and hand them on.
        """
        if self._state is not State.OPEN:
            return
        now = self._used = self._clock.seconds()
        self._take(self._framer.receive(data, now))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Let go of everything.
        """
        self._state = State.CLOSED
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._backlog.clear()
        self.transport = None
        self._reason = self._reason or self._explain(reason)
        self._owner.connection_closed(self, self._reason)

    def readConnectionLost(self) -> None:
        """
        Answer what has come: the peer has ended its side.
        """
        if self._state is State.CLOSING:
            self._transport.loseConnection()  # ours has ended before
        if self._state is not State.OPEN:
            return
        self._state = State.ANSWERING
        self._deadline = self._clock.seconds() + self._limits.answers
        self._set_timer()
        self._close_if_answered()

    def writeConnectionLost(self) -> None:
        """
        Do nothing: we have ended our side.
        """

    def pauseProducing(self) -> None:
        """
        Keep what is sent from now on: the socket's buffer is full.
        """
        self._paused = True

    def resumeProducing(self) -> None:
        """
        Write what was kept, until the buffer is full again.
        """
        self._paused = False
        while self._backlog and not self._paused:
            data = self._backlog.popleft()
            self._unsent -= len(data)
            self._write(data)

    def stopProducing(self) -> None:
        """
        Do nothing: `connectionLost` follows.
        """

    # Inside

    @property
    def _transport(self) -> Any:
        # It is no ITransport alone: it aborts, and takes producers.
        return self.transport

    def _begin(self) -> None:
        transport = self._transport
        here, there = transport.getHost(), transport.getPeer()
        self.local = Endpoint(self.kind, here.host, here.port)
        self.remote = Endpoint(self.kind, there.host, there.port)
        self.address = (there.host, there.port)
        # Messages are whole when they are written; waiting for more only delays them.
        transport.setTcpNoDelay(True)
        # A held flow whose peer lost its power is found out in the end. (macOS refuses
        # this for a connection that the peer has reset already.)
        with suppress(OSError):
            transport.setTcpKeepAlive(True)
        transport.registerProducer(self, True)
        self._used = self._clock.seconds()

    def _opened(self) -> None:
        self._state = State.OPEN
        self.was_open = True
        self._deadline = None
        self._set_timer()
        self._owner.connection_opened(self)

    def _finish(self) -> None:
        if self._framer.broken:
            # Closing a socket from which something is still unread resets it, and the
            # peer may never see the answer. So end our side, and read until it ends.
            self._transport.loseWriteConnection()
        else:
            self._transport.loseConnection()

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def _keep(self, data: bytes) -> None:
        self._backlog.append(data)
        self._unsent += len(data)
        if self._unsent > self._limits.unsent:
            reason = f"{self.remote} does not read: {self._unsent} bytes are unsent"
            self.abort(reason)
            raise TransportError(reason)

    def _close_if_answered(self) -> None:
        if self._state is State.ANSWERING and not self._owed:
            self.close(f"{self.remote} closed the connection")

    def _take(self, received: list[Received]) -> None:
        pings = 0
        for one in received:
            if self._state is not State.OPEN:
                return  # what the owner did with the last one closed it
            match one:
                case Ping():
                    pings += 1
                case Pong():
                    # The answer to a ping of ours, for which a flow of an outbound
                    # client waits (RFC 5626, 4.4.1). We send none yet.
                    pass
                case ParseError():
                    self._owner.parse_failed(one, self)
                case Request() | Response():
                    self._note_owed(one)
                    self._owner.message_received(one, self)
        if pings:
            self._answer_pings(pings)
        if self._framer.broken:
            self.close(f"{self.remote} sent what is not SIP")
        else:
            self._set_timer()

    def _note_owed(self, message: Request | Response) -> None:
        if isinstance(message, Request) and message.method != "ACK":
            self._owed += 1

    def _answer_pings(self, number: int) -> None:
        self._owner.counters.pings += number
        # All at once, for 16,000 of them fit into one segment of a flood; through
        # send(), for a peer that pings and never reads has its bound there.
        with suppress(TransportError):
            self.send(b"\r\n" * number)

    def _explain(self, reason: Failure) -> str:
        return f"{self.remote} closed the connection: {reason.getErrorMessage()}"

    def _next_timer(self) -> float | None:
        if self._state is State.CLOSED:
            return None
        if self._deadline is not None:
            return self._deadline
        if self._state is not State.OPEN:
            return None
        whole: float | None = self._framer.next_timer()
        if self._holds:
            return whole
        idle = self._used + self._limits.idle
        return idle if whole is None else min(whole, idle)

    def _set_timer(self) -> None:
        due = self._next_timer()
        if due is None or (self._timer and self._timer.getTime() <= due):
            return  # when it fires it looks again
        delay = max(0.0, due - self._clock.seconds())
        if self._timer is not None:
            self._timer.reset(delay)
        else:
            self._timer = self._clock.callLater(delay, self._handle_timer)

    def _handle_timer(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        if self._deadline is not None and now >= self._deadline:
            self._end_overdue()
        elif self._state is State.OPEN:
            self._take(self._framer.handle_timer(now))
            if self._state is State.OPEN and self._is_idle(now):
                self.close(f"nothing moved for {self._limits.idle:g} seconds")
        self._set_timer()

    def _is_idle(self, now: float) -> bool:
        return not self._holds and now >= self._used + self._limits.idle

    def _end_overdue(self) -> None:
        if self._state is State.ANSWERING:
            self.close(f"{self.remote} closed the connection, and answers did not come")
        else:
            self.abort(self._overdue())

    def _overdue(self) -> str:
        return (
            f"{self.remote} did not take what was left within {self._limits.close:g} s"
        )
