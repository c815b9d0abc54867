"""
Whose rows a statement reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from sipsorcery.store.directory.schema import users
from sipsorcery.store.errors import Refused

_S = TypeVar("_S", sa.Select[Any], sa.Update, sa.Delete)


@dataclass(frozen=True, slots=True)
class Scope:
    """
    The rows of one user, or those of all.

    Every statement on a table with an owner is made here, so that none can forget whose
    rows it is about.

    :ivar owner: a user; None: everybody, for administrators and for servers that have
        yet to find out who somebody is.
    :ivar is_admin: whether an administrator asks, or the service itself.
    """

    owner: str | None
    is_admin: bool

    def select(self, table: sa.Table, columns: Sequence[Any]) -> sa.Select[Any]:
        """
        Begin a query.
        """
        return self._limit(sa.select(*columns).select_from(table), table)

    def update(self, table: sa.Table) -> sa.Update:
        """
        Begin a change of rows.
        """
        return self._limit(sa.update(table), table)

    def delete(self, table: sa.Table) -> sa.Delete:
        """
        Begin a removal of rows.
        """
        return self._limit(sa.delete(table), table)

    def includes(self, owner: str | None) -> bool:
        """
        Tell whether something is theirs, or everybody's.
        """
        return self.owner is None or owner in (None, self.owner)

    def only(self) -> str:
        """
        Give the one user whose rows it is about.

        :raises TypeError: if that is everybody: our own code should have said who.
        """
        if self.owner is None:
            raise TypeError("this is about the rows of one user: say whose")
        return self.owner

    def check_admin(self, what: str) -> None:
        """
        Check that an administrator asks.

        :raises Refused: if not.
        """
        if not self.is_admin:
            raise Refused(f"only an administrator can change {what}")

    def _limit(self, statement: _S, table: sa.Table) -> _S:
        if self.owner is None:
            return statement
        return statement.where(_owner_column(table) == self.owner)


def _owner_column(table: sa.Table) -> sa.Column[Any]:
    # A user belongs to themselves.
    return table.c.name if table is users else table.c.owner
