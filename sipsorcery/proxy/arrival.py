"""
How a message came, as far as it matters for where it goes. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.endpoint import Endpoint, HostPort, Transport
from sipsorcery.proxy.token import INSIDE, TokenFlow
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.uri import SIPURI


@dataclass(frozen=True, slots=True)
class Side:
    """
    One of our sockets, as those know it who speak to it.

    :ivar transport: what it carries.
    :ivar address: what it is reached by: for an outside one, the public address.
    """

    transport: Transport
    address: HostPort

    def uri(self, user: str | None, *flags: str) -> SIPURI:
        """
        Write a URI that leads back here, for Record-Route and Path.

        :param flags: parameters without value, after the transport.
        """
        host = self.address.host
        items = [(flag, None) for flag in flags]
        transport = [("transport", str(self.transport))]
        return SIPURI(
            "sip",
            user,
            f"[{host}]" if ":" in host else host,
            self.address.port,
            # UDP is what a URI means that says nothing (RFC 3263, 4.1).
            Parameters((*(transport if self.transport.is_reliable else ()), *items)),
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    The way that a message came.

    :ivar flow: that of its sender; all that is inside is one.
    :ivar side: the socket that it came by.
    :ivar local: where that socket is bound.
    :ivar remote: the sender.
    :ivar is_trusted: whether it came on the inside socket and from the address of a
        role: neither alone is enough.
    """

    flow: TokenFlow
    side: Side
    local: Endpoint
    remote: Endpoint
    is_trusted: bool = False

    @property
    def is_inside(self) -> bool:
        """
        Tell whether it came on the inside socket.
        """
        return self.flow == INSIDE


@dataclass(frozen=True, slots=True)
class Departure:
    """
    The way that a request goes on.

    :ivar side: our socket that it leaves by.
    :ivar target: what tells this way from all others.
    :ivar flow: that of the receiver, where requests can come back to it by that alone;
        None for what the location of a server has found.
    """

    side: Side
    target: str
    flow: TokenFlow | None = None

    @property
    def is_inside(self) -> bool:
        """
        Tell whether it leaves by the inside socket.
        """
        return self.flow == INSIDE
