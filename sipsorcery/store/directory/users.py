"""
Users: who logs in, and who owns everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from twisted.internet.defer import Deferred, succeed

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.rows import Rows, count_change
from sipsorcery.store.errors import Refused

_CHANGEABLE = frozenset({"email", "full_name", "time_zone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """
    A user of the service.

    :ivar password_hash: None: there is no password to log in with.
    :ivar disabled: why the user cannot log in, nor their accounts call; None: they can.
    """

    name: str
    password_hash: str | None = field(default=None, repr=False)
    is_admin: bool = False
    disabled: str | None = None
    email: str = ""
    full_name: str = ""
    time_zone: str = "UTC"
    created: datetime
    updated: datetime


class Users(Rows[User]):
    """
    The users, or the one user, of a scope.
    """

    table = schema.users
    model = User
    noun = "user"

    def find(self, name: str) -> Deferred[User | None]:
        """
        Find a user by name.
        """
        # Anybody can ask for any name by trying to log in.
        if not names.is_text(name):
            return succeed(None)
        return self._read(self._one, self._named(name))

    def all(self) -> Deferred[list[User]]:
        """
        Give all users by name.
        """
        return self._read(self._all, self._select().order_by(self.table.c.name))

    def disabled(self) -> Deferred[dict[str, str]]:
        """
        Give the users that are disabled, and why.
        """
        return self._read(self._disabled)

    async def add(
        self,
        name: str,
        password: str | None = None,
        *,
        is_admin: bool = False,
        email: str = "",
        full_name: str = "",
    ) -> User:
        """
        Add a user.

        :raises Refused: if there is one of that name, or something cannot be so.
        """
        self._scope.check_admin("who is a user")
        now = self._tools.now()
        user = User(
            name=names.user_name(name),
            password_hash=await self._hash(password),
            is_admin=is_admin,
            email=email,
            full_name=full_name,
            created=now,
            updated=now,
        )
        return await self._write(self._add, user)

    async def log_in(self, name: str, password: str) -> User | None:
        """
        Give the user that a name and a password belong to.

        :return: None if they do not belong together, or the user is disabled: after
            the same time, whichever it is.
        :raises StoreOverloaded: if too many log in at once.
        """
        user = await self.find(name)
        stored = None if user is None else user.password_hash
        checked = await self._tools.passwords.check(stored, names.normal(password))
        if user is None or not checked.is_right or user.disabled is not None:
            return None
        if checked.better_hash is not None:
            await self._write(
                self._set, user.name, {"password_hash": checked.better_hash}
            )
        return user

    async def set_password(self, name: str, password: str | None) -> User:
        """
        Give a user another password, or none.
        """
        stored = await self._hash(password)
        return await self._write(self._set, name, {"password_hash": stored})

    async def change(self, name: str, **values: str) -> User:
        """
        Change ``email``, ``full_name`` or ``time_zone``.
        """
        unknown = values.keys() - _CHANGEABLE
        if unknown:
            raise TypeError(f"a user has no {', '.join(sorted(unknown))} to change")
        if "time_zone" in values:
            _check_time_zone(values["time_zone"])
        return await self._write(self._set, name, values)

    async def set_admin(self, name: str, is_admin: bool) -> User:
        """
        Make somebody an administrator, or no longer.
        """
        self._scope.check_admin("who is an administrator")
        return await self._write(self._set, name, {"is_admin": is_admin})

    async def disable(self, name: str, reason: str) -> User:
        """
        Keep a user from logging in, and their accounts from calling.
        """
        self._scope.check_admin("who is disabled")
        return await self._write(self._set, name, {"disabled": names.reason(reason)})

    async def enable(self, name: str) -> User:
        """
        Let a user log in again.
        """
        self._scope.check_admin("who is disabled")
        return await self._write(self._set, name, {"disabled": None})

    async def remove(self, name: str) -> None:
        """
        Remove a user and all that they own, but for the records of their calls.
        """
        self._scope.check_admin("who is a user")
        await self._write(self._remove, name)

    async def _hash(self, password: str | None) -> str | None:
        if password is None:
            return None
        return await self._tools.passwords.hash(names.password(password))

    # In a thread

    def _disabled(self, using: sa.Connection) -> dict[str, str]:
        columns = [self.table.c.name, self.table.c.disabled]
        query = self._scope.select(self.table, columns)
        rows = using.execute(query.where(self.table.c.disabled.is_not(None)))
        return {row.name: row.disabled for row in rows}

    def _named(self, name: str) -> sa.Select[Any]:
        return self._select().where(self.table.c.name == name.strip().lower())

    def _add(self, using: sa.Connection, user: User) -> User:
        if self._one(using, self._named(user.name)) is not None:
            raise Refused(f"there is a user {excerpt(user.name)} already")
        values = self._values(user)
        self._check_texts(values)
        using.execute(sa.insert(self.table).values(values))
        return user

    def _set(self, using: sa.Connection, name: str, values: Mapping[str, Any]) -> User:
        user = self._found(using, self._named(name), name)
        self._check_texts(values)
        change = self._scope.update(self.table).where(self.table.c.name == user.name)
        using.execute(change.values(**values, updated=self._tools.now()))
        return self._found(using, self._named(user.name), user.name)

    def _remove(self, using: sa.Connection, name: str) -> None:
        user = self._found(using, self._named(name), name)
        using.execute(
            self._scope.delete(self.table).where(self.table.c.name == user.name)
        )
        # Their settings have no foreign key.
        settings = schema.settings
        using.execute(sa.delete(settings).where(settings.c.owner == user.name))
        for table in schema.COUNTED:
            if "owner" in table.c:
                count_change(using, table)


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"there is no time zone {excerpt(name)}") from None
