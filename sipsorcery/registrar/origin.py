"""
Where a REGISTER came from, and what that means for the way back. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import msgspec

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.uri import DEFAULT_PORTS, SIPURI, URI


class Origin(msgspec.Struct, frozen=True, gc=False):
    """
    The way that a request came.

    :ivar source: the phone's own address, as a proxy of ours has seen it.
    :ivar received_on: where that proxy received it; empty: we have received it.
    :ivar is_trusted: whether it came by a proxy of ours.
    :ivar mangles_contact: whether requests go to the source in place of a contact that
        is another address.
    :ivar keeps_alive: whether the phone shall be kept alive if a NAT is in between.
    :ivar local_networks: those without a NAT between them and us.
    """

    source: Endpoint
    received_on: str = ""
    is_trusted: bool = False
    mangles_contact: bool = True
    keeps_alive: bool = True
    local_networks: Sequence[IPv4Network | IPv6Network] = ()

    @property
    def received(self) -> str:
        """
        The phone's own address as text.
        """
        return str(self.source)

    def target(self, contact: URI, path: Sequence[str]) -> str:
        """
        Give the URI that requests are for, in place of the contact; empty: the contact.

        Where there is a Path, its first proxy knows the flow. Without one, a contact
        that is the address of a host behind a NAT is reached by what the NAT has made
        of it. A public one may not be what the NAT uses either, so it is compared too.
        A name is left alone: who has one is meant to be found by it.
        """
        if path or not self.mangles_contact or not self._is_elsewhere(contact):
            return ""
        assert isinstance(contact, SIPURI)
        source = self.source
        host = f"[{source.host}]" if source.is_ipv6 else source.host
        reached = contact._replace(host=host, port=source.port)
        if source.transport is not Transport.UDP and not contact.transport:
            reached = reached.with_parameter("transport", str(source.transport))
        return str(reached)

    def needs_keep_alive(self, contact: URI, path: Sequence[str]) -> bool:
        """
        Tell whether a NAT stands in between that forgets who is silent.

        Connections are kept by their ends, and the phones of another's proxy by that.
        """
        if not self.keeps_alive or self.source.transport is not Transport.UDP:
            return False
        if path and not self.is_trusted:
            return False
        return self._is_elsewhere(contact) and not self._is_local()

    def _is_elsewhere(self, contact: URI) -> bool:
        """
        Tell whether a contact is an address, and another than the phone is seen at.
        """
        if not isinstance(contact, SIPURI):
            return False
        port = contact.port
        if port is None:
            name = "tls" if contact.scheme == "sips" else contact.transport or "udp"
            port = DEFAULT_PORTS.get(name)
        host = contact.address
        if port == self.source.port and host == self.source.host:
            return False  # as nearly all phones without NAT have it
        address = _address(host)
        if address is None:
            return False
        return port != self.source.port or str(address) != self.source.host

    def _is_local(self) -> bool:
        if not self.local_networks:
            return False
        address = ipaddress.ip_address(self.source.host)
        return any(address in network for network in self.local_networks)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """
    Read an address; None of a name.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
