"""
Messages that several tests start from.
"""

from __future__ import annotations

from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

#: The mandatory fields of a request; ``{method}`` goes into its CSeq.
FIELDS = (
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport",
    "Max-Forwards: 70",
    'From: "Alice" <sip:alice@example.com>;tag=1928301774',
    "To: <sip:bob@example.net>",
    "Call-ID: a84b4c76e66710@192.0.2.1",
    "CSeq: 314159 {method}",
)


def message(*lines: str, body: bytes = b"") -> bytes:
    """
    Write a message of its *lines*, the start line first.
    """
    head = "".join(f"{line}\r\n" for line in lines)
    return head.encode("utf-8", "surrogateescape") + b"\r\n" + body


def request_bytes(*more: str, method: str = "OPTIONS", body: bytes = b"") -> bytes:
    """
    Write a valid request, *more* fields below the mandatory ones.
    """
    fields = [field.format(method=method) for field in FIELDS]
    start = f"{method} sip:bob@example.net SIP/2.0"
    return message(start, *fields, *more, body=body)


def request(*more: str, method: str = "OPTIONS", body: bytes = b"") -> Request:
    """
    Make a valid request, *more* fields below the mandatory ones.
    """
    made = parse(request_bytes(*more, method=method, body=body))
    assert isinstance(made, Request)
    return made


def response(*more: str, status: str = "200 OK") -> Response:
    """
    Make a valid response, *more* fields below the mandatory ones.
    """
    fields = [field.format(method="OPTIONS") for field in FIELDS]
    made = parse(message(f"SIP/2.0 {status}", *fields, *more))
    assert isinstance(made, Response)
    return made
