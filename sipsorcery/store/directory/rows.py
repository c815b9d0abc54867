"""
What the classes for the tables of the directory have in common.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names
from sipsorcery.store.directory.database import Database
from sipsorcery.store.directory.passwords import Passwords
from sipsorcery.store.directory.schema import COUNTED, revisions, users
from sipsorcery.store.directory.scope import Scope
from sipsorcery.store.errors import NotFound, Refused
from sipsorcery.store.sealing import Sealer

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Model(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


_M = TypeVar("_M", bound=_Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """
    What every table needs.

    :ivar sealer: gives the one for what must not lie there in clear.
    :ivar served: the domains that are served without being in the directory.
    :ivar clock: gives the seconds since the epoch.
    """

    reactor: IReactorTime
    database: Database
    passwords: Passwords
    sealer: Callable[[], Sealer]
    served: frozenset[str]
    clock: Callable[[], float]

    def now(self) -> datetime:
        """
        Give the time for a row.
        """
        return datetime.fromtimestamp(self.clock(), UTC)


class Rows(Generic[_M]):
    """
    The rows of one table that a scope reaches.

    The functions that are public give Deferreds; those that take a connection run in a
    thread, in one transaction.
    """

    table: ClassVar[sa.Table]
    model: type[_M]
    noun: ClassVar[str]

    def __init__(self, tools: Tools, scope: Scope) -> None:
        self._tools = tools
        self._scope = scope

    # In the thread of the reactor

    def _read(
        self,
        work: Callable[Concatenate[sa.Connection, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_T]:
        return self._tools.database.read(lambda using: work(using, *args, **kwargs))

    def _write(
        self,
        work: Callable[Concatenate[sa.Connection, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_T]:
        def write(using: sa.Connection) -> _T:
            result = work(using, *args, **kwargs)
            if self.table in COUNTED:
                count_change(using, self.table)
            return result

        return self._tools.database.write(write)

    # In a thread

    def _select(self) -> sa.Select[Any]:
        return self._scope.select(self.table, self._columns())

    def _mine(self) -> sa.Select[Any]:
        """
        Begin a query for rows of the one user of the scope.
        """
        self._scope.only()
        return self._select()

    def _columns(self) -> list[sa.Column[Any]]:
        names = (each.name for each in dataclasses.fields(self.model))
        return [self.table.c[name] for name in names if name in self.table.c]

    def _make(self, row: Mapping[str, Any]) -> _M:
        return self.model(**row)

    def _all(self, using: sa.Connection, query: sa.Select[Any]) -> list[_M]:
        return [self._make(row._asdict()) for row in using.execute(query)]

    def _one(self, using: sa.Connection, query: sa.Select[Any]) -> _M | None:
        row = using.execute(query).one_or_none()
        return None if row is None else self._make(row._asdict())

    def _found(self, using: sa.Connection, query: sa.Select[Any], name: str) -> _M:
        found = self._one(using, query)
        if found is None:
            raise NotFound(f"there is no {self.noun} {excerpt(name)}")
        return found

    def _values(self, row: _M) -> dict[str, Any]:
        """
        Give what a row has in columns of its own name.
        """
        return {
            each.name: getattr(row, each.name)
            for each in dataclasses.fields(row)
            if each.name in self.table.c and each.name != "id"
        }

    def _check_user(self, using: sa.Connection, owner: str) -> None:
        """
        Check that there is the user whom a new row shall belong to.
        """
        query = sa.select(users.c.name).where(users.c.name == owner)
        if using.execute(query).one_or_none() is None:
            raise NotFound(f"there is no user {excerpt(owner)}")

    def _check_texts(self, values: Mapping[str, Any]) -> None:
        """
        Check that texts are text and fit: SQLite would not care, and others fail.
        """
        for name, value in values.items():
            if isinstance(value, str):
                limit = getattr(self.table.c[name].type, "length", None)
                if limit is not None and len(value) > limit:
                    raise Refused(f"{name} has {len(value)} characters; {limit} can be")
                if not names.is_text(value):
                    raise Refused(f"{name} has to be text: {excerpt(value)}")


def count_change(using: sa.Connection, table: sa.Table) -> None:
    """
    Have servers that keep copies of a table ask for it again.
    """
    using.execute(
        sa.update(revisions)
        .where(revisions.c.name == table.name)
        .values(number=revisions.c.number + 1)
    )
