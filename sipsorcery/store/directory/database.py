"""
The database of the directory, in threads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from twisted.internet.defer import Deferred, TimeoutError
from twisted.python.failure import Failure

from sipsorcery.config import Durability
from sipsorcery.store.directory import migration
from sipsorcery.store.errors import Refused, StoreDamaged, StoreError, StoreUnavailable
from sipsorcery.store.threads import PooledThreads, Threads

_T = TypeVar("_T")

# SQLite has one writer at a time, and readers are quick: more threads would wait for
# the interpreter. They also hash passwords, which takes one each for 0.1 s.
_THREADS = 6
# What may wait: at a millisecond each, a quarter of a second of work.
_WAITING = 256
# Milliseconds that a writer in another process, such as the command line, may take.
_BUSY_MS = 5000
# Seconds that PostgreSQL may take to accept a connection.
_CONNECT_TIMEOUT = 5

_READING = "sipsorcery_reading"


class Database:
    """
    Runs functions that use a connection, each in a transaction of its own.

    :param url: ``sqlite`` or ``postgresql://...``, as ``storage.directory`` has it.
    :param folder: the ``data_dir`` of the service, where SQLite has its file.
    :param timeout: seconds that a caller waits at most.
    """

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        url: str = "sqlite",
        *,
        durability: Durability = Durability.PROCESS,
        timeout: float = 5.0,
        threads: Threads | None = None,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._durability = durability
        self._timeout = timeout
        self.threads = threads or PooledThreads(
            reactor, "directory", size=_THREADS, waiting=_WAITING
        )
        self._url = make_engine_url(url, folder)
        self._engine: Engine | None = None

    def start(self) -> None:
        """
        Connect, and make the tables or bring them up to date; this blocks.

        :raises StoreDamaged: if a newer version has made them, or they are damaged.
        :raises StoreUnavailable: if there is no connection.
        """
        engine = self._make_engine()
        try:
            migration.upgrade(engine)
        except StoreError:
            engine.dispose()
            raise
        except SQLAlchemyError as error:
            engine.dispose()
            raise _start_error(self._url, error) from error
        self._engine = engine
        self.threads.start()

    def stop(self) -> None:
        """
        Finish what was begun and disconnect.
        """
        if self._engine is not None:
            self.threads.stop()
            self._engine.dispose()
            self._engine = None

    def read(self, work: Callable[[Connection], _T]) -> Deferred[_T]:
        """
        Run *work* in a thread, on what is stored at one moment.
        """
        return self._run(self._read, work)

    def write(self, work: Callable[[Connection], _T]) -> Deferred[_T]:
        """
        Run *work* in a thread; what it changes is stored if it returns.
        """
        return self._run(self._write, work)

    def _run(
        self,
        way: Callable[[Callable[[Connection], _T]], _T],
        work: Callable[[Connection], _T],
    ) -> Deferred[_T]:
        done = self.threads.run(way, work)
        return done.addTimeout(self._timeout, self._reactor).addErrback(_explain)

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        with self._open().connect().execution_options(**{_READING: True}) as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        with self._open().begin() as connection:
            return work(connection)

    def _open(self) -> Engine:
        if self._engine is None:
            raise StoreUnavailable("the directory is not open")
        return self._engine

    def _make_engine(self) -> Engine:
        if self._url.get_backend_name() != "sqlite":
            return _make_postgresql(self._url)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite makes the files beside it with the same rights.
        Path(str(self._url.database)).touch(mode=0o600)
        engine = create_engine(self._url, pool_size=_THREADS, max_overflow=0)
        _configure_sqlite(engine, self._durability)
        return engine


def make_engine_url(url: str, folder: Path) -> URL:
    """
    Give the URL as SQLAlchemy has it, from ``storage.directory``.
    """
    if url == "sqlite":
        return URL.create("sqlite", database=str((folder / "directory.db").absolute()))
    return make_url(url).set(drivername="postgresql+psycopg")


def _make_postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url,
            pool_size=_THREADS,
            max_overflow=0,
            pool_pre_ping=True,  # a connection that broke is replaced, not used
            connect_args={"connect_timeout": _CONNECT_TIMEOUT},
        )
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"the directory {url} needs the package psycopg: "
            "pip install 'sipsorcery[postgres]'"
        ) from error


def _configure_sqlite(engine: Engine, durability: Durability) -> None:
    synchronous = {Durability.PROCESS: "normal", Durability.POWER: "full"}[durability]

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: object) -> None:
        # The driver shall begin no transaction by itself: "begin" below does it, also
        # for changes of tables.
        connection.isolation_level = None
        for setting in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = wal",
            f"synchronous = {synchronous}",
            "foreign_keys = on",
        ):
            connection.execute(f"pragma {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that began as a reader could find that another was faster, and would
        # have to begin again.
        reading = connection.get_execution_options().get(_READING)
        connection.exec_driver_sql("begin" if reading else "begin immediate")


def _explain(failure: Failure) -> Failure:
    """
    Turn what a database says into an error of ours.
    """
    error = failure.value
    match error:
        case TimeoutError():
            raise StoreUnavailable("the directory takes too long") from error
        case IntegrityError():
            # The rules are checked before; so somebody was faster in between.
            raise Refused(
                f"this is in conflict with something: {error.orig}"
            ) from error
        case UnicodeEncodeError() | DataError():
            raise Refused("this is nothing that the directory can hold") from error
        case DBAPIError():
            raise StoreUnavailable(f"the directory fails: {error.orig}") from error
        case SQLAlchemyError() if error.code == "3o7r":  # no connection in time
            raise StoreUnavailable("the directory has no connection left") from error
    return failure


def _start_error(url: URL, error: SQLAlchemyError) -> StoreError:
    reason = error.orig if isinstance(error, DBAPIError) else error
    if url.get_backend_name() == "sqlite":
        return StoreDamaged(f"'{url.database}' cannot be used: {reason}")
    # The URL as text shows no password.
    return StoreUnavailable(f"the directory {url} cannot be used: {reason}")
