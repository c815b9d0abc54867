"""
Which URIs mean this server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

from sipsorcery.endpoint import HostPort
from sipsorcery.proxy.networks import Scope, scope
from sipsorcery.sip.uri import SIPURI

# Addresses that we have had. Dialogs of yesterday still name them; but a NAT that gives
# us another port each time must not fill our memory.
_LEARNED = 64


class OwnAddresses:
    """
    The domains that we serve and the addresses that we can be reached by.

    :param domains: names or IP addresses; they are ours with any port.
    :param addresses: where we listen, and what we advertise instead.
    :param serves: tells of a host in a URI whether it is a domain of the directory; the
        flag says whether one that stands for any host counts.
    """

    def __init__(
        self,
        domains: Iterable[str],
        addresses: Iterable[HostPort],
        serves: Callable[[str, bool], bool] = lambda host, wildcard: False,
    ) -> None:
        self.replace_domains(domains)
        self._serves = serves
        self._addresses = {(_comparable(each.host), each.port) for each in addresses}
        self._hosts = {host for host, _ in self._addresses}
        self._learned: dict[tuple[str, int], None] = {}

    def replace_domains(self, domains: Iterable[str]) -> None:
        """
        Serve these from now on, beside those of the directory.
        """
        self._domains = {_comparable(domain) for domain in domains}

    def add(self, address: HostPort) -> None:
        """
        Take an address for ours that we have just learned of.
        """
        known = (_comparable(address.host), address.port)
        if known in self._addresses:
            return
        while len(self._learned) >= _LEARNED:
            self._learned.pop(next(iter(self._learned)))
        self._learned.pop(known, None)  # the one that was told last stays longest
        self._learned[known] = None

    def include(self, uri: SIPURI) -> bool:
        """
        Tell whether a request from outside to *uri* has arrived.

        The loopback is ours whatever the port: nobody outside has a way to it.
        """
        return (
            self.name_us(uri)
            or _is_loopback(_comparable(uri.address))
            or self._serves(uri.host, True)
        )

    def name_us(self, uri: SIPURI) -> bool:
        """
        Tell whether *uri* is one of us: a domain, or where we listen.

        Others may listen beside us on the loopback.
        """
        host = _comparable(uri.address)
        if host in self._domains:
            return True
        if self._is_address(host, uri.port):
            return True
        return self._serves(uri.host, False)

    def have_realm(self, realm: str) -> bool:
        """
        Tell whether a realm of a challenge is one of our domains.
        """
        return bool(realm) and self.name_us(SIPURI("sip", None, realm))

    def _is_address(self, host: str, port: int | None) -> bool:
        if port is None:
            return host in self._hosts or any(one == host for one, _ in self._learned)
        return (host, port) in self._addresses or (host, port) in self._learned


@lru_cache(maxsize=4096)  # every request has a host or two, mostly the same ones
def _comparable(host: str) -> str:
    """
    Bring a host name, or an IP address without brackets, into one spelling.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().removesuffix(".")


@lru_cache(maxsize=4096)
def _is_loopback(host: str) -> bool:
    # RFC 6761, section 6.3, has the names.
    is_name = host == "localhost" or host.endswith(".localhost")
    return is_name or scope(host) is Scope.LOOPBACK
