"""
Which header fields pass from one leg of a call to the other. Pure.

Each leg is a dialog of its own, so what makes a dialog, a route or a transaction never
passes; neither does what says what the sender can do, for on the other leg that is we.
What passes is listed here, and nothing else: `docs/application-server.rst` gives the
reasons.
"""

from __future__ import annotations

import re

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


class _Fields:
    """
    Some fields, to be picked out of messages.
    """

    __slots__ = ("_find", "_keys")

    def __init__(self, *names: str) -> None:
        self._keys = frozenset(name.lower() for name in names)
        short = [name for name, key in KEYS.items() if key in self._keys]
        every = "|".join(map(re.escape, {*self._keys, *short}))
        # Most messages have none of them, which one search tells.
        self._find = re.compile(rf"\n(?:{every})[ \t]*+:", re.IGNORECASE).search

    def __or__(self, other: _Fields) -> _Fields:
        return _Fields(*self._keys, *other._keys)

    def of(self, message: Message) -> list[FieldValue]:
        """
        Give their lines as the message has them.
        """
        if self._find(message.head) is None:
            return []
        return [one for one in message.items() if self.has(one[0])]

    def has(self, name: object) -> bool:
        """
        Tell whether a name is that of one of them, be it a compact one.
        """
        key = str(name).lower()
        return KEYS.get(key, key) in self._keys


# Said about who calls and why.
_OF_CALL = _Fields(
    *("Privacy", "Diversion", "History-Info", "Alert-Info", "Call-Info"),
    *("User-to-User", "Subject", "Priority", "Organization", "In-Reply-To"),
    *("Reason", "Geolocation", "Geolocation-Routing", "Resource-Priority"),
    *("Accept-Contact", "Reject-Contact", "Request-Disposition", "P-Early-Media"),
    *("Answer-Mode", "Priv-Answer-Mode", "Accept-Language", "Session-ID"),
)
_OF_ANSWER = _Fields(
    *("Privacy", "History-Info", "Alert-Info", "Call-Info", "User-to-User"),
    *("Organization", "Reason", "P-Early-Media", "Answer-Mode", "Priv-Answer-Mode"),
    *("Warning", "Error-Info", "Retry-After", "Session-ID"),
)
# When a message was written, and until when it means something (RFC 3428, 4).
_OF_MESSAGE = _Fields("Date", "Expires")
# The codecs and languages that would have done are the callee's to name.
_OF_FAILURE = _Fields(
    *("Retry-After", "Warning", "Reason", "Error-Info", "Call-Info", "History-Info"),
    *("Accept", "Accept-Encoding", "Accept-Language", "User-to-User", "Session-ID"),
)
_WITHIN = _Fields(
    *("Accept", "Alert-Info", "Call-Info", "Content-Type", "Date", "Event"),
    *("Info-Package", "Recv-Info", "Subject", "Subscription-State", "User-to-User"),
    *("Priority", "Privacy", "Reason", "Retry-After", "Warning", "Session-ID"),
    *_BODY,
)
_OF_BYE = _Fields("Reason", "User-to-User", "X-Asterisk-HangupCause", "Session-ID")
_IDENTITIES = _Fields(*_IDENTITY)
_BODIES = _Fields(*_BODY)
_TYPED = _Fields("Content-Type", *_BODY)
_OF_TRUSTED_CALL = _OF_CALL | _IDENTITIES
_OF_TRUSTED_ANSWER = _OF_ANSWER | _IDENTITIES


def of_call(
    invite: Request, *, from_trusted: bool = False, to_trusted: bool = False
) -> list[FieldValue]:
    """
    Give what an INVITE tells the other leg beyond what its own INVITE has.

    :param from_trusted: whether the sender may say who calls (:rfc:`3325#section-5`).
    :param to_trusted: whether the receiver may learn that even of who wants to be
        anonymous.
    """
    if not from_trusted:
        return _OF_CALL.of(invite)
    found = _OF_TRUSTED_CALL.of(invite)
    wanted = (invite.get("Privacy") or "").lower()
    if "id" in wanted.replace(" ", "").split(";") and not to_trusted:
        found = [one for one in found if not _IDENTITIES.has(one[0])]
    return found


def of_message(
    request: Request, *, from_trusted: bool = False, to_trusted: bool = False
) -> list[FieldValue]:
    """
    Give what a MESSAGE outside of calls takes along, and what its body is.

    :param from_trusted: as for `of_call`, and so is *to_trusted*.
    """
    told = of_call(request, from_trusted=from_trusted, to_trusted=to_trusted)
    return [*told, *_OF_MESSAGE.of(request), *verbatim(request)[0]]


def of_answer(response: Response, *, from_trusted: bool = False) -> list[FieldValue]:
    """
    Give what a response tells the caller.

    :param from_trusted: as for `of_call`.
    """
    return (_OF_TRUSTED_ANSWER if from_trusted else _OF_ANSWER).of(response)


def of_failure(response: Response) -> list[FieldValue]:
    """
    Give what a failure of a leg tells the caller beside its status.

    Challenges are for us, who have the credentials, or for nobody. ``Reason`` has our
    own code for SIP (:rfc:`3326#section-2`: each protocol once), and what the callee
    says for others, such as Q.850.
    """
    return [one for one in _OF_FAILURE.of(response) if not _is_of_sip(one)]


def _is_of_sip(field: FieldValue) -> bool:
    name, value = field
    protocol = str(value).partition(";")[0].strip().lower()
    return str(name).lower() == "reason" and protocol == "sip"


def within(message: Message) -> list[FieldValue]:
    """
    Give what INFO, MESSAGE, NOTIFY, OPTIONS and their responses take along.
    """
    return _WITHIN.of(message)


def of_bye(bye: Request | None) -> list[FieldValue]:
    """
    Give what the BYE to the other leg says of why the call is over.

    :param bye: that of who has hung up; None: it was not a BYE that ended the leg.
    """
    return [] if bye is None else _OF_BYE.of(bye)


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
    others = (("Content-Type", str(type)), *_BODIES.of(message))

    def enclose(description: SessionDescription) -> Carried:
        return list(others), body.replace(octets, bytes(description), 1)

    return enclose


def verbatim(message: Message) -> Carried:
    """
    Give a body that describes no session, and the fields that say what it is.
    """
    if not message.body:
        return [], b""
    return _TYPED.of(message), message.body
