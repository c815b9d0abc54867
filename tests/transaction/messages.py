"""
Messages for the tests of transactions.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

VIA = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1"


def make_request(
    method: str = "OPTIONS",
    *,
    uri: str = "sip:bob@example.com",
    via: str = VIA,
    from_: str = "Alice <sip:alice@example.com>;tag=a",
    to: str = "<sip:bob@example.com>",
    call_id: str = "1@there",
    cseq: str = "7",
    more: Sequence[str] = (),
) -> Request:
    """
    Make a request as it is read from a datagram.

    :param more: further field lines.
    """
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 69",
        *more,
        "Content-Length: 0",
    ]
    request = parse("\r\n".join([*lines, "", ""]).encode())
    assert isinstance(request, Request)
    return request


def make_response(request: Request, status: int, to_tag: str = "b") -> Response:
    """
    Answer a request.
    """
    return request.respond(status, to_tag=None if status == 100 else to_tag)
