"""
One INVITE of ours at one target, and all the dialogs that come of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.forks import (
    Answered,
    DialogSet,
    Ended,
    ForkEffect,
    Progressed,
    Rejected,
    Unwanted,
)
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.transactions.client import ClientTransaction, Way
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.ua.acknowledging import AckSender
from sipsorcery.ua.confirming import answer, confirm
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.endings import Ending
from sipsorcery.ua.errors import RequestFailed
from sipsorcery.ua.outcome import Outcome
from sipsorcery.ua.session import Session
from sipsorcery.ua.shared import SharedDialog, first_hop

if TYPE_CHECKING:
    from sipsorcery.ua.client_call import ClientCall


class Attempt:
    """
    Send an INVITE one way, and sort what comes back into sessions.

    It lives on when the call goes on without it, until nothing can come any more.

    :param is_last: whether to wait to the end, because there is no other way.

    :ivar answer: fires with the final response; fails with `TransactionTimeout` or
        `TransportError`.
    :ivar over: known when there is a final response, or will be none.
    """

    def __init__(
        self, call: ClientCall, request: Request, way: Way, *, is_last: bool
    ) -> None:
        core = call.core
        self.answer: Deferred[Response] = Deferred()
        self.over: Outcome[None] = Outcome()
        self._call = call
        self._core = core
        self._sessions: dict[str, Session] = {}  # by the tag of the peer
        self._senders: dict[str, AckSender] = {}  # likewise
        self._unwanted: Dialog | None = None
        self._silence: IDelayedCall | None = None
        self._transaction = core.transactions.request(request, way, self)
        machine = DialogSet(
            self._transaction.request,
            over_tls=self._transaction.peer.transport.is_secure,
            keep_all=call.keeps_forks,
            timers=core.settings.timers,
        )
        self._driven: Driven[DialogSet, ForkEffect] = Driven(core, machine, self._act)
        if not is_last:
            seconds = core.settings.target_time
            self._silence = core.clock.callLater(seconds, self._hear_nothing)

    @property
    def request(self) -> Request:
        """
        The INVITE, as it was sent.
        """
        return self._transaction.request

    @property
    def peer(self) -> Endpoint:
        """
        The address that it went to.
        """
        return self._transaction.peer

    def abandon(self) -> None:
        """
        Want no answer any more: cancel the INVITE as soon as that is allowed.
        """
        self._end_silence()
        self._driven.machine.abandon()
        self._transaction.cancel()

    # What the transaction layer tells

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Hear a response.
        """
        self._end_silence()
        self._driven.machine.receive(response, self._core.clock.seconds())
        self._driven.run()
        if response.is_success and not self.over.is_known:
            # There is no other after it, unless somebody else answers as well.
            text = f"{self._transaction.peer} has answered with what is no answer"
            self.failed(transaction, TransportError(text))

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear that there is no final response.
        """
        self._end_silence()
        self._driven.machine.fail()
        self._driven.run()
        self.over.succeed(None)
        if not self.answer.called:
            self.answer.errback(error)

    # What comes of the responses

    def _act(self, effect: ForkEffect) -> None:
        match effect:
            case Progressed():
                self._progress(effect)
            case Answered(dialog, response):
                self._accept(dialog, response)
            case Unwanted(dialog, response):
                self._unwanted = dialog
                self._end(dialog)
                self._settle(response)
            case Ended(dialog):
                self._end(dialog)
            case Rejected(response):
                if response is not None:
                    self._settle(response)
            case Send(message):
                assert isinstance(message, Request)
                self._send(message)
            case Terminated():
                self._sessions.clear()
                self._senders.clear()
            case _:
                assert_never(effect)

    def _progress(self, effect: Progressed) -> None:
        response, session = effect.response, None
        if effect.dialog is not None:
            session = self._session_of(effect.dialog)
            session.hear(response)
            if effect.rack is not None:
                self._core.spawn(confirm(session, effect.rack))
        self._call.progressed(response, session)

    def _accept(self, dialog: Dialog, response: Response) -> None:
        session = self._session_of(dialog)
        session.hear(response)
        session.follow_timer(response)
        if self._call.is_onward:
            session.accepted = response
        self._core.spawn(self._acknowledge(session))
        self._call.accepted(session)
        self._settle(response)

    async def _acknowledge(self, session: Session) -> None:
        dialog = session.dialog
        fields, body = await answer(session)
        now = self._core.clock.seconds()
        self._driven.machine.acknowledge(dialog, now, fields, body)
        # The answer may have taken longer than the peer's patience: all is over then
        # but this one ACK.
        is_late = dialog.remote_tag not in self._sessions
        self._sessions[dialog.remote_tag] = session
        self._driven.run()
        if is_late:
            self._sessions.pop(dialog.remote_tag, None)

    def _session_of(self, dialog: Dialog) -> Session:
        session = self._sessions.get(dialog.remote_tag)
        if session is None:
            session = self._call.make_session(dialog, self._transaction.flow)
            self._sessions[dialog.remote_tag] = session
        return session

    def _settle(self, response: Response) -> None:
        self.over.succeed(None)
        if not self.answer.called:
            self.answer.callback(response)

    def _end(self, dialog: Dialog) -> None:
        session = self._sessions.pop(dialog.remote_tag, None)
        if session is not None:
            session.finish(Ending(by_peer=True, reason="it was not answered in time"))

    # What is sent

    def _send(self, request: Request) -> None:
        if request.method == "ACK":
            self._send_ack(request)
        else:
            assert self._unwanted is not None  # whom else to say BYE to
            self._core.spawn(self._hang_up(self._unwanted, request))

    def _send_ack(self, ack: Request) -> None:
        tag = ack[TO].tag or ""
        sender = self._senders.get(tag)
        if sender is None:
            session = self._sessions.get(tag)
            if session is not None:
                session.note_sent(ack)
            dialog = self._unwanted if session is None else session.dialog
            assert dialog is not None  # or nobody has answered
            sender = AckSender(self._core, first_hop(dialog), self._transaction.flow)
            self._senders[tag] = sender
        sender.send(ack)

    async def _hang_up(self, dialog: Dialog, bye: Request) -> None:
        """
        Send the BYE to a fork that nobody wants.
        """
        flow = self._transaction.flow
        try:
            await SharedDialog(self._core, dialog, self._call.account, flow).send(bye)
        except RequestFailed:
            pass  # it is over all the same

    # Patience

    def _hear_nothing(self) -> None:
        self._silence = None
        seconds = self._core.settings.target_time
        self.abandon()
        self.answer.errback(TransactionTimeout(f"nothing heard for {seconds:g} s"))

    def _end_silence(self) -> None:
        silence, self._silence = self._silence, None
        if silence is not None:
            silence.cancel()
