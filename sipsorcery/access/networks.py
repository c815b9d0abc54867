"""
IP addresses as access lists and counters see them. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TypeAlias

from sipsorcery.store.directory.types import Network

Address: TypeAlias = IPv4Address | IPv6Address

# A source of packets comes again and again; strangers, who may each come once, push
# each other out.
_KEPT = 8192


class Networks:
    """
    Some networks in CIDR notation.
    """

    def __init__(self, networks: Iterable[Network]) -> None:
        # As numbers: comparing these takes a fifth of asking ipaddress.
        self._networks = tuple(
            (each.version, int(each.netmask), int(each.network_address))
            for each in map(_unmapped, networks)
        )

    def __bool__(self) -> bool:
        return bool(self._networks)

    def include(self, host: str) -> bool:
        """
        Tell whether an IP address is in one of them; what is none is not.
        """
        if not self._networks:
            return False
        address = read(host)
        if address is None:
            return False
        version, number = address.version, int(address)
        return any(
            number & mask == network
            for family, mask, network in self._networks
            if family == version
        )


@lru_cache(maxsize=_KEPT)
def read(host: str) -> Address | None:
    """
    Read an IP address without brackets; None if it is none.

    An IPv4 address that came through an IPv6 socket is what it is.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def source_of(host: str) -> str:
    """
    Give what failures and packets of an address are counted for.

    Whoever has one IPv6 address has the other 2**64 of its network as well.
    """
    return _home(host) if ":" in host else host


@lru_cache(maxsize=_KEPT)
def _home(host: str) -> str:
    address = read(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return host if address is None else str(address)


def _unmapped(network: Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
