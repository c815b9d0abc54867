"""
Hosts: when two spellings name the same one.
"""

from __future__ import annotations

import ipaddress


def same_host(one: str, other: str) -> bool:
    """
    Tell whether two hosts are the same name without case, or the same address.

    An IPv6 address has many spellings, with brackets or without.
    """
    if one == other or one.lower() == other.lower():
        return True
    return ":" in one and ":" in other and _address(one) == _address(other)


def _address(host: str) -> ipaddress.IPv6Address | str:
    bare = host.strip("[]")
    try:
        return ipaddress.IPv6Address(bare)
    except ValueError:
        return bare.lower()
