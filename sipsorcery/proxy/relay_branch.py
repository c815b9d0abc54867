"""
One branch of a relayed request: the hops that are tried, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sipsorcery.proxy.branch import Branches, Kind
from sipsorcery.proxy.express import Express
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.review import Review
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.ways import Hop
from sipsorcery.sip.fields import MAX_BREADTH, MAX_FORWARDS, VIA
from sipsorcery.sip.response import Response
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.transport.transactions.layer import TransactionLayer

# "Timer C MUST be set to greater than 3 minutes" (16.6, 11).
TIMER_C = 181.0
# Answers that speak of one way alone: an overloaded server, a flow that is gone
# (RFC 5626, 5.3). Another one may do.
_TRY_NEXT = (503, 430)


class Senders(Protocol):
    """
    What a branch sends by: see `sipsorcery.proxy.relay.Relays`.
    """

    review: Review
    express: Express | None
    clock: IReactorTime
    transactions: TransactionLayer
    branches: Branches
    outgoing: Outgoing

    def failed(self, target: Target) -> object:
        """
        Hear of a target that did not answer.
        """


class Relay(Protocol):
    """
    The request that the branch is of, and who puts its answers together.
    """

    routed: Routed
    transparent: bool

    @property
    def relays(self) -> Senders:
        """
        What it sends by.
        """

    @property
    def is_invite(self) -> bool:
        """
        Whether it is an INVITE.
        """

    def provisional(self, client: ClientTransaction, response: Response) -> None:
        """
        Hear a provisional response.
        """

    def succeeded(self, client: ClientTransaction, response: Response) -> None:
        """
        Hear a 2xx.
        """

    def refused(self, client: ClientTransaction, response: Response) -> None:
        """
        Hear another final response, the last word of this branch.
        """

    def silent(self) -> None:
        """
        Hear that nobody has answered.
        """

    def settle(self) -> None:
        """
        Answer, if nothing more is to come.
        """


class RelayBranch:
    """
    One target of a relay, by the hops that lead to it.

    :param breadth: how many branches others may make of it.
    """

    def __init__(self, relay: Relay, hops: Sequence[Hop], breadth: int) -> None:
        self._relay = relay
        self._breadth = breadth
        self._hops = list(hops)
        self._client: ClientTransaction | None = None
        self._timer_c: IDelayedCall | None = None
        self._waiting: IDelayedCall | None = None  # for any answer of this server
        self._given_up: list[_GivenUp] = []  # those before it: no more than hops
        self._has_progress = False
        self._rings = False  # the server that was asked last has said more than 100
        self._is_cancelled = False
        self.is_pending = True
        self.timed_out = False

    def try_next(self) -> None:
        """
        Send the request to the next hop, if there is one.
        """
        relays = self._relay.relays
        while self._hops and not self._is_cancelled:
            hop = self._hops.pop(0)
            try:
                self._client = self._send(hop)
            except TransportError:
                _note_failure(relays, hop)
                continue
            self._client.request.compact()
            self._hop = hop
            if self._relay.is_invite:
                self._start_timer_c()
            self._begin_to_wait()
            return
        self._end()

    def _send(self, hop: Hop) -> ClientTransaction:
        relay = self._relay
        routed, relays = relay.routed, relay.relays
        if not relay.transparent and relays.express is not None:
            usual = relays.express.relayed(routed, hop, self._breadth)
            if usual is not None:
                return relays.transactions.begin(usual, hop.way, self)
        request = relays.outgoing.prepare(
            routed, hop.departure, hop.uri, hop.routes
        ).copy()
        request.set(MAX_FORWARDS, routed.hops - 1)
        request.set(MAX_BREADTH, self._breadth)
        if relay.transparent:
            request.remove(VIA)
        target = f"{hop.departure.target} {request.request_uri}"
        branch = relays.branches.make(Kind.RELAYED, routed.loop, target, routed.request)
        return relays.transactions.request(request, hop.way, self, branch=branch)

    def cancel(self) -> None:
        """
        Cancel it; what is not an INVITE ends by itself.
        """
        self._is_cancelled = True
        if self.is_pending and self._client is not None and self._relay.is_invite:
            self._client.cancel()
        self._cancel_given_up()

    # What the client transaction reports

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Let the script see a response, and sort it.
        """
        flow = transaction.flow
        assert flow is not None  # it came on it
        self._wait_no_more()
        if self._hop.offer is not None:
            self._hop.offer.heard()
        self._relay.relays.review(
            response,
            flow,
            response[VIA].branch,
            lambda: self._sort(transaction, response),
        )

    def _sort(self, transaction: ClientTransaction, response: Response) -> None:
        if response.is_provisional:
            self._has_progress = True
            if self._relay.is_invite and response.status > 100:
                self._rings = True
                self._start_timer_c()
            self._relay.provisional(transaction, response)
        elif response.is_success:
            self._end()
            self._relay.succeeded(transaction, response)
        elif response.status in _TRY_NEXT and self._hops and not self._is_cancelled:
            _note_failure(self._relay.relays, self._hop)
            self._leave()
            self.try_next()
            self._relay.settle()
        else:
            self._end()
            self._relay.refused(transaction, response)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Try the next hop, unless somebody was there already.
        """
        self.timed_out = isinstance(error, TransactionTimeout)
        _note_failure(self._relay.relays, self._hop)
        if self._hop.offer is not None:
            if self.timed_out:
                self._hop.offer.silent()
            else:
                self._hop.offer.unreachable(str(error))
        if self._has_progress:
            self._end()
        else:
            self._leave()
            self.try_next()
        self._relay.silent()

    def heard_late(self, given_up: _GivenUp, response: Response) -> None:
        """
        Hear a server that was given up, and perhaps was only slow, as we were.

        Whoever has claimed the call says more than 100, and nobody beside him does: so
        it is his, and he is the one that is asked from now on.
        """
        is_claimed = response.status > 100 and response.status not in _TRY_NEXT
        if self._is_cancelled or not self.is_pending or self._rings:
            given_up.end(response)
        elif is_claimed:
            self._come_back_to(given_up)
            self.response_received(given_up.client, response)

    # Inside

    def _begin_to_wait(self) -> None:
        """
        Give a server that is one of several some time to answer at all.
        """
        offer = self._hop.offer
        if offer is None:
            return
        offer.sent()
        if self._relay.is_invite and self._hops:
            clock = self._relay.relays.clock
            self._waiting = clock.callLater(offer.patience, self._waited)

    def _waited(self) -> None:
        # If it is we who were late, the answer is in our socket, which is read before
        # the next turn.
        self._waiting = self._relay.relays.clock.callLater(0, self._give_up)

    def _give_up(self) -> None:
        # Of the next one we know more, and sooner, than of one that is dead or stuck.
        self._waiting = None
        offer = self._hop.offer
        assert self._client is not None and offer is not None  # or nobody would wait
        self._set_aside(self._client)
        offer.silent()
        self._leave()
        self.try_next()
        self._relay.settle()

    def _set_aside(self, client: ClientTransaction) -> _GivenUp:
        given_up = _GivenUp(self._relay, self, client, self._hop)
        client.user = given_up
        self._given_up.append(given_up)
        return given_up

    def _come_back_to(self, given_up: _GivenUp) -> None:
        """
        Ask a server on that was given up, and give the one up that was asked after it.
        """
        if self._client is not None:
            self._set_aside(self._client).cancel()
        self._leave()
        self._given_up.remove(given_up)
        self._client, self._hop = given_up.client, given_up.hop
        self._client.user = self
        if self._hop.offer is not None:
            self._hop.offer.resumed()

    def _cancel_given_up(self) -> None:
        for given_up in self._given_up:
            given_up.cancel()

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _leave(self) -> None:
        """
        Have no more to do with the server that was asked last.
        """
        self._wait_no_more()
        if self._client is not None and self._hop.offer is not None:
            self._hop.offer.settled()
        self._client = None

    def _start_timer_c(self) -> None:
        if self._timer_c is not None:
            self._timer_c.reset(TIMER_C)
        elif self.is_pending:
            self._timer_c = self._relay.relays.clock.callLater(TIMER_C, self._rang)

    def _rang(self) -> None:
        # "If the client transaction has received a provisional response, the proxy MUST
        # generate a CANCEL request matching that transaction" (16.8). Without one the
        # transaction has long given up by itself.
        self._timer_c = None
        self._hops.clear()
        self.cancel()

    def _end(self) -> None:
        self.is_pending = False
        if self._client is not None:
            self._client.request.compact(keep_body=False)
        self._leave()
        self._cancel_given_up()
        if self._timer_c is not None:
            self._timer_c.cancel()
            self._timer_c = None


class _GivenUp:
    """
    What is left of a server that has not answered in time: another one is asked.

    :ivar client: the request that it got.
    :ivar hop: where it is.
    """

    def __init__(
        self, relay: Relay, branch: RelayBranch, client: ClientTransaction, hop: Hop
    ) -> None:
        self.client = client
        self.hop = hop
        self._relay = relay
        self._branch = branch
        self._is_cancelled = False

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Let the branch decide what to make of it, unless we want nothing from it.
        """
        if self._is_cancelled:
            self.end(response)
        else:
            self._branch.heard_late(self, response)

    def end(self, response: Response) -> None:
        """
        End what begins there now; pass a 2xx on, as any (16.7, 5).
        """
        if response.is_success:
            self._relay.succeeded(self.client, response)
        else:
            self.cancel()

    def cancel(self) -> None:
        """
        Say that nobody waits for it, as soon as it says anything.
        """
        if not self._is_cancelled:
            self._is_cancelled = True
            self.client.cancel()

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear nothing new.
        """


def _note_failure(relays: Senders, hop: Hop) -> None:
    if hop.target is not None:
        relays.failed(hop.target)
