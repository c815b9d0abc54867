"""
Which header fields pass from one leg of a call to the other. Pure.

Each leg is a dialog of its own, so what makes a dialog, a route or a transaction never
passes; neither does what says what the sender can do, for on the other leg that is we.
What passes is listed here, and nothing else: `docs/application-server.rst` gives the
reasons.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.dialog.bodies import described, description_in
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import SDPError, SessionDescription
from sipsorcery.sip.fields import CONTENT_TYPE, KEYS
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.ua.negotiation import Carried, Enclose

_IDENTITY = ("P-Asserted-Identity", "Remote-Party-ID")
_BODY = (
    *("Content-Disposition", "Content-Language", "MIME-Version"),
    *("Content-ID", "Content-Encoding"),
)


def _keys(*names: str) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


# Said about who calls and why.
_OF_CALL = _keys(
    *("Privacy", "Diversion", "History-Info", "Alert-Info", "Call-Info"),
    *("User-to-User", "Subject", "Priority", "Organization", "In-Reply-To"),
    *("Reason", "Geolocation", "Geolocation-Routing", "Resource-Priority"),
    *("Accept-Contact", "Reject-Contact", "Request-Disposition", "P-Early-Media"),
    *("Answer-Mode", "Priv-Answer-Mode", "Accept-Language", "Session-ID"),
)
_OF_ANSWER = _keys(
    *("Privacy", "History-Info", "Alert-Info", "Call-Info", "User-to-User"),
    *("Organization", "Reason", "P-Early-Media", "Answer-Mode", "Priv-Answer-Mode"),
    *("Warning", "Error-Info", "Retry-After", "Session-ID"),
)
_WITHIN = _keys(
    *("Accept", "Alert-Info", "Call-Info", "Content-Type", "Date", "Event"),
    *("Info-Package", "Recv-Info", "Subject", "Subscription-State", "User-to-User"),
    *("Priority", "Privacy", "Reason", "Retry-After", "Warning", "Session-ID"),
    *_BODY,
)
_OF_BYE = _keys("Reason", "User-to-User", "X-Asterisk-HangupCause", "Session-ID")
_IDENTITIES = _keys(*_IDENTITY)
_BODIES = _keys(*_BODY)


def of_call(
    invite: Request, *, from_trusted: bool = False, to_trusted: bool = False
) -> list[FieldValue]:
    """
    Give what an INVITE tells the other leg beyond what its own INVITE has.

    :param from_trusted: whether the sender may say who calls (:rfc:`3325#section-5`).
    :param to_trusted: whether the receiver may learn that even of who wants to be
        anonymous.
    """
    found = _pick(invite, _OF_CALL | _IDENTITIES if from_trusted else _OF_CALL)
    wanted = (invite.get("Privacy") or "").lower()
    if "id" in wanted.replace(" ", "").split(";") and not to_trusted:
        found = [one for one in found if _key(one[0]) not in _IDENTITIES]
    return found


def of_answer(response: Response, *, from_trusted: bool = False) -> list[FieldValue]:
    """
    Give what a response tells the caller.

    :param from_trusted: as for `of_call`.
    """
    return _pick(response, _OF_ANSWER | _IDENTITIES if from_trusted else _OF_ANSWER)


def within(message: Message) -> list[FieldValue]:
    """
    Give what INFO, MESSAGE, NOTIFY, OPTIONS and their responses take along.
    """
    return _pick(message, _WITHIN)


def of_bye(bye: Request | None) -> list[FieldValue]:
    """
    Give what the BYE to the other leg says of why the call is over.

    :param bye: that of who has hung up; None: it was not a BYE that ended the leg.
    """
    return [] if bye is None else _pick(bye, _OF_BYE)


def enclosed_as(message: Message) -> Enclose:
    """
    Give what puts a description where one was in a message: alone, or among parts.

    The other parts and the boundary stay, octet for octet.
    """
    type = message.get(CONTENT_TYPE)
    if not message.body or type is None or type.type != "multipart":
        return described
    try:
        old = description_in(message)
    except SDPError:
        return described
    if old is None:
        return described
    octets, body = bytes(old), message.body
    others = (("Content-Type", str(type)), *_pick(message, _BODIES))

    def enclose(description: SessionDescription) -> Carried:
        return list(others), body.replace(octets, bytes(description), 1)

    return enclose


def verbatim(message: Message) -> Carried:
    """
    Give a body that describes no session, and the fields that say what it is.
    """
    if not message.body:
        return [], b""
    return _pick(message, _BODIES | _keys("Content-Type")), message.body


def _pick(message: Message, keys: Iterable[str]) -> list[FieldValue]:
    return [(name, text) for name, text in message.items() if _key(name) in keys]


def _key(name: object) -> str:
    key = str(name).lower()
    return KEYS.get(key, key)
