"""
Call detail records: one for each leg of a call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from twisted.internet.defer import Deferred, fail

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.directory import schema
from sipsorcery.store.directory.rows import Rows, Tools
from sipsorcery.store.directory.scope import Scope
from sipsorcery.store.errors import NotFound
from sipsorcery.store.gathering import Gathering

# Records that may wait to be written: three for each of 1,000 calls a second.
_WAITING = 6000


class Direction(StrEnum):
    """
    Name which way a leg goes, seen from the service.
    """

    IN = "in"
    OUT = "out"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True, kw_only=True)
class CDR:
    """
    One leg of a call, or an attempt at one.

    It is written when the leg is begun, answered and over, each time as a whole.

    :ivar id: of the leg, chosen by who writes it.
    :ivar owner: the user whose call it is.
    :ivar server: the process that has the call; see `CDRs.close_open`.
    :ivar account: the address-of-record that called or was called; "": neither.
    :ivar account_code: what the leg is charged to.
    :ivar dialplan: the one that handled it, and its version.
    :ivar run: the same for all legs that one run of a dialplan has made.
    :ivar bridge: the same for the two legs that were connected.
    :ivar progress_status: of the first provisional response but 100.
    :ivar answered_status: of the 2xx.
    :ivar ended_status: of the final response that was no 2xx; None: there was none.
    :ivar ended_reason: why it is over, as "remote end hungup" or "Client cancelled".
    :ivar detail: more about it, such as what a replay needs.
    """

    id: str
    owner: str
    server: str
    direction: Direction
    account: str = ""
    account_code: str = ""
    dialplan: str = ""
    dialplan_version: int | None = None
    run: str = ""
    bridge: str = ""
    call_id: str
    destination_user: str = ""
    destination_host: str = ""
    destination_uri: str
    from_user: str = ""
    from_name: str = ""
    from_header: str
    local_socket: str = ""
    remote_socket: str = ""
    created: datetime
    progress_at: datetime | None = None
    progress_status: int | None = None
    progress_reason: str = ""
    answered_at: datetime | None = None
    answered_status: int | None = None
    answered_reason: str = ""
    ended_at: datetime | None = None
    ended_status: int | None = None
    ended_reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ring_duration(self) -> float:
        """
        The seconds from the first ring to the answer; 0 unless there were both.
        """
        return _seconds(self.progress_at, self.answered_at)

    @property
    def duration(self) -> float:
        """
        The seconds from the answer to the end; 0 unless there were both.
        """
        return _seconds(self.answered_at, self.ended_at)


def _seconds(start: datetime | None, end: datetime | None) -> float:
    if start is None or end is None:
        return 0.0
    return max(0.0, (end - start).total_seconds())


class CDRs(Rows[CDR]):
    """
    The call detail records of a scope.
    """

    table = schema.cdrs
    model = CDR
    noun = "call detail record"

    def __init__(self, tools: Tools, scope: Scope) -> None:
        super().__init__(tools, scope)
        self._writing = Gathering(tools.reactor, self._write_all, limit=_WAITING)

    def write(self, cdr: CDR) -> Deferred[None]:
        """
        Store a record, in place of the one of that id.

        Those that come together share a transaction. Texts that are too long for their
        column are cut: what others sent shall not keep a call from being recorded.
        """
        if not self._scope.includes(cdr.owner):
            return fail(NotFound(f"there is no user {excerpt(cdr.owner)}"))
        return self._writing.ask(cdr)

    def write_all(self, cdrs: Sequence[CDR]) -> Deferred[None]:
        """
        Store records in one transaction, each as with `write`.
        """
        strangers = [cdr.owner for cdr in cdrs if not self._scope.includes(cdr.owner)]
        if strangers:
            return fail(NotFound(f"there is no user {excerpt(strangers[0])}"))
        return self._write(self._upsert, cdrs).addCallback(lambda _: None)

    def find(self, id: str) -> Deferred[CDR | None]:
        """
        Find a record.
        """
        return self._read(self._one, self._select().where(self.table.c.id == id))

    def recent(
        self,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        call_id: str | None = None,
        dialplan: str | None = None,
        is_open: bool = False,
        limit: int = 100,
    ) -> Deferred[list[CDR]]:
        """
        Give records by when they were begun, the latest first.

        :param is_open: those alone that are not over.
        """
        table, query = self.table, self._select()
        if since is not None:
            query = query.where(table.c.created >= since)
        if before is not None:
            query = query.where(table.c.created < before)
        if call_id is not None:
            query = query.where(table.c.call_id == call_id)
        if dialplan is not None:
            query = query.where(table.c.dialplan == dialplan)
        if is_open:
            query = query.where(table.c.ended_at.is_(None))
        order = (table.c.created.desc(), table.c.id)
        return self._read(self._all, query.order_by(*order).limit(limit))

    def count(self, since: datetime) -> Deferred[int]:
        """
        Count the legs that were begun since a time.
        """
        query = self._select().where(self.table.c.created >= since)
        return self._read(self._count, query)

    def close_open(self, server: str, reason: str, before: datetime) -> Deferred[int]:
        """
        End the records that a server has left open when it was killed.

        :param before: when it was started anew: what it has begun since goes on.
        :return: how many there were.
        """
        return self._write(self._close_open, server, reason, before)

    def remove_before(self, time: datetime) -> Deferred[int]:
        """
        Remove the records of legs that were begun before a time.

        :return: how many there were.
        """
        return self._write(self._remove_before, time)

    def _write_all(self, cdrs: Sequence[CDR]) -> Deferred[list[None]]:
        return self._write(self._upsert, cdrs)

    # In a thread

    def _make(self, row: Mapping[str, Any]) -> CDR:
        return CDR(**{**row, "direction": Direction(row["direction"])})

    def _upsert(self, using: sa.Connection, cdrs: Sequence[CDR]) -> list[None]:
        latest = {cdr.id: _fitting(cdr) for cdr in cdrs}
        if using.dialect.name == "sqlite":
            _upsert_sqlite(using, list(latest.values()))
            return [None] * len(cdrs)
        insert = _INSERT[using.dialect.name](self.table)
        changed = {
            column.name: insert.excluded[column.name]
            for column in self.table.c
            if column.name not in ("id", "owner")
        }
        statement = insert.on_conflict_do_update(
            index_elements=[self.table.c.id],
            set_=changed,
            # Nobody overwrites the record of another.
            where=self.table.c.owner == insert.excluded.owner,
        )
        rows = [dict(zip(_NAMES, row, strict=True)) for row in latest.values()]
        using.execute(statement, rows)
        return [None] * len(cdrs)

    def _count(self, using: sa.Connection, query: sa.Select[Any]) -> int:
        counted = query.with_only_columns(sa.func.count())
        return int(using.execute(counted).scalar_one())

    def _close_open(
        self, using: sa.Connection, server: str, reason: str, before: datetime
    ) -> int:
        table = self.table
        is_open = (table.c.server == server) & table.c.ended_at.is_(None)
        is_old = table.c.created < before
        change = self._scope.update(table).where(is_open & is_old)
        values = {"ended_at": self._tools.now(), "ended_reason": reason}
        return using.execute(change.values(values)).rowcount

    def _remove_before(self, using: sa.Connection, time: datetime) -> int:
        removal = self._scope.delete(self.table).where(self.table.c.created < time)
        return using.execute(removal).rowcount


# "insert ... on conflict" is the same in both, but no standard.
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_NAMES = tuple(each.name for each in fields(CDR))
_values = attrgetter(*_NAMES)
# Of texts: where they stand in a row, and how long they may be.
_LIMITS = tuple(
    (_NAMES.index(column.name), column.type.length)
    for column in schema.cdrs.c
    if isinstance(column.type, sa.String) and column.type.length is not None
)
_MOMENTS = tuple(
    number for number, name in enumerate(_NAMES) if name.endswith(("_at", "created"))
)
_DIRECTION, _DETAIL = _NAMES.index("direction"), _NAMES.index("detail")
# Rows of one statement. It is a compromise: SQLite takes 999 values at least, and a
# thread beside a busy reactor has to wait after each statement.
_ROWS = 24
_ROW = f"({', '.join('?' * len(_NAMES))})"
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "id")


def _fitting(cdr: CDR) -> list[Any]:
    """
    Give the values of a row, in the order of `_NAMES`, with texts that fit.
    """
    row = list(_values(cdr))
    for number, limit in _LIMITS:
        text = row[number]
        # Nearly none has to be changed.
        if len(text) > limit or not text.isascii() or "\0" in text:
            row[number] = _storable(text)[:limit]
    return row


def _upsert_sqlite(using: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    """
    Write rows in half of the time that SQLAlchemy takes.
    """
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        values = [value for row in some for value in _columns(row)]
        using.exec_driver_sql(_upsert_statement(len(some)), tuple(values))


@lru_cache(maxsize=_ROWS)
def _upsert_statement(rows: int) -> str:
    return (
        f"insert into cdrs ({', '.join(_NAMES)}) "
        f"values {', '.join([_ROW] * rows)} "
        f"on conflict (id) do update set {_CHANGES} "
        # Nobody overwrites the record of another.
        "where cdrs.owner = excluded.owner"
    )


def _columns(row: Sequence[Any]) -> list[Any]:
    """
    Give the values of a row as SQLAlchemy would have SQLite keep them.
    """
    values = list(row)
    values[_DIRECTION] = str(values[_DIRECTION])
    for number in _MOMENTS:
        moment = values[number]
        if moment is not None:
            values[number] = _spell(moment)
    values[_DETAIL] = json.dumps(values[_DETAIL]) if values[_DETAIL] else "{}"
    return values


def _spell(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:26]  # without the zone


def _storable(text: str) -> str:
    """
    Replace what no database takes as text: bytes that are no UTF-8, and NUL.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
