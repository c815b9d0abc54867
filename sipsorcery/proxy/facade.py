"""
What a script is given beside the message: the ways to find out, and to send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from twisted.logger import Logger

from sipsorcery.access.contacts import Contact
from sipsorcery.access.decision import Challenge, Refusal
from sipsorcery.access.overload import come_back_later
from sipsorcery.config import DispatchBy
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.branch import Kind
from sipsorcery.proxy.dispatch.offer import Offer
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.hops import Hops
from sipsorcery.proxy.privileged import assert_identity
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.tools import Tools
from sipsorcery.proxy.ways import Hop
from sipsorcery.sip.fields import FROM
from sipsorcery.sip.grammar import unescape
from sipsorcery.sip.uri import SIPURI, TelURI
from sipsorcery.store.directory import Account
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.server import Fields


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
        self._hops = Hops(tools, routed)

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
        return self._routed.arrival.is_trunk

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
        return self._tools.known.contacts is not None

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

    def respond(
        self, status: int, reason: str | None = None, fields: Fields = ()
    ) -> None:
        """
        Answer the request; an ACK is let go.

        :param fields: pairs of field, or name of a field, and value.
        """
        request, flow = self._routed.request, self._flow
        if status == 403:
            self._tools.events.rejected(request, status, flow.remote)
        self._tools.answers.respond(request, flow, status, reason, fields)

    async def caller_domain(self) -> str | None:
        """
        Find the domain of ours that the From is of.

        :return: its canonical name; None if it is somebody else's.
        """
        accounts, (_, host) = self._tools.known.accounts, self._caller()
        if accounts is None or not host:
            return None
        # A domain that stands for any host is asked for, and nobody comes from it.
        return await accounts.domain(host, wildcard=False)

    async def authenticate(self) -> Account:
        """
        See that the request is made by whom the From says, by digest.

        From then on the request says who that is (:rfc:`3325`), and has the credentials
        for us no more.

        :raises Refused: with a challenge, or because the account may not; for a From of
            others, with 403.
        """
        domain = await self.caller_domain()
        authenticator = self._tools.known.authenticator
        if domain is None or authenticator is None:
            raise Refused(403, "nobody can say who this is")
        request = self._routed.request
        decision = await authenticator.authenticate(
            request,
            source=self.received_from,
            domain=domain,
            username=self._caller()[0],
            status=407,
        )
        match decision:
            case Challenge(status, fields):
                raise Refused(status, "credentials are asked for", fields)
            case Refusal(status, text, fields):
                raise Refused(status, text or "it may not", fields)
        self._tools.gate.note_authenticated(self.received_from)
        assert_identity(request, decision.account.aor, domain)
        return decision.account

    def report_unknown(self) -> None:
        """
        Count the request as one for a user who does not exist.

        Who makes many of these is not listened to for a while.
        """
        if not (self.is_trusted or self.is_trunk):
            self._tools.gate.note_unknown(self.received_from)

    async def lookup(self, aor: SIPURI | str) -> Sequence[Contact] | None:
        """
        Find where an address-of-record, or a GRUU, is registered.

        :return: none if that is nowhere; None if there is no such account.
        """
        contacts = self._tools.known.contacts
        return None if contacts is None else await contacts.of(aor)

    async def resolve(self, uri: SIPURI | None = None) -> list[Target]:
        """
        Find the servers for a URI (:rfc:`3263`).

        :param uri: None: that of the next Route, or else the Request-URI.
        """
        return await self._tools.location.locate(uri or self._routed.next_hop)

    async def forward(
        self, to: str | Endpoint | None = None, *, transparent: bool = False
    ) -> None:
        """
        Send the request on and remember nothing of it.

        :param to: a role by its name, or an address; None: where its token, Route or
            Request-URI leads.
        :param transparent: whether the next hop sees no Via but ours.
        """
        hop = await self._hops.one(to)
        if self._needs_state(hop):
            self._relay([[hop]], transparent)
            return
        if not transparent and self._tools.express.forward(
            self._routed, self._flow, hop
        ):
            return
        await self._tools.forwarder.forward(
            self._routed, self._flow, hop, transparent=transparent
        )

    async def relay(
        self, contacts: Sequence[Contact] | None = None, *, transparent: bool = False
    ) -> None:
        """
        Send the request to all contacts at a time, and the best answer back.

        :param contacts: None: where its token, Route or Request-URI leads.
        :param transparent: whether the next hop sees no Via but ours.
        """
        if contacts is None:
            branches = [await self._hops.each()]
        else:
            branches = await self._hops.to_contacts(contacts)
        self._relay(branches, transparent)

    async def follow(self) -> None:
        """
        Send a CANCEL, or an ACK, the way that its INVITE was relayed.

        It is for what belongs to no relay that we have: the process before us may have
        had it.
        """
        hop, *_ = await self._hops.each()
        await self._tools.forwarder.forward(
            self._routed, self._flow, hop, kind=Kind.RELAYED
        )

    async def dispatch(
        self, set: int | None = None, by: DispatchBy | str | None = None
    ) -> None:
        """
        Send a new call to an application server, which decides what becomes of it.

        One that names a dialogue, as in an attended transfer, goes where that is.

        One that does not answer at all is followed by the next one.

        :param set: of the dispatch file; None: the lowest.
        :param by: what decides which of them; None: ``proxy.dispatch_by``.
        :raises Refused: with 503, if none is well.
        """
        own = self.dispatcher_lookup()
        servers = self._app_servers(set, by) if own is None else [own]
        if not servers:
            text = "there is no application server that is well"
            raise Refused(503, text, [come_back_later()])
        offers = [self._offer(server) for server in servers]
        self._relay([offers], transparent=False)

    async def send_internal(self, role: str) -> None:
        """
        Send the request to a role, by its name; it is told where it came from.
        """
        await self.forward(role)

    async def send_external(self, to: Endpoint | None = None) -> None:
        """
        Send the request to somebody else; nobody is told what is for us alone.
        """
        await self.forward(to)

    async def send_transparent(self, to: Endpoint | None = None) -> None:
        """
        Send the request to somebody who refuses more Vias than one.
        """
        await self.forward(to, transparent=True)

    def get_default_endpoint(self, transport: Transport | str) -> Endpoint | None:
        """
        Give the first of our listeners for a transport; None: there is none.
        """
        return self._tools.ways.default(Transport(transport))

    def get_app_server(
        self, set: int | None = None, by: DispatchBy | str | None = None
    ) -> Endpoint | None:
        """
        Give the application server for a new call; None: there is none that is well.

        :param set: as for `dispatch`, and so is *by*.
        """
        return next(iter(self._app_servers(set, by)), None)

    @property
    def has_app_servers(self) -> bool:
        """
        Tell whether application servers decide about calls, be they well or not.
        """
        return self._tools.dispatcher is not None or bool(self._app_servers())

    def dispatcher_lookup(self) -> Endpoint | None:
        """
        Give the server inside that the Request-URI belongs to; None: it is none's.
        """
        return self._tools.owner(self._routed.uri)

    def fix_contact(self) -> bool:
        """
        Put the source of the request into its Contact, where a NAT hides what is there.

        It is for peers that ignore Record-Route; all others need it not.

        :return: whether there was something to change.
        """
        return self._tools.nat.fix_contact(self._routed.request, self._routed.arrival)

    def fix_sdp(self) -> bool:
        """
        Put the source of the request into its SDP, where a NAT hides what is there.

        It helps where one end at least has no NAT, and sends its media to where those
        of the other come from.

        :return: whether there was something to change.
        """
        return self._tools.nat.fix_sdp(self._routed.request, self._routed.arrival)

    # Inside

    def _app_servers(
        self, set: int | None = None, by: DispatchBy | str | None = None
    ) -> list[Endpoint]:
        dispatcher = self._tools.dispatcher
        if dispatcher is None:
            only = self._tools.attendance.find("appserver")
            return [] if only is None else [only]
        call_id = self._routed.request.get("Call-ID") or ""
        called = self._routed.uri if self.is_ours else None
        user = called.user or "" if called else "@".join(self._caller())
        way = None if by is None else DispatchBy(by)
        return dispatcher.choose(call_id, user, set=set, by=way)

    def _offer(self, server: Endpoint) -> Hop:
        dispatcher, request = self._tools.dispatcher, self._routed.request
        events, ways = self._tools.events, self._tools.ways
        if dispatcher is None:
            events.dispatched(request, server)
            return ways.inwards(server)
        call_id = request.get("Call-ID") or ""
        told = partial(events.dispatched, request)
        return ways.inwards(server, offer=Offer(dispatcher, server, call_id, told))

    def _caller(self) -> tuple[str, str]:
        """
        Give user and host that the From claims to be; "" for what it does not say.

        A number is of nobody's domain, unless it is local to one: then the owner of the
        domain says whose it is (:rfc:`3966#section-5.1.5`).
        """
        match self._routed.request[FROM].uri:
            case SIPURI() as uri:
                return unescape(uri.user or ""), uri.host
            case TelURI() as uri:
                return uri.digits, uri.parameters.get("phone-context") or ""
        return "", ""

    def _relay(self, branches: Sequence[Sequence[Hop]], transparent: bool) -> None:
        self._tools.relays.relay(
            self._routed, self._flow, branches, transparent=transparent
        )

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
