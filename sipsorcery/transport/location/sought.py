"""
What is looked for: what a URI, or a Via, says before DNS is asked. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sipsorcery.endpoint import Transport
from sipsorcery.sip.errors import excerpt
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.names import read_address, read_name


@dataclass(frozen=True, slots=True)
class Sought:
    """
    A host, and what is certain about the way to it.

    :ivar domain: the host of the URI: what a certificate has to prove.
    :ivar host: the TARGET of :rfc:`3263#section-4`: an address, or a name to ask for.
    :ivar port: None where DNS, or else the default of the transport, says it.
    :ivar transports: those to try, the preferred one first.
    :ivar presumed: those to try where DNS says nothing about transports.
    :ivar is_settled: whether the transport is given, so that no NAPTR is asked for.
    :ivar is_secure: whether nothing but TLS will do.
    :ivar is_reliable: whether a reliable transport is wanted, if there is one.
    """

    domain: str
    host: str
    port: int | None
    transports: tuple[Transport, ...]
    presumed: tuple[Transport, ...]
    is_settled: bool = False
    is_secure: bool = False
    is_reliable: bool = False

    @property
    def is_numeric(self) -> bool:
        """
        Tell whether the host is an address.
        """
        return read_address(self.host) is not None


def seek_uri(
    uri: SIPURI, available: Collection[Transport], *, reliable: bool = False
) -> Sought:
    """
    Read what a URI says.

    :param available: the transports that we can send by.
    :param reliable: for a request that is too long for UDP: where the URI leaves the
        choice, TCP comes first (:rfc:`3261#section-18.1.1`).
    :raises LocationError: if it asks for what we, or nobody, can do.
    """
    host = uri.parameters.get("maddr") or uri.host
    secure = uri.scheme == "sips"
    named = _named_transport(uri, available)
    transports: tuple[Transport, ...]
    presumed: tuple[Transport, ...]
    if named is not None:
        transports = presumed = (named,)
    elif secure:
        transports = presumed = (Transport.TLS,)
    else:
        # Without NAPTR records a sip URI leads to no TLS: 4.1 asks for "_sip" only.
        both = (Transport.UDP, Transport.TCP)
        ordered = both[::-1] if reliable else both
        transports = tuple(one for one in ordered if one in available)
        # "the client SHOULD use TCP for a SIPS URI, and UDP for a SIP URI"; a long
        # request is sent over UDP if TCP is not answered there.
        presumed = transports if reliable else transports[:1]
    return Sought(
        _read_host(uri.host),
        _read_host(host),
        _checked(uri.port, uri.hostport),
        transports,
        presumed,
        is_settled=named is not None,
        is_secure=secure,
        is_reliable=reliable,
    )


def seek_via(via: Via, available: Collection[Transport]) -> Sought:
    """
    Read what the sent-by of a Via says (:rfc:`3263#section-5`).

    :raises LocationError: if it asks for what we, or nobody, can do.
    """
    transport = _check_available(_read_transport(via.transport), available)
    host = _read_host(via.host)
    port = _checked(via.port, via.sent_by)
    return Sought(host, host, port, (transport,), (transport,), is_settled=True)


def _named_transport(uri: SIPURI, available: Collection[Transport]) -> Transport | None:
    if uri.transport is None:
        return None
    named = _read_transport(uri.transport)
    if uri.scheme == "sips" and not named.is_secure:
        # In a sips URI it names what is below TLS (RFC 3261, 26.2.2); for UDP that
        # would be DTLS, which SIP does not have.
        if named is Transport.UDP:
            raise LocationError(f"a sips URI does not go over UDP: {excerpt(uri.host)}")
        named = Transport.TLS if named is Transport.TCP else Transport.WSS
    return _check_available(named, available)


def _read_transport(name: str) -> Transport:
    try:
        return Transport(name.lower())
    except ValueError:
        raise LocationError(f"no transport is called {excerpt(name)}") from None


def _check_available(
    transport: Transport, available: Collection[Transport]
) -> Transport:
    if transport not in available:
        raise LocationError(f"nothing can be sent over {transport} from here")
    return transport


def _read_host(text: str) -> str:
    host = read_address(text.strip("[]")) or read_name(text)
    if host is None:
        raise LocationError(f"{excerpt(text)} is no name that DNS could know")
    return host


def _checked(port: int | None, where: str) -> int | None:
    if port == 0:
        raise LocationError(f"nothing listens on port 0: {excerpt(where)}")
    return port
