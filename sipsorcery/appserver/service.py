"""
The application server as a Twisted service: opens its socket and takes calls.
"""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.access.dialogue_names import DialogueNames, new_identifier
from sipsorcery.appserver.admission import Admission
from sipsorcery.appserver.call import Call
from sipsorcery.appserver.calls import Calls
from sipsorcery.appserver.claiming import Claims
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.connection import Connection, Connections
from sipsorcery.appserver.contacting import Contacts as LegContacts
from sipsorcery.appserver.continuity import Continuity
from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.forking import MAX_RINGING
from sipsorcery.appserver.legs import CallLeg, Errand, Listener
from sipsorcery.appserver.line_plan import LineEngine
from sipsorcery.appserver.lookup import OwnersLookup
from sipsorcery.appserver.plain_leg import PlainLeg
from sipsorcery.appserver.plans import Plans
from sipsorcery.appserver.resolution import Lookup, Target
from sipsorcery.appserver.sources import Sources
from sipsorcery.appserver.tools import Tools
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.sip.parameters import NONE
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account, Directory, Language
from sipsorcery.store.live import LiveStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.ua import ServerCall, UserAgent, UserAgentError, UserAgentSettings

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
        self._plans = Plans(self._configured, {Language.LINES: LineEngine()})
        self._admission = Admission(
            config, accounts, authenticator, self._plans, reactor.seconds
        )
        self._events = Events(bus, clock)
        self._clock = clock
        self._greeting = LoopingCall(self._greet)
        self._greeting.clock = reactor
        self.calls = Calls()

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
            settings=UserAgentSettings(udp_mtu=0, ring_time=_RINGING, any_body=True),
            resolver=self._resolver,
        )
        claims = Claims(self._reactor, self._live, server, incarnation, now=self._clock)
        self._continuity = continuity = Continuity(
            agent,
            self._live,
            self._directory.everyone.cdrs,
            server,
            incarnation,
            claims=claims,
            secrets=self._secrets,
            make_bridge=self._make_bridge,
            away=self._events.unstored,
            now=self._clock,
        )
        names = DialogueNames(self._secrets)
        self._tools = Tools(
            clock=self._reactor,
            now=self._clock,
            calls=self.calls,
            admission=self._admission,
            claims=claims,
            plans=self._plans,
            events=self._events,
            lookup_for=self._lookup_for,
            make_leg=self._make_leg,
            make_bridge=self._make_bridge,
            connections=continuity.connections,
            records=continuity.records,
            cdrs=continuity.cdrs,
            contacts=LegContacts(self._config, names, server),
        )
        agent.on_invite(self._invited)
        agent.transport.start()
        continuity.start()
        self._greeting.start(_GREETING)
        for listener in self.agent.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        End every call and close the listener.
        """
        super().stopService()
        self._greeting.stop()
        return Deferred.fromCoroutine(self._stop())

    @property
    def connections(self) -> Connections:
        """
        The established calls; there from the start on.
        """
        return self._continuity.connections

    # Inside

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
        Call(self._tools, incoming, source, new_identifier()).start()

    def _lookup_for(self, account: Account) -> Lookup:
        return OwnersLookup(
            account.owner,
            account.domain,
            self._accounts,
            self._contacts,
            self._configured,
        )

    def _make_leg(self, target: Target, listener: Listener, errand: Errand) -> CallLeg:
        contacts = self._tools.contacts
        return PlainLeg(self.agent, self._proxy, contacts, errand, target, listener)

    def _make_bridge(self, connection: Connection) -> object:
        return None

    async def _stop(self) -> None:
        for call in self.calls:
            if call.connection is None:
                call.hang_up("The server is stopped")
        self._tools.claims.stop()
        # Established calls go on: the next start takes them up.
        await self._continuity.stop()
        await self.agent.stop()


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
