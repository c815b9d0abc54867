"""
The proxy as a Twisted service: opens the public sockets and feeds the core.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.config import Config
from sipsorcery.endpoint import HostPort, ListenAddress
from sipsorcery.proxy import self_signed
from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.listeners import split_listeners
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.settings import certificate_files, transport_settings
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.certificates import CertificateFiles
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer

_SECRET_SIZE = 32  # bytes: what blake2b needs for its whole strength here


class ProxyService(Service):
    """
    Answers what arrives on the listeners of the configuration.

    :param reactor: one that has TCP, UDP and time.
    """

    name = "proxy"
    _log = Logger()

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self.config = config
        self._layer: TransportLayer | None = None

    def startService(self) -> None:
        """
        Open the listeners.

        :raises ListenError: naming the first that cannot be opened.
        :raises CertificateError: if a certificate file cannot be used.
        :raises OSError: if the files of a new certificate cannot be written.
        """
        listen, later = split_listeners(self.config)
        settings = transport_settings(self.config, listen, self._certificates(listen))
        layer = TransportLayer(self._reactor, settings, self)
        layer.start()
        self._layer = layer
        self._core = self._make_core(layer.listeners)
        for listener in layer.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        for address in later:
            self._log.warn("Not opened in this version: {address}", address=address)
        self._log.info("This version answers OPTIONS and refuses every other request")
        super().startService()

    def stopService(self) -> Deferred[None] | None:
        """
        Close the listeners and the connections.
        """
        super().stopService()
        layer, self._layer = self._layer, None
        return None if layer is None else Deferred.fromCoroutine(layer.stop())

    # What the transport layer receives

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Answer a request on its flow.
        """
        response = self._core.answer(request)
        if response is not None and self._layer is not None:
            self._layer.send_response(response, flow).addErrback(self._unsent, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Drop a response: we have sent no request.
        """

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
        Forget nothing: no state belongs to a flow.
        """

    # Inside

    def _unsent(self, failure: Failure, flow: Flow) -> None:
        failure.trap(TransportError)
        # Anybody can cause this, by leaving before the answer; so it is no warning.
        self._log.debug(
            "No answer to {peer}: {error}", peer=flow.remote, error=failure.value
        )

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

    def _make_core(self, listeners: Sequence[Listener]) -> ProxyCore:
        addresses = [each.sent_by for each in listeners]
        addresses += [HostPort(each.local.host, each.local.port) for each in listeners]
        public = self.config.sip.public_address
        if public is not None:
            addresses += [HostPort(public, each.local.port) for each in listeners]
        own = OwnAddresses(self.config.sip.domains, addresses)
        return ProxyCore(own, secrets.token_bytes(_SECRET_SIZE))
