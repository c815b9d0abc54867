"""
What a script is given beside the message: the ways to find out, and to send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.forward import Forwarder
from sipsorcery.proxy.relay import Relays
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.token import INSIDE, TokenFlow, Tokens
from sipsorcery.proxy.ways import Hop, Ways
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target


@dataclass(frozen=True, slots=True)
class Contact:
    """
    Where somebody can be reached.

    :ivar path: what a request there has to pass, the nearest first.
    """

    uri: SIPURI
    path: tuple[SIPURI, ...] = ()


#: Finds the contacts of an address-of-record; None: nobody has that address.
Lookup = Callable[[str], Awaitable[Sequence[Contact] | None]]


class Location(Protocol):
    """
    Find servers, as `Locator` does.
    """

    def locate(self, uri: SIPURI) -> Deferred[list[Target]]:
        """
        Find the targets for a request, in the order to try them in.
        """

    def pick(self, uri: SIPURI, call_id: str) -> Deferred[Target]:
        """
        Find the one target for a request that is forwarded without state.
        """

    def failed(self, target: Target) -> None:
        """
        Note that a target did not answer.
        """


@dataclass(frozen=True, slots=True)
class Tools:
    """
    All that sends, and all that knows, for the facade of each request.

    :ivar lookup: None: this proxy knows nobody.
    :ivar roles: where the servers inside are, by name. It may change.
    :ivar owner: tells which server inside a URI of a dialogue belongs to.
    :ivar is_trunk: tells whether a flow is that of a neighbour with rights.
    """

    ways: Ways
    tokens: Tokens
    forwarder: Forwarder
    relays: Relays
    location: Location
    answers: Answers
    is_trunk: Callable[[Flow], bool]
    lookup: Lookup | None = None
    roles: Mapping[str, Endpoint] = field(default_factory=dict)
    owner: Callable[[SIPURI], Endpoint | None] = lambda uri: None


class Sys:
    """
    The ``sys`` of a script, for one request.

    Its coroutines raise what ends the request: a script need not catch anything.
    """

    _log = Logger()

    def __init__(self, tools: Tools, routed: Routed, flow: Flow) -> None:
        self._tools = tools
        self._routed = routed
        self._flow = flow

    @property
    def received_from(self) -> Endpoint:
        """
        Give the address that the request came from.
        """
        return self._routed.arrival.remote

    @property
    def received_on(self) -> Endpoint:
        """
        Give the address of ours that it came to.
        """
        return self._routed.arrival.local

    @property
    def is_trusted(self) -> bool:
        """
        Tell whether it came from one of our roles, inside.
        """
        return self._routed.arrival.is_trusted

    @property
    def is_trunk(self) -> bool:
        """
        Tell whether it came from a neighbour that the configuration names.
        """
        return self._tools.is_trunk(self._flow)

    @property
    def is_ours(self) -> bool:
        """
        Tell whether it is for us: a domain that we serve, or an address of ours.
        """
        return self._routed.is_ours

    @property
    def has_flow(self) -> bool:
        """
        Tell whether a token of ours says where it goes.
        """
        return self._routed.flow is not None

    @property
    def roles(self) -> Mapping[str, Endpoint]:
        """
        Give the addresses of the servers inside, by their names.
        """
        return self._tools.roles

    @property
    def knows_users(self) -> bool:
        """
        Tell whether `lookup` can find anybody.
        """
        return self._tools.lookup is not None

    def log(self, message: str) -> None:
        """
        Write a line to the log.
        """
        self._log.info("{message}", message=message)

    def answer(self) -> None:
        """
        Let the proxy answer for itself: 200 to OPTIONS, and a refusal to the rest.
        """
        self._tools.answers.own(self._routed.request, self._flow)

    def respond(self, status: int, reason: str | None = None) -> None:
        """
        Answer the request; an ACK is let go.
        """
        self._tools.answers.respond(self._routed.request, self._flow, status, reason)

    async def lookup(self, aor: str) -> Sequence[Contact] | None:
        """
        Find where an address-of-record is registered.

        :return: None if there is no such account.
        """
        if self._tools.lookup is None:
            return None
        return await self._tools.lookup(aor)

    async def resolve(self, uri: SIPURI | None = None) -> list[Target]:
        """
        Find the servers for a URI (:rfc:`3263`).

        :param uri: None: that of the next Route, or else the Request-URI.
        """
        return await self._tools.location.locate(uri or self._routed.next_hop)

    async def forward(self, to: str | Endpoint | None = None) -> None:
        """
        Send the request on and remember nothing of it.

        :param to: a role by its name, or an address; None: where its token, Route or
            Request-URI leads.
        """
        hop = await self._hop(to)
        if self._needs_state(hop):
            self._tools.relays.relay(self._routed, self._flow, [[hop]])
            return
        await self._tools.forwarder.forward(self._routed, self._flow, hop)

    async def relay(self, contacts: Sequence[Contact] | None = None) -> None:
        """
        Send the request to all contacts at a time, and the best answer back.

        :param contacts: None: where its token, Route or Request-URI leads.
        """
        if contacts is None:
            branches = [await self._hops()]
        else:
            branches = await self._reachable(contacts)
        self._tools.relays.relay(self._routed, self._flow, branches)

    # Inside

    def _needs_state(self, hop: Hop) -> bool:
        """
        Tell whether nobody but us would repeat the request if it got lost.

        The sender over a connection does not, and UDP loses.
        """
        method = self._routed.request.method
        return bool(
            self._flow.number
            and not hop.departure.side.transport.is_reliable
            and method not in ("ACK", "CANCEL")
        )

    async def _hop(self, to: str | Endpoint | None) -> Hop:
        ways, routed = self._tools.ways, self._routed
        if isinstance(to, str):
            return ways.inwards(self._tools.roles[to])
        if to is not None:
            return ways.towards(Target(to), routed.send_from)
        if routed.flow is not None:
            return self._along(routed.flow)
        call_id = routed.request.get("Call-ID") or ""
        target = await self._tools.location.pick(routed.next_hop, call_id)
        return ways.towards(target, routed.send_from)

    def _along(self, flow: TokenFlow) -> Hop:
        if flow != INSIDE:
            return self._tools.ways.along(flow)
        role = self._tools.owner(self._routed.uri)
        if role is None:
            raise Refused(481, f"nobody inside has {self._routed.uri}")
        return self._tools.ways.inwards(role)

    async def _hops(self) -> list[Hop]:
        ways, routed = self._tools.ways, self._routed
        if routed.flow is not None:
            return [self._along(routed.flow)]
        targets = await self.resolve()
        return [ways.towards(target, routed.send_from) for target in targets]

    async def _reachable(self, contacts: Sequence[Contact]) -> list[list[Hop]]:
        """
        Find the hops to each contact; those that nothing leads to are left out.

        :raises Refused: the last one's, if that leaves nobody.
        """
        branches, refused = [], Refused(480, "nobody is registered")
        for contact in contacts:
            try:
                branches.append(await self._hops_to(contact))
            except Refused as error:
                refused = error
            except TransportError as error:
                refused = Refused(480, str(error))
        if not branches:
            raise refused
        return branches

    async def _hops_to(self, contact: Contact) -> list[Hop]:
        ways, uri = self._tools.ways, contact.uri
        routes = tuple(map(Address, contact.path))
        if routes and contact.path[0].user is not None:
            # The registrar took it from a Path that we wrote, or a neighbour.
            try:
                token = self._tools.tokens.read(contact.path[0].user)
            except Refused:
                pass
            else:
                if token.flow != INSIDE:
                    return [ways.along(token.flow, uri, routes[1:])]
        next_hop = contact.path[0] if contact.path else uri
        targets = await self._tools.location.locate(next_hop)
        return [ways.towards(target, None, uri, routes) for target in targets]
