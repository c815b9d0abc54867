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
from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.admission import Admission
from sipsorcery.appserver.call import Call
from sipsorcery.appserver.calls import Calls
from sipsorcery.appserver.claiming import Claims
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.legs import CallLeg, Listener
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
        claims = Claims(
            self._reactor,
            self._live,
            listen.endpoint,
            random.token_hex(8),
            now=self._clock,
        )
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
        )
        self._proxy = _route(self._config)
        self._agent = UserAgent(
            self._reactor,
            [listen],
            settings=UserAgentSettings(udp_mtu=0),
            resolver=self._resolver,
        )
        self._agent.on_invite(self._invited)
        self._agent.transport.start()
        self._greeting.start(_GREETING)
        for listener in self._agent.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        End every call and close the listener.
        """
        super().stopService()
        self._greeting.stop()
        self._tools.claims.stop()
        return Deferred.fromCoroutine(self._agent.stop())

    # Inside

    def _greet(self) -> None:
        """
        Let the proxy know that we are there.
        """
        asking = Deferred.fromCoroutine(
            self._agent.request("OPTIONS", self._proxy._replace(parameters=NONE))
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

    def _make_leg(
        self, target: Target, listener: Listener, name: str, incoming: ServerCall
    ) -> CallLeg:
        return PlainLeg(
            self._agent, target, listener, self._proxy, name, incoming.offer
        )


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
