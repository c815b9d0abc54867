"""
What a ladder says about one message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2s
from typing import TypeVar

from sipsorcery.monitor.event import Trace
from sipsorcery.monitor.ladder.ladder import Tone, safe
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTENT_TYPE, CSEQ, FROM, TO, VIA, Field
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI

T = TypeVar("T")

# Fields that say why something is done or is not, and to whom it leads.
_TELLING = ("Reason", "Warning", "Retry-After", "Refer-To", "Replaces", "Diversion")
# Who is asked for a password may go on.
_CHALLENGES = (401, 407)
# What is hardly ever refused, so that nobody looks for its answer.
_AS_EXPECTED = ("BYE", "CANCEL", "NOTIFY", "PRACK", "INFO", "OPTIONS")
# Values of one field that are shown, as of a chain of diversions.
_VALUES = 3
_DIRECTION = re.compile(rb"^a=(sendonly|recvonly|inactive)\r?$", re.MULTILINE)
# How phones held a call before there were directions (RFC 3264, section 8.4).
_HELD = re.compile(rb"^c=IN IP4 0\.0\.0\.0\r?$", re.MULTILINE)
_STATUS = re.compile(rb"SIP/2\.0 ([0-9]{3}[^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A message, as far as it could be read.

    :ivar method: that of the CSeq in a response.
    :ivar status: 0: it is a request.
    :ivar sender: the URI of its From; None: it could not be read.
    :ivar called: the URI of its To, likewise.
    :ivar begins: whether it is a request outside of any dialog.
    :ivar key: the same for a message that is sent again, and for no other.
    """

    label: str
    tone: Tone
    key: bytes
    method: str = ""
    status: int = 0
    remarks: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    sender: URI | None = None
    called: URI | None = None
    begins: bool = False


def read(trace: Trace) -> Reading:
    """
    Read a trace.
    """
    try:
        message = parse(trace.data)
    except ParseError as error:
        label = f"unreadable, {len(trace.data)} bytes"
        details = (safe(error.text),)
        return Reading(label, Tone.TROUBLE, _digest(trace.data), details=details)
    cseq = _get(message, CSEQ)
    sender, called = _get(message, FROM), _get(message, TO)
    method = cseq.method if cseq else ""
    status = 0
    if isinstance(message, Response):
        status = message.status
        label = f"{status} {message.reason}"
        if method not in ("INVITE", ""):
            label += f" ({method})"
    else:
        assert isinstance(message, Request)
        method = label = message.method
    if mark := _mark(message):
        label += f" ({mark})"
    return Reading(
        label=safe(label),
        tone=_tone(method, status),
        key=_key(message),
        method=safe(method),
        status=status,
        remarks=tuple(_remarks(message, status)),
        details=tuple(_details(message)),
        sender=sender.uri if sender else None,
        called=called.uri if called else None,
        begins=not status and called is not None and called.tag is None,
    )


def _tone(method: str, status: int) -> Tone:
    if not status:
        return Tone.REQUEST
    if status < 200 or status in _CHALLENGES:
        return Tone.PROGRESS
    if status >= 300:
        return Tone.FAILURE
    return Tone.PROGRESS if method in _AS_EXPECTED else Tone.SUCCESS


def _mark(message: Message) -> str:
    """
    Say in a word or two what the body is.
    """
    body = message.body
    if not body.strip():
        return ""
    type = _get(message, CONTENT_TYPE)
    name = f"{type.type}/{type.subtype}".lower() if type else ""
    if name == "application/sdp" or (
        name.startswith("multipart/") and b"application/sdp" in body.lower()
    ):
        direction = _DIRECTION.search(body)
        if direction is not None:
            return f"SDP {direction[1].decode('ascii')}"
        return "SDP held" if _HELD.search(body) else "SDP"
    if name == "message/sipfrag" and (status := _STATUS.match(body)):
        return status[1].decode("utf-8", "replace")
    return type.subtype if type else f"{len(body)} bytes"


def _remarks(message: Message, status: int) -> list[str]:
    names = (*_TELLING, "Contact") if 300 <= status < 400 else _TELLING
    return [
        safe(f"{name}: {value}")
        for name in names
        for value in _texts(message, name)[:_VALUES]
    ]


def _details(message: Message) -> list[str]:
    names = ("From", "To", "Call-ID", "CSeq", "User-Agent", "Server")
    return [
        safe(message.start_line),
        *(
            safe(f"{name}: {value}")
            for name in names
            for value in _texts(message, name)[:1]
        ),
    ]


def _key(message: Message) -> bytes:
    """
    Tell messages apart by what a transaction does, and by what they carry.

    A phone may change other fields when it sends something again, such as Timestamp.
    """
    via = _get(message, VIA)
    parts = [message.start_line, via.branch or "" if via else ""]
    for name in ("From", "To", "Call-ID", "CSeq", "RSeq"):
        parts += _texts(message, name)[:1] or [""]
    text = "\n".join(parts).encode("utf-8", "surrogateescape")
    return _digest(text + b"\n" + message.body)


def _digest(data: bytes) -> bytes:
    return blake2s(data, digest_size=16).digest()


def _get(message: Message, field: Field[T]) -> T | None:
    try:
        return message.get(field)
    except ParseError:
        return None


def _texts(message: Message, name: str) -> list[str]:
    try:
        return list(message.all(name))
    except ParseError:
        return []
