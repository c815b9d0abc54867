"""
Nonces that carry their own proof, so that no table of them is kept.

Every process that holds the same keys agrees on a nonce, and a restart does not
matter. How often a nonce was used is another question: see
:mod:`sipsorcery.sip.digest.replay`.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sipsorcery.sip.digest.algorithm import encode
from sipsorcery.sip.errors import LocalProtocolError

# Key identifier, milliseconds since the epoch, salt. The salt keeps apart what is
# issued in the same millisecond; 64 bits never meet within a nonce's lifetime.
_LAYOUT = struct.Struct(">BQ8s")
_SALT_SIZE = 8
#: Octets of the HMAC that are kept: nobody guesses 128 bits within a lifetime, and
#: 33 octets in all become 44 characters of base64 without padding.
_TAG_SIZE = 16
_NONCE_LENGTH = 44
#: Keeps these signatures apart from others that the same secret may make.
_PURPOSE = b"sip digest nonce"


@dataclass(frozen=True, slots=True)
class NonceKey:
    """
    A signing key, the same in every process of the service.

    :ivar identifier: 0 to 255, carried in the nonce.
    :ivar secret: 32 random octets, as long as the hash.
    """

    identifier: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.identifier <= 255 or not self.secret:
            raise LocalProtocolError(f"bad nonce key {self.identifier}")

    def sign(self, content: bytes, realm: str) -> bytes:
        """
        Return the tag that binds *content* to *realm*.
        """
        # The content has a fixed size: the three cannot run into each other.
        message = _PURPOSE + content + encode(realm)
        return hmac.digest(self.secret, message, "sha256")[:_TAG_SIZE]


def make_salt() -> bytes:
    """
    Return 8 random octets.
    """
    return secrets.token_bytes(_SALT_SIZE)


class NonceSigner:
    """
    Issue nonces and recognise those that were issued here or by a sister process.

    :param keys: the first one signs, every one is recognised. Rotation puts a new key
        in front and drops the last after a nonce's lifetime.
    :param salt: a source of 8 random octets.
    """

    def __init__(
        self,
        keys: Sequence[NonceKey],
        salt: Callable[[], bytes] = make_salt,
    ) -> None:
        if not keys:
            raise LocalProtocolError("a nonce needs a key")
        self._current = keys[0]
        self._keys = {key.identifier: key for key in keys}
        self._salt = salt

    def issue(self, realm: str, now: float) -> str:
        """
        Return a new nonce for *realm*.

        :param now: seconds since the epoch, so that all processes agree.
        """
        key = self._current
        content = _LAYOUT.pack(key.identifier, round(now * 1000), self._salt())
        return _spell(content + key.sign(content, realm))

    def issued_at(self, nonce: str, realm: str) -> float | None:
        """
        Return when *nonce* was issued, in seconds since the epoch.

        ``None`` if it is not ours, or not for *realm*.
        """
        octets = _read(nonce)
        if octets is None:
            return None
        content, tag = octets[: _LAYOUT.size], octets[_LAYOUT.size :]
        identifier, milliseconds, _salt = _LAYOUT.unpack(content)
        key = self._keys.get(identifier)
        if key is None or not hmac.compare_digest(tag, key.sign(content, realm)):
            return None
        issued: float = milliseconds / 1000
        return issued


def _spell(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii")


def _read(nonce: str) -> bytes | None:
    if len(nonce) != _NONCE_LENGTH:
        return None
    try:
        octets = base64.urlsafe_b64decode(nonce)
    except ValueError:
        return None
    # A nonce has one spelling only, or it could be counted as two.
    return octets if _spell(octets) == nonce else None
