"""
The proxy as a Twisted service: opens the public sockets and feeds the core.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver
from twisted.logger import Logger

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.access.guard import Guard
from sipsorcery.access.trunks import Trunks
from sipsorcery.config import Config, ConfigError, Fault
from sipsorcery.endpoint import HostPort, ListenAddress
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.figures import (
    Figure,
    counter,
    of_tables,
    of_transactions,
    of_transport,
)
from sipsorcery.proxy import self_signed
from sipsorcery.proxy.assembly import (
    Surroundings,
    assemble,
    inside_address,
    own_addresses,
    role_addresses,
)
from sipsorcery.proxy.discovery import Discovery
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.dispatch.policy import Policy
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.gate import Gate
from sipsorcery.proxy.listeners import split_listeners
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.networks import LocalNetworks
from sipsorcery.proxy.overload import Load
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.public_address import PublicAddresses
from sipsorcery.proxy.settings import (
    certificate_files,
    tls_policy,
    transport_limits,
    transport_settings,
)
from sipsorcery.proxy.stun import answer_stun
from sipsorcery.proxy.switchboard import Switchboard
from sipsorcery.proxy.token import Tokens
from sipsorcery.proxy.tools import Known, Users
from sipsorcery.proxy.tracing import Tracing
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.proxy.upkeep import Upkeep
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.secrets import Purpose, Secrets
from sipsorcery.transport.certificates import CertificateFiles
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.location.locator import Locator
from sipsorcery.transport.watch import Watch
from sipsorcery.ua.resolver import system_resolver


class ProxyService(Service):
    """
    Routes what arrives on the listeners of the configuration.

    :param reactor: one that has TCP, UDP and time.
    :param secrets: are loaded at the start, if nobody has.
    :param accounts: what is known of domains and accounts; None: this proxy serves the
        domains of the configuration alone, and knows nobody.
    :param authenticator: finds out who sends a request; None: nobody can prove it.
    :param contacts: finds where the users are.
    :param guard: says whom to listen to; None: everybody.
    :param resolver: asks DNS; None: the servers that the system names.
    :param here: the names of the other servers that run in this process.

    :ivar dispatcher: knows the application servers, if there is a dispatch file.
    """

    name = "proxy"
    _board: Switchboard
    _own: OwnAddresses
    _upkeep: Upkeep
    _discovery: Discovery | None = None
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        bus: Bus,
        secrets: Secrets,
        accounts: Accounts | None = None,
        authenticator: Authenticator | None = None,
        contacts: Users | None = None,
        guard: Guard | None = None,
        resolver: IResolver | None = None,
        here: Collection[str] = (),
    ) -> None:
        self._reactor = reactor
        self.config = config
        self._secrets = secrets
        self._here = here
        self._events = Events(bus)
        self._known = Known(
            accounts=accounts, authenticator=authenticator, contacts=contacts
        )
        self._trunks = Trunks(config.trunk)
        self._local = LocalNetworks(config.sip.local_networks)
        self._gate = Gate(reactor, guard, inside_address(config))
        self._tracing = Tracing(
            bus,
            inside=inside_address(config),
            roles={end: role for role, end in role_addresses(config).items()},
        )
        self._load = Load(reactor, self._events)
        self.dispatcher = self._make_dispatcher(reactor, config, self._events)
        self._script = Script(config.proxy.script, reactor, self._events)
        self._location = Locator(
            resolver or system_resolver(reactor),
            reactor,
            listeners=lambda: self.listeners,
            policy=tls_policy(config),
            told=self._events.located,
        )
        self._layer: TransportLayer | None = None  # None: it does not run

    def startService(self) -> None:
        """
        Open the listeners.

        :raises ListenError: naming the first that cannot be opened.
        :raises CertificateError: if a certificate file cannot be used.
        :raises ScriptError: if the operator's script cannot be used.
        :raises StoreDamaged: if the secrets cannot be used.
        :raises OSError: if files cannot be read, or written where they are missing.
        """
        listen, later = split_listeners(self.config)
        certificates = self._certificates(listen)
        if self.config.proxy.inside is not None and self.config.proxy.inside.port:
            listen = (*listen, self.config.proxy.inside)
        settings = transport_settings(self.config, listen, certificates)
        self._secrets.load()
        self._script.start()
        layer = TransportLayer(
            self._reactor,
            settings,
            self,
            resolve=self._location.locate_response,
            watch=Watch(self._gate.admits, self._tracing.trace),
        )
        try:
            layer.start()
        except Exception:
            self._script.stop()
            raise
        self._layer = layer
        self._assemble(layer)
        for listener in layer.listeners:
            is_inside = listener.local == inside_address(self.config)
            self._log.info(
                "Listening {inside}on {address}",
                inside="inside " if is_inside else "",
                address=str(listener.local),
            )
        for address in later:
            self._log.warn("Not opened in this version: {address}", address=address)
        super().startService()

    def stopService(self) -> Deferred[None] | None:
        """
        Close the listeners and the connections.
        """
        super().stopService()
        layer, self._layer = self._layer, None
        if layer is None:
            return None
        self._script.stop()
        self._load.stop()
        if self.dispatcher is not None:
            self.dispatcher.stop()
        self._upkeep.stop()
        if self._discovery is not None:
            self._discovery.stop()
        self._board.stop()
        return Deferred.fromCoroutine(layer.stop())

    def reconfigure(self, config: Config) -> None:
        """
        Route as another configuration says: each message from now on.

        :raises ConfigError: if its script cannot be used; nothing has changed then.
        """
        try:
            self._script.change(config.proxy.script)
        except ScriptError as error:
            fault = Fault("proxy.script", str(error))
            raise ConfigError(None, [fault]) from error
        self.config = config
        self._trunks.replace(config.trunk)
        self._local.replace(config.sip.local_networks)
        self._location.policy = tls_policy(config)
        if self.dispatcher is not None:
            self.dispatcher.change(Policy.of_config(config))
        if self._layer is not None:
            self._own.replace_domains(config.sip.domains)
            self._layer.limits = transport_limits(config)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """
        List the open listeners: none before the start.
        """
        return () if self._layer is None else self._layer.listeners

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        if self._layer is None:
            return
        yield from of_transport(self._layer.counters)
        yield from of_transactions(self._board.transactions)
        unlistened = self._gate.dropped
        yield counter("packets_refused", "Packets not listened to.", unlistened)
        skipped = self._tracing.skipped
        yield counter("messages_not_traced", "Messages left out.", skipped)
        if self.dispatcher is not None:
            yield from self.dispatcher.figures()
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count what there is of requests, and the connections.
        """
        if self._layer is None:
            return {}
        return {
            "connections": self._layer.connected,
            **self._board.tables(),
            **(self.dispatcher.tables() if self.dispatcher is not None else {}),
        }

    # What the transport layer receives

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        See to a request.
        """
        if self._layer is not None:
            self._board.request_received(request, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        See to a response.
        """
        if self._layer is not None:
            self._board.response_received(response, flow)

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Answer a STUN message, or take an answer to a question of ours.
        """
        if self._discovery is None or not self._discovery.received(data):
            answer_stun(data, flow)

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Note who sends such things; the layer has answered.
        """
        self._events.unreadable(error, flow.remote)
        self._gate.note_garbage(flow)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Give up what waits for answers on a connection.
        """
        if self._layer is not None:
            self._board.flow_closed(flow, reason)

    # Inside

    @staticmethod
    def _make_dispatcher(
        reactor: Any, config: Config, events: Events
    ) -> Dispatcher | None:
        file = config.proxy.dispatch_file
        if file is None:
            return None
        policy = Policy.of_config(config)
        return Dispatcher(reactor, file, policy, changed=events.server_changed)

    def _assemble(self, layer: TransportLayer) -> None:
        config, known = self.config, self._known
        keys = self._secrets.keys(Purpose.FLOW)
        tokens = Tokens(keys)
        transparency = Transparency(self._secrets.keys(Purpose.VIA))
        public = PublicAddresses(config.sip.public_address, inside_address(config))
        own = self._own = own_addresses(config, layer.listeners, public, known)
        # From the oldest key: it stays when a new one comes, and with it what is under
        # way.
        around = Surroundings(
            tokens=tokens,
            dialogues=DialogueNames(self._secrets),
            transparency=transparency,
            key=keys[-1],
            events=self._events,
            known=known,
            public=public,
            own=own,
            trunks=self._trunks,
            local=self._local,
            gate=self._gate,
            load=self._load,
            tracing=self._tracing,
            here=self._here,
            dispatcher=self.dispatcher,
        )
        self._board = assemble(
            self._reactor, config, layer, self._location, self._script, around
        )
        self._upkeep = Upkeep(
            self._reactor, self._secrets, tokens, transparency, known.accounts
        )
        self._upkeep.start()
        self._load.start()
        if self.dispatcher is not None:
            self.dispatcher.start()
        self._discover(layer, public, own)

    def _discover(
        self, layer: TransportLayer, public: PublicAddresses, own: OwnAddresses
    ) -> None:
        """
        Have the public address found out, if nobody has told it.
        """
        sip = self.config.sip
        if sip.stun_server is None or sip.public_address is not None:
            return

        def changed(listener: Listener, address: HostPort) -> None:
            # The TCP listeners of that host have the same one, at their own ports.
            for each in layer.listeners:
                own.add(public.of(each))
                self._board.forget(each)
            self._events.emit(
                EventKind.PUBLIC_ADDRESS,
                f"{listener.local} is known as {address} outside",
                detail={"listener": str(listener.local), "address": str(address)},
            )

        self._discovery = Discovery(
            self._reactor,
            layer,
            sip.stun_server,
            self._location.locate,
            public,
            changed,
        )
        self._discovery.start()

    def _certificates(
        self, listen: Sequence[ListenAddress]
    ) -> tuple[CertificateFiles, ...]:
        """
        Give the certificates to show; without one of the operator's, one of our own.
        """
        configured = certificate_files(self.config)
        if configured or not any(each.transport.is_secure for each in listen):
            return configured
        files = self_signed.ensure(
            self.config.server.data_dir, self._names(listen), datetime.now(UTC)
        )
        self._log.warn(
            "TLS shows a certificate that only we have signed, {file}, because "
            "proxy.tls_certificate is not set; phones have to be told to accept it",
            file=str(files.certificate),
        )
        return (files,)

    def _names(self, listen: Sequence[ListenAddress]) -> Iterator[str]:
        """
        Give every name that a client may expect in a certificate of ours.
        """
        yield from self.config.sip.domains
        yield from ("localhost", "127.0.0.1", "::1")
        if self.config.sip.public_address is not None:
            yield self.config.sip.public_address
        for address in listen:
            if address.advertise is not None:
                yield address.advertise.host
            if not address.is_wildcard:
                yield address.host
