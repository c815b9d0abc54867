"""
Where media goes: the ``c=`` line, and the ``a=rtcp`` attribute, which has one in it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sdp.line import fields, number

_MAX_PORT = 65535
_MAX_TTL = 255
# How many groups in a row one line can stand for: as many as there are ports.
_MAX_COUNT = 65535
# FQDN = 4*(alpha-numeric / "-" / "."), which is generous; "_" is seen in names, too.
# Digits and dots alone are a mistyped address: 010.0.0.1 means one thing here and
# another there.
_HOST_NAME = re.compile(r"(?![0-9.]*+$)[A-Za-z0-9._-]{1,253}").fullmatch


def address_type(address: str) -> str:
    """
    Give the address type that goes with an address or host name.
    """
    return "IP6" if ":" in address else "IP4"


@dataclass(frozen=True, slots=True)
class Connection:
    """
    One ``c=`` value (:rfc:`8866#section-5.7`).

    Of another network than the Internet, everything after the address type is the
    address, and nothing is made of it.

    :ivar address: an IP address or a host name, without TTL and count.
    :ivar ttl: of an IPv4 multicast group.
    :ivar count: how many groups in a row are meant.
    :ivar addrtype: ``IP4`` or ``IP6``; by default that of the address.
    """

    address: str
    ttl: int | None = None
    count: int = 1
    addrtype: str = ""
    nettype: str = "IN"

    def __post_init__(self) -> None:
        if not self.addrtype:
            object.__setattr__(self, "addrtype", address_type(self.address))

    @classmethod
    def parse(cls, text: str) -> Connection:
        """
        Read the value of a ``c=`` line.

        :raises ParseError: if *text* breaks the grammar, or if the address is not of
            the type it says.
        """
        return _parse(text)

    @classmethod
    def _read(cls, text: str) -> Connection:
        parts = fields(text)
        if len(parts) < 3:
            raise ParseError(f"the connection {excerpt(text)} is too short")
        nettype, addrtype, *rest = parts
        if nettype.upper() != "IN" or addrtype.upper() not in ("IP4", "IP6"):
            return cls(" ".join(rest), addrtype=addrtype, nettype=nettype)
        if len(rest) > 1:
            raise ParseError(f"the connection {excerpt(text)} is too long")
        address, *numbers = rest[0].split("/")
        is_ipv6 = addrtype.upper() == "IP6"
        _check_address(address, is_ipv6)
        ttl = None
        if numbers and not is_ipv6:
            ttl = number(numbers.pop(0), _MAX_TTL, "TTL")
        count = number(numbers.pop(0), _MAX_COUNT, "count of groups") if numbers else 1
        if numbers or count == 0:
            raise ParseError(f"bad TTL or count of groups in {excerpt(text)}")
        return cls(address, ttl, count, addrtype, nettype)

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """
        Give the address as a number; ``None`` if it is a host name or none of IP's.
        """
        try:
            return ipaddress.ip_address(self.address)
        except ValueError:
            return None

    @property
    def is_unspecified(self) -> bool:
        """
        Tell whether the address is ``0.0.0.0`` or ``::``, which is none.
        """
        # Only nothing but zeros can be, and it is asked of every offer.
        if self.address.strip("0.:"):
            return False
        return self.ip is not None and self.ip.is_unspecified

    def with_address(self, address: str) -> Connection:
        """
        Return a connection to another, single address, of whichever type it is.
        """
        return replace(
            self, address=address, addrtype=address_type(address), ttl=None, count=1
        )

    def __str__(self) -> str:
        tail = "" if self.ttl is None else f"/{self.ttl}"
        if self.count != 1:
            tail += f"/{self.count}"
        return f"{self.nettype} {self.addrtype} {self.address}{tail}"

    def check(self) -> None:
        """
        Make sure that what is about to be written can be read again.

        :raises LocalProtocolError: if the address is none, or not of its type.
        """
        try:
            if Connection.parse(str(self)) == self:
                return
        except ParseError:
            pass
        raise LocalProtocolError(f"{excerpt(str(self))} is no connection")


# The views of a description read it again and again. As many as there are calls that
# begin at a time; 2 MB if a hostile peer fills it with the longest lines.
@lru_cache(maxsize=256)
def _parse(text: str) -> Connection:
    return Connection._read(text)


@dataclass(frozen=True, slots=True)
class RTCP:
    """
    One ``a=rtcp`` value: where RTCP goes, if not to the next port (:rfc:`3605`).
    """

    port: int
    connection: Connection | None = None  # None: that of the media

    @classmethod
    def parse(cls, text: str) -> RTCP:
        """
        Read the value of an ``a=rtcp`` attribute.

        :raises ParseError: if *text* breaks the grammar.
        """
        port, _, connection = text.partition(" ")
        return cls(
            number(port, _MAX_PORT, "port"),
            Connection.parse(connection) if connection else None,
        )

    def __str__(self) -> str:
        return f"{self.port} {self.connection}" if self.connection else f"{self.port}"


def _check_address(address: str, is_ipv6: bool) -> None:
    if is_ipv6 and ":" in address:
        # ipaddress also takes a zone ("fe80::1%eth0"), which means nothing elsewhere.
        if "%" not in address and _is_ip(address):
            return
    elif not is_ipv6 and _is_ip(address) and ":" not in address:
        return
    if not _HOST_NAME(address):
        family = "IPv6" if is_ipv6 else "IPv4"
        raise ParseError(f"{excerpt(address)} is no {family} address or host name")


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
