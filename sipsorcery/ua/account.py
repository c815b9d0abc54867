"""
Accounts: who we are towards a server or provider.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.sip.address import Address
from sipsorcery.sip.digest import DigestClient, Secret
from sipsorcery.sip.uri import SIPURI

#: Stands for any realm in `Account`.
ANY_REALM = "*"
#: Stands for the realm that asks first, and from then on for no other.
FIRST_REALM = "?"


class Account:
    """
    An address-of-record, how to prove that it is ours, and the proxy to go through.

    A challenge is answered only for the realms named here, for whoever gets an answer
    can try passwords against it at leisure: the callee, too, may send a challenge. A
    `Registration` adds the realm of its registrar.

    :param aor: such as ``sip:alice@example.com``, or ``"Alice" <sip:alice@...>``.
    :param password: None: we cannot prove anything; a challenge is a refusal.
    :param username: for the password; None: the user part of *aor*.
    :param realms: those that may ask for a proof, or ``("*",)`` for any, or ``("?",)``
        for the one that asks first; None: the host
        of *aor* and that of *proxy*.
    :param secret: instead of *username* and *password*: what a directory holds.
    :param proxy: every request goes there first, whatever its own URI.

    :ivar digest: remembers the nonces of the account.
    """

    def __init__(
        self,
        aor: str | Address,
        password: str | None = None,
        *,
        username: str | None = None,
        realms: Iterable[str] | None = None,
        secret: Secret | None = None,
        proxy: str | SIPURI | None = None,
    ) -> None:
        self.address = Address.parse(aor) if isinstance(aor, str) else aor
        self.proxy = _loose(SIPURI.parse(proxy)) if isinstance(proxy, str) else proxy
        self.digest = DigestClient(self._find_secret)
        if secret is None and password is not None:
            secret = Secret(username or self.user or "", password)
        self._secret = secret
        self._realms = set(self._hosts() if realms is None else realms)

    @property
    def user(self) -> str | None:
        """
        The user part of the address-of-record.
        """
        uri = self.address.uri
        return uri.user if isinstance(uri, SIPURI) else None

    @property
    def secret(self) -> Secret | None:
        """
        What proves that it is ours; None: nothing does.
        """
        return self._secret

    @property
    def realms(self) -> frozenset[str]:
        """
        Who may ask for a proof.
        """
        return frozenset(self._realms)

    def trust_realm(self, realm: str) -> None:
        """
        Answer challenges for another realm, too.
        """
        self._realms.add(realm)

    def _find_secret(self, realm: str) -> Secret | None:
        if FIRST_REALM in self._realms:
            self._realms = {realm}
        if realm in self._realms or ANY_REALM in self._realms:
            return self._secret
        return None

    def _hosts(self) -> Iterable[str]:
        uris = (self.address.uri, self.proxy)
        return (uri.host for uri in uris if isinstance(uri, SIPURI))


def _loose(uri: SIPURI) -> SIPURI:
    return uri if uri.is_loose else uri.with_parameter("lr")
