"""
The table of the SIP accounts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred, succeed

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.account import Account, address_of, hash_password
from sipsorcery.store.directory.importing import Fault, Imported
from sipsorcery.store.directory.rows import Rows, Tools
from sipsorcery.store.directory.scope import Scope
from sipsorcery.store.directory.types import Network
from sipsorcery.store.errors import NotFound, Refused
from sipsorcery.store.gathering import Gathering

_FOR_USERS = frozenset(
    {
        "trusted_networks",
        "allowed_networks",
        "incoming_only",
        "in_dialplan",
        "out_dialplan",
        "sends_keepalives",
        "mangles_contact",
        "network_id",
        "account_code",
        "avatar_url",
        "description",
    }
)
# Imported accounts in one transaction: each takes a few queries, and others wait.
_ADOPTED_AT_ONCE = 100
# Lookups that may wait: two seconds of 6,000 registrations.
_WAITING = 12_000


class Accounts(Rows[Account]):
    """
    The accounts of a scope.
    """

    table = schema.accounts
    model = Account
    noun = "account"

    def __init__(self, tools: Tools, scope: Scope) -> None:
        super().__init__(tools, scope)
        self._finding = Gathering(tools.reactor, self._find_all, limit=_WAITING)

    def find(self, username: str, domain: str) -> Deferred[Account | None]:
        """
        Find an account; those asked for at the same time share one query.

        :param domain: the canonical name.
        """
        address = address_of(username, domain)
        # Anybody can ask for any name by sending a request, and spoil nobody's query.
        if not names.is_text(address):
            return succeed(None)
        return self._finding.ask(address)

    def trusted_networks(self) -> Deferred[frozenset[Network]]:
        """
        Give all networks that an account trusts.
        """
        return self._read(self._trusted_networks)

    def all(
        self, *, domain: str | None = None, after: str = "", limit: int = 1000
    ) -> Deferred[list[Account]]:
        """
        Give accounts by address.

        :param after: the address (`address_of`) of the last one that is known.
        """
        query = self._select().where(self.table.c.address > after)
        if domain is not None:
            query = query.where(self.table.c.domain == domain)
        return self._read(self._all, query.order_by(self.table.c.address).limit(limit))

    async def add(
        self,
        username: str,
        domain: str = names.LOCAL,
        password: str | None = None,
        **values: Any,
    ) -> Account:
        """
        Add an account.

        :param domain: a name of the domain; by default that of the service.
        :param password: None: it cannot register nor call.
        :param values: other fields of `Account`.
        :raises Refused: if there is one of that name, or something cannot be so.
        """
        self._check_fields(values)
        if password is not None:
            password = names.password(password)
        now = self._tools.now()
        account = Account(
            owner=self._scope.only(),
            username=names.account_name(username),
            domain=domain.strip().lower(),
            created=now,
            updated=now,
            **values,
        )
        return await self._write(self._add, account, password)

    async def change(self, username: str, domain: str, **values: Any) -> Account:
        """
        Change fields of an account; name, domain and owner stay.
        """
        self._check_fields(values)
        return await self._write(self._set, username, domain, values)

    async def set_password(self, username: str, domain: str, password: str) -> Account:
        """
        Give an account another password.
        """
        accepted = names.password(password)
        return await self._write(self._set_password, username, domain, accepted)

    async def disable(self, username: str, domain: str, reason: str) -> Account:
        """
        Disable an account, as its owner or as an administrator.
        """
        values = {self._switch(): names.reason(reason)}
        return await self._write(self._set, username, domain, values)

    def enable(self, username: str, domain: str) -> Deferred[Account]:
        """
        Enable an account: its owner what they have disabled, an administrator any.
        """
        values: dict[str, Any] = {"user_disabled": None}
        values[self._switch()] = None
        return self._write(self._set, username, domain, values)

    def remove(self, username: str, domain: str) -> Deferred[None]:
        """
        Remove an account.
        """
        return self._write(self._remove, username, domain)

    async def adopt(self, imported: Sequence[Imported]) -> list[Fault]:
        """
        Add accounts of another server with their HA1 values.

        :return: those that could not be added, and why.
        """
        faults: list[Fault] = []
        for start in range(0, len(imported), _ADOPTED_AT_ONCE):
            some = imported[start : start + _ADOPTED_AT_ONCE]
            faults += await self._write(self._adopt, some)
        return faults

    def _switch(self) -> str:
        return "admin_disabled" if self._scope.is_admin else "user_disabled"

    def _check_fields(self, values: Iterable[str]) -> None:
        unknown = set(values) - _FOR_USERS
        if unknown:
            raise TypeError(f"an account has no {', '.join(sorted(unknown))} to set")

    def _find_all(self, addresses: Sequence[str]) -> Deferred[list[Account | None]]:
        return self._read(self._find, addresses)

    # In a thread

    def _find(
        self, using: sa.Connection, addresses: Sequence[str]
    ) -> list[Account | None]:
        query = self._select().where(self.table.c.address.in_(set(addresses)))
        found = {
            address_of(each.username, each.domain): each
            for each in self._all(using, query)
        }
        return [found.get(address) for address in addresses]

    def _trusted_networks(self, using: sa.Connection) -> frozenset[Network]:
        # As text: PostgreSQL does not compare JSON, and few lists are not empty.
        column = sa.cast(self.table.c.trusted_networks, sa.Text)
        query = self._scope.select(self.table, [column]).where(column != "[]")
        lists = using.execute(query.distinct()).scalars()
        return frozenset(
            ip_network(text) for each in lists for text in json.loads(each)
        )

    def _get(self, using: sa.Connection, username: str, domain: str) -> Account:
        address = address_of(username, domain)
        query = self._select().where(self.table.c.address == address)
        return self._found(using, query, address)

    def _make(self, row: Mapping[str, Any]) -> Account:
        # What servers keep for every phone: most share owner and domain, and many have
        # never been changed.
        created, updated = row["created"], row["updated"]
        shared = {
            "owner": sys.intern(row["owner"]),
            "domain": sys.intern(row["domain"]),
            "updated": created if updated == created else updated,
        }
        return Account(**{**row, **shared})

    def _add(
        self, using: sa.Connection, account: Account, password: str | None
    ) -> Account:
        self._check_user(using, account.owner)
        account = replace(account, domain=self._canonical(using, account.domain))
        self._check_name(using, account)
        if password is not None:
            account = replace(account, **hash_password(account, password))
        self._insert(using, account)
        return self._get(using, account.username, account.domain)

    def _adopt(self, using: sa.Connection, imported: Sequence[Imported]) -> list[Fault]:
        self._check_user(using, self._scope.only())
        faults = []
        for each in imported:
            try:
                self._adopt_one(using, each)
            except Refused as error:
                faults.append(Fault(each.place, str(error)))
        return faults

    def _adopt_one(self, using: sa.Connection, imported: Imported) -> None:
        now = self._tools.now()
        account = Account(
            owner=self._scope.only(),
            username=names.account_name(imported.username),
            domain=self._canonical(using, imported.domain.lower()),
            ha1_md5=imported.ha1_md5,
            ha1_sha_256=imported.ha1_sha_256,
            created=now,
            updated=now,
        )
        if account.domain != imported.domain:
            # HA1 was made with the realm, letter by letter.
            raise Refused(
                f"the password of {excerpt(imported.username)} is for the realm "
                f"{excerpt(imported.domain)}, and the domain is {account.domain}"
            )
        self._check_name(using, account)
        self._insert(using, account)

    def _insert(self, using: sa.Connection, account: Account) -> None:
        values = self._values(account)
        values["address"] = address_of(account.username, account.domain)
        self._check_texts(values)
        using.execute(sa.insert(self.table).values(values))

    def _set(
        self, using: sa.Connection, username: str, domain: str, values: dict[str, Any]
    ) -> Account:
        account = self._get(using, username, domain)
        self._check_texts(values)
        change = self._scope.update(self.table).where(self.table.c.id == account.id)
        using.execute(change.values(**values, updated=self._tools.now()))
        return self._get(using, username, domain)

    def _set_password(
        self, using: sa.Connection, username: str, domain: str, password: str
    ) -> Account:
        account = self._get(using, username, domain)
        return self._set(using, username, domain, hash_password(account, password))

    def _remove(self, using: sa.Connection, username: str, domain: str) -> None:
        account = self._get(using, username, domain)
        using.execute(
            self._scope.delete(self.table).where(self.table.c.id == account.id)
        )

    def _canonical(self, using: sa.Connection, name: str) -> str:
        """
        Find the domain that a new account is in, by any of its names.
        """
        if name in self._tools.served:
            return name
        domains, aliases = schema.domains, schema.domain_aliases
        by_alias = sa.select(aliases.c.domain).where(
            aliases.c.alias == name, aliases.c.alias != names.ANY_HOST
        )
        query = sa.select(domains.c.name, domains.c.owner).where(
            (domains.c.name == name) | domains.c.name.in_(by_alias)
        )
        domain = using.execute(query).one_or_none()
        scope = self._scope
        if domain is None or not (scope.is_admin or scope.includes(domain.owner)):
            raise NotFound(f"there is no domain {excerpt(name)}")
        return str(domain.name)

    def _check_name(self, using: sa.Connection, account: Account) -> None:
        """
        Check that a name is free, and not another's with something before it.

        Calls to ``anything.user`` go to the account ``user``, unless there is an
        account of that name. So who could make one would get calls to others.
        """
        if self._owner_of(using, account.username, account.domain) is not None:
            raise Refused(f"there is an account {account.aor} already")
        _, dot, base = account.username.rpartition(".")
        if dot:
            user = sa.select(schema.users.c.name).where(
                schema.users.c.name == base.lower()
            )
            theirs = {
                self._owner_of(using, base, account.domain),
                using.execute(user).scalar_one_or_none(),
            }
            if theirs - {None, account.owner}:
                raise Refused(
                    f"{excerpt(account.username)} is for the owner of {excerpt(base)}"
                )

    def _owner_of(self, using: sa.Connection, username: str, domain: str) -> str | None:
        """
        Tell whose account a name is, whoever asks.
        """
        address = self.table.c.address == address_of(username, domain)
        query = sa.select(self.table.c.owner).where(address)
        return using.execute(query).scalar_one_or_none()
