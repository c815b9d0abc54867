"""
Tests for `sipsorcery.store.live.local` and `sipsorcery.store.live.reader`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Durability
from sipsorcery.store.errors import (
    StoreDamaged,
    StoreInUse,
    StoreOverloaded,
    StoreUnavailable,
)
from sipsorcery.store.live import LiveReader, LiveStore, LocalReader, LocalStore, Record
from sipsorcery.testing.threads import SteppedThreads
from tests.store import contract
from tests.store.contract import NOW, everything, make


class ContractTests(contract.LiveStoreContract):
    """
    The contract, on the store as it is: with a file and a thread.
    """

    local: LocalStore

    async def open(self) -> LiveStore:
        """
        Open the store in a folder of the test's own.
        """
        if not hasattr(self, "folder"):
            self.folder = Path(self.mktemp())
        self.local = LocalStore(reactor, self.folder, clock=self.time)
        self.local.start()
        return self.local

    async def close(self) -> None:
        """
        Close the store.
        """
        await self.local.stop()


class LocalCase(SynchronousTestCase):
    """
    A folder for stores, and a clock and threads that tests move.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.reactor = Clock()
        self.reactor.advance(NOW)
        self.threads = SteppedThreads()

    def make_store(
        self, durability: Durability = Durability.PROCESS, limit: int = 100
    ) -> LocalStore:
        """
        Make a store that is not open.
        """
        return LocalStore(
            self.reactor,
            self.folder,
            durability=durability,
            limit=limit,
            threads=self.threads,
            clock=self.reactor.seconds,
        )

    def start(self, limit: int = 100) -> LocalStore:
        """
        Open a store, and close it after the test.
        """
        store = self.make_store(limit=limit)
        store.start()
        self.addCleanup(lambda: self.stop(store))
        return store

    def stop(self, store: LocalStore) -> None:
        """
        Close a store.
        """
        stopped = Deferred.fromCoroutine(store.stop())
        self.work()
        self.successResultOf(stopped)

    def work(self) -> None:
        """
        Let the thread do all that there is to do.
        """
        self.reactor.advance(0)
        while self.threads.calls:
            self.threads.step()
            self.reactor.advance(0)


