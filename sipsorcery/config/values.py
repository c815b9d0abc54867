"""
The values that a configuration holds, and what reads each of them from TOML.

A reader takes a value as :mod:`tomllib` gives it and returns what the tree holds, or
raises `ValueError` with a sentence that ends with the offending value. Types that
have a class method ``parse`` need no reader.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, TypeAlias

from sipsorcery.config.faults import shown
from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI


class Durability(StrEnum):
    """
    Name what a stored record survives before it is acknowledged.
    """

    PROCESS = "process"  # the loss of any process
    POWER = "power"  # the loss of power


class DispatchBy(StrEnum):
    """
    Name what decides about the application server for a new call.
    """

    CALL_ID = "call-id"  # each call by itself, by the weights
    USER = "user"  # all calls of one user at one server
    CALLS = "calls"  # the one that has the fewest, for its weight


class DispatchProbe(StrEnum):
    """
    Name what an application server is asked to find out how it is.
    """

    OPTIONS = "options"  # its SIP stack answers
    INVITE = "invite"  # so do its dialplans and its directory


class DigestAlgorithm(StrEnum):
    """
    Name a digest algorithm that a challenge can offer (:rfc:`8760`).
    """

    MD5 = "MD5"
    SHA_256 = "SHA-256"
    SHA_512_256 = "SHA-512-256"


class TLSVerify(StrEnum):
    """
    Name what the certificate of a TLS server has to prove.
    """

    DOMAIN = "domain"  # the SIP domain that the request is for (RFC 5922)
    TARGET = "target"  # the host that DNS gave for that domain
    PIN = "pin"  # that it is one of those listed
    NONE = "none"  # nothing


class LogFormat(StrEnum):
    """
    Name what an entry of the log looks like.
    """

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """
    Name how grave an entry of the log has to be.
    """

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Rate:
    """
    So many of something in so much time.
    """

    count: int
    period: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """
        Read ``COUNT/PERIOD``, such as ``60/2s``, ``10/m`` or ``100/24h``.

        :raises ValueError: if *text* is no such thing, or allows nothing.
        """
        match = _RATE.fullmatch(text)
        if not match or int(match["count"]) == 0 or float(match["number"] or 1) == 0:
            raise ValueError(f"expected a rate such as '60/2s', not {shown(text)}")
        period = float(match["number"] or 1) * _SECONDS[match["unit"]]
        return cls(int(match["count"]), period)


_RATE = re.compile(
    r"(?P<count>[0-9]{1,9})/(?P<number>[0-9]{1,6}(?:\.[0-9]{1,3})?)?(?P<unit>[smh])"
)
_STUN_PORT = 3478
_SMTP_PORT = 25
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """
    Reads an integer from *low* to *high*.
    """

    low: int
    high: int

    def __call__(self, value: object) -> int:
        """
        Read *value*.
        """
        if type(value) is int and self.low <= value <= self.high:
            return value
        raise ValueError(
            f"expected a whole number from {self.low} to {self.high}, "
            f"not {shown(value)}"
        )


@dataclass(frozen=True, slots=True)
class Number:
    """
    Reads an integer or a float from *low* to *high*.
    """

    low: float
    high: float

    def __call__(self, value: object) -> float:
        """
        Read *value*, which may be an integer or a float.
        """
        # "nan" is in no range, and a truth value is an int to Python alone.
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not self.low <= value <= self.high
        ):
            raise ValueError(
                f"expected a number from {self.low} to {self.high}, not {shown(value)}"
            )
        return value


def read_text(value: object) -> str:
    """
    Read a string as it stands.
    """
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a string, not {shown(value)}")


def read_path(value: object) -> Path:
    """
    Read the name of a file or folder; ``~`` is the home of who runs the service.
    """
    text = read_text(value)
    if not text or "\0" in text:
        raise ValueError(f"expected the name of a file, not {shown(text)}")
    return Path(text).expanduser()


def read_paths(value: object) -> tuple[Path, ...]:
    """
    Read one file name or several; ``""`` is none.
    """
    if value == "":
        return ()
    return tuple(map(read_path, value if isinstance(value, list) else [value]))


def read_network(value: object) -> IPv4Network | IPv6Network:
    """
    Read a network in CIDR notation; an address alone is a network of one.
    """
    text = read_text(value)
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(_network_fault(text)) from None


def _network_fault(text: str) -> str:
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"expected a network such as '192.0.2.0/24', not {shown(text)}"
    return f"{shown(text)} has host bits set; the network is '{meant}'"


def read_address(value: object) -> str:
    """
    Read the IP address of one host, IPv6 without brackets, into its shortest form.
    """
    text = read_text(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"expected an IP address, not {shown(text)}") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"{shown(text)} is not the address of one host")
    return str(address)


def read_domain(value: object) -> str:
    """
    Read a SIP domain: a host name or an IP address.

    :return: in lower case, an IPv6 address without brackets, ready for comparison.
    """
    text = read_text(value)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        # With a port in the text itself there is one too many.
        return HostPort.parse(f"{text}:0").host.lower()
    except ValueError:
        raise ValueError(
            f"expected a domain such as 'example.com', not {shown(text)}"
        ) from None


def read_inside(value: object) -> ListenAddress:
    """
    Read where to listen for our own servers; a port left empty is chosen later.
    """
    address = ListenAddress.parse(read_text(value), default_port=0)
    ip = ipaddress.ip_address(address.host)
    # Whoever reaches this socket from a role's address is trusted, so it must never
    # be open to the world.
    if not ip.is_private or ip.is_unspecified:
        raise ValueError(
            f"expected a loopback or private address, not {shown(address.host)}"
        )
    if address.transport is not Transport.UDP or address.advertise:
        raise ValueError(f"expected 'udp:ADDRESS:PORT' alone, not {shown(value)}")
    return address


def read_listen(value: object) -> HostPort:
    """
    Read where a server that is not one of SIP listens.
    """
    where = HostPort.parse(read_text(value))
    try:
        ipaddress.ip_address(where.host)
    except ValueError:
        raise ValueError(f"{shown(where.host)} is no IP address") from None
    return where


def read_target(value: object) -> Endpoint:
    """
    Read an end point that something is sent to.
    """
    target = Endpoint.parse(read_text(value))
    if target.port == 0 or ipaddress.ip_address(target.host).is_unspecified:
        raise ValueError(f"nothing can be sent to {shown(value)}")
    return target


def read_pattern(value: object) -> re.Pattern[str]:
    """
    Read a regular expression that is searched for, upper and lower case alike.
    """
    text = read_text(value)
    try:
        if text:
            return re.compile(text, re.IGNORECASE)
        fault = "it is empty"
    except re.error as error:
        fault = str(error)
    raise ValueError(f"expected a regular expression, not {shown(text)}: {fault}")


def read_route(value: object) -> str:
    """
    Read the URI of a proxy for a route: a loose router (:rfc:`3261#section-16.12`).
    """
    text = read_text(value)
    try:
        if SIPURI.parse(text).is_loose:
            return text
    except ParseError:
        pass
    raise ValueError(
        f"expected a SIP URI with ';lr', such as 'sip:proxy.example.com;lr', "
        f"not {shown(text)}"
    )


def read_stun_server(value: object) -> HostPort:
    """
    Read where a STUN server is; without a port it is the one of :rfc:`8489`.
    """
    server = HostPort.parse(read_text(value), default_port=_STUN_PORT)
    if server.port == 0:
        raise ValueError(f"nothing can be sent to {shown(value)}")
    return server


def read_mail_server(value: object) -> HostPort:
    """
    Read where a mail server is; without a port it is the one of :rfc:`5321`.
    """
    server = HostPort.parse(read_text(value), default_port=_SMTP_PORT)
    if server.port == 0:
        raise ValueError(f"nothing can be sent to {shown(value)}")
    return server


def read_mailbox(value: object) -> str:
    """
    Read an e-mail address.
    """
    text = read_text(value)
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]+", text):
        raise ValueError(f"expected an e-mail address, not {shown(value)}")
    return text


def read_country(value: object) -> str:
    """
    Read the code that calls to a country begin with, such as 353; ``*`` is any.
    """
    text = read_text(value)
    if text != "*" and not re.fullmatch("[1-9][0-9]{0,3}", text):
        raise ValueError(f"expected the code of a country, not {shown(value)}")
    return text


def read_pin(value: object) -> str:
    """
    Read the SHA-256 fingerprint of a certificate: 64 hex digits, colons between or not.

    :return: in lower case, without colons.
    """
    digits = read_text(value).replace(":", "").lower()
    if re.fullmatch("[0-9a-f]{64}", digits):
        return digits
    raise ValueError(f"expected a SHA-256 fingerprint, not {shown(value)}")


Network: TypeAlias = Annotated[IPv4Network | IPv6Network, read_network]
Address: TypeAlias = Annotated[str, read_address]
Domain: TypeAlias = Annotated[str, read_domain]
File: TypeAlias = Annotated[Path, read_path]
Files: TypeAlias = Annotated[tuple[Path, ...], read_paths]
TCPAddress: TypeAlias = Annotated[HostPort, read_listen]
Target: TypeAlias = Annotated[Endpoint, read_target]
STUNServer: TypeAlias = Annotated[HostPort, read_stun_server]
MailServer: TypeAlias = Annotated[HostPort, read_mail_server]
Mailbox: TypeAlias = Annotated[str, read_mailbox]
Country: TypeAlias = Annotated[str, read_country]
InsideAddress: TypeAlias = Annotated[ListenAddress, read_inside]
Pattern: TypeAlias = Annotated[re.Pattern[str], read_pattern]
Route: TypeAlias = Annotated[str, read_route]
Pin: TypeAlias = Annotated[str, read_pin]
