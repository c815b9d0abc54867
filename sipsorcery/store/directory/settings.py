"""
Settings of a user or of the service, and what dialplans keep for their owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from twisted.internet.defer import Deferred

from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import Refused

#: Whose settings those of the service itself are.
SERVICE = ""

#: Values that a user can keep, and characters of one. A dialplan writes them, so there
#: has to be an end: 160 MB in all.
MAX_VALUES, MAX_VALUE = 10_000, 16_384
_MAX_SETTING = 64 * 1024
#: The setting that says what a user may do outside of this service. It is not for them
#: to change, nor for whoever has stolen their password.
LIMITS = "limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    One setting; what its value means, its name says.
    """

    owner: str
    name: str
    value: Any
    updated: datetime


class Settings(Rows[Setting]):
    """
    The settings of a user; in the scope of everybody, those of the service itself.
    """

    table = schema.settings
    model = Setting
    noun = "setting"

    def get(self, name: str, default: Any = None) -> Deferred[Any]:
        """
        Give the value of a setting.
        """
        return self._read(self._get, name, default)

    def all(self) -> Deferred[dict[str, Any]]:
        """
        Give all settings.
        """
        return self._read(self._all_values)

    async def put(self, name: str, value: Any) -> None:
        """
        Set a setting.

        :param value: what JSON can say.
        """
        self._check(name)
        size = len(msgspec.json.encode(value))
        if size > _MAX_SETTING:
            raise Refused(f"a setting has at most {_MAX_SETTING} bytes, not {size}")
        await self._write(self._put, name, value)

    def remove(self, name: str) -> Deferred[None]:
        """
        Remove a setting, if it is there.
        """
        self._check(name)
        return self._write(self._remove, name)

    def _check(self, name: str) -> None:
        if name.strip().lower() == LIMITS:
            self._scope.check_admin("the limits of a user")

    @property
    def _owner(self) -> str:
        return SERVICE if self._scope.owner is None else self._scope.owner

    # In a thread

    def _where(self, name: str) -> sa.ColumnElement[bool]:
        return (self.table.c.owner == self._owner) & (self.table.c.name == name)

    def _get(self, using: sa.Connection, name: str, default: Any) -> Any:
        setting = self._one(using, self._select().where(self._where(name)))
        return default if setting is None else setting.value

    def _all_values(self, using: sa.Connection) -> dict[str, Any]:
        query = self._select().where(self.table.c.owner == self._owner)
        found = self._all(using, query.order_by(self.table.c.name))
        return {setting.name: setting.value for setting in found}

    def _put(self, using: sa.Connection, name: str, value: Any) -> None:
        if self._owner != SERVICE:
            self._check_user(using, self._owner)
        columns = {"value": value, "updated": self._tools.now()}
        change = self._scope.update(self.table).where(self._where(name))
        if using.execute(change.values(columns)).rowcount == 0:
            columns |= {"owner": self._owner, "name": name}
            self._check_texts({"name": name})
            using.execute(sa.insert(self.table).values(columns))

    def _remove(self, using: sa.Connection, name: str) -> None:
        using.execute(self._scope.delete(self.table).where(self._where(name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """
    What a dialplan has kept.
    """

    owner: str
    key: str
    value: str
    updated: datetime


class Values(Rows[Value]):
    """
    What the dialplans of a scope keep from one call to the next.
    """

    table = schema.key_values
    model = Value
    noun = "value"

    def get(self, key: str) -> Deferred[str | None]:
        """
        Give what is kept under a key.
        """
        return self._read(self._get, key)

    def keys(self) -> Deferred[list[str]]:
        """
        Give the keys that there are.
        """
        return self._read(self._keys)

    def put(self, key: str, value: str) -> Deferred[None]:
        """
        Keep a value under a key.
        """
        return self._write(self._put, key, value)

    def swap(self, key: str, expected: str | None, value: str) -> Deferred[bool]:
        """
        Keep a value if what is kept now is what the caller believes; None: nothing is.

        :return: whether it was so. Else nothing has changed.
        """
        return self._write(self._swap, key, expected, value)

    def remove(self, key: str) -> Deferred[None]:
        """
        Forget a key, if it is there.
        """
        return self._write(self._remove, key)

    # In a thread

    def _get(self, using: sa.Connection, key: str) -> str | None:
        value = self._one(using, self._mine().where(self.table.c.key == key))
        return None if value is None else value.value

    def _keys(self, using: sa.Connection) -> list[str]:
        query = self._mine().with_only_columns(self.table.c.key)
        return list(using.execute(query.order_by(self.table.c.key)).scalars())

    def _put(self, using: sa.Connection, key: str, value: str) -> None:
        owner = self._scope.only()
        self._check_user(using, owner)
        if not key or len(value) > MAX_VALUE or not names.is_text(key + value):
            raise Refused(f"a value is text of at most {MAX_VALUE} characters")
        columns: dict[str, Any] = {"value": value, "updated": self._tools.now()}
        change = self._scope.update(self.table).where(self.table.c.key == key)
        if using.execute(change.values(columns)).rowcount == 0:
            count = self._mine().with_only_columns(sa.func.count())
            if using.execute(count).scalar_one() >= MAX_VALUES:
                raise Refused(f"{owner} keeps {MAX_VALUES} values already")
            self._check_texts({"key": key})
            columns |= {"owner": owner, "key": key}
            using.execute(sa.insert(self.table).values(columns))

    def _swap(
        self,
        using: sa.Connection,
        key: str,
        expected: str | None,
        value: str,
    ) -> bool:
        query = self._mine().where(self.table.c.key == key).with_for_update()
        current = self._one(using, query)
        if (None if current is None else current.value) != expected:
            return False
        self._put(using, key, value)
        return True

    def _remove(self, using: sa.Connection, key: str) -> None:
        self._scope.only()
        using.execute(self._scope.delete(self.table).where(self.table.c.key == key))
