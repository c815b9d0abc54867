"""
Putting another address where a description has one that cannot be reached.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from sipsorcery.sdp.connection import RTCP, Connection
from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sdp.line import Attribute, Line
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.section import Section
from sipsorcery.sdp.session import SessionDescription

# Not ipaddress.is_private: that counts documentation and test networks, 0.0.0.0 and
# all that is reserved, and leaves out 100.64.0.0/10.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",  # RFC 1918
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # behind a carrier's NAT: RFC 6598
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local: RFC 3927
            "::1/128",
            "fc00::/7",  # unique local: RFC 4193
            "fe80::/10",
        ),
    )
)


# It is asked several times for each call: as many as there are parties at a time.
@lru_cache(maxsize=1024)
def is_private(address: str) -> bool:
    """
    Tell whether an address means nothing outside the network that it came from.

    :param address: an IP address. A host name is never private.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in _PRIVATE)


def replace_addresses(
    description: SessionDescription,
    address: str,
    *,
    where: Callable[[str], bool] = is_private,
    origin: bool = False,
    rtcp: bool = True,
) -> SessionDescription:
    """
    Put *address* in place of the addresses that *where* picks; ports stay.

    All ``c=`` lines are looked at, of the session and of every stream, of whichever
    kind. ``0.0.0.0`` and ``::`` always stay: they are no address but a hold. So do the
    candidates of ICE, which finds its way itself.

    :param address: IPv4 or IPv6; the address types change with it.
    :param where: told an old address, says whether to replace it.
    :param origin: do so in the ``o=`` line, too.
    :param rtcp: do so in ``a=rtcp`` attributes, too.
    :return: the very same description if there was nothing to replace.
    :raises LocalProtocolError: if *address* is no IP address.
    """
    try:
        new = ipaddress.ip_address(address)
    except ValueError:
        raise LocalProtocolError(f"{excerpt(address)} is no IP address") from None
    if getattr(new, "scope_id", None):
        raise LocalProtocolError(f"the zone of {excerpt(address)} means nothing there")
    rewriter = _Rewriter(str(new), where, origin, rtcp)
    lines = rewriter.lines(description)
    media = tuple(
        replace(media, lines=rewriter.lines(media)) for media in description.media
    )
    if lines == description.lines and media == description.media:
        return description
    return SessionDescription(media, lines=lines)


@dataclass(frozen=True, slots=True)
class _Rewriter:
    address: str
    where: Callable[[str], bool]
    origin: bool
    rtcp: bool

    def lines(self, section: Section) -> tuple[Line, ...]:
        return tuple(map(self._line, section.lines))

    def _line(self, line: Line) -> Line:
        match line.type:
            case "c":
                return self._put(line, Connection.parse(line.value))
            case "o" if self.origin:
                return self._put(line, Origin.parse(line.value))
            case "a" if self.rtcp and line.value.lstrip(" ").startswith("rtcp:"):
                return self._rtcp_line(line)
            case _:
                return line

    def _put(self, line: Line, value: Connection | Origin) -> Line:
        if self._picks(value):
            return replace(line, value=str(value.with_address(self.address)))
        return line

    def _rtcp_line(self, line: Line) -> Line:
        try:
            rtcp = RTCP.parse(Attribute.parse(line.value).value or "")
        except ParseError:  # not understood, so left alone
            return line
        if rtcp.connection is None or not self._picks(rtcp.connection):
            return line
        moved = replace(rtcp, connection=rtcp.connection.with_address(self.address))
        return replace(line, value=str(Attribute("rtcp", str(moved))))

    def _picks(self, value: Connection | Origin) -> bool:
        return (
            value.nettype.upper() == "IN"
            and value.address not in ("0.0.0.0", "::", self.address)
            and self.where(value.address)
        )
