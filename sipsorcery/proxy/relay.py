"""
Stateful relaying: one request in, any number out (:rfc:`3261#section-16.6` to 16.10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from sipsorcery.proxy.best import best
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.breadth import shares
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.express import Express
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.relay_branch import RelayBranch
from sipsorcery.proxy.review import Passed, Review, not_noted, pass_unseen
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.transparency import restore
from sipsorcery.proxy.ways import Hop, Ways
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction

# Octets that the requests under way may take at a time: 40,000 usual calls that ring,
# or fewer with more phones each, or with large bodies.
_MEMORY = 256 * 2**20
# What the transaction of a message takes beside its text.
_OVERHEAD = 2250
# Branches of one request: more phones than anybody has for one number, and few enough
# that nobody makes an avalanche of one packet; see also `breadth`.
MAX_BRANCHES = 50


class Relays:
    """
    Begins relays, and knows how many there are.

    It is the user of a transaction layer of its own, which gets nothing else.

    :param failed: hears of a target that did not answer.
    :param memory: see the ivar.

    :ivar memory: the octets that requests may take until they are answered.
    :ivar pass_ack: takes the ACK to a 2xx, which is a request of its own.
    :ivar review: lets the script look at a response before it counts.
    :ivar passed: takes note of those that go back.
    :ivar express: makes usual requests at once; None: nobody does.
    """

    pass_ack: Callable[[Request, Flow], None]
    review: Review = staticmethod(pass_unseen)
    passed: Passed = staticmethod(not_noted)
    express: Express | None = None

    def __init__(
        self,
        clock: IReactorTime,
        transport: TransportLayer,
        ways: Ways,
        branches: Branches,
        outgoing: Outgoing,
        failed: Callable[[Target], object],
        *,
        memory: int = _MEMORY,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        self.clock = clock
        # A request that comes by two ways is a spiral here, and may pass.
        self.transactions = TransactionLayer(
            clock, self, timers=timers, merges=False, may_cancel=ways.may_cancel
        )
        self.transactions.join(transport)
        self.ways = ways
        self.branches = branches
        self.outgoing = outgoing
        self.failed = failed
        self.memory = memory
        self._under_way: dict[_Relay, int] = {}  # what each takes
        self._taken = 0
        self._next: _Relay | None = None
        self._size = 0  # of it

    def __len__(self) -> int:
        return len(self._under_way)

    def relay(
        self,
        routed: Routed,
        flow: Flow,
        hops: Sequence[Sequence[Hop]],
        *,
        transparent: bool = False,
    ) -> None:
        """
        Send a request to several at a time, and the best of their answers back.

        :param flow: the one that it came by.
        :param hops: for each branch the hops to try, one after the other.
        :param transparent: whether these see no Via but ours.
        :raises Refused: if there is no room for another one, or it may take no hop, or
            be split no more.
        :raises ParseError: if the request lacks a mandatory field.
        """
        if routed.hops == 0:
            raise Refused(483, "Max-Forwards is 0")
        hops = hops[:MAX_BRANCHES]
        breadths = shares(routed.request, len(hops))
        self._size = (1 + len(hops)) * (routed.request.size + _OVERHEAD)
        if self._taken + self._size > self.memory:
            raise Refused(503, f"{len(self)} requests are being relayed")
        self._next = _Relay(
            self, routed, [*zip(hops, breadths, strict=True)], transparent
        )
        try:
            self.transactions.request_received(routed.request, flow)
        finally:
            self._next = None

    def stop(self) -> None:
        """
        Refuse what is under way, and let no phone go on ringing.
        """
        for relay in tuple(self._under_way):
            relay.cancel_all()
        self.transactions.stop()

    def ended(self, relay: _Relay) -> None:
        """
        Forget one that has sent its final response.
        """
        self._taken -= self._under_way.pop(relay, 0)

    # For the transaction layer

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Take the transaction of the request that `relay` has just handed over.
        """
        relay, self._next = self._next, None
        assert relay is not None  # nobody else hands new requests to the layer
        self._under_way[relay] = self._size
        self._taken += self._size
        relay.begin(transaction)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Take the ACK to a 2xx that was passed on.
        """
        self.pass_ack(ack, flow)

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Drop what comes after the end: it "MUST NOT" be forwarded (RFC 6026, 7.3).
        """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Do nothing: this does not come here.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Do nothing, likewise.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Do nothing: the transactions have heard of it.
        """


class _Relay:
    """
    One request, its branches, and what they have said so far.
    """

    def __init__(
        self,
        relays: Relays,
        routed: Routed,
        branches: Sequence[tuple[Sequence[Hop], int]],
        transparent: bool,
    ) -> None:
        self.relays = relays
        self.routed = routed
        self.transparent = transparent
        self._branches = [RelayBranch(self, hops, share) for hops, share in branches]
        # Else we are but the edge of those who know them.
        self._is_for_contacts = any(
            hop.uri is not None for hops, _ in branches for hop in hops
        )
        self._final: list[Response] = []
        self._from_roles: list[Response] = []  # those of them that our servers gave
        self._is_answered = False

    @property
    def is_invite(self) -> bool:
        """
        Whether it is an INVITE, the only request that takes its time.
        """
        return self.routed.request.method == "INVITE"

    def begin(self, transaction: ServerTransaction) -> None:
        """
        Send it on all branches.
        """
        self._transaction = transaction
        transaction.user = self
        for branch in self._branches:
            branch.try_next()
        self.routed.request.compact()
        self.settle()

    # What the server transaction reports

    def cancelled(self, transaction: ServerTransaction) -> None:
        """
        Cancel every branch; their answers, mostly a 487, become ours.
        """
        self.cancel_all()
        self.settle()

    def failed(self, transaction: ServerTransaction, error: Failure) -> None:
        """
        Nobody will hear an answer: end what can be ended.
        """
        self.cancel_all()
        self._is_answered = True
        self.settle()

    # What the branches report

    def provisional(self, client: ClientTransaction, response: Response) -> None:
        """
        Pass a provisional response on; a 100 was for us alone.
        """
        if self.is_invite and response.status > 100 and not self._is_answered:
            self._pass_on(client, response)

    def succeeded(self, client: ClientTransaction, response: Response) -> None:
        """
        Pass a 2xx on at once; to an INVITE, each (16.7, 5).
        """
        if self.is_invite or not self._is_answered:
            self._is_answered = True
            self._pass_on(client, response)
        self.cancel_all()
        self.settle()

    def refused(self, client: ClientTransaction, response: Response) -> None:
        """
        Keep a final response until all are there; a 6xx ends all others now.
        """
        prepared = self._prepared(client, response)
        self._final.append(prepared)
        assert client.flow is not None  # a response came on it
        if self.relays.ways.arrival(client.flow).is_trusted:
            self._from_roles.append(prepared)
        if response.status >= 600:
            self.cancel_all()
        self.settle()

    def silent(self) -> None:
        """
        Hear that a branch has no more hops and no answer.
        """
        self.settle()

    def cancel_all(self) -> None:
        """
        End every branch that has not ended yet.
        """
        for branch in self._branches:
            branch.cancel()

    def settle(self) -> None:
        """
        Answer when nothing more is to come.
        """
        if any(branch.is_pending for branch in self._branches):
            return
        self.relays.ended(self)
        if not self._is_answered and self._transaction.is_pending:
            self._is_answered = True
            self._answer()
        # There is half a minute left, for what comes late.
        self._final.clear()
        self._from_roles.clear()
        self.routed.request.compact(keep_body=False)

    # Inside

    def _answer(self) -> None:
        if not self._final:
            self._answer_silence()
            return
        response = best(self._final)
        of_role = any(response is each for each in self._from_roles)
        if response.status == 503 and not of_role:
            # To the client it would mean that it should not send to us (16.7, 6). When
            # the servers behind us can take nothing it is what it should hear.
            self._transaction.respond(500)
        elif response.status == 430 and self._is_for_contacts:
            # "Endpoints should never receive a 430" (RFC 5626, 11.1).
            self._transaction.respond(480)
        else:
            self._transaction.send(response)

    def _answer_silence(self) -> None:
        if self._transaction.is_cancelled:
            self._transaction.respond(487)
        elif self.is_invite or not any(each.timed_out for each in self._branches):
            self._transaction.respond(408 if self.is_invite else 500)
        # Else it is too late for any answer: RFC 4320 forbids a 408 here.

    def _prepared(self, client: ClientTransaction, response: Response) -> Response:
        flow = client.flow
        assert flow is not None  # a response came on it
        response = response.without_top_via()
        if self.transparent:
            restore(response, self.routed.request.all("Via"))
        relays = self.relays
        arrival = relays.ways.arrival(flow)
        relays.outgoing.answer(response, arrival, inside=self.routed.arrival.is_inside)
        relays.passed(response, arrival, self._transaction.flow)
        return response

    def _pass_on(self, client: ClientTransaction, response: Response) -> None:
        self._transaction.send(self._prepared(client, response))
