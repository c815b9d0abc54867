"""
What the transport layer reads from the topmost Via of a response. Pure.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from sipsorcery.endpoint import Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.via import Via
from sipsorcery.transport.errors import TransportError

_DEFAULT_PORT = Transport.UDP.default_port


def response_address(
    via: Via, transport: Transport, source: str, *, follow_maddr: bool = False
) -> tuple[str, int] | None:
    """
    Work out where a response goes that has no connection (:rfc:`3261#section-18.2.2`).

    :param transport: the one to send by.
    :param source: the address that the request came from.
    :param follow_maddr: whether the sender may name another address in maddr.
    :return: an IP address and a port; None where only the name in sent-by is known.
    :raises TransportError: if the address is one that nothing may be sent to.
    """
    port = via.port or transport.default_port
    host = None
    if transport is Transport.UDP:  # on a stream the address noted is the first choice
        host = _allowed_maddr(via, source, follow_maddr)
    if host is None and via.received is not None:
        host = via.received
        if transport is Transport.UDP:
            port = _rport(via) or port
    if host is None:
        host = via.address
    address = _read(host)
    if address is None:
        return None
    check_unicast(str(address))
    return str(address), port


def leads_back(text: str | None, host: str, port: int) -> bool:
    """
    Tell at a glance that the text of a Via leads to where its request came from.

    It spares the answer to a usual request over UDP the parsing of its Via, which would
    cost more than all that is left of such an answer: what is noted in the Via is the
    source, or nothing is noted because sent-by is. False only says that it takes a
    look.
    """
    if text is None or "," in text:
        return False  # a comma: what is noted might be in the Via below
    low = f"{text.lower()};"
    if "maddr" in low:
        return False
    if "rport" in low or "received" in low:
        return f";rport={port};" in low and f";received={host};" in low
    sent_by = f"sip/2.0/udp {host}"
    return low.startswith(f"{sent_by}:{port};") or (
        port == _DEFAULT_PORT and low.startswith(f"{sent_by};")
    )


def check_unicast(host: str) -> None:
    """
    Refuse an address that is no single peer's.

    :param host: an IP address.
    :raises TransportError: if it is a group, everybody, or nobody.
    """
    if not _is_peer(host):
        raise TransportError(f"nothing is ever sent to {host}")


@lru_cache(maxsize=4096)  # a server sends to the same hosts again and again
def _is_peer(host: str) -> bool:
    address = _read(host)
    return address is not None and _is_unicast(address)


def _allowed_maddr(via: Via, source: str, follow: bool) -> str | None:
    """
    Give the maddr of *via* if a response may go there.

    One that is not the sender's own address would let it choose who gets our answers
    without forging its own. Even where that is wanted, one that names a group, or our
    own machine to somebody outside it, is as if it were not there: the sender cannot
    reach those places itself.
    """
    address = _read(via.maddr or "")
    if address is None or not _is_unicast(address):
        return None
    sender = ipaddress.ip_address(source)
    if address != sender and not follow:
        return None
    if address.is_loopback and not sender.is_loopback:
        return None
    return str(address)


def _rport(via: Via) -> int | None:
    try:
        return via.rport
    except ParseError:
        return None


def _read(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_unicast(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not (
        address.is_multicast
        or address.is_unspecified
        or address == ipaddress.IPv4Address("255.255.255.255")
    )
