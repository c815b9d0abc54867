"""
Fragments of messages, by which a transfer tells how far it is (:rfc:`3420`).
"""

from __future__ import annotations

import re

from sipsorcery.sip.message import Message
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.response import Response

#: The media type of fragments.
SIPFRAG = MediaType("message", "sipfrag", Parameters([("version", "2.0")]))

# Devices leave out the phrase, and the line end.
_STATUS_LINE = re.compile(
    rb"(?i:SIP)/2\.0[ \t]++([1-6][0-9]{2})(?:[ \t]++([^\r\n]*+))?(?:\r?\n|$)"
).match


def write_sipfrag(status: int, reason: str | None = None) -> bytes:
    """
    Write the fragment that tells the status of a call.
    """
    phrase = Response.phrase(status) if reason is None else reason
    printable = "".join(filter(str.isprintable, phrase))
    return f"SIP/2.0 {status} {printable}\r\n".encode("utf-8", "replace")


def read_sipfrag(message: Message) -> tuple[int, str] | None:
    """
    Read status and phrase from the body of a NOTIFY.

    :returns: ``None`` if the body does not begin with a status line.
    """
    match = _STATUS_LINE(message.body.lstrip(b"\r\n"))
    if match is None:
        return None
    return int(match[1]), (match[2] or b"").decode("utf-8", "replace").strip()
