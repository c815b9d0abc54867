"""
The two requests that a client makes out of its INVITE: ACK and CANCEL.
"""

from __future__ import annotations

from typing import Any

from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    CALL_ID,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    ROUTE,
    TO,
    VIA,
    Field,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

_INITIAL_MAX_FORWARDS = 70  # RFC 3261, 8.1.1.6


def make_ack(invite: Request, response: Response) -> Request:
    """
    Make the ACK to a response of 300 or more (:rfc:`3261#section-17.1.1.3`).

    :raises ParseError: if the response has no To.
    """
    return _derive("ACK", invite, response)


def make_cancel(invite: Request) -> Request:
    """
    Make the CANCEL of an INVITE (:rfc:`3261#section-9.1`).
    """
    return _derive("CANCEL", invite, invite)


def _derive(method: str, invite: Request, with_to: Request | Response) -> Request:
    # Text that is copied as it was sent matches in any server, however it compares.
    fields: list[tuple[Field[Any] | str, Any]] = [
        (VIA, invite[VIA]),
        *((ROUTE.name, line) for line in invite.all(ROUTE.name)),
        (MAX_FORWARDS, _INITIAL_MAX_FORWARDS),
        _copied(FROM, invite),
        _copied(TO, with_to),
        _copied(CALL_ID, invite),
        (CSEQ, CSeq(invite[CSEQ].number, method)),
    ]
    return Request(method, invite.request_uri, fields)


def _copied(field: Field[Any], message: Request | Response) -> tuple[str, str]:
    text = message.get(field.name)
    if text is None:
        raise ParseError(f"missing {field.name}", partial=message)
    return field.name, text
