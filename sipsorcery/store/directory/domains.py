"""
Domains that the service serves, and their other names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred

from sipsorcery.config import DigestAlgorithm
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """
    A domain that is served.

    :ivar name: the canonical name, in lower case: the realm of its accounts.
    :ivar aliases: other names; ``*`` is any that nobody has, ``local`` makes it the one
        for accounts without a domain.
    :ivar owner: whose domain it is; None: everybody's.
    :ivar algorithms: what its challenges offer; None: what ``auth.algorithms`` says.
    """

    name: str
    aliases: tuple[str, ...] = ()
    owner: str | None = None
    algorithms: tuple[DigestAlgorithm, ...] | None = None
    created: datetime


class Domains(Rows[Domain]):
    """
    The domains. They are for all users, so there is no scope of one.
    """

    table = schema.domains
    model = Domain
    noun = "domain"

    def all(self) -> Deferred[list[Domain]]:
        """
        Give all domains by name.
        """
        return self._read(self._all_by_name)

    def find(self, name: str) -> Deferred[Domain | None]:
        """
        Find a domain by its name or an alias, but not by ``*``.
        """
        return self._read(self._find, name)

    async def add(
        self,
        name: str,
        aliases: Iterable[str] = (),
        *,
        owner: str | None = None,
        algorithms: Sequence[DigestAlgorithm] | None = None,
    ) -> Domain:
        """
        Add a domain.

        :raises Refused: if one of the names is taken, or cannot be one.
        """
        domain = Domain(
            name=names.domain_name(name),
            aliases=tuple(dict.fromkeys(map(names.domain_alias, aliases))),
            owner=owner,
            algorithms=None if algorithms is None else tuple(algorithms),
            created=self._tools.now(),
        )
        return await self._write(self._add, domain)

    async def add_alias(self, name: str, alias: str) -> Domain:
        """
        Give a domain another name.

        :raises Refused: if it is taken, or cannot be one.
        """
        return await self._write(self._add_alias, name, names.domain_alias(alias))

    def remove_alias(self, name: str, alias: str) -> Deferred[Domain]:
        """
        Take another name away.
        """
        return self._write(self._remove_alias, name, alias.strip().lower())

    def set_algorithms(
        self, name: str, algorithms: Sequence[DigestAlgorithm] | None
    ) -> Deferred[Domain]:
        """
        Say what the challenges of a domain offer; None: what the configuration says.
        """
        return self._write(self._set_algorithms, name, algorithms)

    def remove(self, name: str) -> Deferred[None]:
        """
        Remove a domain.

        :raises Refused: if it has accounts.
        """
        return self._write(self._remove, name)

    # In a thread

    def _make(self, row: Mapping[str, Any]) -> Domain:
        algorithms = row["algorithms"]
        if algorithms is not None:
            algorithms = tuple(map(DigestAlgorithm, algorithms))
        return Domain(**{**row, "algorithms": algorithms})

    def _all_by_name(self, using: sa.Connection) -> list[Domain]:
        aliases: dict[str, list[str]] = {}
        table = schema.domain_aliases
        for row in using.execute(sa.select(table).order_by(table.c.alias)):
            aliases.setdefault(row.domain, []).append(row.alias)
        domains = self._all(using, self._select().order_by(self.table.c.name))
        return [
            replace(domain, aliases=tuple(aliases.get(domain.name, ())))
            for domain in domains
        ]

    def _find(self, using: sa.Connection, name: str) -> Domain | None:
        name = name.strip().lower()
        table = schema.domain_aliases
        by_alias = sa.select(table.c.domain).where(
            table.c.alias == name, table.c.alias != names.ANY_HOST
        )
        query = self._select().where(
            (self.table.c.name == name) | self.table.c.name.in_(by_alias)
        )
        domain = self._one(using, query)
        return None if domain is None else self._with_aliases(using, domain)

    def _with_aliases(self, using: sa.Connection, domain: Domain) -> Domain:
        table = schema.domain_aliases
        query = sa.select(table.c.alias).where(table.c.domain == domain.name)
        aliases = using.execute(query.order_by(table.c.alias)).scalars()
        return replace(domain, aliases=tuple(aliases))

    def _called(self, using: sa.Connection, name: str) -> Domain:
        """
        Get a domain by its own name.
        """
        query = self._select().where(self.table.c.name == name.strip().lower())
        return self._with_aliases(using, self._found(using, query, name))

    def _add(self, using: sa.Connection, domain: Domain) -> Domain:
        self._check_free(using, domain.name)
        if domain.owner is not None:
            self._check_user(using, domain.owner)
        using.execute(sa.insert(self.table).values(self._values(domain)))
        for alias in domain.aliases:
            self._insert_alias(using, domain.name, alias)
        return self._called(using, domain.name)

    def _add_alias(self, using: sa.Connection, name: str, alias: str) -> Domain:
        domain = self._called(using, name)
        self._insert_alias(using, domain.name, alias)
        return self._called(using, name)

    def _insert_alias(self, using: sa.Connection, name: str, alias: str) -> None:
        self._check_free(using, alias)
        values = {"alias": alias, "domain": name}
        using.execute(sa.insert(schema.domain_aliases).values(values))

    def _remove_alias(self, using: sa.Connection, name: str, alias: str) -> Domain:
        domain = self._called(using, name)
        if alias not in domain.aliases:
            raise NotFound(f"{excerpt(name)} has no alias {excerpt(alias)}")
        table = schema.domain_aliases
        using.execute(sa.delete(table).where(table.c.alias == alias))
        return self._called(using, name)

    def _set_algorithms(
        self,
        using: sa.Connection,
        name: str,
        algorithms: Sequence[DigestAlgorithm] | None,
    ) -> Domain:
        domain = self._called(using, name)
        change = self._scope.update(self.table).where(self.table.c.name == domain.name)
        using.execute(change.values(algorithms=algorithms))
        return self._called(using, name)

    def _remove(self, using: sa.Connection, name: str) -> None:
        domain = self._called(using, name)
        accounts = schema.accounts
        query = sa.select(sa.func.count()).where(accounts.c.domain == domain.name)
        count = using.execute(query).scalar_one()
        if count:
            raise Refused(f"{domain.name} has {count} accounts")
        using.execute(
            self._scope.delete(self.table).where(self.table.c.name == domain.name)
        )

    def _check_free(self, using: sa.Connection, name: str) -> None:
        """
        Check that no domain has a name already.
        """
        table = schema.domain_aliases
        query = sa.union_all(
            sa.select(self.table.c.name).where(self.table.c.name == name),
            sa.select(table.c.domain).where(table.c.alias == name),
        )
        taken = using.execute(query).scalars().first()
        if taken is not None:
            raise Refused(f"{excerpt(name)} is a name of the domain {taken} already")
