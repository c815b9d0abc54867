"""
PRACKs of ours for reliable provisional responses (:rfc:`3262#section-4`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipsorcery.sdp import NotAcceptable
from sipsorcery.sip.cseq import RAck
from sipsorcery.sip.fields import RACK
from sipsorcery.ua.errors import RequestFailed, SessionEnded
from sipsorcery.ua.negotiation import Carried

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session


async def confirm(session: Session, rack: RAck) -> None:
    """
    Send the PRACK for a response that the session has heard.

    An offer in the response is answered.
    """
    fields, body = await answer(session)
    try:
        await session.shared.request(
            None,
            "PRACK",
            [(RACK, rack), *fields],
            body,
            sent=session.note_sent,
            heard=session.hear,
        )
    except (RequestFailed, SessionEnded):
        pass  # the final response will tell what is wrong


async def answer(session: Session) -> Carried:
    """
    Answer the offer in a response, if there is one.

    It cannot be refused; where nothing fits, the session ends as soon as it may.
    """
    negotiation = session.negotiation
    if negotiation is None or not negotiation.must_answer:
        return [], b""
    try:
        return await negotiation.reply()
    except NotAcceptable as error:
        session.hang_up(error.text)
        return negotiation.refuse()
