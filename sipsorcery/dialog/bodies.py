"""
Session descriptions in messages.
"""

from __future__ import annotations

from functools import lru_cache

from sipsorcery.dialog.multipart import SDP, is_for_session, read_multipart
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import (
    Connection,
    Media,
    Origin,
    ParseError,
    SessionDescription,
)
from sipsorcery.sip.errors import ParseError as MessageError
from sipsorcery.sip.fields import CONTENT_DISPOSITION, CONTENT_TYPE
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

_NOWHERE = "0.0.0.0"


def description_in(
    message: Message, known: SessionDescription | None = None
) -> SessionDescription | None:
    """
    Read the description that a message offers or answers with.

    A body of another type, or that is not for the session
    (:rfc:`3261#section-20.11`), is none. It may be one part of several.

    :param known: one that it may well be, which then is not read again.
    :raises ParseError: of :mod:`sipsorcery.sdp`, if something breaks the grammar.
    """
    if not message.body:
        return None
    if known is not None and message.body == bytes(known):
        return known  # in a message of ours, which has nothing else
    try:
        body = _description(message)
    except MessageError as error:
        raise ParseError(error.text, status=error.status) from None
    if body is None:
        return None
    if known is not None and bytes(known) == body:
        return known
    return _parse(body)


# Who relays reads each body several times: as the offer of one leg, for the other one,
# and from the record. As many as the calls that are in the midst of that at a time;
# 4 MB if hostile peers fill it with the longest bodies.
@lru_cache(maxsize=64)
def _parse(body: bytes) -> SessionDescription:
    return SessionDescription.parse(body)


def _description(message: Message) -> bytes | None:
    type = message.get(CONTENT_TYPE)
    disposition = message.get(CONTENT_DISPOSITION)
    if type is None:
        return None
    if type.type == "multipart":
        return read_multipart(type, message.body).description
    if SDP.includes(type) and is_for_session(disposition):
        return message.body
    return None


def described(
    description: SessionDescription | None,
) -> tuple[list[FieldValue], bytes]:
    """
    Give the fields and the body that carry a description, or none.
    """
    if description is None:
        return [], b""
    return [(CONTENT_TYPE, SDP)], bytes(description)


def refuse_offer(invite: Request, response: Response) -> tuple[list[FieldValue], bytes]:
    """
    Give what an ACK says to the offer in a 2xx that nobody wants.

    An INVITE without an offer gets one in the 2xx, which "MUST" be answered
    (:rfc:`3261#section-13.2.1`): here by refusing every stream. What cannot be read is
    not answered.
    """
    if invite.body:
        return [], b""
    try:
        offer = description_in(response)
    except ParseError:
        return [], b""
    if offer is None:
        return [], b""
    refused = [
        Media(media.type, 0, media.proto, media.formats or ("0",))
        for media in offer.media
    ]
    origin = Origin("-", offer.origin.session_id, 0, _NOWHERE)
    return described(SessionDescription.create(origin, Connection(_NOWHERE), refused))
