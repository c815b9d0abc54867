"""
A SIP account: who registers and calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sipsorcery.sip.digest import Algorithm, Secret, compute_ha1
from sipsorcery.store.directory.types import Network

# The fields with HA1 of each algorithm.
_HA1 = {
    "ha1_md5": Algorithm.MD5,
    "ha1_sha_256": Algorithm.SHA_256,
    "ha1_sha_512_256": Algorithm.SHA_512_256,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    A SIP account.

    :ivar domain: the canonical name, which is the realm.
    :ivar trusted_networks: from there no credentials are asked for.
    :ivar allowed_networks: only from there it is used; empty: from anywhere.
    :ivar user_disabled: why its owner has disabled it; None: it is not.
    :ivar admin_disabled: why an administrator has.
    :ivar in_dialplan: the dialplan of calls to it; None: they ring its bindings.
    :ivar out_dialplan: the dialplan of its calls.
    :ivar network_id: those with the same one, and not "", see each other without NAT.
    """

    id: int = 0
    owner: str
    username: str
    domain: str
    ha1_md5: str | None = field(default=None, repr=False)
    ha1_sha_256: str | None = field(default=None, repr=False)
    ha1_sha_512_256: str | None = field(default=None, repr=False)
    trusted_networks: tuple[Network, ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    user_disabled: str | None = None
    admin_disabled: str | None = None
    incoming_only: bool = False
    in_dialplan: str | None = None
    out_dialplan: str | None = None
    sends_keepalives: bool = True
    mangles_contact: bool = True
    network_id: str = ""
    account_code: str = ""
    avatar_url: str = ""
    description: str = ""
    created: datetime
    updated: datetime

    @property
    def aor(self) -> str:
        """
        The address-of-record.
        """
        return f"sip:{self.username}@{self.domain}"

    @property
    def disabled(self) -> str | None:
        """
        Why it is disabled, by whomever; None: it is not.
        """
        return self.admin_disabled or self.user_disabled

    def ha1_for(self, algorithm: Algorithm, realm: str) -> str | None:
        """
        Give HA1 for *algorithm*, with or without ``-sess``; None if there is none.

        :param realm: the domain: there is no other.
        """
        match algorithm.base:
            case Algorithm.MD5:
                return self.ha1_md5
            case Algorithm.SHA_256:
                return self.ha1_sha_256
            case _:
                return self.ha1_sha_512_256

    @property
    def secret(self) -> Secret:
        """
        What Digest needs.
        """
        ha1 = {
            each: value
            for each, value in (
                (Algorithm.MD5, self.ha1_md5),
                (Algorithm.SHA_256, self.ha1_sha_256),
                (Algorithm.SHA_512_256, self.ha1_sha_512_256),
            )
            if value is not None
        }
        return Secret(self.username, ha1=ha1)


def address_of(username: str, domain: str) -> str:
    """
    Give what an account is found by: upper and lower case do not differ.
    """
    return f"{username}@{domain}".lower()


def hash_password(account: Account, password: str) -> dict[str, Any]:
    """
    Give what is stored instead of a password: HA1 for every algorithm.
    """
    return {
        name: compute_ha1(account.username, account.domain, password, algorithm)
        for name, algorithm in _HA1.items()
    }
