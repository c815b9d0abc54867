"""
Tests for `sipsorcery.store.directory.database`, `migration` and `directory`.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from sipsorcery.config import Durability, parse
from sipsorcery.store.directory import Directory, schema
from sipsorcery.store.directory.database import Database, make_engine_url
from sipsorcery.store.directory.migration import HEAD
from sipsorcery.store.directory.types import Networks, Texts, UTCDateTime
from sipsorcery.store.errors import (
    Refused,
    StoreDamaged,
    StoreOverloaded,
    StoreUnavailable,
)
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import CHEAP, URL, DirectoryCase


class SchemaTests(DirectoryCase):
    """
    The tables, as the migrations make them.
    """

    def test_migrations_make_the_schema(self) -> None:
        """
        The migrations make what `schema` describes, and nothing else.
        """

        def compare(using: sa.Connection) -> list[object]:
            context = MigrationContext.configure(using)
            return list(compare_metadata(context, schema.metadata))

        self.assertEqual(self.do(self.joe.accounts._read(compare)), [])

    def test_head(self) -> None:
        """
        The last migration is the one at which there is nothing to do.
        """

        def made(using: sa.Connection) -> str | None:
            return MigrationContext.configure(using).get_current_revision()

        self.assertEqual(self.do(self.joe.accounts._read(made)), HEAD)

    def test_columns_match(self) -> None:
        """
        A column of the migrations takes texts of the length that `schema` says.
        """

        def lengths(using: sa.Connection) -> dict[str, object]:
            made = sa.MetaData()
            made.reflect(using)
            return {
                f"{column}": getattr(column.type, "length", None)
                for table in made.sorted_tables
                for column in table.columns
                if table.name != "alembic_version"
            }

        expected = {
            f"{column}": getattr(column.type, "length", None)
            for table in schema.metadata.sorted_tables
            for column in table.columns
        }
        self.assertEqual(self.do(self.joe.accounts._read(lengths)), expected)

    def test_owners(self) -> None:
        """
        Every table but those that belong to nobody alone has an owner.
        """
        shared = {"users", "domain_aliases", "revisions"}
        for table in schema.metadata.sorted_tables:
            self.assertEqual("owner" in table.c, table.name not in shared, table.name)

    def test_statements_for_postgresql(self) -> None:
        """
        The types that we have made ourselves exist on PostgreSQL, too.
        """
        dialect = sa.create_mock_engine("postgresql+psycopg://", print).dialect
        for kind, expected in (
            (UTCDateTime(), "TIMESTAMP WITH TIME ZONE"),
            (Texts(), "JSON"),
            (Networks(), "JSON"),
        ):
            self.assertEqual(kind.compile(dialect), expected)


class StartTests(SynchronousTestCase):
    """
    Opening the file.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.file = self.folder / "directory.db"

    def start(self) -> Database:
        """
        Open the file, or make it.
        """
        threads = SteppedThreads(waits=False)
        database = Database(Clock(), self.folder, threads=threads)
        database.start()
        self.addCleanup(database.stop)
        return database

    def ask(self, database: Database, statement: str) -> object:
        """
        Read one value.
        """
        return self.successResultOf(
            database.read(lambda using: using.execute(sa.text(statement)).scalar())
        )

    def test_made(self) -> None:
        """
        What is missing is made, for its owner alone; a second start changes nothing.
        """
        database = self.start()
        self.assertEqual(self.ask(database, "select count(*) from users"), 0)
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        for file in self.folder.iterdir():
            self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)
        database.stop()
        before = self.file.read_bytes()
        database.start()
        database.stop()
        self.assertEqual(self.file.read_bytes(), before)

    def test_strange_folder(self) -> None:
        """
        A folder may have any name.
        """
        self.folder = Path(self.mktemp()) / "a b%c?d#é"
        self.ask(self.start(), "select count(*) from users")
        self.assertTrue((self.folder / "directory.db").exists())

    def test_settings(self) -> None:
        """
        The file is in WAL mode, and keeps to its foreign keys.
        """
        database = self.start()
        self.assertEqual(self.ask(database, "pragma journal_mode"), "wal")
        self.assertEqual(self.ask(database, "pragma foreign_keys"), 1)
        self.assertEqual(self.ask(database, "pragma synchronous"), 1)
        database.stop()
        database = Database(
            Clock(),
            self.folder,
            durability=Durability.POWER,
            threads=SteppedThreads(waits=False),
        )
        database.start()
        self.addCleanup(database.stop)
        self.assertEqual(self.ask(database, "pragma synchronous"), 2)

    def test_newer(self) -> None:
        """
        A file that a newer version has made is refused, and not touched.
        """
        self.start().stop()
        with sqlite3.connect(self.file) as connection:
            connection.execute("update alembic_version set version_num = '9999'")
        connection.close()
        before = self.file.read_bytes()
        error = self.assertRaises(StoreDamaged, self.start)
        self.assertIn("made by a newer sipsorcery: its schema is 9999", str(error))
        self.assertEqual(self.file.read_bytes(), before)

    def test_damaged(self) -> None:
        """
        A file that is no database is refused, and not touched.
        """
        self.folder.mkdir()
        self.file.write_bytes(b"something else " * 100)
        error = self.assertRaises(StoreDamaged, self.start)
        self.assertIn("directory.db' cannot be used", str(error))
        self.assertEqual(self.file.read_bytes(), b"something else " * 100)

    def test_all_or_nothing(self) -> None:
        """
        When the tables cannot be made, none is left half-way.
        """
        self.folder.mkdir()
        with sqlite3.connect(self.file) as connection:
            connection.execute("create table cdrs (something)")
        connection.close()
        self.assertRaises(StoreDamaged, self.start)
        with sqlite3.connect(self.file) as connection:
            tables = connection.execute("select name from sqlite_master").fetchall()
        connection.close()
        self.assertEqual(tables, [("cdrs",)])

    def test_closed(self) -> None:
        """
        A directory that is not open is unavailable.
        """
        threads = SteppedThreads(waits=False)
        threads.start()
        database = Database(Clock(), self.folder, threads=threads)
        self.failureResultOf(database.read(lambda using: None), StoreUnavailable)

    def test_no_driver(self) -> None:
        """
        Without the driver of PostgreSQL it is said how to get it.
        """
        if find_spec("psycopg") is not None:
            raise SkipTest("the driver is installed")
        database = Database(Clock(), self.folder, "postgresql://joe:secret@db/sip")
        error = self.assertRaises(StoreUnavailable, database.start)
        self.assertIn("sipsorcery[postgres]", str(error))
        self.assertNotIn("secret", str(error))

    def test_url(self) -> None:
        """
        A URL of PostgreSQL gets the driver that we have, and shows no password.
        """
        url = make_engine_url("postgresql://joe:secret@db.example/sip", self.folder)
        self.assertEqual(url.drivername, "postgresql+psycopg")
        self.assertNotIn("secret", str(url))
        self.assertEqual((url.username, url.database), ("joe", "sip"))


