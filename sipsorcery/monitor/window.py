"""
The window: the last events, on disk, so that a restart loses none.

It blocks, so a service keeps it in a thread of its own. That thread shares an
interpreter with a busy one: each statement of SQLite, and each row, may cost it 5 ms
until it has its turn again. So a batch takes a few statements, however long it is, and
a reading gets its rows in one piece.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from sipsorcery.monitor.claims import Claims, Name, names_of, owned
from sipsorcery.monitor.errors import WindowDamaged
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer

# Rows that one reading looks at: some 20 ms. Who wants more comes again.
_SCANNED = 2000
# Rows that come in one piece, and are written by one statement: some 200 kB.
_PIECE = 100
# Bytes of the events of one page. Whoever asks for it gets it as JSON, where a byte may
# become six, and waits for no more than 16 MB.
_PAGE = 2_000_000
# Events of one call, and calls that belong together: a call has a dozen messages on
# each leg, and a minute of those of a phone that begins anew again and again.
_STORY = 2000
_RELATED = 50

# The layout of the file; one of another layout is not read.
_LAYOUT = 1
# An owner counts their events on their own: so a cursor tells nothing of others, and a
# trace that gets its owner late is still after what that owner has read.
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    call_id TEXT NOT NULL,
    dialogue TEXT NOT NULL,
    branch TEXT NOT NULL,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS event_owner ON event (owner, ordinal);
CREATE INDEX IF NOT EXISTS event_call ON event (call_id) WHERE call_id != '';
CREATE INDEX IF NOT EXISTS event_dialogue ON event (dialogue) WHERE dialogue != '';
CREATE INDEX IF NOT EXISTS event_branch ON event (branch) WHERE branch != '';
CREATE INDEX IF NOT EXISTS event_origin ON event (origin) WHERE origin != '';
CREATE TABLE IF NOT EXISTS owner (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS total (count INTEGER NOT NULL, size INTEGER NOT NULL);
INSERT INTO total SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM total);
PRAGMA user_version = {_LAYOUT};
"""
_COLUMNS = "owner, ordinal, time, kind, call_id, dialogue, branch, origin, size, body"
_WIDTH = _COLUMNS.count(",") + 1
# The origins of branches that are claimed.
_ORIGINS = """
SELECT DISTINCT branch, origin FROM event WHERE branch != '' AND origin != ''
    AND branch IN (SELECT value FROM json_each(?))
"""
# What is nobody's and has one of these names.
_UNCLAIMED = """
SELECT number, branch, origin FROM event WHERE owner = '' AND branch != ''
    AND branch IN (SELECT value FROM json_each(:branch))
UNION SELECT number, branch, origin FROM event WHERE owner = '' AND origin != ''
    AND origin IN (SELECT value FROM json_each(:origin))
ORDER BY number
"""
_GIVE = """
UPDATE event SET owner = json_extract(given.value, '$[1]'),
    ordinal = json_extract(given.value, '$[2]')
    FROM json_each(?) AS given WHERE number = json_extract(given.value, '$[0]')
"""
_LAST = "SELECT name, last FROM owner WHERE name IN (SELECT value FROM json_each(?))"
_COUNTED = """
INSERT INTO owner (name, last)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
    WHERE true ON CONFLICT (name) DO UPDATE SET last = excluded.last
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


@dataclass(frozen=True, slots=True)
class CallStory:
    """
    All there is of one call.

    :ivar calls: our identifiers of it: one, or none if no server of ours had it.
    :ivar call_ids: those of its legs.
    :ivar events: first to last.
    :ivar is_cut: whether there were more than one gets.
    """

    calls: tuple[str, ...]
    call_ids: tuple[str, ...]
    events: tuple[Event, ...]
    is_cut: bool = False


class Window:
    """
    Keeps events and finds them again.

    :param path: of the database; ":memory:" is one too.
    :raises WindowDamaged: if the file is something else.
    """

    def __init__(self, path: Path | str, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._claims = Claims()
        self._database = sqlite3.connect(path, check_same_thread=False)
        try:
            self._open()
        except BaseException:
            self._database.close()
            raise

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
        events = list(events)
        names = [name for event in events for name in self._claims.learn(event)]
        with self._database:
            names += self._learn_origins(names)
            late = self._find_unclaimed(names)
            kept = [
                event for event in events if event.kind is not EventKind.OWNER_KNOWN
            ]
            owners = [owner for _, owner in late]
            owners += [self._owner(event) for event in kept]
            ordinals = self._count(owners)
            self._give(late, ordinals[: len(late)])
            self._insert(kept, owners[len(late) :], ordinals[len(late) :])
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
        cursor, missed = self._gap(wanted.viewer, cursor)
        events: list[Event] = []
        size = scanned = 0
        rows = self._rows(wanted.viewer, cursor, query or Query())
        for scanned, (cursor, event, length) in enumerate(rows, 1):  # noqa: B007
            if wanted.matches(event):
                events.append(event)
                size += length
            if len(events) >= limit or size >= _PAGE:
                break
        else:
            if scanned < _SCANNED:
                cursor = self._last(wanted.viewer)
                return Page(tuple(events), cursor, missed, is_last=True)
        return Page(tuple(events), cursor, missed, is_last=False)

    def end(self, wanted: Filter) -> int:
        """
        Give the cursor of somebody who wants what is new from now on.
        """
        return self._last(wanted.viewer)

    def call(self, viewer: Viewer, call: str) -> CallStory:
        """
        Give all that there is of a call, as far as the viewer may see it.

        :param call: our identifier, or the Call-ID of a leg.
        """
        calls = {call, *self._related("dialogue", "call_id", [call], viewer)}
        call_ids = {call, *self._related("call_id", "dialogue", calls, viewer)}
        events, is_cut = self._story(viewer, calls, call_ids)
        events.sort(key=lambda event: event.time)
        return CallStory(
            tuple(sorted({each.dialogue for each in events} - {""})),
            tuple(sorted({each.call_id for each in events} - {""})),
            tuple(events),
            is_cut,
        )

    # Opening

    def _open(self) -> None:
        execute = self._database.execute
        try:
            (layout,) = execute("PRAGMA user_version").fetchone()
            (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables and layout != _LAYOUT:
                raise WindowDamaged("it has another layout")
            execute("PRAGMA journal_mode = WAL")
            # Of a power cut the last second may be lost; of a crash of ours, nothing.
            execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
            self._held, self._size = execute("SELECT * FROM total").fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise WindowDamaged(str(error)) from error

    # Writing

    def _learn_origins(self, names: list[Name]) -> list[Name]:
        """
        Find what traces of before show to belong to branches that have an owner now.
        """
        branches = [text for kind, text in names if kind == "branch"]
        if not branches:
            return []
        rows = self._all(_ORIGINS, json.dumps(branches))
        return [
            name
            for branch, origin in rows
            for name in self._claims.join(("branch", branch), ("origin", origin))
        ]

    def _find_unclaimed(self, names: list[Name]) -> list[tuple[int, str]]:
        """
        Give the numbers of what is nobody's yet and has such a name, and its owner.
        """
        if not names:
            return []
        texts = {
            wanted: json.dumps([text for kind, text in names if kind == wanted])
            for wanted in ("branch", "origin")
        }
        rows = self._database.execute(_UNCLAIMED, texts).fetchall()
        return [
            (number, self._claims.owner_of((("branch", branch), ("origin", origin))))
            for number, branch, origin in rows
        ]

    def _owner(self, event: Event) -> str:
        return event.owner or self._claims.owner_of(names_of(event))

    def _count(self, owners: Sequence[str]) -> list[int]:
        """
        Give each event the next number of its owner.
        """
        last = dict.fromkeys(owners, 0)
        last.update(self._all(_LAST, json.dumps(list(last))))
        ordinals = []
        for owner in owners:
            last[owner] += 1
            ordinals.append(last[owner])
        self._database.execute(_COUNTED, (json.dumps(list(last.items())),))
        return ordinals

    def _give(self, late: list[tuple[int, str]], ordinals: list[int]) -> None:
        if late:
            given = [
                (number, owner, ordinal)
                for (number, owner), ordinal in zip(late, ordinals, strict=True)
            ]
            self._database.execute(_GIVE, (json.dumps(given),))

    def _insert(
        self, events: list[Event], owners: list[str], ordinals: list[int]
    ) -> None:
        rows = list(map(_row, events, owners, ordinals))
        for first in range(0, len(rows), _PIECE):
            piece = rows[first : first + _PIECE]
            values = [value for row in piece for value in row]
            self._database.execute(_inserting(len(piece)), values)
        self._held += len(rows)
        self._size += sum(row[-2] for row in rows)

    def _trim(self, now: float) -> None:
        while self._held:
            last, count, size = self._exceeding(now)
            if not count:
                break
            self._database.execute("DELETE FROM event WHERE number <= ?", (last,))
            self._held -= count
            self._size -= size
        self._database.execute(
            "UPDATE total SET count = ?, size = ?", (self._held, self._size)
        )

    def _exceeding(self, now: float) -> tuple[int, int, int]:
        """
        Give the last of the oldest events that have to go, how many, and their bytes.
        """
        last = count = total = 0
        oldest = "SELECT number, time, size FROM event ORDER BY number LIMIT ?"
        is_full = self._held > self.bounds.count or self._size > self.bounds.size
        ((_, first, _),) = self._all(oldest, 1)
        if not is_full and first >= now - self.bounds.age:
            return 0, 0, 0
        for number, time, size in self._all(oldest, _PIECE):
            if (
                self._held - count <= self.bounds.count
                and self._size - total <= self.bounds.size
                and time >= now - self.bounds.age
            ):
                break
            last, count, total = number, count + 1, total + size
        return last, count, total

    # Reading

    def _rows(
        self, viewer: Viewer, cursor: int, query: Query
    ) -> Iterator[tuple[int, Event, int]]:
        """
        Give what a viewer may see and asks for: its place, the event, and its bytes.
        """
        place = _place(viewer)
        terms, values = _terms(viewer, query)
        for _ in range(_SCANNED // _PIECE):
            piece = self._piece(
                f"SELECT {place} AS at, owner, body FROM event WHERE {place} > ? "
                f"AND {' AND '.join(terms)} ORDER BY {place} LIMIT {_PIECE}",
                (cursor, *values),
            )
            yield from piece
            if len(piece) < _PIECE:
                return
            cursor = piece[-1][0]

    def _piece(
        self, select: str, values: Iterable[object]
    ) -> list[tuple[int, Event, int]]:
        statement = (
            f"SELECT json_group_array(json_array(at, owner, hex(body))) FROM ({select})"
        )
        ((rows,),) = self._all(statement, *values)
        return [
            (at, owned(_decode(body), owner), len(body))
            for at, owner, digits in json.loads(rows)
            for body in (bytes.fromhex(digits),)
        ]

    def _related(
        self, column: str, by: str, known: Collection[str], viewer: Viewer
    ) -> list[str]:
        """
        Give what stands in a column of events that have one of these in another.
        """
        terms, values = _terms(viewer, Query())
        rows = self._all(
            f"SELECT DISTINCT {column} FROM event WHERE {column} != '' AND {by} != '' "
            f"AND {by} IN (SELECT value FROM json_each(?)) "
            f"AND {' AND '.join(terms)} LIMIT {_RELATED}",
            json.dumps(list(known)),
            *values,
        )
        return [text for (text,) in rows]

    def _story(
        self, viewer: Viewer, calls: Collection[str], call_ids: Collection[str]
    ) -> tuple[list[Event], bool]:
        """
        Give the first events of these, and whether there are more.
        """
        terms, values = _terms(viewer, Query())
        texts = json.dumps(list(calls)), json.dumps(list(call_ids))
        either = " UNION ".join(
            f"SELECT number FROM event WHERE {column} != '' AND {column} IN "
            f"(SELECT value FROM json_each(?)) AND {' AND '.join(terms)}"
            for column in ("dialogue", "call_id")
        )
        events: list[Event] = []
        size = last = 0
        while len(events) < _STORY and size < _PAGE:
            piece = self._piece(
                "SELECT number AS at, owner, body FROM event WHERE number IN "
                f"({either}) AND number > ? ORDER BY number LIMIT {_PIECE}",
                (texts[0], *values, texts[1], *values, last),
            )
            events += [event for _, event, _ in piece]
            size += sum(length for _, _, length in piece)
            if len(piece) < _PIECE:
                return events, False
            last = piece[-1][0]
        return events, True

    def _gap(self, viewer: Viewer, cursor: int) -> tuple[int, int]:
        """
        Give from where to read, and how many events are missing there.
        """
        last = self._last(viewer)
        if cursor > last:
            return 0, 0  # of another window: begin again
        if not cursor:
            return 0, 0  # whoever begins has missed nothing
        place = _place(viewer)
        terms, values = _terms(viewer, Query())
        ((there,),) = self._all(
            f"SELECT count(*) FROM event WHERE {place} > ? AND {' AND '.join(terms)}",
            cursor,
            *values,
        )
        return cursor, last - cursor - there

    def _last(self, viewer: Viewer) -> int:
        if viewer.is_admin:
            rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        else:
            rows = self._all("SELECT last FROM owner WHERE name = ?", viewer.user)
        return int(rows[0][0]) if rows else 0

    def _all(self, statement: str, *values: object) -> list[Any]:
        return self._database.execute(statement, values).fetchall()


def _place(viewer: Viewer) -> str:
    return "number" if viewer.is_admin else "ordinal"


def _terms(viewer: Viewer, query: Query) -> tuple[list[str], list[object]]:
    """
    Give the conditions of a reading, and their values.

    Nothing of a stranger is in a condition: all of it is from here.
    """
    terms: list[tuple[str, list[object]]] = [("true", [])]
    if not viewer.is_admin:
        terms.append(("owner = ?", [viewer.user]))
    if query.call_id:
        terms.append(("call_id = ?", [query.call_id]))
    if query.since is not None:
        terms.append(("time >= ?", [query.since]))
    if query.until is not None:
        terms.append(("time < ?", [query.until]))
    if query.kinds:
        places = ", ".join("?" * len(query.kinds))
        terms.append((f"kind IN ({places})", [kind.value for kind in query.kinds]))
    return [text for text, _ in terms], [each for _, some in terms for each in some]


@cache  # there are no more of them than events in a piece
def _inserting(count: int) -> str:
    row = f"({', '.join('?' * _WIDTH)})"
    return f"INSERT INTO event ({_COLUMNS}) VALUES {', '.join([row] * count)}"


def _row(event: Event, owner: str, ordinal: int) -> tuple[Any, ...]:
    try:
        body = _encode(event)
    except UnicodeEncodeError:
        event = _readable(event)
        body = _encode(event)
    names = dict(names_of(event)) if event.trace else {}
    return (
        owner,
        ordinal,
        event.time,
        event.kind.value,
        event.call_id,
        event.dialogue,
        names.get("branch", ""),
        names.get("origin", ""),
        len(body),
        body,
    )


def _encode(event: Event) -> bytes:
    return msgspec.msgpack.encode(event)


def _readable(event: Event) -> Event:
    """
    Write octets out that are no UTF-8: those of a stranger, whom nothing obliges to it.
    """
    texts = {name: getattr(event, name) for name in ("call_id", "dialogue", "message")}
    detail = {_clean(name): _clean(text) for name, text in event.detail.items()}
    texts = {name: _clean(text) for name, text in texts.items()}
    trace = event.trace
    if trace is not None:
        trace = msgspec.structs.replace(trace, branch=_clean(trace.branch))
    return msgspec.structs.replace(event, **texts, detail=detail, trace=trace)


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _decode(body: bytes) -> Event:
    return msgspec.msgpack.decode(body, type=Event)
