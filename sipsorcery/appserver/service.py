"""
The application server as a Twisted service: opens its socket and takes calls.
"""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.access.decision import Decision
from sipsorcery.access.dialogue_names import DialogueNames, new_identifier
from sipsorcery.access.networks import Networks
from sipsorcery.access.overload import LagMeter
from sipsorcery.appserver.admission import CHALLENGE, Admission
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.call import Call
from sipsorcery.appserver.calls.calls import Calls
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.contacting import Contacts as LegContacts
from sipsorcery.appserver.calls.inquiry import Inquiry
from sipsorcery.appserver.calls.leg import Leg
from sipsorcery.appserver.calls.legs import CallLeg, Errand, Listener
from sipsorcery.appserver.calls.message_leg import MessageLeg
from sipsorcery.appserver.calls.messages import Messages
from sipsorcery.appserver.calls.parties import Parties
from sipsorcery.appserver.calls.rewriting import Rewriting, between, host_of
from sipsorcery.appserver.calls.told_leg import ToldLeg
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.core import is_probe
from sipsorcery.appserver.dial.forking import MAX_RINGING
from sipsorcery.appserver.dial.resolution import Lookup, Target
from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.hosting.assembly import make_functions
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.limits.ringing_quota import RingingQuota
from sipsorcery.appserver.load import Load
from sipsorcery.appserver.lookup import OwnersLookup
from sipsorcery.appserver.plans.engine import Engine
from sipsorcery.appserver.plans.line_plan import LineEngine
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.python.engine import PythonEngine
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.appserver.records.claiming import Claims
from sipsorcery.appserver.records.continuity import Continuity
from sipsorcery.appserver.refusals import Refused, of_user_agent
from sipsorcery.appserver.sources import Source, Sources
from sipsorcery.appserver.tools import Tools
from sipsorcery.appserver.trace_owners import Belonging, TraceOwners
from sipsorcery.appserver.transfers.transfers import Transfers
from sipsorcery.appserver.transfers.web_actions import WebActions
from sipsorcery.appserver.wellness import Wellness
from sipsorcery.appserver.wizard.engine import WizardEngine
from sipsorcery.config import Config
from sipsorcery.dialog.dialog import DialogID
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dispatch.load import CALLS_FIELD
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.figures import (
    Figure,
    of_tables,
    of_transactions,
    of_transport,
)
from sipsorcery.sip.parameters import NONE
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account, Directory, Language
from sipsorcery.store.live import LiveStore
from sipsorcery.store.ringing import RingingCall
from sipsorcery.store.secrets import Secrets
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.watch import Watch
from sipsorcery.ua import (
    ServerCall,
    Session,
    UserAgent,
    UserAgentError,
    UserAgentSettings,
)

# What a probe is answered: that directory and dialplans work, and nobody is called.
_WELL = 420
# Seconds that a leg rings at most: a little longer than a dial, which ends it.
_RINGING = MAX_RINGING + 5
# Seconds between two greetings: a proxy that was started after us soon knows of us.
_GREETING = 2.0


