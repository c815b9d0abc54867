"""
Whose the ends of our established calls are.
"""

from __future__ import annotations

from typing import Protocol

from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.core import host_of, user_of
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.transfers.referrals import Party
from sipsorcery.sip.uri import URI
from sipsorcery.store.directory import Account
from sipsorcery.ua import Session


class KnownAccounts(Protocol):
    """
    What has to be known of domains and accounts: `sipsorcery.access.accounts.Accounts`.
    """

    async def domain(self, host: str, *, wildcard: bool = True) -> str | None:
        """
        Find the canonical name of the domain that a host stands for.
        """

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """


class Parties:
    """
    Find the accounts of those who are in a call with us.

    What we have written into the To of a call is true, and so is the From of whoever
    has called us: a domain of ours in it has been proved, or came from a neighbour that
    the configuration trusts.
    """

    def __init__(self, accounts: KnownAccounts) -> None:
        self._accounts = accounts

    async def domain(self, uri: URI) -> str | None:
        """
        Give the domain of ours that a URI is of.

        :raises StoreError: if the directory has never been there.
        """
        host = host_of(uri)
        return await self._accounts.domain(host, wildcard=False) if host else None

    async def account(self, uri: URI) -> Account | None:
        """
        Find the account that a URI is the address of.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        domain = await self.domain(uri)
        return (
            None if domain is None else await self._accounts.find(user_of(uri), domain)
        )

    async def of_call(self, connection: Connection) -> Account:
        """
        Find the account that a call is of.

        :raises Refused: if it is gone, or may not call.
        :raises StoreError: as `account`.
        """
        username, _, domain = connection.account.removeprefix("sip:").rpartition("@")
        account = await self._accounts.find(username, domain)
        if account is None:
            raise Refused(Code.NO_ACCOUNT)
        check_payer(account)
        return account

    async def party(self, connection: Connection, session: Session) -> Party:
        """
        Tell whose one end of a call is.

        :raises StoreError: as `account`.
        """
        account = await self.account(session.peer.uri)
        return Party("" if account is None else account.owner, connection.owner)


def check_payer(account: Account) -> None:
    """
    See to it that an account may call.

    :raises Refused: if it may not.
    """
    if account.disabled is not None:
        raise Refused(Code.ACCOUNT_DISABLED)
    if account.incoming_only:
        raise Refused(Code.NOT_ADMITTED)
