"""
Finding what the dial strings of one user name.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.contacts import Contact, Contacts
from sipsorcery.appserver.configured import Configured
from sipsorcery.sip import grammar
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account, Provider
from sipsorcery.store.directory.names import LOCAL


class OwnersLookup:
    """
    A `sipsorcery.appserver.dial.resolution.Lookup` for one user.

    :param home: the domain of the account whose dialplan runs: what ``local`` means
        where no domain has that alias.
    """

    def __init__(
        self,
        owner: str,
        home: str,
        accounts: Accounts,
        contacts: Contacts,
        configured: Configured,
    ) -> None:
        self._owner = owner
        self._home = home
        self._accounts = accounts
        self._contacts = contacts
        self._configured = configured

    async def domain(self, host: str) -> str | None:
        """
        Give the canonical name of a domain that we serve; None for any other.

        A domain that stands for any host is for those who call us; who dials a host
        wants that one.
        """
        if host.lower() == LOCAL:
            local = await self._accounts.domain("localhost", wildcard=False)
            return local or self._home
        return await self._accounts.domain(host, wildcard=False)

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find the account that a call is for, ``trunk.user`` among them.
        """
        return await self._accounts.find_called(username, domain)

    async def contacts(self, account: Account) -> Sequence[Contact]:
        """
        Give where an account is registered.
        """
        user = grammar.escape(account.username, _USER_SAFE)
        return await self._contacts.of(SIPURI("sip", user, account.domain)) or ()

    async def provider(self, name: str) -> Provider | None:
        """
        Find a provider of the owner.
        """
        return await self._configured.provider(self._owner, name)


# What needs no escape in a user part (RFC 3261, 25.1).
_USER_SAFE = "-_.!~*'()&=+$,;?/"
