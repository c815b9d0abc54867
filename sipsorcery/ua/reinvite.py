"""
An INVITE of ours in a session that is under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.dialog.acknowledgement import Acknowledgement, AcknowledgementEffect
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.reliable_client import ReliableReceiver
from sipsorcery.sdp import NotAcceptable
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.transactions.client import ClientTransaction, Way
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.ua.acknowledging import AckSender
from sipsorcery.ua.confirming import answer, confirm
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.negotiation import AnswerHook, Carried

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session


class Reinvite:
    """
    Send a re-INVITE, and its ACK as often as that is needed.

    :param solicited: answers the offer in the 2xx; None: the application's own hook.
    """

    def __init__(self, session: Session, solicited: AnswerHook | None = None) -> None:
        self._session = session
        self._solicited = solicited
        self._transaction: ClientTransaction | None = None
        self._answer: Deferred[Response] = Deferred()
        self._receiver = ReliableReceiver()
        self._ack: Driven[Acknowledgement, AcknowledgementEffect] | None = None
        self._sender: AckSender | None = None
        self._limit: IDelayedCall | None = None
        #: Why nobody else has answered the offer that was asked for.
        self.refused: Exception | None = None

    def ask(self, request: Request, way: Way, is_last: bool) -> Deferred[Response]:
        """
        Send it one way.

        :return: fires with the first final response; fails with `TransactionTimeout` or
            `TransportError`.
        """
        core = self._session.core
        self._answer = Deferred()
        transaction = core.transactions.request(request, way, self)
        self._transaction = transaction
        # The peer may ask its user, but not for ever.
        ring_time = core.settings.ring_time
        self._limit = core.clock.callLater(ring_time, self._lose_patience)
        return self._answer

    async def acknowledge(self, request: Request) -> None:
        """
        Acknowledge the 2xx, and answer the offer in it.
        """
        session, core = self._session, self._session.core
        fields, body = await self._answer_offer()
        ack = session.dialog.acknowledge(request, fields, body)
        session.overlap.done(request)
        session.note_sent(ack)
        self._sender = AckSender(core, session.shared.hop, session.shared.flow)
        machine = Acknowledgement(ack, core.clock.seconds(), core.settings.timers)
        self._ack = Driven(core, machine, self._act)
        self._ack.run()

    async def _answer_offer(self) -> Carried:
        """
        Answer the offer in the 2xx: it cannot be refused.

        Where nobody else answers it, the session stays what it has been.
        """
        negotiation = self._session.negotiation
        if (
            self._solicited is None
            or negotiation is None
            or not negotiation.must_answer
        ):
            return await answer(self._session)
        assert negotiation.offered is not None  # it waits for the answer
        before = negotiation.local
        try:
            return negotiation.relay(await self._solicited(negotiation.offered))
        except Exception as error:  # whatever it is, the peer gets an ACK
            self.refused = error
            if before is not None:
                negotiation.abilities = before
            try:
                return negotiation.describe()
            except NotAcceptable:
                return negotiation.refuse()

    def stop(self) -> None:
        """
        Want no answer any more, because the session is over.
        """
        if self._limit is not None:
            self._lose_patience()

    # What the transaction layer tells

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Hear a response.
        """
        if response.is_provisional:
            self._hear_progress(response)
        elif not self._answer.called:
            self._end_limit()
            self._answer.callback(response)
        elif self._ack is not None:
            self._ack.machine.receive(response)
            self._ack.run()

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear that there is no final response.
        """
        self._end_limit()
        if not self._answer.called:
            self._answer.errback(error)

    # Inside

    def _hear_progress(self, response: Response) -> None:
        receipt = self._receiver.receive(response)
        if receipt is None:
            return
        self._session.hear(response)
        if receipt.rack is not None:
            self._session.core.spawn(confirm(self._session, receipt.rack))

    def _act(self, effect: AcknowledgementEffect) -> None:
        match effect:
            case Send(ack):
                assert isinstance(ack, Request)
                assert self._sender is not None  # made before
                self._sender.send(ack)
            case Terminated():
                self._ack = None
            case _:
                assert_never(effect)

    def _lose_patience(self) -> None:
        self._end_limit()
        assert self._transaction is not None  # it was sent
        self._transaction.cancel()

    def _end_limit(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None and limit.active():
            limit.cancel()
