"""
Messages for the tests of dialogs: Alice calls Bob, by two proxies.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.sip.address import Address
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

ALICE_TAG = "1928301774"
BOB_TAG = "8321234356"

#: What Bob says of himself.
BOB_CONTACT = Address.parse("<sip:bob@192.0.2.4:5070>")

#: A description of a phone call, to be given an origin of one's own.
PHONE = (
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.1",
    "s=-",
    "c=IN IP4 192.0.2.1",
    "t=0 0",
    "m=audio 49170 RTP/AVP 0 8",
    "a=sendrecv",
)


def request(
    method: str = "INVITE",
    *more: str,
    cseq: int = 1,
    to_tag: str | None = None,
    from_tag: str | None = ALICE_TAG,
    uri: str = "sip:bob@example.net",
    contact: str | None = "<sip:alice@192.0.2.1:5060>",
    body: Iterable[str] = (),
) -> Request:
    """
    Make a request of Alice, outside a dialog unless there is a *to_tag*.

    :param more: lines of fields below the mandatory ones.
    :param body: lines of a session description.
    """
    fields = [
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds",
        "Max-Forwards: 70",
        f"From: Alice <sip:alice@example.com>{_tag(from_tag)}",
        f"To: Bob <sip:bob@example.net>{_tag(to_tag)}",
        "Call-ID: a84b4c76e66710@192.0.2.1",
        f"CSeq: {cseq} {method}",
    ]
    if contact is not None:
        fields.append(f"Contact: {contact}")
    message = _message(f"{method} {uri} SIP/2.0", [*fields, *more], body)
    assert isinstance(message, Request)
    return message


def from_bob(
    method: str = "INVITE",
    *more: str,
    cseq: int = 1,
    contact: str | None = "<sip:bob@192.0.2.4:5070>",
    body: Iterable[str] = (),
    from_tag: str | None = BOB_TAG,
) -> Request:
    """
    Make a request of Bob within the dialog that Alice has begun.
    """
    fields = [
        "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKnashds8",
        "Max-Forwards: 70",
        f"From: Bob <sip:bob@example.net>{_tag(from_tag)}",
        f"To: Alice <sip:alice@example.com>{_tag(ALICE_TAG)}",
        "Call-ID: a84b4c76e66710@192.0.2.1",
        f"CSeq: {cseq} {method}",
    ]
    if contact is not None:
        fields.append(f"Contact: {contact}")
    start = f"{method} sip:alice@192.0.2.1:5060 SIP/2.0"
    message = _message(start, [*fields, *more], body)
    assert isinstance(message, Request)
    return message


def response(
    status: int,
    *more: str,
    to: Request | None = None,
    to_tag: str | None = BOB_TAG,
    contact: str | None = "<sip:bob@192.0.2.4:5070>",
    body: Iterable[str] = (),
) -> Response:
    """
    Make a response, to Alice's first INVITE unless *to* says something else.
    """
    answered = request() if to is None else to
    made = answered.respond(status, to_tag=to_tag)
    lines = str(made).split("\r\n")
    fields = [line for line in lines[1:] if line and "Content-Length" not in line]
    if contact is not None:
        fields.append(f"Contact: {contact}")
    message = _message(lines[0], [*fields, *more], body)
    assert isinstance(message, Response)
    return message


def alices_dialog(status: int = 200, *more: str) -> Dialog:
    """
    Make Alice's side of a dialog, by a response to her INVITE.
    """
    return Dialog.of_response(request(), response(status, *more))


def bobs_dialog(*more: str) -> Dialog:
    """
    Make Bob's side of a dialog, which is early.
    """
    return Dialog.of_request(request("INVITE", *more), BOB_TAG, BOB_CONTACT)


def description(*lines: str, version: int = 1) -> list[str]:
    """
    Write a session description, with *lines* below those of :data:`PHONE`.
    """
    origin = f"o=- 1 {version} IN IP4 192.0.2.1"
    return [PHONE[0], origin, *PHONE[2:], *lines]


def _tag(tag: str | None) -> str:
    return "" if tag is None else f";tag={tag}"


def _message(
    start: str, fields: Iterable[str], body: Iterable[str]
) -> Request | Response:
    text = "".join(f"{line}\r\n" for line in body)
    types = ["Content-Type: application/sdp"] if text else []
    head = "".join(f"{line}\r\n" for line in (start, *fields, *types))
    return parse(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
