"""
INVITEs of callers, as they lie in the live state. Pure.
"""

from __future__ import annotations

from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request

# Nobody needs these any more when a call is let in, and they prove who calls.
_CREDENTIALS = ("Authorization", "Proxy-Authorization")


def write_invite(request: Request) -> bytes:
    """
    Write an INVITE down as it came, but for the credentials of the caller.
    """
    if any(name in request for name in _CREDENTIALS):
        request = request.copy()
        for name in _CREDENTIALS:
            request.remove(name)
    return request.to_bytes()


def read_invite(text: bytes) -> Request:
    """
    Read it again.

    :raises ParseError: if it breaks the grammar.
    :raises ValueError: if it is something else.
    """
    message = parse(text)
    if not isinstance(message, Request) or message.method != "INVITE":
        raise ValueError("a call that was begun by no INVITE")
    return message
