"""
Providers: services of others that users call through and register at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import Refused

_FOR_USERS = frozenset(
    {
        "username",
        "password",
        "auth_username",
        "server",
        "outbound_proxy",
        "from_uri",
        "custom_headers",
        "registers",
        "register_contact",
        "register_expires",
        "register_server",
        "register_realm",
        "subscribes_mwi",
    }
)
_FOR_ADMINS = frozenset({"is_read_only"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """
    An account of a user somewhere else.

    :ivar name: what it is called in dial strings.
    :ivar password: what its server wants to know; sealed where it is stored.
    :ivar server: the URI of its server, as `from_uri` and `register_server` are URIs.
    :ivar custom_headers: lines to add to calls.
    :ivar registers: whether `register_contact` shall be registered there.
    :ivar user_disabled: why it is not registered: a fault that only its owner mends.
    :ivar admin_disabled: why an administrator does not let it register.
    :ivar is_read_only: it cannot be called through, as a service of less does not
        include it.
    """

    id: int = 0
    owner: str
    name: str
    username: str
    password: str | None = field(default=None, repr=False)
    auth_username: str = ""
    server: str
    outbound_proxy: str = ""
    from_uri: str = ""
    custom_headers: tuple[str, ...] = ()
    registers: bool = False
    register_contact: str = ""
    register_expires: int = 3600
    register_server: str = ""
    register_realm: str = ""
    user_disabled: str | None = None
    admin_disabled: str | None = None
    subscribes_mwi: bool = False
    is_read_only: bool = False
    created: datetime
    updated: datetime

    @property
    def is_registering(self) -> bool:
        """
        Tell whether it shall be registered now.
        """
        return self.registers and not (self.user_disabled or self.admin_disabled)


class Providers(Rows[Provider]):
    """
    The providers of a scope.

    What a URI or a contact has to look like is for those to check who use them.
    """

    table = schema.providers
    model = Provider
    noun = "provider"

    def find(self, name: str) -> Deferred[Provider | None]:
        """
        Find a provider; upper and lower case do not differ.
        """
        return self._read(self._one, self._named(name))

    def all(self) -> Deferred[list[Provider]]:
        """
        Give the providers of a user by name.
        """
        return self._read(self._all, self._mine().order_by(self.table.c.name_key))

    def page(self, *, after: int = 0, limit: int = 1000) -> Deferred[list[Provider]]:
        """
        Give providers by id, in the scope of everybody those of all.

        :param after: the id of the last one that is known.
        """
        query = self._select().where(self.table.c.id > after)
        return self._read(self._all, query.order_by(self.table.c.id).limit(limit))

    async def add(
        self, name: str, *, username: str, server: str, **values: Any
    ) -> Provider:
        """
        Add a provider.

        :param values: other fields of `Provider`.
        :raises Refused: if there is one of that name, or something cannot be so.
        """
        self._check_fields(values)
        now = self._tools.now()
        provider = Provider(
            owner=self._scope.only(),
            name=names.provider_name(name),
            username=username,
            server=server,
            created=now,
            updated=now,
            **values,
        )
        return await self._write(self._add, provider)

    async def change(self, name: str, **values: Any) -> Provider:
        """
        Change fields of a provider; name and owner stay.
        """
        self._check_fields(values)
        return await self._write(self._set, name, values)

    async def disable(self, name: str, reason: str) -> Provider:
        """
        Keep it from being registered, because that does not work as it is.
        """
        values = {"user_disabled": names.reason(reason)}
        return await self._write(self._set, name, values)

    def enable(self, name: str) -> Deferred[Provider]:
        """
        Let it be registered again.
        """
        return self._write(self._set, name, {"user_disabled": None})

    async def forbid(self, name: str, reason: str) -> Provider:
        """
        Keep it from being registered as an administrator.
        """
        self._scope.check_admin("what is forbidden")
        values = {"admin_disabled": names.reason(reason)}
        return await self._write(self._set, name, values)

    async def permit(self, name: str) -> Provider:
        """
        Take back what `forbid` did.
        """
        self._scope.check_admin("what is forbidden")
        return await self._write(self._set, name, {"admin_disabled": None})

    def remove(self, name: str) -> Deferred[None]:
        """
        Remove a provider.
        """
        return self._write(self._remove, name)

    def _check_fields(self, values: Iterable[str]) -> None:
        unknown = set(values) - _FOR_USERS - _FOR_ADMINS
        if unknown:
            raise TypeError(f"a provider has no {', '.join(sorted(unknown))} to set")
        if _FOR_ADMINS & set(values):
            self._scope.check_admin("what is read-only")

    # In a thread

    def _columns(self) -> list[sa.Column[Any]]:
        return [*super()._columns(), self.table.c.sealed_password]

    def _make(self, row: Mapping[str, Any]) -> Provider:
        values = dict(row)
        sealed = values.pop("sealed_password")
        if sealed is not None:
            opened = self._tools.sealer().open(sealed, _context(values["owner"]))
            values["password"] = opened.decode()
        return Provider(**values)

    def _sealed(self, owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Give values for columns.
        """
        columns = dict(values)
        if "password" in columns:
            password = columns.pop("password")
            columns["sealed_password"] = password and self._tools.sealer().seal(
                password.encode(), _context(owner)
            )
        return columns

    def _named(self, name: str) -> sa.Select[Any]:
        return self._mine().where(self.table.c.name_key == name.strip().lower())

    def _add(self, using: sa.Connection, provider: Provider) -> Provider:
        owner, name = provider.owner, provider.name
        self._check_user(using, owner)
        if self._one(using, self._named(name)) is not None:
            raise Refused(f"{owner} has a provider {excerpt(name)} already")
        columns = self._values(provider) | {"name_key": name.lower()}
        columns |= self._sealed(owner, {"password": provider.password})
        self._check_texts(columns)
        using.execute(sa.insert(self.table).values(columns))
        return self._found(using, self._named(name), name)

    def _set(
        self, using: sa.Connection, name: str, values: Mapping[str, Any]
    ) -> Provider:
        provider = self._found(using, self._named(name), name)
        columns = self._sealed(provider.owner, values)
        self._check_texts(columns)
        change = self._scope.update(self.table).where(self.table.c.id == provider.id)
        using.execute(change.values(**columns, updated=self._tools.now()))
        return self._found(using, self._named(name), name)

    def _remove(self, using: sa.Connection, name: str) -> None:
        provider = self._found(using, self._named(name), name)
        using.execute(
            self._scope.delete(self.table).where(self.table.c.id == provider.id)
        )


def _context(owner: str) -> bytes:
    # Nobody can put the seal of another user's password in a row of their own.
    return f"provider of {owner}".encode()
