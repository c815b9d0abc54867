"""
Nonces signed with the secrets of the service.
"""

from __future__ import annotations

from functools import lru_cache

from sipsorcery.sip.digest import NonceKey, NonceSigner
from sipsorcery.store.secrets import Key, Purpose, Secrets

# Nonces whose signature has been checked, in some 3 MB. A phone uses one a few times.
_KEPT = 8192
# Seconds until the keys are looked at again: others learn of a new one two minutes
# before it signs.
_CURRENCY = 1.0


class SecretNonces:
    """
    Signs with what keys there are at the time: they change while the service runs.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._checked = 0.0
        self._adopt(secrets.keys(Purpose.NONCE))

    def issue(self, realm: str, now: float) -> str:
        """
        Return a new nonce.
        """
        if abs(now - self._checked) >= _CURRENCY:
            self._checked = now
            keys = self._secrets.keys(Purpose.NONCE)
            if keys != self._keys:
                self._adopt(keys)
        return self._signer.issue(realm, now)

    def issued_at(self, nonce: str, realm: str) -> float | None:
        """
        Return when a nonce was issued (seconds since the epoch), or ``None``.
        """
        # One that a newer key has signed, elsewhere, is answered with one of ours.
        return self._issued_at(nonce, realm)

    def _adopt(self, keys: tuple[Key, ...]) -> None:
        self._keys = keys
        self._signer = NonceSigner([NonceKey(k.identifier, k.secret) for k in keys])
        self._issued_at = lru_cache(_KEPT)(self._signer.issued_at)
