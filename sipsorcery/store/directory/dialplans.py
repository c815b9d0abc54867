"""
Dialplans, with all that they were before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import names, schema
from sipsorcery.store.directory.rows import Rows
from sipsorcery.store.errors import NotFound, Refused

#: Characters of a script: many times the longest that users of the original have had,
#: whose limit was 8,000.
MAX_SCRIPT = 256 * 1024
#: Versions that are kept of a dialplan: half a year of one each workday.
KEPT_VERSIONS = 128

_CHANGEABLE = frozenset({"trace_email", "accepts_non_invite", "options"})
_FOR_ADMINS = frozenset({"max_executions", "is_read_only"})


class Language(StrEnum):
    """
    Name what a dialplan is written in.
    """

    PYTHON = "python"
    LINES = "lines"
    WIZARD = "wizard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialplan:
    """
    A dialplan of a user, as it is now.

    :ivar version: the number of the version in force.
    :ivar script: its text; for the wizard, its rules in JSON.
    :ivar trace_email: where the trace of each call goes; "": nowhere.
    :ivar accepts_non_invite: whether it takes requests such as MESSAGE.
    :ivar max_executions: calls that it handles at a time.
    :ivar options: tables and settings for it: speed dials, time zone and such.
    """

    id: int = 0
    owner: str
    name: str
    version: int = 0
    kind: Language
    script: str = field(repr=False)
    trace_email: str = ""
    accepts_non_invite: bool = False
    max_executions: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)
    is_read_only: bool = False
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DialplanVersion:
    """
    What a dialplan was from some time on.

    :ivar author: the user who has made it so.
    :ivar note: what they have said about it.
    """

    number: int
    kind: Language
    script: str = field(repr=False)
    author: str
    note: str
    created: datetime


class Dialplans(Rows[Dialplan]):
    """
    The dialplans of a scope.
    """

    table = schema.dialplans
    model = Dialplan
    noun = "dialplan"

    def find(self, name: str) -> Deferred[Dialplan | None]:
        """
        Find a dialplan; upper and lower case do not differ.
        """
        return self._read(self._one, self._named(name))

    def all(self) -> Deferred[list[Dialplan]]:
        """
        Give the dialplans by name.
        """
        return self._read(self._all, self._mine().order_by(self.table.c.name_key))

    async def put(
        self,
        name: str,
        script: str,
        kind: Language = Language.PYTHON,
        *,
        author: str = "",
        note: str = "",
    ) -> Dialplan:
        """
        Add a dialplan, or put another version of it in force.

        What is as it was makes no new version. Whether the script is one, others check.

        :param author: a user; "": the owner.
        """
        if len(script) > MAX_SCRIPT or not names.is_text(script):
            raise Refused(f"a dialplan is text of at most {MAX_SCRIPT} characters")
        now = self._tools.now()
        plan = Dialplan(
            owner=self._scope.only(),
            name=names.dialplan_name(name),
            kind=Language(kind),
            script=script,
            created=now,
            updated=now,
        )
        return await self._write(self._put, plan, author or plan.owner, note)

    def versions(self, name: str) -> Deferred[list[DialplanVersion]]:
        """
        Give the versions that are kept, the newest first.
        """
        return self._read(self._versions_of, name)

    def revert(self, name: str, number: int, *, author: str = "") -> Deferred[Dialplan]:
        """
        Put an earlier version in force again, as a new one.

        :raises NotFound: if it is not kept any more.
        """
        return self._write(self._revert, name, number, author or self._scope.only())

    async def change(self, name: str, **values: Any) -> Dialplan:
        """
        Change ``trace_email``, ``accepts_non_invite`` or ``options``.

        An administrator can change ``max_executions`` and ``is_read_only``, too.
        """
        unknown = values.keys() - _CHANGEABLE - _FOR_ADMINS
        if unknown:
            raise TypeError(f"a dialplan has no {', '.join(sorted(unknown))} to set")
        if _FOR_ADMINS & values.keys():
            self._scope.check_admin("the limits of a dialplan")
        return await self._write(self._set, name, values)

    def remove(self, name: str) -> Deferred[None]:
        """
        Remove a dialplan with all its versions.
        """
        return self._write(self._remove, name)

    # In a thread

    def _select(self) -> sa.Select[Any]:
        versions = schema.dialplan_versions
        columns = [*self._columns(), versions.c.kind, versions.c.script]
        return self._scope.select(self.table, columns).join(
            versions,
            (versions.c.dialplan_id == self.table.c.id)
            & (versions.c.number == self.table.c.version),
        )

    def _make(self, row: Mapping[str, Any]) -> Dialplan:
        return Dialplan(**{**row, "kind": Language(row["kind"])})

    def _named(self, name: str) -> sa.Select[Any]:
        return self._mine().where(self.table.c.name_key == name.strip().lower())

    def _get(self, using: sa.Connection, name: str) -> Dialplan:
        return self._found(using, self._named(name), name)

    def _put(
        self, using: sa.Connection, plan: Dialplan, author: str, note: str
    ) -> Dialplan:
        self._check_user(using, plan.owner)
        current = self._one(using, self._named(plan.name))
        if current is None:
            columns = self._values(plan) | {"name_key": plan.name.lower(), "version": 1}
            self._check_texts(columns)
            insert = sa.insert(self.table).values(columns).returning(self.table.c.id)
            identifier = using.execute(insert).scalar_one()
            self._add_version(using, identifier, 1, plan, author, note)
        elif (current.kind, current.script) != (plan.kind, plan.script):
            number = current.version + 1
            self._add_version(using, current.id, number, plan, author, note)
            self._set(using, plan.name, {"version": number})
        return self._get(using, plan.name)

    def _add_version(
        self,
        using: sa.Connection,
        identifier: int,
        number: int,
        plan: Dialplan,
        author: str,
        note: str,
    ) -> None:
        versions = schema.dialplan_versions
        using.execute(
            sa.insert(versions).values(
                dialplan_id=identifier,
                number=number,
                owner=plan.owner,
                kind=plan.kind,
                script=plan.script,
                author=author[:32],
                note=note[:256],
                created=self._tools.now(),
            )
        )
        using.execute(
            self._scope.delete(versions).where(
                versions.c.dialplan_id == identifier,
                versions.c.number <= number - KEPT_VERSIONS,
            )
        )

    def _versions_of(self, using: sa.Connection, name: str) -> list[DialplanVersion]:
        plan = self._get(using, name)
        table = schema.dialplan_versions
        columns = [table.c[each] for each in DialplanVersion.__dataclass_fields__]
        query = self._scope.select(table, columns).where(table.c.dialplan_id == plan.id)
        return [
            DialplanVersion(**{**row._asdict(), "kind": Language(row.kind)})
            for row in using.execute(query.order_by(table.c.number.desc()))
        ]

    def _revert(
        self, using: sa.Connection, name: str, number: int, author: str
    ) -> Dialplan:
        for version in self._versions_of(using, name):
            if version.number == number:
                plan = self._get(using, name)
                old = replace(plan, kind=version.kind, script=version.script)
                return self._put(using, old, author, f"as version {number}")
        raise NotFound(f"{excerpt(name)} has no version {number} any more")

    def _set(self, using: sa.Connection, name: str, values: dict[str, Any]) -> Dialplan:
        plan = self._get(using, name)
        self._check_texts(values)
        change = self._scope.update(self.table).where(self.table.c.id == plan.id)
        using.execute(change.values(**values, updated=self._tools.now()))
        return self._get(using, name)

    def _remove(self, using: sa.Connection, name: str) -> None:
        plan = self._get(using, name)
        using.execute(self._scope.delete(self.table).where(self.table.c.id == plan.id))
