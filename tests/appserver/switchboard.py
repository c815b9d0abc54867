"""
What the tests of transfers share: a server that connects phones, all in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from sipsorcery.access.contacts import Contact
from sipsorcery.access.decision import Allowed, Challenge, Proof
from sipsorcery.access.decision import Decision as Verdict
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.leg import Leg
from sipsorcery.appserver.calls.legs import CallLeg, Errand, Listener
from sipsorcery.appserver.calls.parties import Parties
from sipsorcery.appserver.calls.placing import Office
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.dial.dialling import Budget
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.line_plan import LineEngine
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.plans.story import Audience, Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.records.cdr_writer import CDRWriter
from sipsorcery.appserver.refusals import Refused
from sipsorcery.appserver.transfers.transfers import Transfers
from sipsorcery.dialog.dialog import DialogID
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge as Digest
from sipsorcery.sip.fields import AUTHORIZATION, WWW_AUTHENTICATE
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account, Dialplan, Language, Provider
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.transport.flow import Flow
from sipsorcery.ua import Account as Identity
from sipsorcery.ua import (
    ServerCall,
    Session,
    audio,
)
from tests.appserver.established import KeptCDRs
from tests.ua.cases import AgentCase

DOMAIN = "example.com"
SERVER = "192.0.2.10"
#: Phones by their user names, and where they are.
PHONES = {"100": "192.0.2.1", "101": "192.0.2.2", "102": "192.0.2.3"}
#: Somebody who is nobody's here.
STRANGER = "192.0.2.4"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def media(host: str, port: int = 4000) -> SessionDescription:
    """
    Describe what a phone can do.
    """
    return audio(host, port)


class Book:
    """
    Accounts, bindings and dialplans, as tests want them.

    :ivar owners: whose each account is.
    :ivar plans: scripts of line plans, by owner and name.
    :ivar changes: fields of accounts that are not as usual.
    :ivar fault: what comes of asking for bindings, if they cannot be found.
    """

    def __init__(self) -> None:
        self.owners = dict.fromkeys(PHONES, "joe")
        self.plans: dict[tuple[str, str], str] = {}
        self.changes: dict[str, dict[str, Any]] = {}
        self.fault: Exception | None = None

    async def domain(self, host: str, *, wildcard: bool = True) -> str | None:
        """
        Find a domain of ours.
        """
        return DOMAIN if host == DOMAIN else None

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account.
        """
        owner = self.owners.get(username)
        if owner is None or domain != DOMAIN:
            return None
        account = Account(
            owner=owner, username=username, domain=domain, created=NOW, updated=NOW
        )
        return replace(account, **self.changes.get(username, {}))

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find who is called.
        """
        return await self.find(username, domain)

    async def contacts(self, account: Account) -> Sequence[Contact]:
        """
        Give the one binding of an account.
        """
        if self.fault is not None:
            raise self.fault
        return [Contact(SIPURI("sip", account.username, PHONES[account.username]))]

    async def provider(self, *name: str) -> Provider | None:
        """
        Find no provider.
        """
        return None

    async def time_zone(self, owner: str) -> str:
        """
        Give the time zone of a user.
        """
        return "UTC"

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find a dialplan.
        """
        script = self.plans.get((owner, name))
        if script is None:
            return None
        return Dialplan(
            owner=owner,
            name=name,
            kind=Language.LINES,
            script=script,
            created=NOW,
            updated=NOW,
        )


