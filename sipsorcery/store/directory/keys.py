"""
Public keys with which users log in by SSH.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from twisted.internet.defer import Deferred

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import schema
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import Refused

# Without DSA, which is not safe any more, and without certificates.
_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
# Characters of a line: a key of 16,384 bits, the longest that OpenSSH makes, has 2,800.
_MAX_LINE = 8192
# Bits of an RSA key that are still enough (NIST SP 800-57).
_MIN_RSA = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """
    A public key of a user.

    :ivar blob: the key as SSH sends it.
    :ivar fingerprint: as ``ssh-keygen -l`` prints it: ``SHA256:...``.
    """

    owner: str
    algorithm: str
    blob: bytes
    fingerprint: str
    comment: str
    created: datetime


class PublicKeys(Rows[PublicKey]):
    """
    The public keys of a scope.
    """

    table = schema.public_keys
    model = PublicKey
    noun = "key"

    def all(self) -> Deferred[list[PublicKey]]:
        """
        Give the keys, the oldest first.
        """
        return self._read(self._all, self._mine().order_by(self.table.c.id))

    def find(self, blob: bytes) -> Deferred[PublicKey | None]:
        """
        Find the key that somebody shows who wants to log in.
        """
        return self._read(self._one, self._with(fingerprint_of(blob)))

    def add(self, line: str) -> Deferred[PublicKey]:
        """
        Add a key from a line as it stands in ``id_ed25519.pub``.

        :raises Refused: if it is none that can be used, or is there already.
        """
        return self._write(self._add, line)

    def remove(self, fingerprint: str) -> Deferred[None]:
        """
        Remove a key by its fingerprint.
        """
        return self._write(self._remove, fingerprint)

    # In a thread

    def _with(self, fingerprint: str) -> sa.Select[Any]:
        return self._mine().where(self.table.c.fingerprint == fingerprint)

    def _add(self, using: sa.Connection, line: str) -> PublicKey:
        owner = self._scope.only()
        self._check_user(using, owner)
        key = read_key(owner, line, self._tools.now())
        if self._one(using, self._with(key.fingerprint)) is not None:
            raise Refused(f"{owner} has the key {key.fingerprint} already")
        values = self._values(key)
        self._check_texts(values)
        using.execute(sa.insert(self.table).values(values))
        return key

    def _remove(self, using: sa.Connection, fingerprint: str) -> None:
        self._found(using, self._with(fingerprint), fingerprint)
        removal = self._scope.delete(self.table)
        using.execute(removal.where(self.table.c.fingerprint == fingerprint))


def read_key(owner: str, line: str, now: datetime) -> PublicKey:
    """
    Read a line as it stands in ``id_ed25519.pub`` or ``authorized_keys``.

    :raises Refused: if it is none, or of a kind that is not safe any more.
    """
    algorithm, _, rest = line.strip().partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    # Errors do not repeat the line: it may be that of a private key.
    if len(line) > _MAX_LINE or "\n" in line.strip():
        raise Refused("this is not the line of a public key")
    if algorithm not in _ALGORITHMS:
        raise Refused(
            f"{excerpt(algorithm)} is no algorithm of keys that can be used: "
            f"{', '.join(_ALGORITHMS)}"
        )
    try:
        loaded = load_ssh_public_key(f"{algorithm} {blob}".encode())
        octets = base64.b64decode(blob, validate=True)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise Refused("this is not the line of a public key") from None
    if isinstance(loaded, RSAPublicKey) and loaded.key_size < _MIN_RSA:
        raise Refused(f"a key of RSA has at least {_MIN_RSA} bits")
    return PublicKey(
        owner=owner,
        algorithm=algorithm,
        blob=octets,
        fingerprint=fingerprint_of(octets),
        comment=comment.strip(),
        created=now,
    )


def fingerprint_of(blob: bytes) -> str:
    """
    Give the fingerprint of a key.
    """
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"
