"""
The order of the addresses of one host (:rfc:`6724#section-6`). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from sipsorcery.transport.location.srv import Chance

# The default policy table (RFC 6724, 2.1): network, precedence, label; the longest
# prefix first, for that is the one that counts.
_POLICY = tuple(
    (IPv6Network(network), precedence, label)
    for network, precedence, label in (
        ("::1/128", 50, 0),
        ("::ffff:0:0/96", 35, 4),
        ("::/96", 1, 3),
        ("2001::/32", 5, 5),
        ("2002::/16", 30, 2),
        ("3ffe::/16", 1, 12),
        ("fec0::/10", 1, 11),
        ("fc00::/7", 3, 13),
        ("::/0", 40, 1),
    )
)
_LINK, _SITE, _GLOBAL = 0x2, 0x5, 0xE


def rotate(addresses: Iterable[str], chance: Chance) -> list[str]:
    """
    Begin with any of the addresses, as a DNS server that shares load does.

    A cached answer would otherwise send everything to one of them. The same chance
    gives the same order, however the addresses came.
    """
    ordered = sorted(set(addresses))
    first = int(chance() * len(ordered))
    return ordered[first:] + ordered[:first]


def by_preference(
    addresses: Sequence[str], source_address: Callable[[str], str | None]
) -> list[str]:
    """
    Put addresses into the order to try them in: the rules 1, 2, 5, 6, 8 and 10.

    The others are about what only the system knows, or what no server has.

    :param source_address: gives the address of ours that leads to another; None: none.
    """
    if len(addresses) < 2:
        return list(addresses)
    return sorted(addresses, key=lambda one: _rank(one, source_address(one)))


def _rank(destination: str, source: str | None) -> tuple[bool, bool, bool, int, int]:
    to = ip_address(destination)
    here = to if source is None else ip_address(source)
    precedence, label = _policy(to)
    return (
        source is None,  # rule 1: avoid unusable destinations
        _scope(here) != _scope(to),  # rule 2: prefer matching scope
        _policy(here)[1] != label,  # rule 5: prefer matching label
        -precedence,  # rule 6: prefer higher precedence
        _scope(to),  # rule 8: prefer smaller scope
    )


def _policy(address: IPv4Address | IPv6Address) -> tuple[int, int]:
    if isinstance(address, IPv4Address):
        address = IPv6Address(f"::ffff:{address}")
    return next(
        (precedence, label)
        for network, precedence, label in _POLICY
        if address in network
    )


def _scope(address: IPv4Address | IPv6Address) -> int:
    # The loopback's is that of a link, in IPv4 (3.2) as in IPv6 (3.4).
    if address.is_loopback or address.is_link_local:
        return _LINK
    return (
        _SITE if isinstance(address, IPv6Address) and address.is_site_local else _GLOBAL
    )
