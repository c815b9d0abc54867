"""
Flow tokens: which way a request goes on, in the user part of a URI of ours. Pure.

A token is what we tell a peer, or the registrar, in Record-Route and Path, so that we
need not remember it: it comes back to us in a Route. It is signed and holds neither a
time nor anything random, so a request that is sent again gets the same one. On the
wire it is base64url of::

    version (1) | key (1) | use (1) | flow | MAC (12)

:rfc:`5626#section-5.2` describes such a scheme.
"""

from __future__ import annotations

import binascii
import ipaddress
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2s
from hmac import compare_digest
from typing import TypeAlias

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.errors import Refused
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.secrets import Key

_VERSION = 1
# 96 bits: nobody tries 2**95 of them at the rate that a proxy answers.
_MAC_SIZE = 12
# version, key, use, kind of flow
_HEAD = struct.Struct("!BBBB")
_CONNECTION = struct.Struct("!H8sQ")
# An IPv6 datagram flow, the longest, has 40 bytes: far less than this in base64. What
# is longer is not even decoded.
_MAX_TEXT = 128
#: Octets of an incarnation.
INCARNATION_SIZE = 8


class Use(IntEnum):
    """
    Name the field that a token was made for.
    """

    PATH = 1
    RECORD_ROUTE = 2
    VIA = 3  # in ours, for the way back of a response; in a Route it is nothing


@dataclass(frozen=True, slots=True)
class DatagramFlow:
    """
    From one of our UDP listeners to a remote address: the same at every worker.

    :ivar local: where the listener is bound.
    """

    local: Endpoint
    remote: Endpoint


@dataclass(frozen=True, slots=True)
class ConnectionFlow:
    """
    One connection, which ends with the process at the latest.

    :ivar worker: the number of the process on this node, below 2**16.
    :ivar incarnation: what the process drew when it started.
    :ivar number: what the transport layer calls the connection.
    """

    worker: int
    incarnation: bytes
    number: int


@dataclass(frozen=True, slots=True)
class InsideFlow:
    """
    The inside socket; the Request-URI then chooses the role.
    """


@dataclass(frozen=True, slots=True)
class OutwardFlow:
    """
    Out by the next Route or the Request-URI, in one call that we have let out.

    :ivar call: what `call_mark` makes of its Call-ID.
    """

    call: bytes


TokenFlow: TypeAlias = DatagramFlow | ConnectionFlow | InsideFlow | OutwardFlow

#: There is but one.
INSIDE = InsideFlow()

_INSIDE, _UDP4, _UDP6, _STREAM, _OUTWARD = range(5)
_ADDRESS_SIZES = {_UDP4: 4, _UDP6: 16}


@dataclass(frozen=True, slots=True)
class Token:
    """
    What a genuine token says.
    """

    use: Use
    flow: TokenFlow

    def check(self, *, is_trusted: bool, in_dialog: bool) -> None:
        """
        See whether the token may be used by whom it comes from.

        :param is_trusted: whether it comes from a role inside.
        :param in_dialog: whether the request has a To tag.
        :raises Refused: with 403.
        """
        if self.use is Use.VIA:
            raise Refused(403, "a token of a Via came in a Route")
        if is_trusted:
            return
        if self.use is Use.PATH:
            raise Refused(403, "a token of a Path came from outside")
        if not in_dialog:
            raise Refused(403, "a token of a Record-Route came outside a dialog")


def call_mark(call_id: str) -> bytes:
    """
    Make of a Call-ID what tells it from others in a token.
    """
    return blake2s(call_id.encode("utf-8", "surrogateescape"), digest_size=8).digest()


class Tokens:
    """
    Writes and reads tokens.

    :param keys: as `Secrets.keys` gives them: the first one signs, each one verifies.

    :ivar generation: how often the keys have changed, for who remembers tokens.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        self.generation = 0
        self.renew(keys)

    def renew(self, keys: Sequence[Key]) -> None:
        """
        Take over other keys, after a rotation.
        """
        self.generation += 1
        self._identifier = keys[0].identifier
        self._secrets = {key.identifier: key.secret for key in keys}

    def write(self, use: Use, flow: TokenFlow) -> str:
        """
        Make the token for a flow.
        """
        kind, flow_data = _pack(flow)
        data = _HEAD.pack(_VERSION, self._identifier, use, kind) + flow_data
        mac = _mac(data, self._secrets[self._identifier])
        return urlsafe_b64encode(data + mac).decode().rstrip("=")

    def read(self, text: str) -> Token:
        """
        Read a token, and see that it is one of ours.

        :raises Refused: with 403.
        """
        data, mac = _decode(text)
        try:
            version, identifier, use, kind = _HEAD.unpack_from(data)
        except struct.error:
            raise Refused(403, f"no flow token: {excerpt(text)}") from None
        secret = self._secrets.get(identifier)
        if version != _VERSION or secret is None:
            raise Refused(403, f"no key for the flow token {excerpt(text)}")
        if not compare_digest(mac, _mac(data, secret)):
            raise Refused(403, f"bad signature of the flow token {excerpt(text)}")
        return Token(Use(use), _unpack(kind, data[_HEAD.size :]))


def _decode(text: str) -> tuple[bytes, bytes]:
    if len(text) <= _MAX_TEXT and text.isascii():
        try:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            octets = b""
        # Base64 has spare bits and passes over what is not of its alphabet; a token
        # has one spelling.
        if urlsafe_b64encode(octets).decode().rstrip("=") == text:
            return octets[:-_MAC_SIZE], octets[-_MAC_SIZE:]
    raise Refused(403, f"no flow token: {excerpt(text)}")


def _mac(data: bytes, secret: bytes) -> bytes:
    return blake2s(data, key=secret, digest_size=_MAC_SIZE, person=b"flow").digest()


def _pack(flow: TokenFlow) -> tuple[int, bytes]:
    match flow:
        case InsideFlow():
            return _INSIDE, b""
        case DatagramFlow(local, remote):
            kind = _UDP6 if local.is_ipv6 else _UDP4
            return kind, _pack_address(local) + _pack_address(remote)
        case OutwardFlow(call):
            return _OUTWARD, call
        case ConnectionFlow(worker, incarnation, number):
            return _STREAM, _CONNECTION.pack(worker, incarnation, number)


def _unpack(kind: int, data: bytes) -> TokenFlow:
    # It is as we have written it: the signature was good.
    if kind == _INSIDE:
        return INSIDE
    if kind == _OUTWARD:
        return OutwardFlow(data)
    if kind == _STREAM:
        return ConnectionFlow(*_CONNECTION.unpack(data))
    half = _ADDRESS_SIZES[kind] + 2
    return DatagramFlow(_unpack_address(data[:half]), _unpack_address(data[half:]))


def _pack_address(end: Endpoint) -> bytes:
    return _packed(end.host) + end.port.to_bytes(2)


@lru_cache(maxsize=4096)  # the busiest sources; to read one costs 3 microseconds
def _packed(host: str) -> bytes:
    return ipaddress.ip_address(host).packed


def _unpack_address(data: bytes) -> Endpoint:
    host = str(ipaddress.ip_address(data[:-2]))
    return Endpoint(Transport.UDP, host, int.from_bytes(data[-2:]))
