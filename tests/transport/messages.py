"""
Messages for the tests of the transports.
"""

from __future__ import annotations

from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request


def options_bytes(
    via: str = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKnow;rport",
    call_id: str = "1@there",
    body: bytes = b"",
) -> bytes:
    """
    Write an OPTIONS request with this Via.
    """
    return (
        "OPTIONS sip:example.com SIP/2.0\r\n"
        f"Via: {via}\r\n"
        "From: <sip:a@example.com>;tag=1\r\n"
        "To: <sip:example.com>\r\n"
        f"Call-ID: {call_id}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def options(via: str = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKnow;rport") -> Request:
    """
    Make an OPTIONS request with this Via.
    """
    request = parse(options_bytes(via))
    assert isinstance(request, Request)
    return request
