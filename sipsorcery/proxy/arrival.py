"""
How a message came, as far as it matters for where it goes. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.endpoint import Endpoint, HostPort, Transport
from sipsorcery.proxy.networks import Scope, scope
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

    def uri(self, user: str | None, *flags: str, secure: bool = False) -> SIPURI:
        """
        Write a URI that leads back here, for Record-Route and Path.

        :param flags: parameters without value, after the transport.
        :param secure: whether it is to be a sips URI, if this side can have one.
        """
        host = self.address.host
        items = [(flag, None) for flag in flags]
        transport = [("transport", str(self.transport))]
        is_sips = secure and self.transport.is_secure
        if is_sips and self.transport is Transport.TLS:
            transport.clear()  # a sips URI means nothing else (RFC 3261, 26.2.2)
        return SIPURI(
            "sips" if is_sips else "sip",
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
    :ivar is_trunk: whether the sender is a neighbour that the configuration names.
    """

    flow: TokenFlow
    side: Side
    local: Endpoint
    remote: Endpoint
    is_trusted: bool = False
    is_trunk: bool = False

    @property
    def is_inside(self) -> bool:
        """
        Tell whether it came on the inside socket.
        """
        return self.flow is INSIDE

    @property
    def is_at_home(self) -> bool:
        """
        Tell whether its sender has rights, and others on this machine to send to.
        """
        if self.is_trusted:
            return True
        return self.is_trunk and scope(self.remote.host) is Scope.LOOPBACK


@dataclass(frozen=True, slots=True)
class Departure:
    """
    The way that a request goes on.

    :ivar side: our socket that it leaves by.
    :ivar target: what tells this way from all others.
    :ivar flow: that of the receiver, where requests can come back to it by that alone;
        None for what the location of a server has found.
    :ivar is_trunk: whether it leads to a neighbour that the configuration names.
    """

    side: Side
    target: str
    flow: TokenFlow | None = None
    is_trunk: bool = False

    @property
    def is_inside(self) -> bool:
        """
        Tell whether it leaves by the inside socket.
        """
        return self.flow is INSIDE
