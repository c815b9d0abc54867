"""
Sealing: data that others may keep for us, but neither read nor change.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sipsorcery.store.errors import StoreError
from sipsorcery.store.secrets import Key

# Octets that AES-GCM wants; drawn at random, they are good for 2**32 seals of one key.
_NONCE = 12


class BrokenSeal(StoreError):
    """
    Says that data is not as we have sealed it, or its key is gone.
    """


class Sealer:
    """
    Seals with AES-256-GCM; a seal begins with the identifier of its key.

    :param keys: as `Secrets.keys` gives them: the first one seals, each one opens.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        self._identifier = bytes([keys[0].identifier])
        self._ciphers = {bytes([key.identifier]): AESGCM(key.secret) for key in keys}

    def seal(self, data: bytes, context: bytes = b"") -> bytes:
        """
        Seal *data*.

        :param context: what it belongs to; the seal opens only with the same.
        """
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._ciphers[self._identifier].encrypt(nonce, data, context)
        return self._identifier + nonce + sealed

    def open(self, sealed: bytes, context: bytes = b"") -> bytes:
        """
        Get the data back.

        :raises BrokenSeal: if it was not sealed by us with that context.
        """
        cipher = self._ciphers.get(sealed[:1])
        if cipher is None:
            raise BrokenSeal("the key of this seal is not known")
        nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return cipher.decrypt(nonce, rest, context)
        except (InvalidTag, ValueError):
            raise BrokenSeal("this is not as it was sealed") from None
