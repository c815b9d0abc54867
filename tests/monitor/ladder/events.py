"""
Events of calls that nobody has made.
"""

from __future__ import annotations

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace

SERVER = Endpoint.parse("udp:192.0.2.1:5060")
ALICE = Endpoint.parse("udp:198.51.100.7:5060")
START = 1763841240.0


def message(
    start_line: str = "INVITE sip:101@example.com SIP/2.0",
    *fields: str,
    time: float = START,
    remote: Endpoint = ALICE,
    received: bool = True,
    call_id: str = "one",
    cseq: str = "1 INVITE",
    branch: str = "z9hG4bK1",
    sender: str = "<sip:100@example.com>;tag=1",
    called: str = "<sip:101@example.com>",
    body: bytes = b"",
    role: str = "",
) -> Event:
    """
    Make the trace of a message.
    """
    lines = [
        start_line,
        f"Via: SIP/2.0/UDP 198.51.100.7;branch={branch}",
        f"From: {sender}",
        f"To: {called}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq}",
        *fields,
        f"Content-Length: {len(body)}",
    ]
    data = "\r\n".join([*lines, "", ""]).encode() + body
    return raw(
        data, time=time, remote=remote, received=received, call_id=call_id, role=role
    )


def raw(
    data: bytes,
    *,
    time: float = START,
    remote: Endpoint = ALICE,
    received: bool = True,
    call_id: str = "",
    role: str = "",
) -> Event:
    """
    Make the trace of anything.
    """
    direction = Direction.RECEIVED if received else Direction.SENT
    return Event(
        time=time,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        call_id=call_id,
        remote=remote,
        detail={"role": role} if role else {},
        trace=Trace(data, direction, SERVER, remote),
    )


def told(kind: EventKind, text: str, *, time: float = START, **detail: str) -> Event:
    """
    Make an event of the application server.
    """
    call_id = detail.pop("call_id", "one")
    return Event(
        time=time,
        server="appserver",
        kind=kind,
        call_id=call_id,
        message=text,
        detail=detail,
    )
