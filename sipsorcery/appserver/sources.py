"""
Where calls come from, before any proxy of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.access.networks import Networks
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import (
    PROXY_RECEIVED_FROM,
    PROXY_RECEIVED_ON,
    PROXY_RECEIVED_TRUNK,
)
from sipsorcery.sip.request import Request


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where a request came from.

    :ivar remote: whose it is, as the first of our own sockets has seen it.
    :ivar received_on: that socket, if it is one of a proxy of ours.
    :ivar is_near: whether it came by a proxy of ours, which has looked at it.
    :ivar is_trunk: whether it is of a neighbour that the configuration names.
    """

    remote: Endpoint
    received_on: Endpoint | None = None
    is_near: bool = False
    is_trunk: bool = False


class Sources:
    """
    Tells where requests came from.

    ``Proxy-ReceivedFrom``, ``Proxy-ReceivedOn`` and ``Proxy-ReceivedTrunk`` count only
    if a proxy of ours has sent them, which takes away those that it receives.
    """

    def __init__(self, config: Config) -> None:
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """
        Know the neighbours of another configuration.
        """
        inside = config.proxy.inside
        own = () if inside is None else (inside.endpoint,)
        self._proxies = frozenset(config.sip.proxies or own)
        # A trunk that has to show a certificate is known to the proxy alone, which
        # holds the connection, and tells us.
        self._trunks = Networks(
            network
            for trunk in config.trunk
            if not trunk.tls_domains
            for network in trunk.networks
        )

    def of(self, request: Request, remote: Endpoint) -> Source:
        """
        Tell where a request came from.

        :param remote: who has sent it to us.
        """
        is_near = remote in self._proxies
        received_on, is_trunk = None, False
        if is_near:
            remote = _endpoint(request.get(PROXY_RECEIVED_FROM)) or remote
            received_on = _endpoint(request.get(PROXY_RECEIVED_ON))
            is_trunk = PROXY_RECEIVED_TRUNK in request
        is_trunk = is_trunk or self._trunks.include(remote.host)
        return Source(remote, received_on, is_near, is_trunk)


def _endpoint(text: str | None) -> Endpoint | None:
    if text is None:
        return None
    try:
        return Endpoint.parse(text.strip())
    except ValueError:
        return None