class LocalStoreTests(LocalCase):
    """
    What the local store does beside the contract.
    """

    def test_acknowledged_when_stored(self) -> None:
        """
        A change is acknowledged when it is in the file, not before.
        """
        store = self.start()
        put = store.put(make())
        reader = LocalReader(self.folder, self.reactor.seconds)
        self.addCleanup(reader.stop)
        self.reactor.advance(0)
        self.assertNoResult(put)
        self.assertIsNone(self.successResultOf(reader.get("binding", "alice")))
        self.threads.step()
        stored = self.successResultOf(put)
        self.assertEqual(self.successResultOf(reader.get("binding", "alice")), stored)

    def test_one_commit(self) -> None:
        """
        All that comes while a batch is written goes into the next one.
        """
        store = self.start()
        first = [store.put(make(f"{number}")) for number in range(3)]
        self.reactor.advance(0)
        second = [store.put(make(f"{number}")) for number in range(3, 90)]
        self.threads.step()
        for each in first:
            self.successResultOf(each)
        for each in second:
            self.assertNoResult(each)
        self.threads.step()
        for each in second:
            self.successResultOf(each)
        self.assertEqual(self.threads.calls, [])

    def test_overload_changes_nothing(self) -> None:
        """
        What is refused because too much waits is as it was, in memory too.
        """
        store = self.start(limit=2)
        first = store.put(make("a", data=b"first"))
        store.put(make("b"))
        self.failureResultOf(store.put(make("a", data=b"second")), StoreOverloaded)
        self.failureResultOf(store.discard("binding", "a"), StoreOverloaded)
        self.failureResultOf(store.put(make("c")), StoreOverloaded)
        record = self.successResultOf(store.get("binding", "a"))
        assert record is not None
        self.assertEqual(record.data, b"first")
        self.assertIsNone(self.successResultOf(store.get("binding", "c")))
        self.work()
        self.assertEqual(self.successResultOf(first), record)
        store.put(make("c"))

    def test_stop_writes(self) -> None:
        """
        What waits when the store is closed is written.
        """
        store = self.start()
        puts = [store.put(make(f"{number}")) for number in range(3)]
        self.stop(store)
        for each in puts:
            self.successResultOf(each)
        again = self.start()
        found = self.successResultOf(
            Deferred.fromCoroutine(everything(again.scan("binding")))
        )
        self.assertEqual(found, ["0", "1", "2"])

    def test_closed(self) -> None:
        """
        A store that is not open is unavailable, and says so.
        """
        store = self.start()
        self.stop(store)
        self.stop(store)
        for question in (
            store.get("binding", "alice"),
            store.count("binding", "joe"),
            store.due("binding", NOW),
            store.expired("binding"),
            store.put(make()),
            store.swap(make()),
            store.swap(make().replace(version=1)),
            store.remove(make().replace(version=1)),
            store.discard("binding", "alice"),
            Deferred.fromCoroutine(everything(store.scan("binding"))),
        ):
            self.failureResultOf(question, StoreUnavailable)

    def test_second_writer(self) -> None:
        """
        A second writer is told what to do about it, and the first goes on.
        """
        store = self.start()
        error = self.assertRaises(StoreInUse, self.make_store().start)
        self.assertIn("several need Redis", str(error))
        put = store.put(make())
        self.work()
        self.successResultOf(put)
        self.stop(store)
        self.start()

    def test_private(self) -> None:
        """
        Nobody else can read what lies in the folder.
        """
        store = self.start()
        store.put(make())
        self.work()
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        for file in self.folder.iterdir():
            self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)

    def test_purge(self) -> None:
        """
        Who wants to act on an expired record has a minute for it; then it goes.
        """
        store = self.start(limit=2000)
        for number in range(1300):
            store.put(make(f"{number}", expiry=NOW + 61))
        store.put(make("stays", expiry=NOW + 1000))
        self.work()
        for seconds, count in ((60, 0), (60, 10), (60, 0)):
            self.reactor.advance(seconds)
            self.work()
            expired = self.successResultOf(store.expired("binding", 10))
            self.assertEqual(len(expired), count)
        self.stop(store)
        with sqlite3.connect(self.folder / "live.db") as database:
            rows = database.execute("select key from record").fetchall()
        database.close()
        self.assertEqual(rows, [("stays",)])

    def test_damaged(self) -> None:
        """
        A file that is no database is not touched, and the operator told what to do.
        """
        self.folder.mkdir()
        file = self.folder / "live.db"
        file.write_bytes(b"something else " * 100)
        error = self.assertRaises(StoreDamaged, self.make_store().start)
        self.assertIn("Move it away", str(error))
        self.assertEqual(file.read_bytes(), b"something else " * 100)
        file.unlink()
        self.start()

    def test_damaged_inside(self) -> None:
        """
        The same holds where the damage is further inside, and the lock is free again.
        """
        store = self.start()
        for number in range(100):
            store.put(make(f"{number}", data=bytes(1000)))
        self.work()
        self.stop(store)
        file = self.folder / "live.db"
        content = bytearray(file.read_bytes())
        content[8 * 4096 : 24 * 4096] = b"\xff" * (16 * 4096)
        file.write_bytes(content)
        for _ in range(2):
            error = self.assertRaises(StoreDamaged, self.make_store().start)
            self.assertIn("Move it away", str(error))

    def test_locked_by_a_program(self) -> None:
        """
        While another program holds the file, it is not called damaged.
        """
        self.stop(self.start())
        database = sqlite3.connect(self.folder / "live.db", isolation_level=None)
        self.addCleanup(database.close)
        database.execute("begin immediate")
        error = self.assertRaises(StoreUnavailable, self.make_store().start)
        self.assertNotIn("Move it away", str(error))
        database.execute("rollback")
        self.start()

    def test_newer(self) -> None:
        """
        A file of a newer version is refused, by the writer and the reader.
        """
        self.stop(self.start())
        database = sqlite3.connect(self.folder / "live.db")
        database.execute("pragma user_version = 2")
        database.close()
        error = self.assertRaises(StoreDamaged, self.make_store().start)
        self.assertIn("version 2", str(error))
        reader = LocalReader(self.folder)
        self.failureResultOf(reader.get("binding", "alice"), StoreDamaged)

    def test_durability(self) -> None:
        """
        Both settings store; what survives a loss of power no test can show.
        """
        for durability in Durability:
            store = self.make_store(durability)
            store.start()
            put = store.put(make(durability.value))
            self.work()
            self.successResultOf(put)
            self.stop(store)
        again = self.start()
        found = self.successResultOf(
            Deferred.fromCoroutine(everything(again.scan("binding")))
        )
        self.assertEqual(found, ["power", "process"])


