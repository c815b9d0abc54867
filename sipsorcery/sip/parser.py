"""
From the bytes of one message to a request or response.
"""

from __future__ import annotations

from sipsorcery.sip import scanner
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTENT_LENGTH
from sipsorcery.sip.limits import MAX_MESSAGE
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.usual import parse_usual
from sipsorcery.sip.usual_response import parse_usual_response


def parse(data: bytes) -> Request | Response:
    """
    Read one datagram.

    Content-Length is honoured (:rfc:`3261#section-18.3`): what follows the body is
    dropped, a body that is too short is an error. Without it the body is all that
    follows the blank line.

    :raises ParseError: with what could be read as ``partial``, if the start line,
        the line ends, the Content-Length or a limit is broken. All other fields
        are read when asked for; see :meth:`Message.check`.
    """
    usual: Request | Response | None
    if data.startswith(b"SIP/2.0 "):
        usual = parse_usual_response(data)
    else:
        usual = parse_usual(data)
    if usual is not None:
        return usual
    raw, rest = scanner.split_datagram(data)
    message = parse_section(raw)
    if len(data) > MAX_MESSAGE:
        raise ParseError("message too large", status=513, partial=message)
    length = content_length(message)
    if length is None or length == len(rest):
        message.adopt_body(rest)
    elif length < len(rest):
        message.adopt_body(rest[:length])
    else:
        raise ParseError(
            f"Content-Length is {length}, the body has {len(rest)} bytes",
            partial=message,
        )
    return message


def parse_section(raw: bytes) -> Request | Response:
    """
    Make a message without body of the bytes before a blank line.

    :raises ParseError: if a line end, the start line or a limit is broken.
    """
    try:
        head = scanner.read_head(raw)
    except ParseError as error:
        error.partial = salvage(raw)
        raise
    return parse_head(head)


def salvage(raw: bytes) -> Message | None:
    """
    Make of a header section that cannot be read what an answer to it needs.
    """
    head = scanner.salvage_head(raw)
    try:
        return parse_head(head) if head else None
    except ParseError as error:
        return error.partial


def parse_head(head: str) -> Request | Response:
    """
    Make a message without body of a head that :mod:`~sipsorcery.sip.scanner` read.

    :raises ParseError: if the start line or a limit is broken.
    """
    message: Request | Response
    # SIP-Version is case-insensitive (RFC 3261, 7.1).
    if head[:4].lower() == "sip/":
        message = Response.from_head(head)
    else:
        message = Request.from_head(head)
    try:
        scanner.check_limits(head)
    except ParseError as error:
        error.partial = message
        raise
    return message


def content_length(message: Request | Response) -> int | None:
    """
    Return the Content-Length, ``None`` where there is none.

    :raises ParseError: if it is no number, or there are two that differ.
    """
    texts = CONTENT_LENGTH.find.findall(message.head)
    if not texts:
        return None
    if len(texts) > 1 and len({text.strip() for text in texts}) > 1:
        raise ParseError("several Content-Length fields", partial=message)
    length = message.get(CONTENT_LENGTH)
    if length is None:
        raise ParseError("empty Content-Length", partial=message)
    return length
