"""
What the peer asks of a session.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from sipsorcery.dialog.refer import read_refer
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sdp import NotAcceptable
from sipsorcery.sip.fields import INFO_PACKAGE
from sipsorcery.sip.request import Request
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.answering import Answering
from sipsorcery.ua.endings import Ending
from sipsorcery.ua.errors import OfferRefused
from sipsorcery.ua.negotiation import Carried
from sipsorcery.ua.referral import Referral

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session


def receive(session: Session, transaction: ServerTransaction) -> bool:
    """
    Take a request, and see to it that it is answered.

    :return: False if sessions have no use for it.
    """
    method = transaction.request.method
    hook = session.hook_for(method)
    if hook is not None:
        session.core.call(hook, transaction)
        return True
    answer = _ANSWERS.get(method)
    if answer is None:
        return False
    answer(session, transaction)
    return True


def _bye(session: Session, transaction: ServerTransaction) -> None:
    request = transaction.request
    transaction.respond(200)
    session.finish(Ending(by_peer=True, reason="hung up by the peer", request=request))


def _invite(session: Session, transaction: ServerTransaction) -> None:
    before = session.answering
    if before is not None and before.is_last:
        late = Refusal.later("earlier INVITEs have no ACK", random.randint(0, 10))
        transaction.send(late.response(transaction.request))
        return
    refusal = session.judge(transaction.request)
    if refusal is not None:
        _refuse(session, transaction, refusal)
        return

    def acknowledged(ack: Request | None) -> None:
        if ack is None:
            session.hang_up("the answer to a re-INVITE was not acknowledged")
        else:
            session.hear(ack)

    def given_up(reason: str) -> None:
        running.cancel()

    answering = Answering(session, transaction, acknowledged, given_up, before)
    session.answering = answering
    running = Deferred.fromCoroutine(_accept_invite(session, answering))
    running.addErrback(session.core.log_failure_but_cancelled)


async def _accept_invite(session: Session, answering: Answering) -> None:
    carried = await _reply(session)
    if not answering.is_pending:
        return  # cancelled meanwhile, or the session is over
    if isinstance(carried, Refusal):
        answering.refuse(carried.status, fields=carried.fields)
    else:
        answering.accept(*carried)


def _update(session: Session, transaction: ServerTransaction) -> None:
    refusal = session.judge(transaction.request)
    if refusal is not None:
        _refuse(session, transaction, refusal)
    else:
        session.core.spawn(_accept_update(session, transaction))


async def _accept_update(session: Session, transaction: ServerTransaction) -> None:
    request = transaction.request
    carried = await _reply(session) if _must_answer(session) else ([], b"")
    if not transaction.is_pending:
        return
    if isinstance(carried, Refusal):
        _refuse(session, transaction, carried)
        return
    fields, body = carried
    every = [*session.accept_timer(request), *fields]
    response = session.dialog.respond(request, 200, None, every, body)
    session.note_sent(response)
    transaction.send(response)


def _prack(session: Session, transaction: ServerTransaction) -> None:
    request, answering = transaction.request, session.answering
    if answering is None:
        refusal: Refusal | None = Refusal(481)
    else:
        refusal = answering.confirm(request) or session.hear(request)
    if refusal is not None:
        transaction.send(refusal.response(request))
    else:
        session.core.spawn(_accept_prack(session, transaction))


async def _accept_prack(session: Session, transaction: ServerTransaction) -> None:
    carried = await _reply(session) if _must_answer(session) else ([], b"")
    if not transaction.is_pending:
        return
    if isinstance(carried, Refusal):
        carried = ([], b"")  # an offer in a PRACK cannot be refused (RFC 6337, 3.1.1)
    response = session.dialog.respond(transaction.request, 200, None, *carried)
    session.note_sent(response)
    transaction.send(response)


def _info(session: Session, transaction: ServerTransaction) -> None:
    request, hook = transaction.request, session.core.hook_for("INFO")
    if hook is not None:
        session.core.call(hook, transaction)
    elif INFO_PACKAGE in request:
        transaction.respond(469, fields=[("Recv-Info", "")])  # RFC 6086, 4.2.2
    elif request.body:
        transaction.respond(415)
    else:
        transaction.respond(200)  # the keep-alive of some gateways


def _refer(session: Session, transaction: ServerTransaction) -> None:
    request, hook = transaction.request, session.core.on_refer
    refer = Refusal(603) if hook is None else read_refer(request)
    if hook is None or isinstance(refer, Refusal):
        assert isinstance(refer, Refusal)
        transaction.send(refer.response(request))
        return
    is_first, session.has_referral = not session.has_referral, True
    referral = Referral(session, transaction, refer, is_first=is_first)
    referral.give(hook)


def _refuse(session: Session, transaction: ServerTransaction, refusal: Refusal) -> None:
    response = refusal.response(transaction.request)
    session.note_sent(response)
    transaction.send(response)


def _must_answer(session: Session) -> bool:
    return session.negotiation is not None and session.negotiation.must_answer


async def _reply(session: Session) -> Carried | Refusal:
    """
    Answer the peer's offer, or make the one that is asked for.
    """
    if session.negotiation is None:
        return [], b""
    try:
        return await session.negotiation.reply()
    except NotAcceptable as error:
        return Refusal(error.status, error.text)
    except OfferRefused as error:
        return error.refusal
    except CancelledError:
        raise
    except Exception:
        # The application's fault; the peer is answered all the same.
        session.core.log_failure(Failure())
        return Refusal(500)


_ANSWERS: dict[str, Callable[[Session, ServerTransaction], None]] = {
    "BYE": _bye,
    "INFO": _info,
    "INVITE": _invite,
    "PRACK": _prack,
    "REFER": _refer,
    "UPDATE": _update,
}