class LocalReaderTests(LocalCase):
    """
    Another process that looks at the local store.
    """

    def setUp(self) -> None:
        super().setUp()
        self.reader = LocalReader(self.folder, self.reactor.seconds)
        self.addCleanup(self.reader.stop)

    def keys(self, records: Deferred[list[Record]]) -> list[str]:
        """
        Give the keys of records, in their own order.
        """
        return sorted(record.key for record in self.successResultOf(records))

    def scanned(self, store: LiveReader, owner: str | None = None) -> list[str]:
        """
        Give the keys that a scan of a store brings.
        """
        scan = everything(store.scan("binding", owner))
        return self.successResultOf(Deferred.fromCoroutine(scan))

    def test_same_answers(self) -> None:
        """
        The reader answers as the writer does.
        """
        store = self.start(limit=2000)
        for number in range(1201):
            owner = "joe" if number % 3 else "eve"
            expiry = NOW + number % 5
            store.put(make(f"{number:04}", owner=owner, expiry=expiry, due=expiry))
        store.put(make("0001", kind="call"))
        self.work()
        self.reactor.advance(2)
        for key in ("0001", "0003", "none"):
            self.assertEqual(
                self.successResultOf(self.reader.get("binding", key)),
                self.successResultOf(store.get("binding", key)),
            )
        self.assertEqual(self.scanned(self.reader), sorted(self.scanned_by(store)))
        for whose in ("joe", "eve", "nobody", None):
            self.assertEqual(
                self.successResultOf(self.reader.count("binding", whose)),
                self.successResultOf(store.count("binding", whose)),
            )
            self.assertEqual(
                len(self.scanned(self.reader, whose)),
                self.successResultOf(store.count("binding", whose)),
            )
        for mine, theirs in (
            (
                self.reader.due("binding", NOW + 3, 500),
                store.due("binding", NOW + 3, 500),
            ),
            (self.reader.expired("binding", 900), store.expired("binding", 900)),
        ):
            keys = self.keys(mine)
            self.assertEqual(keys, self.keys(theirs))
            self.assertNotEqual(keys, [])
        self.assertEqual(
            len(self.successResultOf(self.reader.due("binding", NOW + 3, 7))), 7
        )

    def scanned_by(self, store: LocalStore) -> list[str]:
        """
        Give the keys that a scan of the writer brings, which takes several turns.
        """
        scan = Deferred.fromCoroutine(everything(store.scan("binding")))
        self.work()
        self.work()
        self.work()
        return self.successResultOf(scan)

    def test_changes(self) -> None:
        """
        The reader sees each change once it is acknowledged.
        """
        store = self.start()
        for data in (b"one", b"two"):
            store.put(make(data=data))
            self.work()
            record = self.successResultOf(self.reader.get("binding", "alice"))
            assert record is not None
            self.assertEqual(record.data, data)
        store.discard("binding", "alice")
        self.work()
        self.assertIsNone(self.successResultOf(self.reader.get("binding", "alice")))

    def test_before_the_writer(self) -> None:
        """
        Before the writer has started for the first time the store is unavailable, and
        as soon as it has, it is there.
        """
        ask = self.reader.get("binding", "alice")
        self.failureResultOf(ask, StoreUnavailable)
        store = self.start()
        self.assertIsNone(self.successResultOf(self.reader.get("binding", "alice")))
        store.put(make())
        self.work()
        self.assertIsNotNone(self.successResultOf(self.reader.get("binding", "alice")))

    def test_after_the_writer(self) -> None:
        """
        What was stored can be read when the writer has gone, and is there when the
        next one comes.
        """
        store = self.start()
        store.put(make())
        self.work()
        self.stop(store)
        self.assertIsNotNone(self.successResultOf(self.reader.get("binding", "alice")))
        store = self.start()
        store.discard("binding", "alice")
        self.work()
        self.assertIsNone(self.successResultOf(self.reader.get("binding", "alice")))
