"""
Where a message begins and ends: in a stream, and among what else a socket hears.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sipsorcery.sip import scanner
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.limits import MAX_MESSAGE
from sipsorcery.sip.parser import content_length, parse_head, salvage
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

#: Seconds that a message may take from its first byte to its last.
MESSAGE_TIMEOUT = 4.0

# Besides empty lines: Linphone sends "jaK" and NUL, others send "png" or NULs. No
# method starts like the first two.
_PINGS = frozenset({b"jaK\0", b"png"})
_BLANKS = b"\r\n\0 \t"
_STUN_HEADER = 20
# What is left of a stream when no message has begun: a CR may precede its LF.
_BETWEEN_MESSAGES = (b"", b"\r")
# All that keeps the way open between two messages of a stream.
_PADDING = re.compile(rb"(?:[\r\n\0 \t]++|jaK\0|png)*+").match


class Kind(Enum):
    """
    What a datagram on a SIP socket is.
    """

    SIP = "sip"
    STUN = "stun"
    PING = "ping"


def demultiplex(datagram: bytes) -> Kind:
    """
    Tell by its first bytes what a datagram is.

    A STUN message starts with two zero bits and a type below 512, as no SIP message
    does (:rfc:`5389#section-6`); RFC 5626 keep-alives are empty lines.
    """
    first = datagram[:1]
    if first >= b"A":
        # Only what is short enough to be a ping is compared with one.
        return Kind.PING if len(datagram) < 5 and datagram in _PINGS else Kind.SIP
    if first in (b"\0", b"\1") and len(datagram) >= _STUN_HEADER:
        return Kind.STUN
    return Kind.SIP if datagram.strip(_BLANKS) else Kind.PING


@dataclass(frozen=True, slots=True)
class Ping:
    """
    Two empty lines: the peer wants one back (:rfc:`5626#section-3.5.1`).
    """


@dataclass(frozen=True, slots=True)
class Pong:
    """
    One empty line: the answer to our ping.
    """


Received = Request | Response | ParseError | Ping | Pong


class Framer:
    """
    Cuts a stream into messages (:rfc:`3261#section-18.3`).

    Bytes and times go in, messages and errors come out. After an error the stream
    cannot be followed any more: :attr:`broken` is true, and all further bytes are
    dropped. What it holds is bounded by the largest message.

    :ivar broken: whether an error has ended the stream.
    """

    def __init__(
        self,
        max_message: int = MAX_MESSAGE,
        message_timeout: float = MESSAGE_TIMEOUT,
    ) -> None:
        """
        Begin a stream.

        :param max_message: bytes of one message.
        :param message_timeout: seconds from its first byte to its last.
        """
        self.broken = False
        self._max_message = max_message
        self._message_timeout = message_timeout
        self._buffer = bytearray()
        self._searched = 0  # so far there is no blank line in the buffer
        self._message: Request | Response | None = None  # whose body is to come
        self._error: ParseError | None = None  # what is wrong with it
        self._missing = 0  # bytes of its body
        self._deadline: float | None = None
        self._empty_lines = 0  # that came last, 0 or 1

    def receive(self, data: bytes, now: float) -> list[Received]:
        """
        Take bytes from the stream.

        :param now: seconds of a clock that never goes back.
        :returns: what they complete, in order.
        """
        if self.broken:
            return []
        self._buffer += data
        received: list[Received] = []
        try:
            while self._advance(received):
                pass
        except ParseError as error:
            self._break()
            received.append(error)
            return received
        if self._message is None and self._buffer in _BETWEEN_MESSAGES:
            self._deadline = None
        elif self._deadline is None:
            self._deadline = now + self._message_timeout
        return received

    def next_timer(self) -> float | None:
        """
        Return when :meth:`handle_timer` wants to be called, ``None`` for never.
        """
        return self._deadline

    def handle_timer(self, now: float) -> list[Received]:
        """
        End the stream if a message has taken too long.
        """
        if self._deadline is None or now < self._deadline:
            return []
        error = ParseError(
            f"message not whole after {self._message_timeout:g} s",
            status=408,
            partial=self._message or salvage(bytes(self._buffer)),
        )
        self._break()
        return [error]

    def _advance(self, received: list[Received]) -> bool:
        if self._message is None and not self._begin(received):
            return False
        if len(self._buffer) < self._missing:
            return False
        message = self._message
        assert message is not None  # _begin has set it
        message.adopt_body(bytes(self._buffer[: self._missing]))
        del self._buffer[: self._missing]
        received.append(self._error or message)
        self._message = None
        self._error = None
        self._deadline = None
        return bool(self._buffer)

    def _begin(self, received: list[Received]) -> bool:
        self._skip_padding(received)
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > self._max_message:
                raise ParseError(
                    "header section too large",
                    status=513,
                    partial=salvage(bytes(self._buffer)),
                )
            return False
        self._searched = 0
        message = self._read(bytes(self._buffer[: end + 2]))
        # Nothing at all is what RFC 2543 clients without a body send.
        self._missing = content_length(message) or 0
        if end + 4 + self._missing > self._max_message:
            raise ParseError("message too large", status=513, partial=message)
        del self._buffer[: end + 4]
        self._message = message
        return True

    def _read(self, raw: bytes) -> Request | Response:
        try:
            head = scanner.read_head(raw)
        except ParseError as error:
            error.partial = salvage(raw)
            raise
        try:
            return parse_head(head)
        except ParseError as error:
            message = error.partial
            if error.status == 513 or not isinstance(message, Request):
                raise
            if VIA not in message:
                raise
            # This is SIP, so the next message can be found. Behind a proxy a connection
            # is many users', and one of them must not end it for all.
            self._error = error
            return message

    def _skip_padding(self, received: list[Received]) -> None:
        padding = _padding_of(self._buffer)
        lines = self._empty_lines + self._buffer.count(b"\r\n", 0, padding)
        received.extend([Ping()] * (lines // 2))
        if lines % 2 and not self._empty_lines:
            received.append(Pong())
        del self._buffer[:padding]
        if self._buffer in _BETWEEN_MESSAGES:
            self._empty_lines = lines % 2
        else:
            self._empty_lines = 0
        if padding:
            self._searched = 0

    def _break(self) -> None:
        self.broken = True
        self._deadline = None
        self._message = None
        self._error = None
        self._buffer.clear()


def _padding_of(buffer: bytearray) -> int:
    match = _PADDING(buffer)
    assert match is not None  # for it may be empty
    end = match.end()
    # A CR that came last may be the first half of an empty line.
    return end - 1 if end == len(buffer) and buffer.endswith(b"\r") else end
