"""
What we can send by, and where to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sipsorcery.endpoint import Transport
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.location import addresses
from sipsorcery.transport.location.records import Kind
from sipsorcery.transport.location.srv import Chance

# These open connections, whether something listens or not; a WebSocket's joins here.
_CONNECTING = (Transport.TCP, Transport.TLS)
_BOTH = (Kind.AAAA, Kind.A)


class Reach:
    """
    Know the transports, and the families of addresses that each can reach.

    :param listeners: gives the sockets that listen. A datagram is sent from one of
        these, so that UDP reaches no other families than theirs.
    :param source_address: tells which address of ours leads to another, if any.
    """

    def __init__(
        self,
        listeners: Callable[[], Iterable[Listener]],
        source_address: Callable[[str], str | None],
    ) -> None:
        self._listeners = listeners
        self._source_address = source_address

    def transports(self) -> tuple[Transport, ...]:
        """
        List the transports, the one to be taken by default in front.
        """
        if self.kinds(Transport.UDP):
            return (Transport.UDP, *_CONNECTING)
        return _CONNECTING

    def kinds(self, transport: Transport) -> tuple[Kind, ...]:
        """
        List the kinds of addresses that a transport reaches.
        """
        if transport is not Transport.UDP:
            return _BOTH
        families = {
            Kind.AAAA if one.local.is_ipv6 else Kind.A
            for one in self._listeners()
            if one.local.transport is transport
        }
        return tuple(kind for kind in _BOTH if kind in families)

    def arrange(self, found: Sequence[str], chance: Chance) -> list[str]:
        """
        Put the addresses of one host into the order to try them in.
        """
        return addresses.by_preference(
            addresses.rotate(found, chance), self._source_address
        )
