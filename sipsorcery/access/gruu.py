"""
GRUUs: URIs that lead to one phone of a user, from wherever (:rfc:`5627`).

A public one names the user and the phone. A temporary one tells a stranger nothing: it
holds sealed what it leads to, so no table of them is kept, and a phone gets a new one
with each refresh.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2s

from sipsorcery.sip import grammar
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.sealing import BrokenSeal, Sealer
from sipsorcery.store.secrets import Key, Purpose, Secrets

_PREFIX = "tgruu."
_CONTEXT = b"gruu"
# 96 bits: a phone meets only what its own user has registered.
_MARK_SIZE = 12
# The longest AOR has 64 and 255 characters; sealed and in base64 they are 500.
_MAX_USER = 512
# What a parameter of a URI may hold beyond what is never escaped (RFC 3261, 25.1).
_SAFE = "[]/:&+$!*'()"


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    What a temporary GRUU holds.

    :ivar mark: see `mark`.
    """

    aor: str
    mark: bytes


class GRUUs:
    """
    Makes GRUUs, and reads them.

    :param secrets: gives the keys; they may be rotated meanwhile.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._keys: tuple[Key, ...] = ()

    def public(self, aor: str, instance: str) -> str:
        """
        Make the public GRUU of a phone.

        :param instance: as in a `Binding`.
        """
        return f"{aor};gr={grammar.escape(_bare(instance), _SAFE)}"

    def temporary(self, aor: str, instance: str, call_id: str) -> str:
        """
        Make a temporary GRUU, another one each time.

        It is good while the phone registers with this Call-ID.
        """
        sealed = self._sealer().seal(mark(instance, call_id) + aor.encode(), _CONTEXT)
        user = _PREFIX + urlsafe_b64encode(sealed).decode().rstrip("=")
        return f"sip:{user}@{aor.rpartition('@')[2]};gr"

    def open(self, uri: SIPURI) -> Sealed | None:
        """
        Read a temporary GRUU; None if it is none of ours.
        """
        user = uri.user or ""
        if not user.startswith(_PREFIX) or len(user) > _MAX_USER or not user.isascii():
            return None
        text = user.removeprefix(_PREFIX)
        try:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            content = self._sealer().open(octets, _CONTEXT)
        except (binascii.Error, BrokenSeal):
            return None
        return Sealed(content[_MARK_SIZE:].decode(), content[:_MARK_SIZE])

    def _sealer(self) -> Sealer:
        keys = self._secrets.keys(Purpose.GRUU)
        if keys != self._keys:
            self._keys, self._current = keys, Sealer(keys)
        return self._current


def mark(instance: str, call_id: str) -> bytes:
    """
    Give what tells a phone, and the Call-ID it registers with, from all others.

    A phone that registers with another Call-ID has been started anew: the temporary
    GRUUs from before are not to lead to it any more (:rfc:`5627`).
    """
    text = f"{_bare(instance).lower()}\0{call_id}".encode("utf-8", "surrogateescape")
    return blake2s(text, digest_size=_MARK_SIZE, person=b"gruu").digest()


def same_instance(one: str, other: str) -> bool:
    """
    Tell whether two instances are the same phone, be there angle brackets or not.
    """
    return _bare(one).lower() == _bare(other).lower()


def _bare(instance: str) -> str:
    return instance.removeprefix("<").removesuffix(">")
