"""
What SIP text means: grammar, URIs, header fields, messages, framing, digest.

Everything here is pure: bytes and numbers go in, values come out.
"""

from sipsorcery.sip.errors import LocalProtocolError, ParseError, SIPError
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response

__all__ = [
    "LocalProtocolError",
    "Message",
    "ParseError",
    "Request",
    "Response",
    "SIPError",
    "error_response",
    "parse",
]
