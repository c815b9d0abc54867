"""
The proxy as a Twisted service: opens the public sockets and feeds the core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver
from twisted.logger import Logger

from sipsorcery.config import Config
from sipsorcery.endpoint import ListenAddress
from sipsorcery.proxy import self_signed
from sipsorcery.proxy.assembly import assemble
from sipsorcery.proxy.facade import Lookup
from sipsorcery.proxy.listeners import split_listeners
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.settings import (
    certificate_files,
    tls_policy,
    transport_settings,
)
from sipsorcery.proxy.switchboard import Switchboard
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.secrets import Key, Purpose, Secrets
from sipsorcery.transport.certificates import CertificateFiles
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.location.locator import Locator
from sipsorcery.ua.resolver import system_resolver


class ProxyService(Service):
    """
    Routes what arrives on the listeners of the configuration.

    :param reactor: one that has TCP, UDP and time.
    :param lookup: finds the contacts of our users; None: this proxy knows nobody.
    :param resolver: asks DNS; None: the servers that the system names.
    """

    name = "proxy"
    _board: Switchboard
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        lookup: Lookup | None = None,
        resolver: IResolver | None = None,
    ) -> None:
        self._reactor = reactor
        self.config = config
        self._lookup = lookup
        self._script = Script(config.proxy.script, reactor)
        self._location = Locator(
            resolver or system_resolver(reactor),
            reactor,
            listeners=self._listeners,
            policy=tls_policy(config),
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
        keys = self._keys()
        self._script.start()
        layer = TransportLayer(
            self._reactor, settings, self, resolve=self._location.locate_response
        )
        try:
            layer.start()
        except Exception:
            self._script.stop()
            raise
        self._layer = layer
        self._board = assemble(
            self._reactor,
            self.config,
            layer,
            self._location,
            self._script,
            keys,
            self._lookup,
        )
        for listener in layer.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        for address in later:
            self._log.warn("Not opened in this version: {address}", address=address)
        super().startService()

    def stopService(self) -> Deferred[None] | None:
        """
        Close the listeners and the connections.
        """
        super().stopService()
        self._script.stop()
        layer, self._layer = self._layer, None
        if layer is not None:
            self._board.stop()
        return None if layer is None else Deferred.fromCoroutine(layer.stop())

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
        Drop a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Leave it at the answer that the layer has given.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Give up what waits for answers on a connection.
        """
        if self._layer is not None:
            self._board.flow_closed(flow, reason)

    # Inside

    def _keys(self) -> Sequence[Key]:
        kept = Secrets(self.config.server.data_dir)
        kept.load()
        return kept.keys(Purpose.FLOW)

    def _listeners(self) -> tuple[Listener, ...]:
        return () if self._layer is None else self._layer.listeners

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
