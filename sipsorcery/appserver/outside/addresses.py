"""
Which addresses a dialplan may reach. Pure.

Whoever writes a dialplan shall not reach what only this machine can: its own services,
the private network that it stands in, the metadata of its cloud.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

# What leads on to an IPv4 address that stands in the last bits (RFC 6052). Where it
# stands in 64:ff9b:1::/48 only the network itself knows (RFC 8215): that is closed.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All that is given to the public so far (RFC 4291, 2.4). What else there is, as the
# old addresses of a site, ipaddress may call global.
_GIVEN = ipaddress.IPv6Network("2000::/3")
_EXAMPLES = ipaddress.IPv6Network("3fff::/20")  # RFC 9637
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# The relays of 6to4 (RFC 7526), which ipaddress calls global.
_RELAYS = ipaddress.IPv4Network("192.88.99.0/24")
# Those of a cloud that is asked for what a machine is allowed to do.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254"))
)


def is_public(host: str, own: Iterable[str] = ()) -> bool:
    """
    Tell whether an IP address is one of the public network, and none of our own.

    :param own: the addresses of this machine.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(address)
    if inner is not None:
        return is_public(str(inner), own)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and address not in _METADATA
        and (isinstance(address, IPv4Address) or _is_given(address))
        and not (isinstance(address, IPv4Address) and address in _RELAYS)
        and str(address) not in set(own)
    )


def _is_given(address: IPv6Address) -> bool:
    return address in _GIVEN and address not in _EXAMPLES


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """
    Give the IPv4 address that an IPv6 address leads to, if it does.
    """
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        return low
    if address in _COMPATIBLE and int(address) > 1:
        return low
    return None
