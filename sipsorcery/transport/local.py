"""
The addresses of this machine: which there are, and which one leads to a peer.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import replace

import ifaddr

from sipsorcery.endpoint import HostPort, ListenAddress

# Any port will do: no packet is sent to it.
_DISCARD = 9


def local_addresses() -> tuple[str, ...]:
    """
    List the IP addresses of the interfaces that are up.

    Link-local ones of IPv6 are left out: they mean something only together with an
    interface, which no SIP field can name.
    """
    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    texts = (ip if isinstance(ip, str) else ip[0] for ip in found)
    return tuple(dict.fromkeys(text for text in texts if not _is_link_local(text)))


def source_address(remote: str) -> str | None:
    """
    Ask the system which of our addresses a packet to *remote* would come from.

    :param remote: an IP address.
    :return: None if there is no route to it.
    """
    family = socket.AF_INET6 if ":" in remote else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote, _DISCARD))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def expand(listen: ListenAddress, addresses: Iterable[str]) -> list[ListenAddress]:
    """
    Put each local address of the family in the place of a wildcard.

    A socket of its own for each keeps the source of an answer that which the request
    was sent to. What is advertised to the outside is no address of the loopback.
    """
    if not listen.is_wildcard:
        return [listen]
    ipv6 = ":" in listen.host
    return [
        replace(listen, host=one, advertise=_advertised(listen, one))
        for one in addresses
        if (":" in one) == ipv6
    ]


def _advertised(listen: ListenAddress, host: str) -> HostPort | None:
    return None if ipaddress.ip_address(host).is_loopback else listen.advertise


def _is_link_local(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return address.version == 6 and address.is_link_local
