"""
Nonces signed with the secrets of the service.
"""

from __future__ import annotations

from sipsorcery.sip.digest import NonceKey, NonceSigner
from sipsorcery.store.secrets import Key, Purpose, Secrets


class SecretNonces:
    """
    Signs with what keys there are at the time: they change while the service runs.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._keys: tuple[Key, ...] = ()

    def issue(self, realm: str, now: float) -> str:
        """
        Return a new nonce.
        """
        return self._signer().issue(realm, now)

    def issued_at(self, nonce: str, realm: str) -> float | None:
        """
        Return when a nonce was issued (seconds since the epoch), or ``None``.
        """
        return self._signer().issued_at(nonce, realm)

    def _signer(self) -> NonceSigner:
        keys = self._secrets.keys(Purpose.NONCE)
        if keys != self._keys:
            self._keys = keys
            self._made = NonceSigner([NonceKey(k.identifier, k.secret) for k in keys])
        return self._made
