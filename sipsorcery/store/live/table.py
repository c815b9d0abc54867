"""
The table in SQLite that keeps the records of the local store.

Nothing here knows the reactor: the writer calls from a thread, one call at a time.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import msgspec

from sipsorcery.config import Durability
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.errors import StoreDamaged, StoreUnavailable
from sipsorcery.store.live.record import Record

_VERSION = 1

# In the order of the fields of a record, whose struct is written as an array. A row
# that is inserted into "change" replaces the record with its key; one without data
# removes it. So a batch of both is one statement, with which the thread of the writer
# gives the interpreter lock away once, and not once a row. "on conflict" writes one
# page where "or replace" writes three.
_SCHEMA = f"""
create table record (
    kind text not null,
    key text not null,
    data text not null,
    expiry real not null,
    owner text not null,
    due real,
    version integer not null,
    primary key (kind, key)
) without rowid;
create view change as select * from record;
create trigger store instead of insert on change when new.data is not null
begin
    insert into record values (
        new.kind, new.key, new.data, new.expiry, new.owner, new.due, new.version
    )
    on conflict (kind, key) do update set
        data = excluded.data, expiry = excluded.expiry, owner = excluded.owner,
        due = excluded.due, version = excluded.version;
end;
create trigger remove instead of insert on change when new.data is null
begin
    delete from record where kind = new.kind and key = new.key;
end;
create table start (number integer not null);
insert into start values (0);
pragma user_version = {_VERSION};
"""

# The batch is JSON because that is the only table that SQLite takes as a parameter.
# Data is in it, and in the table, as base64: unhex() came with 3.41, after Debian 12.
_WRITE = """
insert into change
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6
from json_each(?)
"""

_START = "update start set number = number + 1 returning number"
_COLUMNS = "kind, key, data, expiry, owner, due, version"
_ALL = f"select {_COLUMNS} from record"
_ONE = f"{_ALL} where kind = ? and key = ?"
_PAGE = f"{_ALL} where kind = ? and key > ? and expiry > ? order by key limit ?"
_DUE = f"{_ALL} where kind = ? and due <= ? and expiry > ? order by due limit ?"
_EXPIRED = f"{_ALL} where kind = ? and expiry <= ? order by expiry limit ?"
_COUNT_ALL = "select count(*) from record where kind = ? and expiry > ?"
_COUNT = f"{_COUNT_ALL} and owner = ?"

# Pages of 4 KiB that changes may fill before they are carried into the table. Four
# times SQLite's own number: a page that changes often is carried less often, and
# reading the file at the start, the price, takes no noticeable time for 16 MB.
_CHECKPOINT = 4000
# KiB of pages that the writer keeps; more changes nothing, as the kernel has them too.
_CACHE = 8 * 1024
# Milliseconds to wait for another process that is just opening or closing the file.
_BUSY_MS = 1000

_SYNCHRONOUS = {Durability.PROCESS: "normal", Durability.POWER: "full"}

Row: TypeAlias = tuple[str, str, str, float, str, float | None, int]


class Removal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    A row for ``change`` that removes a record.
    """

    kind: str
    key: str


def write_batch(changes: Iterable[Record | Removal]) -> str:
    """
    Make the parameter of one write, with each key at most once.
    """
    return msgspec.json.encode(list(changes)).decode()