class DatabaseTests(DirectoryCase):
    """
    Work in threads.
    """

    def open_database(self, threads: SteppedThreads) -> Database:
        """
        Open the directory of the test once more.
        """
        database = Database(self.reactor, self.folder, URL, threads=threads)
        database.start()
        self.addCleanup(database.stop)
        return database

    def test_too_slow(self) -> None:
        """
        Whoever waits too long is told, and what comes later disturbs nobody.
        """
        threads = SteppedThreads()
        database = self.open_database(threads)
        waiting = database.read(lambda using: 1)
        self.reactor.advance(4.9)
        self.assertNoResult(waiting)
        self.reactor.advance(0.1)
        self.failureResultOf(waiting, StoreUnavailable)
        threads.step()

    def test_rollback(self) -> None:
        """
        Work that fails has changed nothing.
        """
        database = self.open_database(SteppedThreads(waits=False))

        def work(using: sa.Connection) -> None:
            using.execute(sa.delete(schema.users))
            raise Refused("no")

        self.failureResultOf(database.write(work), Refused)
        self.assertEqual(len(self.do(self.everyone.users.all())), 2)

    def test_reading_does_not_change(self) -> None:
        """
        What is changed where there should only be reading is not stored.
        """
        database = self.open_database(SteppedThreads(waits=False))
        database.read(lambda using: using.execute(sa.delete(schema.users)).close())
        self.assertEqual(len(self.do(self.everyone.users.all())), 2)

    def test_database_errors(self) -> None:
        """
        What the database says comes as an error of the store.
        """
        database = self.open_database(SteppedThreads(waits=False))
        for statement, error in (
            ("select * from nothing", StoreUnavailable),
            ("insert into revisions values ('users', 1)", Refused),
            ("insert into domain_aliases values ('a', 'nothing')", Refused),
        ):
            execute = partial(sa.Connection.execute, statement=sa.text(statement))
            failed = database.write(execute)
            self.failureResultOf(failed, error)

    def test_revisions(self) -> None:
        """
        Each change of a table that servers keep copies of is counted, by whatever
        process; a change that is refused is not.
        """
        before = self.do(self.directory.revisions())
        self.assertEqual(
            set(before),
            {
                "users",
                "public_keys",
                "domains",
                "accounts",
                "providers",
                "dialplans",
                "settings",
            },
        )
        self.do(self.open().of("joe").accounts.add("100"))
        self.refuse(Refused, self.joe.accounts.add("100"))
        self.do(self.joe.values.put("key", "value"))
        after = self.do(self.directory.revisions())
        changed = {name: after[name] - before[name] for name in after}
        self.assertEqual({k: v for k, v in changed.items() if v}, {"accounts": 1})

    def test_of_config(self) -> None:
        """
        The configuration says where the directory is, and what is served without it.
        """
        folder = Path(self.mktemp())
        config = parse(
            f"server.data_dir = '{folder}'\nsip.domains = ['example.net']".encode()
        )
        secrets = Secrets(folder)
        secrets.load()
        directory = Directory.of_config(reactor, config, secrets)
        directory.start()
        directory.stop()
        self.assertTrue((folder / "directory.db").exists())


