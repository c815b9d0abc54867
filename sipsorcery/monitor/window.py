"""
The window: the last events, on disk, so that a restart loses none.

It blocks, so a service keeps it in a thread of its own, and appends in batches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter

# Rows that one reading looks at: some 20 ms. Who wants more comes again.
_SCANNED = 2000
# Rows that go at once when the window is full.
_TRIMMED = 500
# Claims that are remembered for traces still to come: those of ten busy seconds.
_CLAIMS = 20_000

# An owner counts their events on their own: so a cursor tells nothing of others, and a
# trace that gets its owner late is still after what that owner has read.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    call_id TEXT NOT NULL,
    branch TEXT NOT NULL,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS event_owner ON event (owner, ordinal);
CREATE INDEX IF NOT EXISTS event_call ON event (call_id, number) WHERE call_id != '';
CREATE INDEX IF NOT EXISTS event_branch ON event (branch) WHERE branch != '';
CREATE INDEX IF NOT EXISTS event_origin ON event (origin) WHERE origin != '';
CREATE TABLE IF NOT EXISTS owner (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""
_COUNT = """
INSERT INTO owner (name, last) VALUES (?, 1)
ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last
"""
_INSERT = """
INSERT INTO event (owner, ordinal, time, kind, call_id, branch, origin, size, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# The traces of a branch, and of what its transaction came from.
_OF_TRANSACTION = """
SELECT number FROM event WHERE branch = :branch AND branch != '' AND owner = ''
UNION SELECT number FROM event WHERE owner = '' AND origin != '' AND origin IN
    (SELECT :origin UNION SELECT origin FROM event
     WHERE branch = :branch AND branch != '')
ORDER BY number
"""
_OWNER_OF = """
SELECT owner FROM event WHERE branch = ? AND branch != '' AND owner != ''
UNION ALL SELECT owner FROM event WHERE origin = ? AND origin != '' AND owner != ''
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How much a window holds; what exceeds any of these goes, the oldest first.

    :ivar size: bytes of events; the file has some more.
    :ivar age: seconds.
    """

    count: int = 1_000_000
    size: int = 1_000_000_000
    age: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Query:
    """
    What to look for. What is None or empty does not narrow it.

    :ivar until: seconds since the epoch, as *since*; this one is outside.
    """

    call_id: str = ""
    kinds: Collection[EventKind] = ()
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """
    What a reading gave.

    :ivar cursor: where to go on; it holds across restarts, for the same viewer.
    :ivar missed: events after the cursor of old that had gone from the window.
    :ivar is_last: whether nothing is left for now.
    """

    events: tuple[Event, ...]
    cursor: int
    missed: int
    is_last: bool


class Window:
    """
    Keeps events and finds them again.

    :param path: of the database; ":memory:" is one too.
    """

    def __init__(self, path: Path | str, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._claims: dict[str, str] = {}  # owners by branch or origin, the last last
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        # Of a power cut the last second may be lost; of a crash of ours, nothing.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._count, self._size = self._database.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM event"
        ).fetchone()

    def close(self) -> None:
        """
        Close the database.
        """
        self._database.close()

    def append(self, events: Iterable[Event], now: float) -> None:
        """
        Keep events, and let go of what no longer fits.

        An `EventKind.OWNER_KNOWN` gives the traces of its transaction to their owner:
        those that are here, and those to come.

        :param now: seconds since the epoch.
        """
        with self._database:
            for event in events:
                if event.kind is EventKind.OWNER_KNOWN:
                    self._claim(event.detail, event.owner)
                else:
                    self._insert(event)
            self._trim(now)

    def read(
        self,
        wanted: Filter,
        cursor: int = 0,
        query: Query | None = None,
        limit: int = 100,
    ) -> Page:
        """
        Give events after a cursor, in the order in which they came to the viewer.

        :param wanted: says who looks as well.
        """
        place = "number" if wanted.viewer.is_admin else "ordinal"
        first, missed = self._gap(wanted, cursor)
        events: list[Event] = []
        scanned = 0
        for at, owner, body in self._rows(wanted, place, first, query or Query()):
            scanned += 1
            cursor = at
            event = msgspec.structs.replace(_decode(body), owner=owner)
            if wanted.matches(event):
                events.append(event)
            if len(events) == limit:
                break
        is_last = scanned < _SCANNED and len(events) < limit
        if is_last:
            cursor = self._last(wanted)
        return Page(tuple(events), cursor, missed, is_last)

    def end(self, wanted: Filter) -> int:
        """
        Give the cursor of somebody who wants what is new from now on.
        """
        return self._last(wanted)

    def _rows(
        self, wanted: Filter, place: str, first: int, query: Query
    ) -> Iterator[tuple[int, str, bytes]]:
        terms: list[tuple[str, object]] = [(f"{place} > ?", first)]
        if not wanted.viewer.is_admin:
            terms.append(("owner = ?", wanted.viewer.user))
        if query.call_id:
            terms.append(("call_id = ?", query.call_id))
        if query.since is not None:
            terms.append(("time >= ?", query.since))
        if query.until is not None:
            terms.append(("time < ?", query.until))
        conditions = [text for text, _ in terms]
        parameters = [value for _, value in terms]
        if query.kinds:
            conditions.append(f"kind IN ({', '.join('?' * len(query.kinds))})")
            parameters += [kind.value for kind in query.kinds]
        # Nothing of a stranger is in this text: all of it is from above.
        statement = (
            f"SELECT {place}, owner, body FROM event "
            f"WHERE {' AND '.join(conditions)} ORDER BY {place} LIMIT {_SCANNED}"
        )
        yield from self._database.execute(statement, parameters)

    def _gap(self, wanted: Filter, cursor: int) -> tuple[int, int]:
        """
        Give from where to read, and how many events are missing there.
        """
        last = self._last(wanted)
        if cursor > last:
            return 0, 0  # of another window: begin again
        condition = "number > ?"
        parameters: list[object] = [cursor]
        if not wanted.viewer.is_admin:
            condition = "ordinal > ? AND owner = ?"
            parameters.append(wanted.viewer.user)
        (there,) = self._database.execute(
            f"SELECT count(*) FROM event WHERE {condition}",
            parameters,
        ).fetchone()
        # Whoever begins has missed nothing.
        return cursor, last - cursor - there if cursor else 0

    def _last(self, wanted: Filter) -> int:
        if wanted.viewer.is_admin:
            row = self._database.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
            ).fetchone()
        else:
            row = self._database.execute(
                "SELECT last FROM owner WHERE name = ?", (wanted.viewer.user,)
            ).fetchone()
        return int(row[0]) if row else 0

    def _insert(self, event: Event) -> None:
        body = msgspec.msgpack.encode(event)
        branch = origin = ""
        owner = event.owner
        if event.trace is not None:
            branch, origin = event.trace.branch, event.detail.get("origin", "")
            owner = owner or self._owner_of(branch, origin)
        self._database.execute(
            _INSERT,
            (
                owner,
                self._next(owner),
                event.time,
                event.kind.value,
                event.call_id,
                branch,
                origin,
                len(body),
                body,
            ),
        )
        self._count += 1
        self._size += len(body)

    def _owner_of(self, branch: str, origin: str) -> str:
        claimed = self._claims.get(branch) or self._claims.get(origin)
        if claimed:
            return claimed
        row = self._database.execute(_OWNER_OF, (branch, origin)).fetchone()
        return str(row[0]) if row else ""

    def _claim(self, detail: Mapping[str, str], owner: str) -> None:
        if not owner:
            return
        names = {name: detail.get(name, "") for name in ("branch", "origin")}
        for name in filter(None, names.values()):
            self._claims.setdefault(name, owner)  # the first one counts
        while len(self._claims) > _CLAIMS:
            del self._claims[next(iter(self._claims))]
        rows = self._database.execute(_OF_TRANSACTION, names).fetchall()
        for (number,) in rows:
            self._database.execute(
                "UPDATE event SET owner = ?, ordinal = ? WHERE number = ?",
                (owner, self._next(owner), number),
            )

    def _next(self, owner: str) -> int:
        (ordinal,) = self._database.execute(_COUNT, (owner,)).fetchone()
        return int(ordinal)

    def _trim(self, now: float) -> None:
        while rows := self._database.execute(
            "SELECT number, time, size FROM event ORDER BY number LIMIT ?", (_TRIMMED,)
        ).fetchall():
            last = None
            for number, time, size in rows:
                if (
                    self._count <= self._bounds.count
                    and self._size <= self._bounds.size
                    and time >= now - self._bounds.age
                ):
                    break
                self._count -= 1
                self._size -= size
                last = number
            if last is not None:
                self._database.execute("DELETE FROM event WHERE number <= ?", (last,))
            if last != rows[-1][0]:
                return


def _decode(body: bytes) -> Event:
    return msgspec.msgpack.decode(body, type=Event)
