"""
Where a message comes from or goes to: transport, host and port, as values.

Every room writes addresses the same way: ``udp:192.0.2.1:5060``, and an IPv6
address in brackets: ``tls:[2001:db8::1]:5061``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

from sipsorcery.sip.errors import excerpt

# hostname of RFC 3261, section 25.1, which is that of RFC 1123. The last label begins
# with a letter, so that a mistyped IPv4 address is never taken for a name.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?=[A-Za-z]){_LABEL}\.?")
_MAX_HOST_NAME = 253  # the longest name that DNS can carry (RFC 1035, section 2.3.4)
_MAX_PORT = 65535


class Transport(StrEnum):
    """
    Name a transport as the configuration, a URI parameter and an `Endpoint` do.
    """

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    WS = "ws"
    WSS = "wss"

    @property
    def is_reliable(self) -> bool:
        """
        Tell whether the transport itself repeats what is lost.
        """
        return self is not Transport.UDP

    @property
    def is_secure(self) -> bool:
        """
        Tell whether what is sent is encrypted and the server proves its name.
        """
        return self in (Transport.TLS, Transport.WSS)

    @property
    def default_port(self) -> int:
        """
        Give the port of a URI that names none (:rfc:`3261#section-19.1.2`, RFC 7118).
        """
        return _DEFAULT_PORTS[self]


_DEFAULT_PORTS = {
    Transport.UDP: 5060,
    Transport.TCP: 5060,
    Transport.TLS: 5061,
    Transport.WS: 80,
    Transport.WSS: 443,
}


@dataclass(frozen=True, slots=True)
class HostPort:
    """
    A host, by name or address, and a port: ``sip.example.com:5060``.
    """

    host: str  # an IPv6 address stands without brackets
    port: int

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None) -> HostPort:
        """
        Read ``HOST:PORT``, where HOST is a name, an IPv4 or a bracketed IPv6 address.

        :param default_port: the port where *text* names none; None: it has to.
        :raises ValueError: with a sentence, if *text* is no such thing.
        """
        host, port = _split(text)
        address = _read_address(host)
        if address is None and not _is_host_name(host):
            raise ValueError(f"{excerpt(host)} is no host name or IP address")
        return cls(address or host, _read_port(port, text, default_port))

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One end of a hop: a transport, an IP address and a port.
    """

    transport: Transport
    host: str  # an IP address in its shortest form, IPv6 without brackets
    port: int

    def __hash__(self) -> int:
        # A proxy asks for it for every message. Those that differ in the transport
        # alone are few.
        return hash((self.host, self.port))

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None) -> Endpoint:
        """
        Read ``TRANSPORT:ADDRESS:PORT``, such as ``udp:127.0.0.1:5060``.

        :param default_port: the port where *text* names none; None: it has to.
        :raises ValueError: with a sentence, if *text* is no such thing.
        """
        name, colon, rest = text.partition(":")
        if not colon or name.lower() not in list(Transport):
            known = ", ".join(Transport)
            raise ValueError(
                f"{excerpt(text)} does not begin with a transport ({known}) and ':'"
            )
        host, port = _split(rest)
        address = _read_address(host)
        if address is None:
            raise ValueError(f"{excerpt(host)} is no IP address")
        port_number = _read_port(port, text, default_port)
        return cls(Transport(name.lower()), address, port_number)

    @property
    def is_ipv6(self) -> bool:
        """
        Tell whether the address is one of IPv6.
        """
        return ":" in self.host

    def __str__(self) -> str:
        return f"{self.transport}:{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """
    Where to listen, and the address to give to others instead of it.

    Port 0 leaves the choice of the port to whoever opens the socket.
    """

    transport: Transport
    host: str  # an IP address; 0.0.0.0 and :: mean each local one
    port: int
    advertise: HostPort | None = None

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None) -> ListenAddress:
        """
        Read ``TRANSPORT:ADDRESS:PORT``, with or without `` advertise HOST:PORT``.

        :param default_port: the port where *text* names none; None: it has to.
        :raises ValueError: with a sentence, if *text* is no such thing.
        """
        match text.split():
            case [where]:
                advertise = None
            case [where, "advertise", outside]:
                advertise = HostPort.parse(outside)
                if advertise.port == 0:
                    raise ValueError(f"{excerpt(outside)} advertises port 0")
            case _:
                raise ValueError(
                    f"{excerpt(text)} is not 'TRANSPORT:ADDRESS:PORT', "
                    "nor that and 'advertise HOST:PORT'"
                )
        end = Endpoint.parse(where, default_port=default_port)
        return cls(end.transport, end.host, end.port, advertise)

    @property
    def endpoint(self) -> Endpoint:
        """
        Give the address to bind.
        """
        return Endpoint(self.transport, self.host, self.port)

    @property
    def is_wildcard(self) -> bool:
        """
        Tell whether it stands for every local address of its family.
        """
        return self.host in ("0.0.0.0", "::")

    def __str__(self) -> str:
        tail = f" advertise {self.advertise}" if self.advertise else ""
        return f"{self.endpoint}{tail}"


def _split(text: str) -> tuple[str, str]:
    """
    Part host and port at the colon that is not inside brackets.

    :return: both as text; the host keeps its brackets, the port may be empty.
    """
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if bracket and (not rest or rest.startswith(":")):
            return host + bracket, rest[1:]
    elif text.count(":") <= 1:
        host, _, port = text.partition(":")
        return host, port
    elif _read_address(f"[{text}]"):
        raise ValueError(f"{excerpt(text)}: an IPv6 address stands in brackets")
    raise ValueError(f"{excerpt(text)} is not HOST:PORT")


def _read_address(text: str) -> str | None:
    """
    Bring an IPv4 or a bracketed IPv6 address into its shortest form, without brackets.

    :return: None if *text* is neither.
    """
    try:
        if text.startswith("[") and text.endswith("]"):
            return str(ipaddress.IPv6Address(text[1:-1]))
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def _read_port(text: str, whole: str, default: int | None) -> int:
    if not text:
        if default is None:
            raise ValueError(f"{excerpt(whole)} has no port")
        return default
    # isdecimal() alone would let the digits of other scripts pass. Five digits hold
    # every port; int() of a long text costs time.
    if not (text.isascii() and text.isdecimal()) or len(text) > 5:
        raise ValueError(f"{excerpt(text)} is no port number")
    port = int(text)
    if port > _MAX_PORT:
        raise ValueError(f"{port} is no port number (0 to {_MAX_PORT})")
    return port


def _is_host_name(text: str) -> bool:
    return len(text) <= _MAX_HOST_NAME and _HOST_NAME.fullmatch(text) is not None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
