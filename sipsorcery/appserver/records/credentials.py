"""
Credentials of legs, as they lie in the record of a call: sealed.

Whoever takes a call over has to answer challenges in it, as the one before it did, and
nobody who reads the store shall learn a password.
"""

from __future__ import annotations

import msgspec

from sipsorcery.sip.digest import Secret
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.errors import StoreError
from sipsorcery.store.sealing import Sealer
from sipsorcery.store.secrets import Key, Purpose, Secrets
from sipsorcery.ua import Account

_CONTEXT = b"leg"


class _Credentials(msgspec.Struct, array_like=True):
    aor: str
    username: str
    password: str
    realms: tuple[str, ...]
    proxy: str = ""


class Vault:
    """
    Seals the account of a leg, and opens it again.

    :param secrets: gives the keys; they may be rotated meanwhile.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._keys: tuple[Key, ...] = ()

    def seal(self, account: Account | None) -> bytes:
        """
        Seal an account; one that can prove nothing is nothing.
        """
        secret = None if account is None else account.secret
        if account is None or secret is None or secret.password is None:
            return b""
        content = _Credentials(
            str(account.address),
            secret.username,
            secret.password,
            tuple(sorted(account.realms)),
            "" if account.proxy is None else str(account.proxy),
        )
        return self._sealer().seal(msgspec.json.encode(content), _CONTEXT)

    def open(self, sealed: bytes) -> Account | None:
        """
        Open what was sealed.

        :return: None if there was nothing in it, or its key is gone: then challenges
            are not answered, and all else goes on.
        """
        if not sealed:
            return None
        try:
            content = self._sealer().open(sealed, _CONTEXT)
            known = msgspec.json.decode(content, type=_Credentials)
        except (StoreError, msgspec.MsgspecError):
            return None
        return Account(
            known.aor,
            realms=known.realms,
            secret=Secret(known.username, known.password),
            proxy=SIPURI.parse(known.proxy) if known.proxy else None,
        )

    def _sealer(self) -> Sealer:
        keys = self._secrets.keys(Purpose.DIALOGUE)
        if keys != self._keys:
            self._keys, self._current = keys, Sealer(keys)
        return self._current