class SwitchboardCase(AgentCase):
    """
    A server and phones.

    :ivar book: what the server knows.
    :ivar transfer: what a REFER may do in the calls that are made.
    :ivar proofs: how often somebody was asked for a proof.
    """

    def setUp(self) -> None:
        super().setUp()
        for host in (SERVER, STRANGER):
            self.machines[host] = self.network.machine(host)
        self.book = Book()
        self.transfer = ""
        self.proofs = 0
        self.server = self.agent(SERVER)
        self.phones = {
            name: self.agent(
                host, account=Identity(f"sip:{name}@{DOMAIN}", "a password")
            )
            for name, host in PHONES.items()
        }
        self.stranger = self.agent(
            STRANGER, account=Identity("sip:eve@far.example", "a password")
        )
        self.stored: list[Connection] = []
        self.connections = Connections(
            self.stored.append, lambda connection: None, self.server.core.clock.seconds
        )
        clock = self.server.core.clock
        plans = Plans(cast(Configured, self.book), {Language.LINES: LineEngine()})

        def execution(story: Story, budget: Budget, audience: Audience) -> Execution:
            lookup = self.book
            around = Surroundings(clock, plans, lambda _: lookup, budget, audience)
            return Execution(around, story)

        def make_leg(target: Target, listener: Listener, errand: Errand) -> CallLeg:
            assert errand.inquiry is not None  # whoever begins the call
            inquiry = replace(errand.inquiry, hops=errand.hops, headers=errand.headers)
            proxy = SIPURI("sip", None, target.uri.host).with_parameter("lr")
            return Leg(self.server, target, listener, inquiry, proxy=proxy)

        self.kept = KeptCDRs()
        self.cdrs = CDRWriter(clock, self.kept, Endpoint.parse(f"udp:{SERVER}:5060"))
        self.parties = Parties(self.book)
        self.office = Office(
            plans=plans,
            events=Events(LocalBus(clock), lambda: 0.0),
            lookup_for=lambda account: self.book,
            execution=execution,
            make_leg=make_leg,
            cdrs=self.cdrs,
        )
        self.transfers = Transfers(
            connections=self.connections,
            parties=self.parties,
            office=self.office,
            authenticate=self.authenticate,
            sessions=self.session_of,
            make_bridge=self.bridge,
        )
        self.server.on_invite(self.connect)
        self.server.on_refer(self.transfers.refer)

    def bridge(self, connection: Connection) -> Bridge:
        """
        Relay between the sessions of a call.
        """
        return Bridge(connection.caller, connection.callee)

    async def authenticate(
        self, request: Request, flow: Flow, domain: str, username: str
    ) -> Verdict:
        """
        Ask for a proof once; whatever is given then is one.
        """
        if AUTHORIZATION not in request:
            self.proofs += 1
            asked = Digest.parse(f'Digest realm="{domain}", nonce="1", qop="auth"')
            return Challenge(401, ((WWW_AUTHENTICATE, asked),))
        account = await self.book.find(username, domain)
        assert account is not None
        return Allowed(account, Proof.DIGEST)

    def session_of(self, id: DialogID) -> Session | None:
        """
        Find the session of a dialog.
        """
        shared = self.server.core.dialogs.get(id)
        usages = () if shared is None else shared.usages
        return next((one for one in usages if isinstance(one, Session)), None)

    async def connect(self, call: ServerCall) -> None:
        """
        Be the server: connect who calls with who is called.
        """
        call.ring(100)
        if call.replaced is not None:
            account = await self.parties.account(call.caller.uri)
            try:
                proven = "" if account is None else account.owner
                side = Side(session=call.session, name="taken over")
                await self.transfers.replace(call, side, proven)
            except Refused as refused:
                call.reject(refused.status, refused.phrase, fields=refused.fields)
            return
        assert isinstance(call.uri, SIPURI)
        user = call.uri.user or ""
        to = SIPURI("sip", user, PHONES.get(user, STRANGER))
        out = self.server.invite(
            to._replace(host=to.host), call.offer, account=Identity(call.caller)
        )
        session = await out.answered()
        # To is what the dialplan has called, whoever answers.
        session.dialog.remote = replace_uri(session.dialog.remote, user)
        account = await self.parties.account(call.caller.uri)
        connection = Connection(
            id=f"call-{len(self.connections)}-{user}",
            owner="joe" if account is None else account.owner,
            account=f"{user if account is None else account.username}@{DOMAIN}",
            direction=Direction.IN if account is None else Direction.OUT,
            sides=(
                Side(session=call.session, name="caller"),
                Side(session=session, name="callee"),
            ),
            started=0.0,
            answered=0.0,
            transfer=self.transfer,
        )
        call.relays = True
        self.connections.add(connection)
        await call.answer(session.remote)
        connection.bridge = self.bridge(connection)

    # Calls

    def answers(self, name: str, port: int = 4000) -> list[ServerCall]:
        """
        Let a phone answer every call.

        :return: gathers them.
        """
        return self.answering(self.phones[name], media(PHONES[name], port))

    def call(self, caller: str, callee: str) -> Session:
        """
        Let a phone call another one, who answers.

        :return: the caller's session.
        """
        agent = self.stranger if caller == "eve" else self.phones[caller]
        host = PHONES.get(caller, STRANGER)
        call = agent.invite(f"sip:{callee}@{SERVER}", media(host))
        session = self.given(call.answered())
        session.shared.account.trust_realm(DOMAIN)  # type: ignore[union-attr]  # it has one
        return session

    def assert_talks(self, one: Session, other: Session) -> None:
        """
        Check that each sends its media to the other, both ways.
        """
        for ear, mouth in ((one, other), (other, one)):
            assert ear.remote is not None
            assert mouth.local is not None
            heard, said = ear.remote.media[0], mouth.local.media[0]
            self.assertEqual(heard.address, said.address)
            self.assertEqual(str(heard.direction), "sendrecv")


def replace_uri(address: Address, user: str) -> Address:
    """
    Let an address be that of an account, or of somebody far away.
    """
    if user not in PHONES:
        return address
    return address._replace(uri=SIPURI("sip", user, DOMAIN))
