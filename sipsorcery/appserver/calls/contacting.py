"""
Contacts of the legs of a call: a name of the dialogue, at an address of the proxy.

A phone that records the route sends whatever it wants to the proxy anyway. For one that
does not, the Contact itself has to lead there: so its host is where the phone, as far
as anybody can tell beforehand, reaches the proxy from outside.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.config import Config
from sipsorcery.dialog.routing import record_route
from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport
from sipsorcery.sip.address import Address
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport import local

# Seconds for which the way to a peer is taken to be the same, and peers that are
# remembered meanwhile.
_CURRENCY = 10.0
_REMEMBERED = 4096


class Contacts:
    """
    Makes the Contacts of one application server.

    :param server: where it listens, inside.
    :param source_address: tells which address of ours leads to a peer.
    :param seconds: gives the time of a clock that nobody sets.
    """

    def __init__(
        self,
        config: Config,
        names: DialogueNames,
        server: Endpoint,
        *,
        source_address: Callable[[str], str | None] = local.source_address,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._sources: dict[str, str | None] = {}
        self._sources_until = 0.0
        self._names = names
        self._server = server
        self._source_address = source_address
        self._public = config.sip.public_address
        # The first one of each transport is the one for what we begin.
        self._outside: dict[Transport, ListenAddress] = {}
        for listen in config.proxy.listen:
            self._outside.setdefault(listen.transport, listen)

    def of_call(self, request: Request, dialogue: str) -> Address:
        """
        Make the Contact for whoever has sent an INVITE, or a request in its place.

        :param dialogue: the identifier of the dialogue.
        :raises ParseError: if its Record-Route cannot be read.
        """
        place = outside(record_route(request))
        secure = request.uri.scheme == "sips"
        return self._make(place or self._own(), dialogue, secure=secure)

    def towards(
        self, uri: SIPURI, dialogue: str, *, path: Sequence[SIPURI] = ()
    ) -> Address:
        """
        Make the Contact for an INVITE of ours.

        :param uri: whom it is for.
        :param path: what it passes on the way, the nearest to us first.
        """
        secure = uri.scheme == "sips"
        last = path[-1] if len(path) > 1 else uri
        transport = _transport(last, secure=secure)
        listen = self._outside.get(transport) or self._outside.get(Transport.UDP)
        if listen is None:
            place = self._own()
        else:
            where = self._address_of(listen, last.address)
            place = _uri(where.host, where.port, listen.transport)
        return self._make(place, dialogue, secure=secure)

    # Inside

    def _make(self, place: SIPURI, dialogue: str, *, secure: bool) -> Address:
        name = self._names.write(self._server, dialogue)
        scheme = "sips" if secure else place.scheme
        return Address(place._replace(scheme=scheme, user=name))

    def _own(self) -> SIPURI:
        return _uri(self._server.host, self._server.port, self._server.transport)

    def _address_of(self, listen: ListenAddress, peer: str) -> HostPort:
        if listen.advertise is not None and not _is_loopback(peer):
            return listen.advertise
        if self._public is not None and not _is_loopback(peer):
            return HostPort(self._public, listen.port)
        host = listen.host
        if listen.is_wildcard:
            host = self._source_towards(peer) or self._server.host
        return HostPort(host, listen.port)

    def _source_towards(self, peer: str) -> str | None:
        """
        Ask the system, not for each call: that costs a socket.
        """
        if not _is_address(peer):
            return None
        if self._seconds() >= self._sources_until or len(self._sources) >= _REMEMBERED:
            self._sources.clear()
            self._sources_until = self._seconds() + _CURRENCY
        if peer not in self._sources:
            self._sources[peer] = self._source_address(peer)
        return self._sources[peer]


def outside(routes: Sequence[Address]) -> SIPURI | None:
    """
    Find where the peer of a dialog reaches the proxy.

    Our proxy writes two Record-Routes: the one that faces us is the first of the route
    set, and the one that faces the peer the second.

    :param routes: the route set as we have it.
    :return: that URI without what makes it a Route; None: no proxy of ours is there.
    """
    if len(routes) < 2 or not isinstance(routes[1].uri, SIPURI):
        return None
    uri = routes[1].uri
    return uri._replace(user=None, parameters=uri.parameters.remove("lr"))


def _transport(uri: SIPURI, *, secure: bool) -> Transport:
    named = uri.transport or "udp"
    if secure:
        return Transport.WSS if named in ("ws", "wss") else Transport.TLS
    return Transport(named) if named in list(Transport) else Transport.UDP


def _uri(host: str, port: int, transport: Transport) -> SIPURI:
    text = f"[{host}]" if ":" in host else host
    uri = SIPURI("sip", None, text, port)
    if transport is Transport.UDP:
        return uri  # what a sip URI means by itself
    return uri.with_parameter("transport", str(transport))


@lru_cache(maxsize=4096)  # calls go to the same hosts again and again
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
