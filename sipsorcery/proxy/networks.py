"""
From where an address can be reached. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Scope(Enum):
    """
    Name how far an address is known.
    """

    LOOPBACK = "this machine"
    LINK_LOCAL = "one link"
    PRIVATE = "one site"  # RFC 1918
    UNIQUE_LOCAL = "one site, of IPv6"  # RFC 4193
    SHARED = "the network of a provider"  # RFC 6598: carrier-grade NAT
    NOWHERE = "nowhere"  # unspecified, or no single peer
    GLOBAL = "everywhere"


_SCOPES = tuple(
    (ipaddress.ip_network(network), scope)
    for network, scope in (
        ("127.0.0.0/8", Scope.LOOPBACK),
        ("::1/128", Scope.LOOPBACK),
        ("169.254.0.0/16", Scope.LINK_LOCAL),
        ("fe80::/10", Scope.LINK_LOCAL),
        ("10.0.0.0/8", Scope.PRIVATE),
        ("172.16.0.0/12", Scope.PRIVATE),
        ("192.168.0.0/16", Scope.PRIVATE),
        ("fc00::/7", Scope.UNIQUE_LOCAL),
        ("100.64.0.0/10", Scope.SHARED),
        ("0.0.0.0/8", Scope.NOWHERE),
        ("::/128", Scope.NOWHERE),
        ("224.0.0.0/4", Scope.NOWHERE),
        ("255.255.255.255/32", Scope.NOWHERE),
        ("ff00::/8", Scope.NOWHERE),
    )
)


@lru_cache(maxsize=4096)  # every message has a host or two, mostly the same ones
def scope(host: str) -> Scope | None:
    """
    Tell how far an address is known; None of a name, which only DNS knows.

    :param host: an IPv6 address with or without brackets.
    """
    address = _read(host)
    if address is None:
        return None
    return next((one for net, one in _SCOPES if address in net), Scope.GLOBAL)


def is_within_reach(host: str, source: str) -> bool:
    """
    Tell whether *source* could send to *host* without our help.

    What is known on one machine or one link alone is nobody's else to reach through us
    (:rfc:`6890`).
    """
    found = scope(host)
    if found in (Scope.LOOPBACK, Scope.LINK_LOCAL):
        return scope(source) is found
    return found is not Scope.NOWHERE


class LocalNetworks:
    """
    Knows who is on this side of all NATs.

    :param networks: ``sip.local_networks``.
    """

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = networks

    def replace(self, networks: Sequence[Network]) -> None:
        """
        Know these from now on, and no others.
        """
        self._networks = networks

    def include(self, host: str) -> bool:
        """
        Tell whether an address needs no help with NAT.
        """
        address = _read(host)
        return any(address in network for network in self._networks if address)

    def hide(self, host: str, source: str) -> bool:
        """
        Tell whether a NAT stands between us and an address that *source* calls its own.

        A name, or an address of the whole Internet, is what it says, wherever the
        packet came from; so is one that a local network, or the packet, shows.
        """
        if scope(host) in (None, Scope.GLOBAL) or _read(host) == _read(source):
            return False
        return not (self.include(source) or self.include(host))


@lru_cache(maxsize=4096)  # likewise
def _read(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    # What the system takes for the IPv4 address in it.
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
