"""
Changing a session that is under way: our re-INVITE and UPDATE.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sipsorcery.dialog.fate import Fate
from sipsorcery.dialog.glare import retry_delay
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.digest import Authorization
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.ua.errors import RequestFailed, SessionEnded
from sipsorcery.ua.negotiation import AnswerHook, Carried
from sipsorcery.ua.outcome import to_its_end
from sipsorcery.ua.reinvite import Reinvite
from sipsorcery.ua.sending import send

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session

# How often a request is sent again that crosses one of the peer, or that he wants
# later: after half a minute at most both know that they will not agree.
_TRIES = 8
# The longest Retry-After that is waited for, in seconds: after a second INVITE it is
# "between 0 and 10" (14.2). All our other requests that change the session wait, too.
_MAX_RETRY_AFTER = 10
_NOTHING: Carried = ([], b"")


async def modify(
    session: Session,
    method: str,
    description: SessionDescription | None,
    solicited: AnswerHook | None = None,
    *,
    retries: bool = True,
) -> None:
    """
    Send an INVITE or UPDATE in a session until it is accepted.

    Requests of ours wait for one another; one that crosses the peer's is sent again
    after a while (:rfc:`3261#section-14.1`). If nobody waits for it any more it is not
    sent again, but what is under way goes on: a 2xx has to be acknowledged.

    :param description: what to offer; None: what we said last, or in an UPDATE nothing.
    :param solicited: answers the offer that the peer makes in place of ours.
    :param retries: whether it is sent again after a 491, or when the peer says so;
        False: that is a refusal, too.
    :raises RequestFailed: if it is refused.
    :raises SessionEnded: if the session is over before.
    """
    turns, clock = session.turns, session.core.clock
    async with turns.lock:
        failed: RequestFailed | None = None
        for _ in range(_TRIES):
            _check(session, method)
            delay = retry_delay(session.dialog.initiator, random.random())
            may_send = _may_send(session, method, description)
            if may_send:
                try:
                    refused = await to_its_end(
                        _modify_once(session, method, description, solicited)
                    )
                except RequestFailed as error:
                    failed = error
                    delay = _delay_after(session, error, delay, retries=retries)
                else:
                    if refused is not None:
                        raise refused
                    return
            await turns.pause(clock, delay, until_ack=not may_send)
        _check(session, method)
        raise failed or RequestFailed(f"{method}: the peer's own never ends")


def _check(session: Session, method: str) -> None:
    if session.is_over:
        raise SessionEnded(f"{method} in a session that is over")


def _may_send(
    session: Session, method: str, description: SessionDescription | None
) -> bool:
    offers = method == "INVITE" or description is not None
    return session.overlap.may_send(method) and not (
        offers and session.negotiation is not None and not session.negotiation.may_offer
    )


def _delay_after(
    session: Session, error: RequestFailed, delay: float, *, retries: bool
) -> float:
    """
    Give how long to wait until the request is sent again.

    :param delay: for after a 491.
    :raises RequestFailed: *error*, if that would not help.
    """
    response = error.response
    if response is None or session.is_over:
        raise error
    timer = session.timer
    if response.status == 422 and timer is not None and timer.too_small(response):
        return 0.0
    if not retries:
        raise error
    if response.status == 491:
        return delay
    try:
        later = response.get(RETRY_AFTER) if response.status == 500 else None
    except ParseError:
        later = None
    if later is None or later.seconds > _MAX_RETRY_AFTER:
        raise error
    return float(later.seconds)  # a second INVITE (14.2)


async def _modify_once(
    session: Session,
    method: str,
    description: SessionDescription | None,
    solicited: AnswerHook | None,
) -> Exception | None:
    """
    Send it, and see to its ACK.

    :return: why *solicited* has not answered the peer's offer, if so.
    :raises RequestFailed: if the peer refuses it.
    """
    carried = _NOTHING if solicited else _offer(session, method, description)
    fields, body = carried
    request: Request | None = None

    def make(credentials: Sequence[Authorization]) -> Request:
        nonlocal request
        every = [*session.core.abilities, *session.ask_timer(), *fields, *credentials]
        request = session.shared.make(method, every, body)
        session.note_sent(request)
        return request

    def hear(response: Response) -> None:
        assert request is not None  # which this is the response to
        if not (method == "INVITE" and response.is_success):
            session.overlap.done(request)  # else when the ACK goes out
        session.hear(response)

    errand = session.shared.errand(method, make, body, hear)
    session.reinvite_sent = reinvite = None
    if method == "INVITE":
        session.reinvite_sent = reinvite = Reinvite(session, solicited)
    try:
        ask = None if reinvite is None else reinvite.ask
        response = await send(session.core, errand, ask)
    except RequestFailed as error:
        assert request is not None  # which has failed
        session.overlap.done(request)
        if session.negotiation is not None:
            session.negotiation.give_up(request)
        session.shared.suffer(session, Fate.Usage, str(error))
        raise
    assert request is not None  # which has been answered
    fate = session.dialog.receive_response(request, response)
    if not response.is_success:
        reason = f"{response.status} {response.reason} to {method}"
        session.shared.suffer(session, fate, reason)
        raise RequestFailed.by(request, response)
    session.follow_timer(response)
    if reinvite is None:
        return None
    await reinvite.acknowledge(request)
    return reinvite.refused


def _offer(
    session: Session, method: str, description: SessionDescription | None
) -> Carried:
    negotiation = session.negotiation
    if negotiation is None or (method == "UPDATE" and description is None):
        return _NOTHING
    return negotiation.offer(description or negotiation.local)
