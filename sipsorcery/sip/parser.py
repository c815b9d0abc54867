"""
From the bytes of one message to a request or response.
"""

from __future__ import annotations

import re

from sipsorcery.sip import scanner
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTENT_LENGTH
from sipsorcery.sip.limits import MAX_FIELDS, MAX_MESSAGE
from sipsorcery.sip.request import USUAL, Request
from sipsorcery.sip.response import Response

# The first CR that is not the end of a line with another one below it: the end of
# the header section, or a bare CR. One search finds the one and rules out the other.
_SECTION_END = re.compile(rb"\r(?!\n[^\r])").search
# The fields that every message is asked for and that stand far down, or nowhere.
_MARKS = re.compile(
    r"\n(?:([Rr][Oo][Uu][Tt][Ee])|"
    r"[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]|[lL])"
    r"[ \t]*+:[ \t]*+([^\r]*+)"
).findall
# Characters of a head that cannot break a limit: no field that says something takes
# less than six.
_SMALL = 6 * MAX_FIELDS


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
    # The hot path: a request as nearly all devices write it. Whatever is unusual
    # about a message sends it the long way, which comes to the same.
    section_end = _SECTION_END(data)
    if section_end is not None and (end := section_end.start()) < _SMALL:
        head = data[: end + 2].decode("utf-8", "surrogateescape")
        usual = USUAL(head)
        if usual is not None and data.startswith(b"\r\n\r\n", end):
            marks = _MARKS(head, usual.end())
            body = data[end + 4 :]
            route = marks[0][1] if marks and marks[0][0] else None
            if (
                len(marks) == (1 if route is None else 2)
                and marks[-1][1] == str(len(body))
                and not marks[-1][0]
            ):
                return Request.from_usual(usual, head, body, route)
    return _parse_anyhow(data)


def _parse_anyhow(data: bytes) -> Request | Response:
    head, rest = scanner.split_datagram(data)
    message = parse_head(head)
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


def parse_head(head: str) -> Request | Response:
    """
    Make a message without body of a head that :mod:`~sipsorcery.sip.scanner` read.

    :raises ParseError: if the start line or a limit is broken.
    """
    message: Request | Response
    if head.startswith("SIP/"):
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