class ProcessesTests(TestCase):
    """
    Two directories on one file, with threads, as two processes have them.
    """

    if URL != "sqlite":
        skip = "this is about the file of SQLite"

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        secrets = Secrets(self.folder)
        secrets.load()
        self.directories = [
            Directory(reactor, self.folder, secrets, hasher=CHEAP) for _ in range(2)
        ]
        for each in self.directories:
            each.start()
            self.addCleanup(each.stop)

    async def test_writers(self) -> None:
        """
        Both write as much as they can, and nothing is lost or refused.
        """
        await self.directories[0].everyone.users.add("joe")
        await gatherResults(
            [
                directory.of("joe").values.put(f"{which}-{number}", "x")
                for number in range(40)
                for which, directory in enumerate(self.directories)
            ]
        )
        keys = await self.directories[1].of("joe").values.keys()
        self.assertEqual(len(keys), 80)

    async def test_many_at_once(self) -> None:
        """
        More work than threads waits its turn; more than may wait is refused.
        """
        users = self.directories[0].everyone.users
        outcomes: list[object] = []
        asked = [users.find("joe").addBoth(outcomes.append) for _ in range(1000)]
        await gatherResults(asked)
        self.assertEqual(len(outcomes), 1000)
        refused = [each for each in outcomes if each is not None]
        self.assertGreater(len(refused), 0)
        self.assertLess(len(refused), 1000)
        for failure in refused:
            failure.trap(StoreOverloaded)  # type: ignore[attr-defined]
