"""
Between the flows of the transport layer and what tokens say of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.endpoint import Endpoint, HostPort, Transport
from sipsorcery.proxy.arrival import Arrival, Departure, Side
from sipsorcery.proxy.dispatch.offer import Offer
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.token import (
    INSIDE,
    ConnectionFlow,
    DatagramFlow,
    InsideFlow,
    OutwardFlow,
    TokenFlow,
)
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport import vias
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import Way
from sipsorcery.transport.transactions.hop import is_same_hop
from sipsorcery.transport.udp import DatagramFlow as UDPFlow

# Ways over UDP that are remembered: those of a few thousand phones, 2 MB. Whoever
# forges many addresses only makes us start anew.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Hop:
    """
    A next hop, ready to be sent to.

    :ivar uri: the Request-URI for it; None: the one that came.
    :ivar routes: what the request has to pass on the way there.
    :ivar target: what the location of a server gave, if that is where it is from.
    :ivar offer: of a call to one of several servers inside.
    """

    way: Way
    departure: Departure
    uri: SIPURI | None = None
    routes: tuple[Address, ...] = ()
    target: Target | None = None
    offer: Offer | None = None


#: Given a role that may be gone, and a Call-ID, give another role, or None.
InsteadOf: TypeAlias = Callable[[Endpoint, str], Endpoint | None]


def nobody(role: Endpoint, call_id: str) -> None:
    """
    Give nobody: where each role has one server, that comes back to its place.
    """


class Peer:
    """
    What is remembered of somebody over UDP, with the flow.

    :ivar is_inside: whether the flow is one of the inside socket.
    :ivar came_by: what stands in our Via for the way back; None: nobody has asked.
    """

    __slots__ = ("arrival", "came_by", "generation", "is_inside")

    def __init__(self, arrival: Arrival, generation: int) -> None:
        self.arrival = arrival
        self.generation = generation
        self.is_inside = arrival.is_inside
        self.came_by: str | None = None


class Ways:
    """
    Knows which flow is which.

    :param inside: where the inside socket is bound; None: there is none.
    :param roles: the addresses of those that are trusted on it. It may change.
    :param incarnation: of this process, random.
    :param is_trunk: tells whether a flow is that of a neighbour with rights.
    :param public: gives the address that a listener is reached by.
    :param instead_of: given a role and a Call-ID, gives the role that hears what comes
        back to the first, where that is gone.
    """

    def __init__(
        self,
        transport: TransportLayer,
        inside: Endpoint | None,
        roles: Container[Endpoint],
        incarnation: bytes,
        *,
        worker: int = 0,
        public: Callable[[Listener], HostPort] = lambda listener: listener.sent_by,
        is_trunk: Callable[[Flow], bool] = lambda flow: False,
        instead_of: InsteadOf = nobody,
    ) -> None:
        self.instead_of = instead_of
        self._transport = transport
        self._inside = inside
        self._roles = roles
        self._worker = worker
        self._incarnation = incarnation
        self._public = public
        self._is_trunk = is_trunk
        self._sides: dict[Listener, Side] = {}  # never more than there are listeners
        self._generation = 0  # of what is remembered
        self._hops: dict[tuple[Target, Endpoint | None], Hop] = {}

    def arrival(self, flow: Flow) -> Arrival:
        """
        Describe the way that a message came.
        """
        return self.recognise(flow).arrival

    def recognise(self, flow: Flow) -> Peer:
        """
        Give what is remembered of whoever is at the other end of a flow.
        """
        if not isinstance(flow, UDPFlow):
            return Peer(self._describe(flow), self._generation)
        known = flow.memo
        if isinstance(known, Peer) and known.generation == self._generation:
            arrival = known.arrival
            if not known.is_inside or arrival.is_trusted == self._trusts(arrival):
                return known
        flow.memo = known = Peer(self._describe(flow), self._generation)
        return known

    def is_role(self, end: Endpoint) -> bool:
        """
        Tell whether one of our servers has an address.
        """
        return end in self._roles

    def _trusts(self, arrival: Arrival) -> bool:
        return arrival.remote in self._roles

    def _describe(self, flow: Flow) -> Arrival:
        local, remote = flow.local, flow.remote
        if self._inside is not None and local == self._inside:
            trusted = remote in self._roles
            return Arrival(INSIDE, self._side(flow), local, remote, trusted)
        if flow.number and flow.listener is None and remote in self._roles:
            # We have opened this connection: nobody else is at its other end.
            return Arrival(INSIDE, self._side(flow), local, remote, is_trusted=True)
        return Arrival(
            self.name(flow),
            self._side(flow),
            local,
            remote,
            is_trunk=self._is_trunk(flow),
        )

    def may_cancel(self, flow: Flow, of: Flow) -> bool:
        """
        Tell whether a CANCEL on one flow may end an INVITE that came on another.

        Any of our roles may end what one of them began, for it may have taken the call
        over; and a neighbour may have more addresses than one.
        """
        if is_same_hop(flow, of):
            return True
        canceller, caller = self.arrival(flow), self.arrival(of)
        return (canceller.is_trusted and caller.is_trusted) or (
            canceller.is_trunk and caller.is_trunk
        )

    def forget(self, listener: Listener | None = None) -> None:
        """
        Find everything out again.

        :param listener: one whose address has changed.
        """
        if listener is not None:
            self._sides.pop(listener, None)
        self._generation += 1
        self._hops.clear()

    def default(self, transport: Transport) -> Endpoint | None:
        """
        Give the first outside listener for a transport; None: there is none.
        """
        ends = (listener.local for listener in self._transport.listeners)
        fit = (end for end in ends if end.transport is transport)
        return next((end for end in fit if end != self._inside), None)

    def name(self, flow: Flow) -> DatagramFlow | ConnectionFlow:
        """
        Write down one flow, be it inside or outside.
        """
        if flow.number:
            return ConnectionFlow(self._worker, self._incarnation, flow.number)
        return DatagramFlow(flow.local, flow.remote)

    def find(self, flow: DatagramFlow | ConnectionFlow) -> Flow | None:
        """
        Find the flow that was written down; None if it is gone.
        """
        if isinstance(flow, DatagramFlow):
            try:
                return self._transport.datagram_flow(flow.remote, flow.local)
            except TransportError:
                return None
        if (flow.worker, flow.incarnation) != (self._worker, self._incarnation):
            return None
        return self._transport.connection(flow.number)

    def along(
        self,
        flow: TokenFlow,
        uri: SIPURI | None = None,
        routes: tuple[Address, ...] = (),
    ) -> Hop:
        """
        Give the hop that a token demands, other than inside.

        :raises Refused: with 430, if it is gone (:rfc:`5626#section-5.3.1`).
        """
        if isinstance(flow, InsideFlow | OutwardFlow):
            raise Refused(404, "nobody inside has that address")
        found = self.find(flow)
        if found is None or not found.is_open:
            raise Refused(430, f"the flow {flow} is gone")
        return Hop(found, self._departure(found, flow), uri, routes)

    def inwards(
        self, role: Endpoint, uri: SIPURI | None = None, offer: Offer | None = None
    ) -> Hop:
        """
        Give the hop to a role.

        Its own requests come to the inside socket, also when it is reached over TCP.

        :raises Refused: with 480, if there is no inside socket.
        """
        try:
            flow = self._transport.datagram_flow(role, self._inside)
        except TransportError as error:
            raise Refused(480, str(error)) from error
        departure = self._departure(flow, INSIDE)
        if role.transport is Transport.UDP:
            return Hop(flow, departure, uri, offer=offer)
        there = Departure(departure.side, str(role), INSIDE)
        return Hop(Target(role), there, uri, offer=offer)

    def to_role(self, role: Endpoint) -> Flow:
        """
        Give the flow to somebody inside.

        :raises Refused: with 403, if it is nobody whom we trust.
        :raises TransportError: if there is no inside socket.
        """
        if role not in self._roles:
            raise Refused(403, f"{role} is none of our servers")
        return self._transport.datagram_flow(role, self._inside)

    def towards(
        self,
        target: Target,
        source: Endpoint | None = None,
        uri: SIPURI | None = None,
        routes: tuple[Address, ...] = (),
    ) -> Hop:
        """
        Give the hop to what the location of a server found.

        :param source: our own end, if somebody has chosen it.
        :raises TransportError: if nothing leads there.
        """
        plain = uri is None and not routes
        if plain and (known := self._hops.get((target, source))) is not None:
            return known
        hop = self._towards(target, source, uri, routes)
        if plain and target.endpoint.transport is Transport.UDP:
            if len(self._hops) >= _REMEMBERED:
                self._hops.clear()
            self._hops[target, source] = hop
        return hop

    def _towards(
        self,
        target: Target,
        source: Endpoint | None,
        uri: SIPURI | None,
        routes: tuple[Address, ...],
    ) -> Hop:
        end = target.endpoint
        vias.check_unicast(end.host)
        if end.transport is Transport.UDP:
            flow = self._transport.datagram_flow(end, source)
            # A contact of ours is a flow to come back to. Where a name of somebody
            # else has led, it may lead elsewhere in the dialog.
            name = None if uri is None else self.name(flow)
            return Hop(flow, self._departure(flow, name), uri, routes, target)
        via = self._transport.via_for(target)
        port = via.port or end.transport.default_port
        side = Side(end.transport, HostPort(via.address, port))
        return Hop(target, Departure(side, str(target)), uri, routes, target)

    def _departure(self, flow: Flow, name: TokenFlow | None) -> Departure:
        target = f"{flow.number or flow.local} {flow.remote}"
        return Departure(self._side(flow), target, name, self._is_trunk(flow))

    def _side(self, flow: Flow) -> Side:
        listener = flow.listener
        if listener is None:  # we have opened the connection
            via = self._transport.via_for(flow)
            transport = flow.local.transport
            port = via.port or transport.default_port
            return Side(transport, HostPort(via.address, port))
        side = self._sides.get(listener)
        if side is None:
            side = Side(listener.local.transport, self._public(listener))
            self._sides[listener] = side
        return side
