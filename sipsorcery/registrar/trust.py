"""
Whom a registrar believes what it says about others: the proxies of its own service.
"""

from __future__ import annotations

from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.registrar.origin import Origin
from sipsorcery.sip.fields import PROXY_RECEIVED_FROM, PROXY_RECEIVED_ON
from sipsorcery.sip.request import Request


class Trust:
    """
    Tells where requests came from.

    ``Proxy-ReceivedFrom`` and ``Proxy-ReceivedOn`` count only if a proxy of ours has
    sent them, which takes away those that it receives. All else is somebody's own.
    """

    def __init__(self, config: Config) -> None:
        inside = config.proxy.inside
        own = () if inside is None else (inside.endpoint,)
        self._proxies = frozenset(config.sip.proxies or own)
        self._networks = config.sip.local_networks

    def origin(self, request: Request, remote: Endpoint) -> Origin:
        """
        Tell where a request came from.

        :param remote: who has sent it to us.
        """
        if remote not in self._proxies:
            return Origin(remote, local_networks=self._networks)
        return Origin(
            _endpoint(request.get(PROXY_RECEIVED_FROM)) or remote,
            request.get(PROXY_RECEIVED_ON) or "",
            is_trusted=True,
            local_networks=self._networks,
        )


def _endpoint(text: str | None) -> Endpoint | None:
    if text is None:
        return None
    try:
        return Endpoint.parse(text.strip())
    except ValueError:
        return None
