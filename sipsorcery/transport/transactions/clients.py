"""
The client side of the transaction layer: requests that we send.
"""

from __future__ import annotations

import secrets
from typing import assert_never

from twisted.internet.defer import Deferred
from twisted.python import failure

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import MAGIC_COOKIE
from sipsorcery.transaction.effects import (
    Cancel,
    ClientEffect,
    Deliver,
    Failed,
    Send,
    Terminated,
    TimedOut,
)
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transaction.invite_client import InviteClientTransaction
from sipsorcery.transaction.key import client_key_of
from sipsorcery.transaction.non_invite_client import NonInviteClientTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import (
    ClientTransaction,
    ClientTransactionUser,
    Way,
)
from sipsorcery.transport.transactions.drive import Drive, Failure, Side

_BRANCH_SIZE = 10  # bytes; as many as two thirds of a UUID, and nobody guesses them


class ClientTransactions(Side[ClientTransaction, ClientEffect]):
    """
    Send requests, match the responses to them, and drive the machines.

    :param limit: how many transactions there may be.

    :ivar invites: how many of those that exist are of an INVITE.
    """

    def __init__(self, drive: Drive, limit: int) -> None:
        super().__init__(drive)
        self.invites = 0
        self._limit = limit
        self._transactions: dict[str, ClientTransaction] = {}
        # By the number of the connection that they went out on.
        self._on_connection: dict[int, set[ClientTransaction]] = {}

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing is left of any transaction.
        """
        return not (self._transactions or self._on_connection)

    # What comes from above

    def begin(
        self,
        request: Request,
        way: Way,
        user: ClientTransactionUser | None,
        branch: str | None = None,
    ) -> ClientTransaction:
        """
        Send a request, which has our Via on top.

        :param branch: that of the Via; None: it has to be looked up.
        :raises TransportError: if that fails at once.
        """
        if len(self._transactions) >= self._limit:
            raise TransportError(f"{self._limit} requests wait for their answers")
        transaction = self._add(request, way, None, branch)
        self._act(transaction)
        if transaction.error is not None:
            raise transaction.error
        transaction.user = user
        return transaction

    def withdraw(
        self, invite: Request, way: Way, user: ClientTransactionUser | None
    ) -> ClientTransaction:
        """
        Cancel an INVITE that a process before this one has sent.

        :param invite: with the Via that it was sent with.
        :raises TransportError: if that fails at once.
        """
        if len(self._transactions) >= self._limit:
            raise TransportError(f"{self._limit} requests wait for their answers")
        machine = InviteClientTransaction(
            invite,
            reliable=_end_of(way).transport.is_reliable,
            now=self._drive.clock.seconds(),
            timers=self._drive.timers,
            is_sent=True,
        )
        transaction = self._keep(ClientTransaction(self, machine, way, None))
        transaction.user = user
        self.cancel(transaction)
        return transaction

    def cancel(self, transaction: ClientTransaction) -> None:
        """
        Cancel an INVITE.
        """
        machine = transaction.machine
        if not isinstance(machine, InviteClientTransaction):
            raise LocalProtocolError(f"{machine.request!r} cannot be cancelled")
        machine.cancel(self._drive.clock.seconds())
        self._act(transaction)

    def stop(self) -> None:
        """
        Give everything up.
        """
        self._limit = 0
        for transaction in list(self._transactions.values()):
            self._fail(transaction, TransportError("the service stops"))
            transaction.machine.abandon()
            self._forget(transaction)

    # What comes from below

    def knows(self, response: Response) -> bool:
        """
        Tell whether a response belongs to a transaction.

        :raises ParseError: if it cannot be read.
        """
        return client_key_of(response) in self._transactions

    def receive(self, response: Response) -> bool:
        """
        Take a response.

        :return: whether it belongs to a transaction.
        :raises ParseError: if it cannot be read.
        """
        transaction = self._transactions.get(client_key_of(response))
        if transaction is None:
            return False
        response.check()
        # "If more than one Via header field value is present in a response, the UAC
        # SHOULD discard the message" (8.1.3.3); to a proxy there are more.
        if response.count_vias() == transaction.via_count:
            transaction.machine.receive(response, self._drive.clock.seconds())
            self._act(transaction)
        else:
            self._drive.counters.foreign += 1
        return True

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Hear that a connection is gone.

        Who has not answered at all is given up: it may not even have the request. Who
        has may still answer on a new connection, if we listen for one.
        """
        for transaction in list(self._on_connection.get(flow.number, ())):
            waits = transaction.state in (State.Calling, State.Trying)
            can_answer = any(
                listener.local.transport is flow.local.transport
                for listener in self._drive.transport.listeners
            )
            if waits or (transaction.state is State.Proceeding and not can_answer):
                self._fail(transaction, TransportError(f"{flow.remote}: {reason}"))

    # Driving

    def _add(
        self, request: Request, way: Way, flow: Flow | None, branch: str | None = None
    ) -> ClientTransaction:
        is_invite = request.method == "INVITE"
        machine = InviteClientTransaction if is_invite else NonInviteClientTransaction
        transaction = ClientTransaction(
            self,
            machine(
                request,
                reliable=_end_of(way).transport.is_reliable,
                now=self._drive.clock.seconds(),
                timers=self._drive.timers,
            ),
            way,
            flow,
            branch,
        )
        return self._keep(transaction)

    def _keep(self, transaction: ClientTransaction) -> ClientTransaction:
        if transaction.key in self._transactions:
            raise LocalProtocolError(f"the branch of {transaction.request!r} is in use")
        self._transactions[transaction.key] = transaction
        self._drive.counters.client += 1
        self.invites += transaction.request.method == "INVITE"
        return transaction

    def _exists(self, transaction: ClientTransaction) -> bool:
        return self._transactions.get(transaction.key) is transaction

    def _do(self, transaction: ClientTransaction, effect: ClientEffect) -> None:
        match effect:
            case Send(request):
                self._send(transaction, request)
            case Deliver(response):
                self._deliver(transaction, response)
            case Cancel(cancel):
                self._begin_cancel(transaction, cancel)
            case TimedOut():
                self._drive.counters.timeouts += 1
                text = f"{transaction.peer} has not answered"
                self._tell_failure(transaction, TransactionTimeout(text))
            case Failed():
                self._drive.counters.transport_failures += 1
                assert transaction.error is not None  # the machine was told of it
                self._tell_failure(transaction, transaction.error)
            case Terminated():
                self._forget(transaction)
            case _:
                assert_never(effect)

    def _begin_cancel(self, invite: ClientTransaction, cancel: Request) -> None:
        # "the CANCEL MUST be sent to the same address as the original request": the
        # same flow. What becomes of it nobody needs to know: the INVITE ends anyway.
        self._act(self._add(cancel, invite.way, invite.flow))

    def _send(self, transaction: ClientTransaction, request: Request) -> None:
        flow = transaction.flow
        if flow is None or not flow.is_open:
            sending = send(self._drive, request, transaction.way)
            sending.addCallback(self._sent, transaction)
            sending.addErrback(self._unsent, transaction)
            return
        try:
            flow.send(request.to_bytes())
        except TransportError as error:
            self._fail(transaction, error)

    def _sent(self, flow: Flow, transaction: ClientTransaction) -> None:
        if transaction.state is State.Terminated or transaction.flow is flow:
            return
        self._leave_connection(transaction)
        transaction.flow = flow
        if flow.number:
            self._on_connection.setdefault(flow.number, set()).add(transaction)
            flow.hold()

    def _unsent(self, reason: failure.Failure, transaction: ClientTransaction) -> None:
        reason.trap(TransportError)
        error = reason.value
        assert isinstance(error, TransportError)
        self._fail(transaction, error)

    def _fail(self, transaction: ClientTransaction, error: TransportError) -> None:
        transaction.error = error
        transaction.machine.transport_failed(self._drive.clock.seconds())
        self._act(transaction)

    def _deliver(self, transaction: ClientTransaction, response: Response) -> None:
        user = transaction.user
        if user is None:
            return
        is_last = not response.is_provisional and not (
            response.is_success and transaction.request.method == "INVITE"
        )
        if is_last:
            # Whatever happens now, such as an ACK that cannot be sent, is no news.
            transaction.user = None
        self._drive.tell(user.response_received, transaction, response)

    def _tell_failure(self, transaction: ClientTransaction, error: Failure) -> None:
        if transaction.user is not None:
            self._drive.tell(transaction.user.failed, transaction, error)

    def _forget(self, transaction: ClientTransaction) -> None:
        self._drive.wheel.set(transaction, None)
        if self._transactions.get(transaction.key) is transaction:
            del self._transactions[transaction.key]
            self.invites -= transaction.request.method == "INVITE"
        self._leave_connection(transaction)

    def _leave_connection(self, transaction: ClientTransaction) -> None:
        flow = transaction.flow
        if flow is None or flow.number not in self._on_connection:
            return
        others = self._on_connection[flow.number]
        if transaction in others:
            others.discard(transaction)
            flow.release()
        if not others:
            del self._on_connection[flow.number]


def _end_of(way: Way) -> Endpoint:
    return way.endpoint if isinstance(way, Target) else way.remote


def new_branch() -> str:
    """
    Make a branch that no other transaction has (:rfc:`3261#section-8.1.1.7`).
    """
    return MAGIC_COOKIE + secrets.token_hex(_BRANCH_SIZE)


def send(drive: Drive, request: Request, way: Way) -> Deferred[Flow]:
    """
    Pass a request to the transport.

    :return: fires with the flow that it left on; fails with `TransportError`.
    """
    if isinstance(way, Target):
        return drive.transport.send_request(request, way)
    return drive.transport.send_request(request, Target(way.remote), way)
