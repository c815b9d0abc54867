"""
Responses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.fields import CONTENT_LENGTH, CSEQ, VIA, Field
from sipsorcery.sip.message import Message, head_of
from sipsorcery.sip.status import reason_phrase

# Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF; some devices
# leave out the second SP where the phrase is empty. It cannot be folded.
_STATUS_LINE = re.compile(
    r"(?i:SIP)/2\.0 ([1-6][0-9]{2})(?: ([^\r]*+))?\r\n(?![ \t])", re.ASCII
).match


class Response(Message):
    """
    A response.

    :ivar status: 100 to 699.
    :ivar reason: the reason phrase, which may be empty.
    """

    __slots__ = ("reason", "status")

    status: int
    reason: str

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        fields: Iterable[tuple[Field[Any] | str, Any]] = (),
        body: bytes = b"",
    ) -> None:
        """
        Make a response from nothing; mostly it is made by ``Request.respond``.

        :param reason: the phrase, ``None`` for the usual one.
        :raises LocalProtocolError: if it could not be read back.
        """
        self._compose(status, reason, "", fields, body)

    @classmethod
    def from_lines(
        cls,
        status: int,
        reason: str | None,
        lines: str,
        fields: Iterable[tuple[Field[Any] | str, Any]],
        body: bytes,
    ) -> Response:
        """
        Make a response whose first field *lines* are copied from a request.
        """
        self = cls.__new__(cls)
        self._compose(status, reason, lines, fields, body)
        return self

    def _compose(
        self,
        status: int,
        reason: str | None,
        lines: str,
        fields: Iterable[tuple[Field[Any] | str, Any]],
        body: bytes,
    ) -> None:
        if not 100 <= status <= 699:
            raise LocalProtocolError(f"no status code: {status}")
        self.status = status
        self.reason = reason_phrase(status) if reason is None else reason
        start, _, more = head_of(f"SIP/2.0 {status} {self.reason}", fields).partition(
            "\n"
        )
        self._adopt(f"{start}\n{lines}{more}Content-Length: {len(body)}\r\n", body)
        if more and len(CONTENT_LENGTH.find.findall(self._head)) > 1:
            self.body = body  # and its length is the one that counts

    @classmethod
    def from_head(cls, head: str, body: bytes = b"") -> Response:
        """
        Make a response of a head that :mod:`~sipsorcery.sip.scanner` read.

        :raises ParseError: if the start line is no Status-Line.
        """
        self = cls.__new__(cls)._adopt(head, body)
        match = _STATUS_LINE(head)
        if match is None:
            raise ParseError(f"bad status line {excerpt(self.start_line)}")
        self.status = int(match[1])
        self.reason = match[2] or ""
        return self

    def copy(self) -> Response:
        """
        Return a response of its own with the same content; costs next to nothing.
        """
        other = Response.__new__(Response)._adopt(self.head, self.body)
        other.status = self.status
        other.reason = self.reason
        return other

    def origin(self) -> tuple[str, str] | None:
        """
        Give branch and sent-by of the topmost Via; None where that takes a longer look.
        """
        return None

    def method(self) -> str:
        """
        Give the method of the request that this answers.

        :raises ParseError: if the CSeq is missing or broken.
        """
        return self[CSEQ].method

    def without_top_via(self) -> Response:
        """
        Return a response of its own without the topmost Via.

        :raises ParseError: if there is none, or it is broken.
        """
        other = self.copy()
        other.pop_first(VIA)
        return other

    @staticmethod
    def phrase(status: int) -> str:
        """
        Return the usual reason phrase of *status*.
        """
        return reason_phrase(status)

    @property
    def is_provisional(self) -> bool:
        """
        Whether a final response is still to come.
        """
        return self.status < 200

    @property
    def is_success(self) -> bool:
        """
        Whether this is a 2xx.
        """
        return 200 <= self.status < 300
