"""
The server side of the transaction layer: requests that we answer.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from typing import assert_never

from twisted.logger import Logger
from twisted.python import failure

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import (
    Deliver,
    Failed,
    Send,
    ServerEffect,
    Terminated,
    TimedOut,
)
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transaction.invite_server import InviteServerTransaction
from sipsorcery.transaction.key import ack_key, call_key, merge_key, server_key
from sipsorcery.transaction.non_invite_server import NonInviteServerTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transaction.stateless import StatelessAnswers
from sipsorcery.transaction.table import ServerTable
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.drive import Drive, Failure, Side
from sipsorcery.transport.transactions.hop import MayCancel, is_same_hop
from sipsorcery.transport.transactions.server import Fields, ServerTransaction

_SECRET_SIZE = 32  # bytes: as many as blake2s takes
# Seconds after which somebody who was refused may come back: when Timer J has freed
# some room; spread, so that they do not all come at once.
_RETRY_AFTER = (5, 15)
# Whoever sends the credentials that these ask for may do so with the same CSeq.
_CHALLENGES = (401, 407)


class ServerTransactions(Side[ServerTransaction, ServerEffect]):
    """
    Match requests to transactions, and drive these.

    :param deliver: is given each new request.
    :param deliver_ack: is given each ACK to a 2xx.
    :param limit: how many transactions there may be.
    :param merges: whether a request that comes by two ways is refused the second time.
    :param may_cancel: tells whether a CANCEL that came on the first flow may end an
        INVITE that came on the second.

    :ivar invites: how many of those that exist are of an INVITE.
    :ivar on_stray_cancel: is given each CANCEL, answered with 481, that there is no
        INVITE for.
    """

    on_stray_cancel: Callable[[Request, Flow], object] | None = None
    _log = Logger()

    def __init__(
        self,
        drive: Drive,
        deliver: Callable[[ServerTransaction], object],
        deliver_ack: Callable[[Request, Flow], object],
        limit: int,
        merges: bool = True,
        may_cancel: MayCancel = is_same_hop,
    ) -> None:
        super().__init__(drive)
        self.invites = 0
        self._merges = merges
        self._may_cancel = may_cancel
        self._deliver = deliver
        self._deliver_ack = deliver_ack
        self._table: ServerTable[ServerTransaction] = ServerTable(limit)
        self._stateless = StatelessAnswers(secrets.token_bytes(_SECRET_SIZE))

    def __len__(self) -> int:
        return len(self._table)

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing is left of any transaction.
        """
        return self._table.is_empty

    # What comes from below

    def knows(self, request: Request) -> bool:
        """
        Tell whether a request belongs to a transaction: repeats, ends or cancels it.

        :raises ParseError: if a field that matters is missing or broken.
        """
        method = request.method
        if method in ("ACK", "CANCEL"):
            if self._table.find(server_key(request, "INVITE")) is not None:
                return True
            if method == "ACK":
                return (
                    self._table.expects_acks
                    and self._table.find_by_ack(ack_key(request)) is not None
                )
        return self._table.find(server_key(request)) is not None

    def receive(self, request: Request, flow: Flow) -> None:
        """
        Take a request.

        :raises ParseError: for the transport layer to answer.
        """
        if request.method == "ACK":
            self._receive_ack(request, flow)
            return
        key = server_key(request)
        transaction = self._table.find(key)
        if transaction is not None:
            self._drive.counters.repeated += 1
            transaction.machine.receive(request, self._drive.clock.seconds())
            self._act(transaction)
        elif request.method == "CANCEL":
            self._receive_cancel(request, flow, key)
        elif self._table.is_full:
            self._refuse(request, flow)
        else:
            self._begin(request, flow, key)

    def send(self, transaction: ServerTransaction, response: Response) -> None:
        """
        Send a response of the user.
        """
        transaction.machine.respond(response, self._drive.clock.seconds())
        if transaction.state is State.Completed:
            self._note_final(transaction, response)
        self._act(transaction)

    def restore(
        self, invite: Request, flow: Flow, to_tag: str | None = None
    ) -> ServerTransaction | None:
        """
        Take an INVITE up that a process before this one has received.

        Whoever waits for its answer may have been started again as well, and a CANCEL
        of it come by another branch.

        :return: None if it has been repeated, and so is here already.
        :raises ParseError: if it breaks the grammar.
        """
        invite.check()
        key, merge = server_key(invite), merge_key(invite)
        if self._table.find(key) is not None or self._table.is_merged(merge):
            return None
        transaction = self._add(
            invite, flow, key, merge if self._merges else None, to_tag
        )
        self._table.know_by_call(transaction, call_key(invite))
        self._wind(transaction)
        return transaction

    def drop(self, transaction: ServerTransaction) -> None:
        """
        Forget a transaction that nobody answers here.
        """
        transaction.machine.abandon()
        self._forget(transaction)

    def stop(self) -> None:
        """
        Refuse what waits for an answer, and forget everything.
        """
        self._table.close()
        for transaction in self._table:
            if transaction.is_pending:
                transaction.respond(503)
            transaction.machine.abandon()
            self._forget(transaction)

    # New requests

    def _begin(self, request: Request, flow: Flow, key: str) -> None:
        request.check()
        merge = merge_key(request) if self._merges else None
        is_merged = self._table.is_merged(merge)
        transaction = self._add(request, flow, key, None if is_merged else merge)
        if is_merged:
            # "the UAS core SHOULD generate a 482 (Loop Detected)" (8.2.2.2)
            self._drive.counters.merged += 1
            transaction.respond(482)
            return
        try:
            self._deliver(transaction)
        except ParseError as error:
            self._give_up(transaction, error.status, error.text)
        except Exception:
            self._drive.counters.user_failures += 1
            # Not all of it: it may hold credentials and lines of a stranger.
            self._log.failure(
                "Failed on {method} of call {call_id!r}",
                method=request.method,
                call_id=request.get("Call-ID"),
            )
            self._give_up(transaction, 500)
        if transaction.slot is None:
            self._wind(transaction)

    def _add(
        self,
        request: Request,
        flow: Flow,
        key: str,
        merge: str | None = None,
        to_tag: str | None = None,
    ) -> ServerTransaction:
        self._drive.counters.server += 1
        is_invite = request.method == "INVITE"
        machine = InviteServerTransaction if is_invite else NonInviteServerTransaction
        transaction = ServerTransaction(
            self,
            machine(
                request,
                reliable=flow.number != 0,
                now=self._drive.clock.seconds(),
                timers=self._drive.timers,
            ),
            flow,
            key,
            merge,
            to_tag,
        )
        self._table.add(transaction)
        if is_invite:
            self.invites += 1
            # It may ring for longer than an idle connection lives.
            flow.hold()
        return transaction

    def _give_up(
        self, transaction: ServerTransaction, status: int, text: str = ""
    ) -> None:
        if transaction.is_pending:
            phrase = Response.phrase(status)
            transaction.respond(status, f"{phrase}: {text}" if text else phrase)

    def _refuse(self, request: Request, flow: Flow) -> None:
        self._drive.counters.refused += 1
        retry_after = Seconds(random.randint(*_RETRY_AFTER))
        self._answer(request, flow, 503, [(RETRY_AFTER, retry_after)])

    def _answer(
        self, request: Request, flow: Flow, status: int, fields: Fields = ()
    ) -> None:
        response = self._stateless.answer(request, status, fields)
        self._drive.transport.send_response(response, flow).addErrback(_ignore)

    # ACK and CANCEL

    def _receive_ack(self, ack: Request, flow: Flow) -> None:
        transaction = self._table.find(server_key(ack, "INVITE"))
        if transaction is None:
            transaction = self._table.find_by_ack(ack_key(ack))
        if transaction is None or transaction.state is State.Accepted:
            ack.check()  # for it goes up
        if transaction is not None:
            transaction.machine.receive(ack, self._drive.clock.seconds())
            self._act(transaction)
        elif not self._stateless.is_acknowledged_by(ack):
            self._drive.tell(self._deliver_ack, ack, flow)

    def _receive_cancel(self, cancel: Request, flow: Flow, key: str) -> None:
        cancel.check()
        invite = self._table.find(server_key(cancel, "INVITE"))
        if invite is None:
            invite = self._table.find_by_call(call_key(cancel))
        if invite is None or not self._may_cancel(flow, invite.flow):
            self._drive.counters.stray += 1
            self._answer(cancel, flow, 481)
            if invite is None and self.on_stray_cancel is not None:
                self._drive.tell(self.on_stray_cancel, cancel, flow)
            return
        # "the To tag of the response to the CANCEL and the To tag in the response to
        # the original request SHOULD be the same" (9.2).
        transaction = self._add(cancel, flow, key, to_tag=invite.to_tag)
        transaction.respond(200)
        if invite.is_pending and not invite.is_cancelled:
            self._drive.counters.cancelled += 1
            invite.is_cancelled = True
            if invite.user is None:
                invite.respond(487)
            else:
                self._drive.tell(invite.user.cancelled, invite)

    # Driving

    def _note_final(self, transaction: ServerTransaction, response: Response) -> None:
        if transaction.is_invite:
            self._table.expect_ack(transaction, ack_key(response))
        if response.status in _CHALLENGES:
            self._table.allow_merge(transaction)

    def _exists(self, transaction: ServerTransaction) -> bool:
        return self._table.find(transaction.key) is transaction

    def _do(self, transaction: ServerTransaction, effect: ServerEffect) -> None:
        match effect:
            case Send(response):
                self._send(transaction, response)
            case Deliver(ack):
                self._drive.tell(self._deliver_ack, ack, transaction.flow)
            case TimedOut():
                self._drive.counters.timeouts += 1
                self._tell_failure(transaction, _timeout(transaction))
            case Failed():
                self._drive.counters.transport_failures += 1
                assert transaction.error is not None  # the machine was told of it
                self._tell_failure(transaction, transaction.error)
            case Terminated():
                self._forget(transaction)
            case _:
                assert_never(effect)

    def _send(self, transaction: ServerTransaction, response: Response) -> None:
        sending = self._drive.transport.answer(response, transaction.flow)
        if sending is not None:
            sending.addErrback(self._unsent, transaction)

    def _unsent(self, reason: failure.Failure, transaction: ServerTransaction) -> None:
        reason.trap(TransportError)
        assert isinstance(reason.value, TransportError)
        transaction.error = reason.value
        transaction.machine.transport_failed(self._drive.clock.seconds())
        self._act(transaction)

    def _tell_failure(self, transaction: ServerTransaction, error: Failure) -> None:
        if transaction.user is not None:
            self._drive.tell(transaction.user.failed, transaction, error)

    def _forget(self, transaction: ServerTransaction) -> None:
        self._drive.wheel.set(transaction, None)
        if self._table.remove(transaction) and transaction.is_invite:
            self.invites -= 1
            transaction.flow.release()


def _timeout(transaction: ServerTransaction) -> TransactionTimeout:
    peer = transaction.flow.remote
    if transaction.is_invite:
        return TransactionTimeout(f"{peer} has not acknowledged our failure")
    return TransactionTimeout(f"the answer to {peer} would come too late")


def _ignore(reason: failure.Failure) -> None:
    # Whoever asks what has no answer may not hear of it.
    reason.trap(TransportError)
