"""
Requests, and the responses made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self

from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.fields import (
    CALL_ID,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    SINGLE,
    TIMESTAMP,
    TO,
    VIA,
    Field,
)
from sipsorcery.sip.glance import Glance
from sipsorcery.sip.grammar import TOKEN, is_token
from sipsorcery.sip.message import Message, head_of
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI, parse_uri

# Request-Line = Method SP Request-URI SP SIP-Version CRLF. It cannot be folded: what
# is put below it would go in front of the fold.
_REQUEST_LINE = re.compile(
    rf"({TOKEN}) ([^ \t\r\n]++) (?i:SIP)/2\.0\r\n(?![ \t])", re.ASCII
).match
# The PA168S registers at domains with blanks in their names: "sip:Blue Face".
_BLANK_IN_HOST = re.compile(
    rf"({TOKEN}) ((?i:sips?):(?:[^\s@]++@)?[A-Za-z0-9_.\-]++"
    r"(?: (?!(?i:SIP)/)[A-Za-z0-9_.\-]++)++(?:[:;?][^ \t\r\n]*+)?+) (?i:SIP)/2\.0\r\n"
    r"(?![ \t])"
).match
_METHOD = re.compile(TOKEN).match
# What was meant for a status line, such as "16394SIP/2.0 200 OK".
_STATUS_LINE = re.compile(r"[^ \r]*(?i:SIP)/[0-9.]++ [0-9]{3}[ \r]", re.ASCII).match
_OTHER_VERSION = re.compile(
    r"[^\r]* (?i:SIP)/(?!2\.0\r)[0-9]++\.[0-9]++\r", re.ASCII
).match

_COPIED: tuple[Field[Any], ...] = (FROM, TO, CALL_ID, CSEQ)

#: Stands for the method of a request whose start line cannot be read.
UNKNOWN = "UNKNOWN"


class Request(Message):
    """
    A request.

    :ivar method: as spelled; case counts.
    :ivar request_uri: the text of the Request-URI; :attr:`uri` is its value.
    """

    __slots__ = ("_glance", "_glanced_at", "_uri", "method", "request_uri")

    method: str
    request_uri: str
    _uri: URI | None
    _glanced_at: str | None  # the head, as long as it is the same
    _glance: Glance | None  # of it

    def _adopt(self, head: str, body: bytes) -> Self:
        self._glanced_at = None
        return super()._adopt(head, body)

    def __init__(
        self,
        method: str,
        uri: URI | str,
        fields: Iterable[tuple[Field[Any] | str, Any]] = (),
        body: bytes = b"",
    ) -> None:
        """
        Make a request.

        :param fields: pairs of field and value; several pairs of a list field are
            several lines.
        :raises LocalProtocolError: if it could not be read back.
        """
        self._adopt(head_of(f"{method} {uri} SIP/2.0", fields), body)
        if _REQUEST_LINE(self._head) is None:
            raise LocalProtocolError(f"bad request line {excerpt(self.start_line)}")
        self.method = method
        self.request_uri = str(uri)
        self._uri = None if isinstance(uri, str) else uri
        if body:
            self.body = body

    @classmethod
    def from_head(cls, head: str, body: bytes = b"") -> Request:
        """
        Make a request of a head that :mod:`~sipsorcery.sip.scanner` read.

        :raises ParseError: if the start line is no Request-Line: 505 for another
            version, else 400; its ``partial`` has the fields, unless it looks like a
            response, which nobody answers.
        """
        self = cls.__new__(cls)._adopt(head, body)
        self._uri = None
        match = _REQUEST_LINE(head) or _BLANK_IN_HOST(head)
        if match is None:
            raise self._bad_request_line()
        self.method, self.request_uri = match.groups()
        return self

    def _bad_request_line(self) -> ParseError:
        if _STATUS_LINE(self._head):
            return ParseError(f"bad status line {excerpt(self.start_line)}")
        method = _METHOD(self._head)
        self.method = method[0] if method is not None else UNKNOWN
        self.request_uri = ""
        if _OTHER_VERSION(self._head):
            text = f"version of {excerpt(self.start_line)}"
            return ParseError(text, status=505, partial=self)
        return ParseError(f"bad request line {excerpt(self.start_line)}", partial=self)

    def copy(self) -> Request:
        """
        Return a request of its own with the same content; costs next to nothing.
        """
        other = Request.__new__(Request)._adopt(self.head, self.body)
        other.method = self.method
        other.request_uri = self.request_uri
        other._uri = self._uri
        return other

    def compact(self, *, keep_body: bool = True) -> None:
        """
        Let go of what was parsed, and seen at a glance.
        """
        super().compact(keep_body=keep_body)
        self._glanced_at = self._glance = None

    def glance(self) -> Glance | None:
        """
        See what a server wants to know first; None where that takes a longer look.
        """
        head = self._head
        if self._glanced_at is not head:
            self._glance = self._look(head)
            self._glanced_at = head
        return self._glance

    def to_tag(self) -> str | None:
        """
        Give the tag of the To; None where it has none.

        :raises ParseError: if the To is missing or broken.
        """
        seen = self.glance()
        return self[TO].tag if seen is None else seen.to_tag

    def call_id(self) -> str:
        """
        Give the Call-ID.

        :raises ParseError: if it is missing or broken.
        """
        return self[CALL_ID]

    def origin(self) -> tuple[str, str] | None:
        """
        Give branch and sent-by of the topmost Via; None where that takes a longer look.

        The branch is one that identifies a transaction.
        """
        seen = self.glance()
        return None if seen is None else (seen.branch, seen.sent_by)

    def _look(self, head: str) -> Glance | None:
        try:
            index = self._indexed()
        except ParseError:
            return None
        for key, texts in index.items():
            if len(texts) > 1 and key in SINGLE:
                return None
        return Glance.at(head)

    @property
    def uri(self) -> URI:
        """
        The Request-URI; setting it changes the request line.

        :raises ParseError: if it breaks the grammar.
        """
        if self._uri is None:
            try:
                self._uri = parse_uri(self.request_uri)
            except ParseError as error:
                raise ParseError(error.text, error.status, self) from None
        return self._uri

    @uri.setter
    def uri(self, uri: URI) -> None:
        line = f"{self.method} {uri} SIP/2.0\r\n"
        if _REQUEST_LINE(line) is None:
            raise LocalProtocolError(f"bad Request-URI {excerpt(str(uri))}")
        self._head = line + self._head[self._head.index("\n") + 1 :]
        self.request_uri = str(uri)
        self._uri = uri

    def note_source(self, address: str, port: int) -> None:
        """
        Note in the topmost Via where the request came from.

        ``received`` is written if sent-by names another address or ``rport`` asks
        for it, ``rport`` if it asks (:rfc:`3261#section-18.2.1`,
        :rfc:`3581#section-4`). What the sender put there itself does not stay.

        :param address: an IPv6 address without brackets.
        :raises ParseError: if there is no Via, or it breaks the grammar.
        """
        via = self[VIA]
        if (noted := via.seen_from(address, port)) != via:
            self.replace_first(VIA, noted)

    def forwarded(
        self, via: str, hops: int, lines: str = "", uri: str | None = None
    ) -> bytes:
        """
        Write the request as a proxy passes it on (:rfc:`3261#section-16.6`).

        :param via: the text of our Via, to go on top of the others.
        :param hops: the new Max-Forwards.
        :param lines: whole lines, each with its end, to go below the topmost of the
            other Vias.
        :param uri: the new Request-URI, if it changes.
        """
        request = self.copy()
        if uri is not None:
            request.uri = parse_uri(uri)
        request.set(MAX_FORWARDS, hops)
        if lines and (top := VIA.find.search(request.head)) is not None:
            place = top.end() + 1
            request._head = request.head[:place] + lines + request.head[place:]
        request.prepend("Via", via)
        return request.to_bytes()

    def check(self, *fields: Field[Any]) -> None:
        """
        Parse the Request-URI, all mandatory fields, and *fields* where present.

        :raises ParseError: as :meth:`Message.check`, and if the CSeq names another
            method or the Request-URI carries headers (:rfc:`3261#section-19.1.1`).
        """
        if (seen := self.glance()) is not None:
            # Whoever checks reads these next.
            self._values[CALL_ID.key] = seen.call_id
            self._values[CSEQ.key] = CSeq(int(seen.sequence), self.method)
            for field in fields:
                self.all(field)
            return
        super().check(MAX_FORWARDS, *fields)
        if self[CSEQ].method != self.method:
            raise ParseError(
                f"CSeq is of {excerpt(self[CSEQ].method)}, not {excerpt(self.method)}",
                partial=self,
            )
        if isinstance(self.uri, SIPURI) and self.uri.headers:
            raise ParseError("Request-URI with headers", partial=self)

    def respond(
        self,
        status: int,
        reason: str | None = None,
        fields: Iterable[tuple[Field[Any] | str, Any]] = (),
        body: bytes = b"",
        to_tag: str | None = None,
    ) -> Response:
        """
        Make a response (:rfc:`3261#section-8.2.6.2`).

        Via, From, To, Call-ID and CSeq are those of the request, as spelled; so is
        Timestamp in a 100. What of these the request lacks is left out, and of what
        it has twice the first is taken, so that a broken one can be answered too.

        :param to_tag: goes into the To if that has no tag yet and can be read.
        """
        if to_tag is not None and not is_token(to_tag):
            raise LocalProtocolError(f"bad To tag {excerpt(to_tag)}")
        vias, from_, to, call_id, cseq, lacks_tag = self._copied_lines()
        if to_tag is not None and lacks_tag:
            to = f"{to[:-2]};tag={to_tag}\r\n"
        timestamp = _first_line(TIMESTAMP, self._head) if status == 100 else ""
        lines = f"{vias}{from_}{to}{call_id}{cseq}{timestamp}"
        response = Response.from_lines(status, reason, lines, fields, body)
        if (value := self._values.get(CSEQ.key)) is not None:
            response._values[CSEQ.key] = value  # the line is the same
        return response

    def _copied_lines(self) -> tuple[str, str, str, str, str, bool]:
        """
        Give the lines that a response repeats, and whether the To lacks a tag.
        """
        if (seen := self.glance()) is not None:
            return (
                seen.via_lines,
                seen.from_line,
                seen.to_line,
                seen.call_id_line,
                seen.cseq_line,
                seen.to_tag is None,
            )
        head = self._head
        vias = "".join(head[start:end] for start, end in self._spans(VIA))
        from_, to, call_id, cseq = (_first_line(field, head) for field in _COPIED)
        return vias, from_, to, call_id, cseq, self._lacks_to_tag()

    def _lacks_to_tag(self) -> bool:
        try:
            to = self.get(TO)
        except ParseError:
            return False
        return to is not None and to.tag is None


def _first_line(field: Field[Any], head: str) -> str:
    match = field.find.search(head)
    return "" if match is None else head[match.start() + 1 : match.end() + 1]


def error_response(error: ParseError, to_tag: str | None = None) -> Response | None:
    """
    Make the answer to a request that could not be read.

    :returns: ``None`` where nothing may be answered: to a response, to an ACK, and
        to what has no Via to say where the answer goes.
    """
    request = error.partial
    if not isinstance(request, Request) or request.method == "ACK":
        return None
    if VIA not in request:
        return None
    reason = f"{Response.phrase(error.status)}: {_printable(error.text)}"
    return request.respond(error.status, reason, to_tag=to_tag)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
