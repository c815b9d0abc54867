"""
Sessions that were stored, by this process or another one, taken up again.
"""

from __future__ import annotations

from sipsorcery.dialog.acceptance import Acceptance, AcceptanceEffect
from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.record import DialogRecord
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport import vias
from sipsorcery.transport.errors import TransportError
from sipsorcery.ua.account import Account
from sipsorcery.ua.acknowledging import AckSender
from sipsorcery.ua.answering import Answering
from sipsorcery.ua.core import Core
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.negotiation import Negotiation
from sipsorcery.ua.session import Session
from sipsorcery.ua.shared import SharedDialog


def record(session: Session, response: Response | None = None) -> DialogRecord:
    """
    Write a session down.

    :param response: our 2xx that is about to leave.
    """
    negotiation, answering = session.negotiation, session.answering
    waiting = None if answering is None else answering.unacknowledged
    return DialogRecord.of(
        session.dialog,
        offer_answer=None if negotiation is None else negotiation.state,
        acceptance=None if waiting is None else waiting.acceptance,
        response=response,
        session_timer=session.timer,
    )


def restore(
    core: Core,
    stored: DialogRecord,
    *,
    account: Account | None = None,
    refreshed_at: float | None = None,
    relays: bool = False,
) -> Session:
    """
    Go on with a session where its record leaves it.

    Our requests count on from far ahead. A 2xx that was not acknowledged is repeated at
    once; if its ACK never comes, the session is hung up.

    :param account: answers challenges to our requests in it; None: nobody does.
    :param refreshed_at: when it was last refreshed, on the reactor's clock; None: now.
    :param relays: whether what we describe is said by somebody else in our place.
    :raises ParseError: if the record is damaged; so do those of `sipsorcery.sdp`, and
        ValueError.
    """
    dialog, state = stored.dialog(), stored.offer_answer()
    now = core.clock.seconds()
    acceptance = stored.acceptance(now, core.settings.timers)
    negotiation = None
    if state is not None:
        described = state.local or state.remote
        if described is not None:
            negotiation = Negotiation(described, state, relays=relays)
    dialog.take_over()
    session = Session(
        SharedDialog(core, dialog, account, None), negotiation, core.timer_settings
    )
    if acceptance is not None:
        session.answering = RestoredAnswer(session, acceptance)
        session.answering.repeat()
    session.resume_timer(stored, now if refreshed_at is None else refreshed_at)
    return session


class RestoredAnswer(Answering):
    """
    A 2xx to an INVITE whose transaction is gone, until its ACK comes.
    """

    __slots__ = ("_driven",)

    def __init__(self, session: Session, acceptance: Acceptance) -> None:
        # Without the transaction that the others have: there is but one thing to send.
        self.is_accepted = True
        self._session = session
        self._acknowledged = self._hear
        self._given_up = _nothing
        self._before = self._reliable = self._storing = None
        self._acceptance = Driven(session.core, acceptance, self._act)

    @property
    def is_pending(self) -> bool:
        """
        Whether it waits for a final response: no more.
        """
        return False

    def repeat(self) -> None:
        """
        Begin to repeat the 2xx.
        """
        if self._acceptance is not None:
            self._acceptance.run()

    def _act(self, effect: AcceptanceEffect) -> None:
        if isinstance(effect, Send):
            assert isinstance(effect.message, Response)
            _send(self._session.core, effect.message)
        else:
            super()._act(effect)

    def _hear(self, ack: Request | None) -> None:
        if ack is None:
            self._session.core.spawn(self._give_up(self._session))
        else:
            self._session.hear(ack)

    async def _give_up(self, session: Session) -> None:
        # The ACK may have led to another server, which has the call since then.
        ask = session.core.is_ours
        if ask is None or await ask(session):
            session.hang_up("the 2xx was never acknowledged")


def acknowledge_again(session: Session, response: Response) -> None:
    """
    Acknowledge a 2xx to an INVITE of ours that nobody remembers having sent.

    :raises ParseError: if the response breaks the grammar.
    """
    invite = Request("INVITE", session.dialog.remote_target, [(CSEQ, response[CSEQ])])
    ack = session.dialog.acknowledge(invite)
    AckSender(session.core, session.shared.hop, None).send(ack)


def _send(core: Core, response: Response) -> None:
    """
    Send a response where its Via says, by the listener that leads there.
    """
    transport = core.transactions.transport
    try:
        via = response[VIA]
        if via.transport.lower() != Transport.UDP:
            transport.send_response_anew(response).addErrback(
                lambda failure: failure.trap(TransportError)
            )
            return
        source = via.received or via.address
        address = vias.response_address(via, Transport.UDP, source, follow_maddr=False)
        if address is not None:
            flow = transport.datagram_flow(Endpoint(Transport.UDP, *address))
            flow.send(response.to_bytes())
    except (ParseError, TransportError):
        pass  # it is repeated, or given up, as any that was lost


def _nothing(_: object) -> None:
    pass
