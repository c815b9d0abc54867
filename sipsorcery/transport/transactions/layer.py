"""
The transaction layer: the machines of `sipsorcery.transaction` at work.

It stands between the transport layer, whose consumer it is, and a transaction user: a
user agent, a registrar, a stateful proxy::

    transactions = TransactionLayer(reactor, user)
    transport = TransportLayer(reactor, settings, transactions)
    transactions.join(transport)
    transport.start()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.transactions.client import (
    ClientTransaction,
    ClientTransactionUser,
    Way,
)
from sipsorcery.transport.transactions.clients import (
    ClientTransactions,
    new_branch,
    send,
)
from sipsorcery.transport.transactions.drive import (
    Drive,
    Failure,
    TransactionCounters,
    TransactionLimits,
)
from sipsorcery.transport.transactions.hop import MayCancel, is_same_hop
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.transactions.servers import ServerTransactions


class TransactionUser(Protocol):
    """
    Take what the transaction layer receives (:rfc:`3261#section-5`).

    The methods are called from the reactor and must not block. What they raise ends
    there and is logged.
    """

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Take a new request, which has been checked, and see to it that it is answered.

        If this raises, the request is answered at once: for a `ParseError` with its
        status, else by a 500.
        """

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Take the ACK to a 2xx, or one that belongs to nothing.
        """

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Take a response to a request of ours that nobody waits for any more.

        It may be the 2xx of a fork that took its time; all others are worth nothing,
        and none is ever forwarded (:rfc:`6026#section-7.3`). It has not been checked.
        """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Take a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Hear of a message that broke the grammar or a limit.

        It was answered if it could be.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Hear that a connection is gone, and why, in a sentence.
        """


class TransactionLayer:
    """
    Answer requests and send them, whatever gets lost on the way.

    :param clock: the reactor, or what has its time.
    :param merges: whether a request that comes by two ways is refused the second time
        (:rfc:`3261#section-8.2.2.2`). That is for who ends requests; to a proxy it is
        a spiral, which may pass.
    :param may_cancel: see `hop`.

    :ivar counters: what happened so far.
    :ivar stands_in: whether we hear what another server has waited for that is gone: it
        is a stray response here.
    """

    stands_in = False

    def __init__(
        self,
        clock: IReactorTime,
        user: TransactionUser,
        *,
        timers: Timers = Timers(),  # noqa: B008  # frozen
        limits: TransactionLimits = TransactionLimits(),  # noqa: B008  # frozen
        merges: bool = True,
        may_cancel: MayCancel = is_same_hop,
    ) -> None:
        self._user = user
        self._drive = Drive(clock, timers)
        self.counters: TransactionCounters = self._drive.counters
        self._clients = ClientTransactions(self._drive, limits.client)
        self._servers = ServerTransactions(
            self._drive,
            user.request_received,
            user.ack_received,
            limits.server,
            merges,
            may_cancel,
        )

    def on_stray_cancel(self, hook: Callable[[Request, Flow], object]) -> None:
        """
        Let *hook* hear of each CANCEL for which there is no INVITE.

        It has been answered with 481; but another server may have the call.
        """
        self._servers.on_stray_cancel = hook

    def join(self, transport: TransportLayer) -> None:
        """
        Send by this transport layer, which has been given us as its consumer.
        """
        self._drive.transport = transport

    def stop(self) -> None:
        """
        Refuse and give up what is under way; refuse whatever comes before the end.

        To be called before the transport layer is stopped.
        """
        self._servers.stop()
        self._clients.stop()

    @property
    def transport(self) -> TransportLayer:
        """
        The transport layer below.
        """
        return self._drive.transport

    @property
    def size(self) -> tuple[int, int]:
        """
        The numbers of server and of client transactions that exist.
        """
        return len(self._servers), len(self._clients)

    def tables(self) -> dict[str, int]:
        """
        Count the transactions that exist, by their machines, and their timers.
        """
        servers, clients = self._servers, self._clients
        return {
            "invite_server_transactions": servers.invites,
            "non_invite_server_transactions": len(servers) - servers.invites,
            "invite_client_transactions": clients.invites,
            "non_invite_client_transactions": len(clients) - clients.invites,
            "transaction_timers": len(self._drive.wheel),
        }

    @property
    def is_idle(self) -> bool:
        """
        Whether no transaction exists, nor anything of one that has ended.
        """
        nothing = self._servers.is_empty and self._clients.is_empty
        return nothing and not len(self._drive.wheel)

    # For the user

    def request(
        self,
        request: Request,
        way: Way,
        user: ClientTransactionUser | None = None,
        *,
        branch: str | None = None,
    ) -> ClientTransaction:
        """
        Send a request, any but an ACK, with our Via on top of those it has.

        *request* stays as it is, so that it can be sent to the next target.

        :param way: a target, or the flow that the request is to go out on.
        :param user: hears what becomes of it, but nothing before this returns.
        :param branch: that of the Via; None: a new one.
        :raises TransportError: if that fails at once.
        """
        branch = branch or new_branch()
        with_via = self.with_via(request, way, branch=branch)
        return self.begin(with_via, way, user, branch)

    def begin(
        self,
        request: Request,
        way: Way,
        user: ClientTransactionUser | None = None,
        branch: str | None = None,
    ) -> ClientTransaction:
        """
        Send a request as `request` does, but one that has our Via already.

        :param branch: that of the Via; None: it has to be looked up.
        """
        if request.method == "ACK":
            raise LocalProtocolError("an ACK is no transaction of its own")
        return self._clients.begin(request, way, user, branch)

    def withdraw(
        self, invite: Request, way: Way, user: ClientTransactionUser | None = None
    ) -> ClientTransaction:
        """
        Cancel an INVITE that a process before this one has sent.

        :param invite: with the Via that it was sent with.
        :param user: hears what becomes of it, such as a 2xx that crosses the CANCEL.
        :raises ParseError: if it breaks the grammar.
        :raises TransportError: if that fails at once.
        """
        return self._clients.withdraw(invite, way, user)

    def restore(
        self, invite: Request, flow: Flow, to_tag: str | None = None
    ) -> ServerTransaction | None:
        """
        Take an INVITE up that a process before this one has received, to answer it.

        :param flow: the way that it came.
        :param to_tag: that of the responses so far; None: a new one.
        :return: None if it has been repeated, and so is here already.
        :raises ParseError: if it breaks the grammar.
        """
        return self._servers.restore(invite, flow, to_tag)

    def ask(self, request: Request, way: Way) -> Deferred[Response]:
        """
        Send a request other than INVITE and wait for its final response.

        :return: fires with the response, whatever its status; fails with
            `TransactionTimeout` or `TransportError`. If it is cancelled, nobody waits
            any more; the transaction ends by itself.
        """
        if request.method == "INVITE":
            raise LocalProtocolError("an INVITE can have many final responses")
        answer: Deferred[Response] = Deferred(lambda _: None)
        try:
            self.request(request, way, _Waiting(answer))
        except TransportError as error:
            answer.errback(error)
        return answer

    def with_via(
        self,
        request: Request,
        way: Way,
        *,
        branch: str | None = None,
    ) -> Request:
        """
        Copy a request and put our Via on top of it.

        :param branch: that of the Via; None: a new one.
        :raises TransportError: if no address of ours leads there.
        """
        via = self.transport.via_for(way)
        copy = request.copy()
        copy.prepend(VIA, via.with_branch(branch or new_branch()))
        return copy

    def send_ack(self, ack: Request, way: Way) -> Deferred[Flow]:
        """
        Send the ACK to a 2xx.

        :param ack: one that has our Via already, from `with_via`: for each repetition
            of the 2xx the same is to be sent.
        :return: fires with the flow that it left on; fails with `TransportError`.
        """
        return send(self._drive, ack, way)

    def knows(self, message: Request | Response) -> bool:
        """
        Tell whether a message belongs to a transaction.

        For a proxy, which has others that are nobody's: it gives us only those that
        begin a transaction, and these.

        :raises ParseError: if a field that matters is missing or broken.
        """
        if isinstance(message, Request):
            return self._servers.knows(message)
        return self._clients.knows(message)

    def take(self, response: Response) -> bool:
        """
        Take a response, if it belongs to a transaction; for a proxy, as `knows` is.

        :raises ParseError: if it cannot be read.
        """
        return self._clients.receive(response)

    # For the transport layer

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Take a request.
        """
        self._servers.receive(request, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Take a response.
        """
        if self._clients.receive(response):
            return
        if self.stands_in or self.transport.is_own(response[VIA]):
            self.counters.stray += 1
            self._user.stray_response(response, flow)
        else:
            self.counters.foreign += 1

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Pass a STUN message on.
        """
        self._user.stun_received(data, flow)

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Pass it on that something could not be read.
        """
        self._user.parse_failed(error, flow)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Give up what waits for an answer on a connection, and pass it on.
        """
        self._clients.flow_closed(flow, reason)
        self._user.flow_closed(flow, reason)


class _Waiting:
    """
    Wait for a final response.
    """

    def __init__(self, answer: Deferred[Response]) -> None:
        self._answer = answer

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Hand on the final one.
        """
        if not response.is_provisional and not self._answer.called:
            self._answer.callback(response)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hand on that there is none.
        """
        if not self._answer.called:
            self._answer.errback(error)
