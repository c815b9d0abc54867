"""
Names of dialogues: which server has a call, in the user part of a Contact.

A phone sends what it wants of a call to the Contact that it was given. The name there
leads any proxy to the server that has the call, and that server, or the one that takes
its place, to the record of it; so neither a port nor a table has to last as long as the
call does. A name is signed, so nobody makes one up, and holds neither a time nor a
random part of its own: the same call has the same name wherever it is written. In the
user part stands a prefix and base64url of::

    key (1) | transport (1) | address (4 or 16) | port (2) | dialogue (8) | MAC (8)
"""

from __future__ import annotations

import binascii
import ipaddress
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s
from hmac import compare_digest

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.store.secrets import Key, Purpose, Secrets

#: What every name begins with, and hardly any user is called.
PREFIX = "dlg."
#: Octets of the identifier of a dialogue. A million at a time, chosen at random, have
#: two alike once in 37 million times; that nobody guesses one is for the MAC to see to.
IDENTIFIER_SIZE = 8
# 64 bits: who could try 2**63 of them would have been banned after the first few, and
# whoever is told of a call has a name that is right anyway.
_MAC_SIZE = 8
# The longest, of an IPv6 server, has 36 octets: less than this in base64.
_MAX_TEXT = 64
_HEAD_SIZE = 2
_PORT_SIZE = 2
_ADDRESS_SIZES = (4, 16)
_TRANSPORTS = tuple(Transport)


@dataclass(frozen=True, slots=True)
class DialogueName:
    """
    What a genuine name says.

    :ivar server: where the server listens, inside.
    :ivar dialogue: the identifier, as `new_identifier` makes them.
    """

    server: Endpoint
    dialogue: str


def new_identifier() -> str:
    """
    Make the identifier of a dialogue.
    """
    return secrets.token_hex(IDENTIFIER_SIZE)


def is_name(user: str | None) -> bool:
    """
    Tell whether a user part looks like a name, genuine or not.
    """
    return user is not None and user.startswith(PREFIX)


class DialogueNames:
    """
    Writes names, and reads them.

    :param secrets: gives the keys; they may be rotated meanwhile.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._source = secrets
        self._keys: tuple[Key, ...] = ()
        self._secrets: dict[int, bytes] = {}

    def write(self, server: Endpoint, dialogue: str) -> str:
        """
        Make the user part that names a dialogue.

        :param dialogue: its identifier.
        """
        first = self._current()[0]
        body = bytes([first.identifier]) + _pack(server) + bytes.fromhex(dialogue)
        octets = body + _mac(body, first.secret)
        return PREFIX + urlsafe_b64encode(octets).decode().rstrip("=")

    def read(self, user: str | None) -> DialogueName | None:
        """
        Read a user part; None if it is no name of ours.
        """
        octets = _decode(user)
        if octets is None:
            return None
        self._current()
        body, mac = octets[:-_MAC_SIZE], octets[-_MAC_SIZE:]
        secret = self._secrets.get(body[0])
        if secret is None or not compare_digest(mac, _mac(body, secret)):
            return None
        return DialogueName(
            _unpack(body[1:-IDENTIFIER_SIZE]), body[-IDENTIFIER_SIZE:].hex()
        )

    def _current(self) -> tuple[Key, ...]:
        keys = self._source.keys(Purpose.DIALOGUE)
        if keys != self._keys:
            self._keys = keys
            self._secrets = {key.identifier: key.secret for key in keys}
        return keys


def _decode(user: str | None) -> bytes | None:
    if user is None or not user.startswith(PREFIX):
        return None
    text = user.removeprefix(PREFIX)
    if len(text) > _MAX_TEXT or not text.isascii():
        return None
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # Base64 has spare bits and passes over what is not of its alphabet; a name has one
    # spelling.
    if urlsafe_b64encode(octets).decode().rstrip("=") != text:
        return None
    rest = _HEAD_SIZE + _PORT_SIZE + IDENTIFIER_SIZE + _MAC_SIZE
    return octets if len(octets) - rest in _ADDRESS_SIZES else None


def _mac(body: bytes, secret: bytes) -> bytes:
    return blake2s(body, key=secret, digest_size=_MAC_SIZE, person=b"dialogue").digest()


@lru_cache(maxsize=256)  # as many servers as anybody has
def _pack(server: Endpoint) -> bytes:
    transport = bytes([_TRANSPORTS.index(server.transport)])
    address = ipaddress.ip_address(server.host).packed
    return transport + address + server.port.to_bytes(_PORT_SIZE)


@lru_cache(maxsize=256)  # the signature was good: nobody fills it with others
def _unpack(server: bytes) -> Endpoint:
    transport = _TRANSPORTS[server[0]]
    host = str(ipaddress.ip_address(server[1:-_PORT_SIZE]))
    return Endpoint(transport, host, int.from_bytes(server[-_PORT_SIZE:]))