class WritableTable:
    """
    The table as its one writer has it.

    :param file: made if it is missing.
    :raises StoreDamaged: if the file is none of ours, or of a newer version.
    :raises StoreUnavailable: if the disk does not let it be used.
    :raises OSError: if it cannot be made.
    """

    def __init__(self, file: Path, durability: Durability) -> None:
        # SQLite says only that it is "unable to open" a file, and makes those beside it
        # with the same rights.
        file.touch(mode=0o600)
        self._file = file
        self._connection = _connect(file)
        try:
            self._prepare(durability)
        except BaseException:
            self._connection.close()
            raise

    def count_start(self) -> int:
        """
        Give the number of this start: another one each time.
        """
        with _explaining(self._file):
            ((number,),) = self._connection.execute(_START).fetchall()
        return int(number)

    def load(self) -> Iterator[Record]:
        """
        Read every record.
        """
        with _explaining(self._file):
            yield from map(_record, self._connection.execute(_ALL))

    def write(self, batch: str) -> None:
        """
        Make the changes of a batch, all or none, and return when they are stored.

        :raises sqlite3.Error: if the disk does not let it.
        """
        self._connection.execute(_WRITE, (batch,))

    def close(self) -> None:
        """
        Carry all changes into the table, and close the file.
        """
        self._connection.close()

    def _prepare(self, durability: Durability) -> None:
        execute = self._connection.execute
        with _explaining(self._file):
            execute("pragma journal_mode = wal")
            execute(f"pragma synchronous = {_SYNCHRONOUS[durability]}")
            execute(f"pragma wal_autocheckpoint = {_CHECKPOINT}")
            execute(f"pragma cache_size = -{_CACHE}")
            version = _version(self._connection)
            if version == 0:
                self._connection.executescript(f"begin;{_SCHEMA}commit;")
        _check_version(self._file, version or _VERSION)


class ReadableTable:
    """
    The table as another process may look at it, while the writer is at work or not.

    :raises sqlite3.Error: from each method, if the file cannot be read.
    :raises StoreDamaged: if the file is of another version.
    """

    def __init__(self, file: Path) -> None:
        # Not "mode=ro": without a writer, such a reader could not make the file that
        # readers share.
        self._connection = _connect(file, "rw")
        self._connection.execute("pragma query_only = on")
        try:
            _check_version(file, _version(self._connection))
        except BaseException:
            self._connection.close()
            raise

    def get(self, kind: str, key: str) -> Record | None:
        """
        Read one record, expired or not.
        """
        row = self._connection.execute(_ONE, (kind, key)).fetchone()
        return None if row is None else _record(row)

    def page(self, kind: str, after: str, now: float, limit: int) -> list[Record]:
        """
        Read the records whose keys follow *after*.
        """
        return self._read(_PAGE, kind, after, now, limit)

    def due(self, kind: str, until: float, now: float, limit: int) -> list[Record]:
        """
        Read records that are due by *until*.
        """
        return self._read(_DUE, kind, until, now, limit)

    def expired(self, kind: str, now: float, limit: int) -> list[Record]:
        """
        Read records that have expired.
        """
        return self._read(_EXPIRED, kind, now, limit)

    def count(self, kind: str, owner: str | None, now: float) -> int:
        """
        Count what there is of a kind, or what an owner has of it.
        """
        query, owners = (_COUNT_ALL, ()) if owner is None else (_COUNT, (owner,))
        (count,) = self._connection.execute(query, (kind, now, *owners)).fetchone()
        return int(count)

    def close(self) -> None:
        """
        Close the file.
        """
        self._connection.close()

    def _read(self, query: str, *parameters: object) -> list[Record]:
        return [_record(row) for row in self._connection.execute(query, parameters)]


def _connect(file: Path, mode: str = "rwc") -> sqlite3.Connection:
    # Every statement is a transaction of its own. It is the caller who sees to it that
    # there is one call at a time, though from changing threads.
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_MS / 1000,
        check_same_thread=False,
    )


@contextmanager
def _explaining(file: Path) -> Iterator[None]:
    """
    Turn what SQLite says at the start into an error for the operator.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        # The disk is full or fails, or another program has locked the file.
        raise StoreUnavailable(f"'{file}' cannot be used now: {error}") from error
    except (sqlite3.DatabaseError, binascii.Error) as error:
        raise StoreDamaged(
            f"'{file}' cannot be used: {error}. Move it away, and the servers start "
            "with no registrations and no calls"
        ) from error


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("pragma user_version").fetchone()
    return int(version)


def _check_version(file: Path, version: int) -> None:
    if version != _VERSION:
        raise StoreDamaged(
            f"'{file}' has version {excerpt(version)} of its form, and this sipsorcery "
            f"knows version {_VERSION} only"
        )


def _record(row: Row) -> Record:
    kind, key, data, expiry, owner, due, version = row
    return Record(kind, key, base64.b64decode(data), expiry, owner, due, version)