class AppServerService(Service):
    """
    Takes the calls that the proxy sends.

    :param reactor: one that has UDP and time.
    :param config: one whose ``appserver.listen`` is settled.
    :param directory: started, and stopped after this.
    :param live: likewise.
    :param secrets: loaded.
    :param clock: gives the seconds since the epoch.
    :param resolver: asks DNS; None: the servers that the system names.
    :param workers: run dialplans in Python, started and stopped with this; None: as
        many as the configuration says.
    """

    name = "appserver"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        accounts: Accounts,
        authenticator: Authenticator,
        contacts: Contacts,
        directory: Directory,
        live: LiveStore,
        secrets: Secrets,
        bus: Bus,
        clock: Callable[[], float] = time.time,
        resolver: IResolver | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._accounts = accounts
        self._contacts = contacts
        self._live = live
        self._secrets = secrets
        self._directory = directory
        self._resolver = resolver
        self._sources = Sources(config)
        self._configured = Configured(directory, reactor)
        self._workers = workers or Workers(
            reactor,
            size=config.appserver.sandbox_workers,
            turn_seconds=config.appserver.turn_seconds,
        )
        engines: Mapping[Language, Engine] = {
            Language.LINES: LineEngine(),
            Language.PYTHON: PythonEngine(self._workers),
            Language.WIZARD: WizardEngine(clock),
        }
        self._plans = Plans(self._configured, engines)
        self._wellness = Wellness(directory, engines[Language.PYTHON])
        self._authenticator = authenticator
        self._events = Events(bus, clock)
        self._owners = TraceOwners(self._events)
        self._outside = OutsideCalls(
            reactor, live, self._configured, config.limits, self._events, clock
        )
        self._admission = Admission(
            config,
            accounts,
            authenticator,
            self._plans,
            reactor.seconds,
            RingingQuota(live, self._outside),
        )
        self._clock = clock
        self._greeting = LoopingCall(self._greet)
        self._greeting.clock = reactor
        self.calls = Calls()
        self._load = Load(self.calls, self._events)
        self._lag = LagMeter(reactor, self._load.note_lag)
        self._near = Networks(config.limits.allow)

    def reconfigure(self, config: Config) -> None:
        """
        Let calls in as another configuration says; those that go on are as they were.
        """
        self._sources.reconfigure(config)
        self._outside.reconfigure(config.limits)
        self._admission.reconfigure(config)
        self._near = Networks(config.limits.allow)

    def startService(self) -> None:
        """
        Open the listener.

        :raises ListenError: if it cannot be opened.
        :raises AppServerError: if the configuration has none.
        """
        listen = self._config.appserver.listen
        if listen is None:
            raise AppServerError("appserver.listen is not set")
        self._proxy = _route(self._config)
        server, incarnation = listen.endpoint, random.token_hex(8)
        agent = self.agent = UserAgent(
            self._reactor,
            [listen],
            settings=UserAgentSettings(
                udp_mtu=0,
                ring_time=_RINGING,
                any_body=True,
                timers=Timers(t1=self._config.sip.t1),
            ),
            resolver=self._resolver,
            watch=Watch(trace=self._owners.trace),
        )
        self._owners.follow(self._connection_of)
        claims = Claims(self._reactor, self._live, server, incarnation, now=self._clock)
        self._continuity = continuity = Continuity(
            agent,
            self._live,
            self._directory.everyone.cdrs,
            server,
            incarnation,
            claims=claims,
            secrets=self._secrets,
            cdr_days=self._config.appserver.cdr_days,
            away=self._events.unstored,
            release=self._outside.release,
            proxy=self._proxy,
            has_others=bool(self._config.storage.live),
            now=self._clock,
        )
        continuity.connections.on_agreed = self._events.agreed
        names = DialogueNames(self._secrets)
        self._tools = Tools(
            clock=self._reactor,
            now=self._clock,
            calls=self.calls,
            admission=self._admission,
            claims=claims,
            plans=self._plans,
            events=self._events,
            owners=self._owners,
            lookup_for=self._lookup_for,
            make_leg=self._make_leg,
            make_bridge=self._make_bridge,
            public=str(self._config.sip.public_address or ""),
            connections=continuity.connections,
            records=continuity.records,
            ringing=continuity.ringing,
            cdrs=continuity.cdrs,
            contacts=LegContacts(self._config, names, server),
            replace=self._replace,
            outside=self._outside,
            functions=make_functions(
                self._reactor,
                self._config,
                accounts=self._accounts,
                configured=self._configured,
                directory=self._directory,
                live=self._live,
                actions=lambda: self.actions,
                agent=agent,
                proxy=self._proxy,
                now=self._clock,
                resolver=self._resolver,
            ),
        )
        parties = Parties(self._accounts)
        self._transfers = Transfers(
            connections=continuity.connections,
            parties=parties,
            office=self._tools.office,
            authenticate=self._authenticate,
            sessions=self._session_of,
            make_bridge=self._make_bridge,
            rewriting=self._rewriting,
        )
        self.actions = WebActions(
            self._reactor,
            connections=continuity.connections,
            transfers=self._transfers,
            office=self._tools.office,
            accounts=self._accounts,
            make_bridge=self._make_bridge,
            now=self._clock,
        )
        agent.on_invite(self._invited)
        agent.on_refusal(self._explain)
        messages = Messages(
            self._tools, self._sources, self._load, self._make_message_leg
        )
        agent.on("MESSAGE", messages.receive)
        agent.on("OPTIONS", self._ask_abilities)
        agent.on_refer(self._transfers.refer)
        agent.transport.start()
        self._workers.start()
        self._workers.confinement().addCallbacks(self._tell_confinement, self._failed)
        continuity.start(self._resume)
        self._outside.start()
        self._greeting.start(_GREETING)
        self._lag.start()
        for listener in self.agent.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        End every call and close the listener.
        """
        super().stopService()
        self._greeting.stop()
        self._lag.stop()
        self._outside.stop()
        return Deferred.fromCoroutine(self._stop())

    @property
    def connections(self) -> Connections:
        """
        The established calls; there from the start on.
        """
        return self._continuity.connections

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        if not self.running:
            return
        yield from of_transport(self.agent.transport.counters)
        yield from of_transactions(self.agent.transactions)
        yield from self._events.counters.figures(self._ringing(), len(self.connections))
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count what there is of calls.
        """
        if not self.running:
            return {}
        return {
            "calls": len(self.calls),
            **self._continuity.tables(),
            "outside_calls": len(self._outside),
            **self.agent.tables(),
        }

    # Inside

    def _tell_confinement(self, means: Sequence[str]) -> None:
        self._log.info(
            "Dialplans run in {count} processes; beside the interpreter they are "
            "confined by: {means}",
            count=self._workers.size,
            means=", ".join(means) or "nothing",
        )

    def _failed(self, failure: Failure) -> None:
        self._log.failure("It is unknown what dialplans are confined by", failure)

    def _greet(self) -> None:
        """
        Let the proxy know that we are there.
        """
        asking = Deferred.fromCoroutine(
            self.agent.request("OPTIONS", self._proxy._replace(parameters=NONE))
        )
        asking.addErrback(lambda failure: failure.trap(UserAgentError))

    def _invited(self, incoming: ServerCall) -> None:
        source = self._sources.of(incoming.request, incoming.flow.remote)
        try:
            self._load.check()
        except Refused as refused:
            incoming.reject(refused.status, refused.phrase, fields=refused.fields)
            return
        if is_probe(incoming.uri) and self._may_probe(source):
            Deferred.fromCoroutine(self._answer_probe(incoming))
            return
        Call(self._tools, incoming, source, new_identifier()).start()

    async def _answer_probe(self, incoming: ServerCall) -> None:
        answer: tuple[int, str | None, tuple[FieldValue, ...]]
        try:
            await self._wellness.check()
        except Refused as refused:
            self._log.warn("A probe is told: {refused}", refused=refused)
            answer = refused.status, refused.phrase, refused.fields
        else:
            answer = _WELL, None, (self._told_calls(),)
        if incoming.is_pending:  # nobody waits for ever
            status, phrase, fields = answer
            incoming.reject(status, phrase, fields=fields)

    def _ask_abilities(self, transaction: ServerTransaction) -> None:
        request, flow = transaction.request, transaction.flow
        source = self._sources.of(request, flow.remote)
        more = (self._told_calls(),) if self._may_probe(source) else ()
        self.agent.core.answer_options(transaction, more)

    def _told_calls(self) -> FieldValue:
        return CALLS_FIELD, str(self._ringing() + len(self.connections))

    def _ringing(self) -> int:
        return sum(each.connection is None for each in self.calls)

    def _resume(
        self, before: RingingCall, incoming: ServerCall, state: RunState | None
    ) -> LegCDR | None:
        """
        Go on with a call that rang when the process before this one was killed.
        """
        source = self._sources.of(incoming.request, incoming.flow.remote)
        return Call(self._tools, incoming, source, before.id).resume(before, state)

    def _explain(self, transaction: ServerTransaction, refusal: Refusal) -> Refusal:
        """
        Give the reason for what is refused before there is a call.
        """
        request, refused = transaction.request, of_user_agent(refusal)
        self._events.counters.refused[refused.code] += 1
        self._events.emit(
            EventKind.CALL_REFUSED,
            str(refused),
            call="",
            call_id=request.get("Call-ID") or "",
            remote=self._sources.of(request, transaction.flow.remote).remote,
            status=str(refused.status),
            code=str(refused.code),
        )
        return replace(refusal, fields=refused.fields)

    def _may_probe(self, source: Source) -> bool:
        """
        Tell whether somebody may know how much there is to do.

        Who comes by the proxy is not on this side of it.
        """
        return source.received_on is None and self._near.include(source.remote.host)

    def _replace(
        self, incoming: ServerCall, side: Side, proven: str
    ) -> Awaitable[None]:
        return self._transfers.replace(incoming, side, proven)

    def _authenticate(
        self, request: Request, flow: Flow, domain: str, username: str
    ) -> Awaitable[Decision]:
        return self._authenticator.authenticate(
            request,
            source=self._sources.of(request, flow.remote).remote,
            domain=domain,
            username=username,
            status=CHALLENGE,
        )

    def _session_of(self, id: DialogID) -> Session | None:
        shared = self.agent.core.dialogs.get(id)
        usages = () if shared is None else shared.usages
        return next((one for one in usages if isinstance(one, Session)), None)

    def _connection_of(self, id: DialogID) -> Connection | None:
        session = self._session_of(id)
        return None if session is None else self.connections.of_session(session)

    def _lookup_for(self, account: Account) -> Lookup:
        return OwnersLookup(
            account.owner,
            account.domain,
            self._accounts,
            self._contacts,
            self._configured,
        )

    def _make_leg(self, target: Target, listener: Listener, errand: Errand) -> CallLeg:
        contact = self._tools.contacts.towards(
            target.uri, errand.call, path=target.route
        )
        told = self._told(target, listener, errand)
        return Leg(
            self.agent,
            target,
            told,
            _inquiry(errand),
            proxy=self._proxy,
            contact=contact,
            sent=told.sent,
        )

    def _make_message_leg(
        self, target: Target, listener: Listener, errand: Errand
    ) -> CallLeg:
        told = self._told(target, listener, errand)
        return MessageLeg(
            self.agent,
            target,
            told,
            _inquiry(errand),
            proxy=self._proxy,
            begun=told.begun,
        )

    def _told(self, target: Target, listener: Listener, errand: Errand) -> ToldLeg:
        return ToldLeg(
            listener,
            self._events,
            self._owners,
            target=target,
            whose=Belonging(errand.owner, errand.call),
            sent=errand.sent,
        )

    def _rewriting(self, side: Side) -> Rewriting:
        public = str(self._config.sip.public_address or "")
        return Rewriting(host_of(side.source), public)

    def _make_bridge(self, connection: Connection) -> Bridge:
        """
        Relay between the sessions of a call that no INVITE has just brought together.
        """
        caller, callee = connection.sides
        public = str(self._config.sip.public_address or "")
        return Bridge(
            connection.caller,
            connection.callee,
            on_agreed=connection.agreed,
            rewrites=between(host_of(caller.source), host_of(callee.source), public),
        )

    async def _stop(self) -> None:
        for call in self.calls:
            if call.connection is None:
                call.hang_up("The server is stopped")
        self._tools.claims.stop()
        # Established calls go on: the next start takes them up.
        await self._continuity.stop()
        await self.agent.stop()
        self._workers.stop()


def _inquiry(errand: Errand) -> Inquiry:
    inquiry = errand.inquiry or Inquiry(description=errand.description)
    return replace(inquiry, name=errand.name, hops=errand.hops, headers=errand.headers)


def _route(config: Config) -> SIPURI:
    """
    Give the proxy that every request of ours goes to first.
    """
    inside = config.proxy.inside
    own = () if inside is None else (inside.endpoint,)
    proxies: tuple[Endpoint, ...] = tuple(config.sip.proxies) or own
    first = proxies[0]
    host = f"[{first.host}]" if first.is_ipv6 else first.host
    return SIPURI("sip", None, host, first.port).with_parameter("lr")
