"""
From a request, and what a script wants with it, to the hops that lead there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sipsorcery.access.contacts import Contact
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.networks import is_within_reach
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.token import INSIDE, OutwardFlow, TokenFlow
from sipsorcery.proxy.tools import Tools
from sipsorcery.proxy.ways import Hop
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.target import Target


class Hops:
    """
    Finds the hops for one request.

    Whatever it raises, `Refused` or `TransportError`, is the end of the request.
    """

    def __init__(self, tools: Tools, routed: Routed) -> None:
        self._tools = tools
        self._routed = routed

    async def one(self, to: str | Endpoint | None) -> Hop:
        """
        Find the hop for a request that is forwarded without state.

        :param to: as for `Sys.forward`.
        """
        ways, routed = self._tools.ways, self._routed
        if isinstance(to, str):
            return ways.inwards(self._tools.roles[to])
        if to is not None and ways.is_role(to):
            return ways.inwards(to)
        if to is not None:
            return self._allowed(ways.towards(Target(to), routed.send_from))
        if routed.flow is not None and not isinstance(routed.flow, OutwardFlow):
            return self._along(routed.flow)
        call_id = routed.request.get("Call-ID") or ""
        target = await self._tools.location.pick(routed.next_hop, call_id)
        return self._towards(target)

    async def each(self) -> list[Hop]:
        """
        Find the hops to try, one after the other, to where the request leads.
        """
        routed = self._routed
        if routed.flow is not None and not isinstance(routed.flow, OutwardFlow):
            return [self._along(routed.flow)]
        targets = await self._tools.location.locate(routed.next_hop)
        return [self._towards(target) for target in targets]

    async def to_contacts(self, contacts: Iterable[Contact]) -> list[list[Hop]]:
        """
        Find the hops to each contact; those that nothing leads to are left out.

        :raises Refused: the last one's, if that leaves nobody.
        """
        branches, refused = [], Refused(480, "nobody is registered")
        for contact in contacts:
            hops: list[Hop] = []
            for way in (contact, *contact.alternatives):
                try:
                    hops += await self._to(way)
                except Refused as error:
                    refused = error
                    if error.status == 430:
                        refused = Refused(480, str(error))  # that was among proxies
                        self._tell_lost(way)
                except TransportError as error:
                    refused = Refused(480, str(error))
            if hops:
                branches.append(hops)
        if not branches:
            raise refused
        return branches

    # Inside

    def _along(self, flow: TokenFlow) -> Hop:
        if flow != INSIDE:
            return self._secure(self._tools.ways.along(flow), self._routed.uri)
        role = self._tools.owner(self._routed.uri)
        # Whoever let us have a Record-Route to the inside has its Contact there.
        role = role or self._any_app_server()
        if role is None:
            raise Refused(481, f"nobody inside has {self._routed.uri}")
        return self._tools.ways.inwards(role)

    def _any_app_server(self) -> Endpoint | None:
        dispatcher = self._tools.dispatcher
        if dispatcher is None:
            return self._tools.roles.get("appserver")
        call_id = self._routed.request.get("Call-ID") or ""
        return dispatcher.any_for(call_id)

    def _towards(self, target: Target) -> Hop:
        self._check(target)
        hop = self._tools.ways.towards(target, self._routed.send_from)
        return self._allowed(self._secure(hop, self._routed.uri))

    async def _to(self, contact: Contact) -> Sequence[Hop]:
        ways, uri = self._tools.ways, contact.uri
        routes = tuple(map(Address, contact.path))
        flow = self._flow(contact)
        if flow is not None:
            return [self._secure(ways.along(flow, uri, routes[1:]), uri)]
        next_hop = contact.path[0] if contact.path else uri
        targets = await self._tools.location.locate(next_hop)
        for target in targets:
            self._check(target)
        hops = [ways.towards(target, None, uri, routes) for target in targets]
        return [self._secure(hop, uri) for hop in hops]

    def _tell_lost(self, contact: Contact) -> None:
        """
        Tell that a flow is gone whose end nobody has seen: we were restarted.
        """
        self._tools.events.emit(
            EventKind.FLOW_CLOSED,
            f"The connection of {contact.uri} is gone",
            detail={"token": contact.path[0].user or ""},
        )

    def _flow(self, contact: Contact) -> TokenFlow | None:
        """
        Give the flow that a Path begins with, if we wrote it, and not a neighbour.
        """
        if not contact.path or contact.path[0].user is None:
            return None
        try:
            flow = self._tools.tokens.read(contact.path[0].user).flow
        except Refused:
            return None
        return None if flow == INSIDE else flow

    def _secure(self, hop: Hop, uri: SIPURI) -> Hop:
        """
        Keep a sips request on TLS (:rfc:`3261#section-26.2.2`).
        """
        departure = hop.departure
        if (
            "sips" in (uri.scheme, self._routed.uri.scheme)
            and not departure.is_inside
            and not departure.side.transport.is_secure
        ):
            raise Refused(480, f"no TLS leads to {uri}")
        return hop

    def _check(self, target: Target) -> None:
        """
        See to it that nobody is led to a role by its address.

        Roles are reached by what they are asked for. Their addresses stand in the URIs
        of those who want to be trusted there because we are, or a role that has let
        itself be led on by a Contact or a dial string.
        """
        if self._tools.ways.is_role(target.endpoint):
            raise Refused(403, f"{target} is a server inside")

    def _allowed(self, hop: Hop) -> Hop:
        """
        Keep requests of others off where those cannot send by themselves.
        """
        arrival = self._routed.arrival
        if arrival.is_trusted or hop.departure.is_inside or hop.target is None:
            return hop
        if not is_within_reach(hop.target.endpoint.host, arrival.remote.host):
            raise Refused(403, f"{hop.target} is out of reach of {arrival.remote}")
        return hop
