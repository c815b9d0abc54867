"""
What reading and writing SIP messages costs, beside sipmessage and sippy in one run.

``proxy`` is what a proxy does with a request that it passes on: read the request
line, the top Via, Max-Forwards and Route; note the source in the Via, put its own
Via on top, count Max-Forwards down; write. ``eager`` parses every field that has a
type, and writes. sipmessage splits the lines and types them when asked; its row
"eager" asks for all that it types. sippy types as it parses.

Figures are microseconds a message, the best of several rounds in turn, so that the
ratios hold on a machine whose speed drifts.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from sipsorcery.sip.fields import MAX_FORWARDS, ROUTE, known_fields
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request

OPTIONS = (
    b"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:20000;branch=z9hG4bKg00000001T;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f00000001\r\n'
    b"To: <sip:100@127.0.0.1>\r\n"
    b"Call-ID: 00000001@127.0.0.1\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Contact: <sip:gen@127.0.0.1:20000>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Accept: application/sdp\r\n"
    b"Content-Length: 0\r\n\r\n"
)

SDP = (
    b"v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.10\r\ns=-\r\n"
    b"c=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)

INVITE = (
    b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK2d4790.1\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKnashds8"
    b";received=198.51.100.7;rport=33000\r\n"
    b"Max-Forwards: 69\r\n"
    b"Record-Route: <sip:192.0.2.1;lr>\r\n"
    b"Route: <sip:proxy.biloxi.example.com;lr>\r\n"
    b'From: "Alice Liddell" <sip:alice@atlanta.example.com>;tag=1928301774\r\n'
    b"To: Bob <sip:bob@biloxi.example.com>\r\n"
    b"Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:alice@192.0.2.10:5062;transport=udp>"
    b';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"\r\n'
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY\r\n"
    b"Supported: replaces, timer, 100rel, outbound, gruu\r\n"
    b"Session-Expires: 1800;refresher=uac\r\n"
    b"Min-SE: 90\r\n"
    b"User-Agent: ExamplePhone/3.2.1 (x86_64)\r\n"
    b'P-Asserted-Identity: "Alice Liddell" <sip:alice@atlanta.example.com>\r\n'
    b"Accept: application/sdp\r\n"
    b"Date: Sat, 21 Nov 2026 13:29:00 GMT\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(SDP), SDP)
)

OWN_VIA = "SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bK0123456789abcdef"
ROUNDS = 15
REPEAT = 1000


def proxy(data: bytes) -> bytes:
    """
    Do a proxy's work on one request.
    """
    request = cast(Request, parse(data))
    request.note_source("198.51.100.7", 33000)
    hops = request.get(MAX_FORWARDS)
    request.get(ROUTE)
    return request.forwarded(OWN_VIA, 70 if hops is None else hops - 1)


def eager(data: bytes) -> Callable[[], object]:
    """
    Return what parses every field of a message and writes it.
    """
    present = tuple(field for field in known_fields() if field in parse(data))

    def subject() -> object:
        message = parse(data)
        message.check()
        for field in present:
            message.all(field)
        return message.to_bytes()

    return subject


def peers(data: bytes) -> dict[str, Callable[[], object]]:
    """
    Return what the other libraries that are installed do with a message.
    """
    found: dict[str, Callable[[], object]] = {}
    try:
        import sipmessage

        found["sipmessage"] = lambda: bytes(sipmessage.Message.parse(data))
        found["sipmessage, eager"] = _eager_sipmessage(sipmessage.Message, data)
    except ImportError:
        pass
    try:
        from sippy.SipRequest import SipRequest

        found["sippy"] = lambda: str(SipRequest(data.decode())).encode()
    except ImportError:
        pass
    return found


def _eager_sipmessage(kind: Any, data: bytes) -> Callable[[], object]:
    present = [
        name
        for name, value in vars(kind).items()
        if isinstance(value, property) and getattr(kind.parse(data), name)
    ]

    def subject() -> object:
        message = kind.parse(data)
        for name in present:
            getattr(message, name)
        return bytes(message)

    return subject


def main() -> None:
    """
    Measure and print a table.
    """
    for name, data in (("OPTIONS", OPTIONS), ("INVITE", INVITE)):
        subjects: dict[str, Callable[[], object]] = {
            "proxy": partial(proxy, data),
            "eager": eager(data),
            **peers(data),
        }
        timers = {subject: timeit.Timer(work) for subject, work in subjects.items()}
        best = dict.fromkeys(subjects, float("inf"))
        for _ in range(ROUNDS):
            for subject, timer in timers.items():
                best[subject] = min(best[subject], timer.timeit(REPEAT))
        base = best.get("sipmessage")
        print(f"{name}, {len(data)} bytes, {len(parse(data).items())} fields")
        for subject, seconds in best.items():
            ratio = f"  sipmessage x {base / seconds:.2f}" if base else ""
            print(f"  {subject:18}{seconds / REPEAT * 1e6:8.2f} us{ratio}")


if __name__ == "__main__":
    main()
