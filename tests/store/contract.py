"""
What every store of live state has to do, as tests.

An implementation is tested by a subclass that opens and closes it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from sipsorcery.store.errors import Conflict, InvalidRecord
from sipsorcery.store.live import Leases, LiveStore, Record, sweep, take_due
from sipsorcery.store.live.record import MAX_DATA, MAX_NAME

_T = TypeVar("_T")

NOW = 1_700_000_000.0


def make(key: str = "alice", **fields: object) -> Record:
    """
    Make a record that lasts for a minute.
    """
    return Record("binding", key, b"data", NOW + 60).replace(**fields)


async def everything(records: AsyncIterator[Record]) -> list[str]:
    """
    Give the keys of what a scan brings, in their own order.
    """
    return sorted([record.key async for record in records])


class LiveStoreContract(TestCase):
    """
    One store, whose clock stands at `NOW` until a test moves it.
    """

    store: LiveStore
    now = NOW

    async def open(self) -> LiveStore:
        """
        Open the store that a test works with, empty at first, with the clock `time`.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """
        Close the store; what it has acknowledged is there when it is opened again.
        """
        raise NotImplementedError

    def time(self) -> float:
        """
        Give the time of the test.
        """
        return self.now

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        self.store = await self.open()

    async def tearDown(self) -> None:  # type: ignore[override]  # as trial allows
        await self.close()

    async def reopen(self) -> None:
        """
        Close the store and open it again.
        """
        await self.close()
        self.store = await self.open()

    async def assert_conflict(self, change: Deferred[_T]) -> Record | None:
        """
        Check that a change was refused because of what is stored; give that.
        """
        try:
            await change
        except Conflict as conflict:
            return conflict.current
        raise self.failureException("there was no conflict")

    # One record

    async def test_put_and_get(self) -> None:
        """
        A record comes back as it was stored, with a version.
        """
        record = make(owner="joe", due=NOW + 1.5, data=bytes(range(256)))
        stored = await self.store.put(record)
        self.assertGreater(stored.version, 0)
        self.assertEqual(stored, record.replace(version=stored.version))
        self.assertEqual(await self.store.get("binding", "alice"), stored)

    async def test_get_nothing(self) -> None:
        """
        Another key, or the same key of another kind, is another record.
        """
        await self.store.put(make())
        self.assertIsNone(await self.store.get("binding", "bob"))
        self.assertIsNone(await self.store.get("call", "alice"))

    async def test_put_replaces(self) -> None:
        """
        Put stores a record whatever was there.
        """
        await self.store.put(make(data=b"old", owner="joe"))
        new = await self.store.put(make(data=b"", owner="eve"))
        self.assertEqual(await self.store.get("binding", "alice"), new)

    async def test_names(self) -> None:
        """
        A key is any text without NUL, and two texts are one key only if they are equal.
        """
        keys = [
            "a",
            "A",
            "a ",
            "'",
            '"',
            "\\",
            "\n\r\t\x01",
            "é",
            "e\u0301",
            "\U0001f4de",
        ]
        keys += ["{x}a", "%s", "*", "k" * MAX_NAME]
        await gatherResults(
            [self.store.put(make(key, data=key.encode(), owner=key)) for key in keys]
        )
        for _ in range(2):
            for key in keys:
                record = await self.store.get("binding", key)
                assert record is not None
                self.assertEqual((record.key, record.owner), (key, key))
                self.assertEqual(record.data, key.encode())
            await self.reopen()

    async def test_invalid(self) -> None:
        """
        What could not be kept is refused, and spoils nothing beside it.
        """
        good = self.store.put(make())
        for bad in (
            make(""),
            make(kind=""),
            make("k" * (MAX_NAME + 1)),
            make("a\0b"),
            make("\udc80"),
            make(owner="\0"),
            make(owner="\udc80"),
            make(data=bytes(MAX_DATA + 1)),
            make(expiry=float("inf")),
            make(expiry=float("nan")),
            make(due=float("inf")),
        ):
            await self.assertFailure(self.store.put(bad), InvalidRecord)
            await self.assertFailure(self.store.swap(bad), InvalidRecord)
        await good
        self.assertEqual(await everything(self.store.scan("binding")), ["alice"])

    async def test_most_data(self) -> None:
        """
        Data may be as long as the limit.
        """
        data = bytes(MAX_DATA)
        await self.store.put(make(data=data))
        await self.reopen()
        record = await self.store.get("binding", "alice")
        assert record is not None
        self.assertEqual(record.data, data)

    async def test_seen_before_stored(self) -> None:
        """
        Whoever asks after a change was asked for sees it.
        """
        put = self.store.put(make())
        self.assertIsNotNone(await self.store.get("binding", "alice"))
        discarded = self.store.discard("binding", "alice")
        self.assertIsNone(await self.store.get("binding", "alice"))
        await put
        await discarded

    async def test_order(self) -> None:
        """
        Changes to one record are made in the order in which they were asked for.
        """
        changes: list[Deferred[Any]] = []
        for turn in range(50):
            changes += [
                self.store.put(make(data=b"%d" % turn)),
                self.store.discard("binding", "bob"),
                self.store.put(make("bob", data=b"%d" % turn)),
                self.store.discard("binding", "carol"),
                self.store.put(make("carol")),
                self.store.discard("binding", "carol"),
            ]
        for each in changes:
            await each
        await self.reopen()
        for key in ("alice", "bob"):
            record = await self.store.get("binding", key)
            assert record is not None
            self.assertEqual(record.data, b"49")
        self.assertIsNone(await self.store.get("binding", "carol"))

    # Compare and set

    async def test_swap_into_nothing(self) -> None:
        """
        A record without version is stored only where there is none: the first wins.
        """
        first = await self.store.swap(make(data=b"first"))
        current = await self.assert_conflict(self.store.swap(make(data=b"second")))
        self.assertEqual(current, first)
        self.assertEqual(await self.store.get("binding", "alice"), first)

    async def test_swap(self) -> None:
        """
        A record with the stored version replaces it, and has a later version then.
        """
        first = await self.store.put(make())
        second = await self.store.swap(first.replace(data=b"second"))
        self.assertGreater(second.version, first.version)
        self.assertEqual(await self.store.get("binding", "alice"), second)

    async def test_swap_too_late(self) -> None:
        """
        A record with another version than the stored one changes nothing.
        """
        first = await self.store.put(make())
        second = await self.store.put(make(data=b"second"))
        for stale in (first, second.replace(version=second.version + 1)):
            current = await self.assert_conflict(self.store.swap(stale))
            self.assertEqual(current, second)
        self.assertEqual(await self.store.get("binding", "alice"), second)

    async def test_swap_removed(self) -> None:
        """
        What was removed meanwhile does not come back by a swap.
        """
        record = await self.store.put(make())
        await self.store.discard("binding", "alice")
        self.assertIsNone(await self.assert_conflict(self.store.swap(record)))
        self.assertIsNone(await self.store.get("binding", "alice"))

    async def test_swap_race(self) -> None:
        """
        Of many who change the same version at once, exactly one does.
        """
        record = await self.store.put(make())
        changed = [record.replace(data=b"%d" % number) for number in range(20)]
        outcomes = await DeferredList(
            [self.store.swap(each) for each in changed], consumeErrors=True
        )
        won = [result for success, result in outcomes if success]
        self.assertEqual(len(won), 1)
        self.assertEqual(await self.store.get("binding", "alice"), won[0])
        for success, failure in outcomes:
            if not success:
                assert isinstance(failure, Failure)
                failure.trap(Conflict)

    async def test_versions_never_repeat(self) -> None:
        """
        No version is given twice, also not to a record that was removed, nor after the
        store was opened again.
        """
        seen = set()
        for _ in range(3):
            for key in ("alice", "alice", "bob"):
                seen.add((await self.store.put(make(key))).version)
                await self.store.discard("binding", key)
            await self.reopen()
        self.assertEqual(len(seen), 9)

    async def test_remove(self) -> None:
        """
        A record is removed by the version that is stored, and by no other.
        """
        first = await self.store.put(make())
        second = await self.store.swap(first.replace(data=b"second"))
        self.assertEqual(await self.assert_conflict(self.store.remove(first)), second)
        await self.store.remove(second)
        self.assertIsNone(await self.store.get("binding", "alice"))
        self.assertIsNone(await self.assert_conflict(self.store.remove(second)))

    async def test_discard(self) -> None:
        """
        Whatever is there is removed; it need not be there.
        """
        await self.store.put(make())
        for _ in range(2):
            await self.store.discard("binding", "alice")
            self.assertIsNone(await self.store.get("binding", "alice"))
        await self.reopen()
        self.assertIsNone(await self.store.get("binding", "alice"))

    # Expiry

    async def test_expiry(self) -> None:
        """
        From the second of its expiry on, a record is not there any more.
        """
        await self.store.put(make(owner="joe", due=NOW))
        self.now = NOW + 59.5
        self.assertIsNotNone(await self.store.get("binding", "alice"))
        self.now = NOW + 60
        self.assertIsNone(await self.store.get("binding", "alice"))
        self.assertEqual(await self.store.count("binding", "joe"), 0)
        self.assertEqual(await everything(self.store.scan("binding")), [])
        self.assertEqual(await everything(self.store.scan("binding", "joe")), [])
        self.assertEqual(await self.store.due("binding", NOW), [])

    async def test_expiry_and_swap(self) -> None:
        """
        To a swap, too, an expired record is none.
        """
        record = await self.store.put(make())
        self.now = NOW + 60
        longer = record.replace(expiry=NOW + 120)
        self.assertIsNone(await self.assert_conflict(self.store.swap(longer)))
        await self.store.swap(longer.replace(version=0))
        self.assertIsNotNone(await self.store.get("binding", "alice"))

    async def test_expired(self) -> None:
        """
        Expired records are given to whoever wants to act on them, and can be removed.
        """
        for number in range(5):
            await self.store.put(make(f"{number}", expiry=NOW + number))
        await self.store.put(make(kind="call", expiry=NOW))
        self.now = NOW + 2
        expired = await self.store.expired("binding")
        self.assertEqual([each.key for each in expired], ["0", "1", "2"])
        self.assertEqual(len(await self.store.expired("binding", limit=2)), 2)
        await self.store.remove(expired[1])
        left = [each.key for each in await self.store.expired("binding")]
        self.assertEqual(left, ["0", "2"])

    async def test_expiry_moves(self) -> None:
        """
        A record expires when its last version says, be that later or earlier.
        """
        await self.store.put(make("later", expiry=NOW + 5))
        await self.store.put(make("later", expiry=NOW + 50))
        await self.store.put(make("earlier", expiry=NOW + 50))
        await self.store.put(make("earlier", expiry=NOW + 5))
        await self.store.put(make("twice", expiry=NOW + 5))
        await self.store.put(make("twice", expiry=NOW + 50))
        await self.store.put(make("twice", expiry=NOW + 5))
        for _ in range(2):
            self.now = NOW + 10
            expired = [each.key for each in await self.store.expired("binding")]
            self.assertEqual(sorted(expired), ["earlier", "twice"])
            self.now = NOW + 50
            expired = [each.key for each in await self.store.expired("binding")]
            self.assertEqual(sorted(expired), ["earlier", "later", "twice"])
            await self.reopen()

    async def test_sweep(self) -> None:
        """
        Of several who sweep, each expired record goes to one.
        """
        for number in range(20):
            await self.store.put(make(f"{number}", expiry=NOW + 1))
        await self.store.put(make("stays"))
        self.now = NOW + 1
        swept = await gatherResults(
            [Deferred.fromCoroutine(sweep(self.store, "binding")) for _ in range(3)]
        )
        keys = [record.key for each in swept for record in each]
        self.assertEqual(sorted(keys), sorted(f"{number}" for number in range(20)))
        self.assertEqual(await self.store.expired("binding"), [])
        self.assertIsNotNone(await self.store.get("binding", "stays"))

    # Due times

    async def test_due(self) -> None:
        """
        Records are due from their time on, until they are changed.
        """
        for number in range(5):
            await self.store.put(make(f"{number}", due=NOW + number))
        await self.store.put(make("never"))
        await self.store.put(make(kind="call", due=NOW))
        for _ in range(2):
            due = await self.store.due("binding", NOW + 2)
            self.assertEqual([each.key for each in due], ["0", "1", "2"])
            await self.reopen()
        self.assertEqual(len(await self.store.due("binding", NOW + 2, limit=2)), 2)
        self.assertEqual(await self.store.due("binding", NOW - 1), [])

    async def test_due_within_second(self) -> None:
        """
        A time is met to the fraction of a second.
        """
        await self.store.put(make("a", due=NOW + 0.75))
        await self.store.put(make("b", due=NOW + 0.25))
        due = await self.store.due("binding", NOW + 0.5)
        self.assertEqual([each.key for each in due], ["b"])
        self.assertEqual(len(await self.store.due("binding", NOW + 0.75)), 2)

    async def test_due_moves(self) -> None:
        """
        A record is due when its last version says: later, earlier, or not at all.
        """
        for key, *times in (
            ("later", NOW, NOW + 9),
            ("earlier", NOW + 9, NOW),
            ("no more", NOW, None),
            ("again", NOW, None, NOW),
            ("off and on", NOW, NOW + 9, NOW),
        ):
            for time in times:
                await self.store.put(make(key, due=time))
        await self.store.put(make("gone", due=NOW))
        await self.store.discard("binding", "gone")
        due = [each.key for each in await self.store.due("binding", NOW)]
        self.assertEqual(sorted(due), ["again", "earlier", "off and on"])
        due = [each.key for each in await self.store.due("binding", NOW + 9)]
        self.assertEqual(sorted(due), ["again", "earlier", "later", "off and on"])

    async def test_take_due(self) -> None:
        """
        Of several who take what is due, each record goes to one, and is due again only
        after it was held in vain.
        """
        for number in range(20):
            await self.store.put(make(f"{number}", due=NOW))
        taken = await gatherResults(
            [
                Deferred.fromCoroutine(take_due(self.store, "binding", NOW, hold=5))
                for _ in range(3)
            ]
        )
        records = [record for each in taken for record in each]
        self.assertEqual(
            sorted(each.key for each in records),
            sorted(f"{number}" for number in range(20)),
        )
        self.assertEqual({each.due for each in records}, {NOW + 5})
        self.assertEqual(await take_due(self.store, "binding", NOW + 4, hold=5), [])
        await self.store.swap(records[0].replace(due=None))
        again = await take_due(self.store, "binding", NOW + 5, hold=5)
        self.assertEqual(len(again), 19)

    # Many records

    async def test_scan(self) -> None:
        """
        A scan gives each record of a kind once, however many there are.
        """
        keys = [f"{number:04}" for number in range(1201)]
        await gatherResults([self.store.put(make(key)) for key in keys])
        await self.store.put(make(kind="call"))
        self.assertEqual(await everything(self.store.scan("binding")), keys)
        self.assertEqual(await everything(self.store.scan("nothing")), [])

    async def test_scan_changing(self) -> None:
        """
        What changes during a scan is given once, as it was or as it is; what is removed
        before its turn need not be.
        """
        for number in range(1201):
            self.store.put(make(f"{number:04}"))
        seen = []
        async for record in self.store.scan("binding"):
            seen.append(record.key)
            if len(seen) == 1:
                for number in range(1201):
                    self.store.put(make(f"{number:04}", data=b"new"))
                await self.store.put(make("9999"))
        self.assertEqual(sorted(set(seen) | {"9999"}), [*sorted(seen)[:1201], "9999"])

    async def test_owner(self) -> None:
        """
        The records of one owner are counted and given apart.
        """
        await self.store.put(make("a", owner="joe"))
        await self.store.put(make("b", owner="joe"))
        await self.store.put(make("c", owner="eve"))
        await self.store.put(make("d"))
        await self.store.put(make("e", owner="joe", kind="call"))
        for _ in range(2):
            self.assertEqual(await self.store.count("binding", "joe"), 2)
            self.assertEqual(await self.store.count("binding", "zoe"), 0)
            self.assertEqual(await self.store.count("binding"), 4)
            self.assertEqual(await self.store.count("claim"), 0)
            mine = await everything(self.store.scan("binding", "joe"))
            self.assertEqual(mine, ["a", "b"])
            await self.reopen()

    async def test_owner_changes(self) -> None:
        """
        A record belongs to the owner of its last version.
        """
        await self.store.put(make("a", owner="joe"))
        await self.store.put(make("b", owner="joe"))
        await self.store.put(make("a", owner="eve"))
        await self.store.discard("binding", "b")
        self.assertEqual(await self.store.count("binding", "joe"), 0)
        self.assertEqual(await self.store.count("binding"), 1)
        self.assertEqual(await everything(self.store.scan("binding", "joe")), [])
        self.assertEqual(await everything(self.store.scan("binding", "eve")), ["a"])

    async def test_reopen(self) -> None:
        """
        What was acknowledged is there after the store was opened again, as it was.
        """
        stored = await gatherResults(
            [
                self.store.put(make(f"{number}", owner="joe", due=NOW + number))
                for number in range(100)
            ]
        )
        for each in stored[::2]:
            await self.store.remove(each)
        await self.reopen()
        for number, each in enumerate(stored):
            found = await self.store.get("binding", each.key)
            self.assertEqual(found, each if number % 2 else None)
        await self.store.swap(stored[1].replace(data=b"new"))

    # Leases

    async def test_lease(self) -> None:
        """
        One holder at a time has a lease, and knows that it is theirs.
        """
        one = Leases(self.store, "one", self.time)
        other = Leases(self.store, "other", self.time)
        lease = await one.take("expiries", 10)
        assert lease is not None
        self.assertEqual((lease.name, lease.expiry), ("expiries", NOW + 10))
        self.assertIsNone(await other.take("expiries", 10))
        self.assertIsNotNone(await other.take("another", 10))
        self.assertEqual(await one.holder("expiries"), "one")
        self.assertIsNotNone(await one.take("expiries", 10))

    async def test_lease_race(self) -> None:
        """
        Of many who want a lease at once, one gets it.
        """
        taken = await gatherResults(
            [
                Deferred.fromCoroutine(
                    Leases(self.store, f"{number}", self.time).take("expiries", 10)
                )
                for number in range(10)
            ]
        )
        self.assertEqual(sum(lease is not None for lease in taken), 1)

    async def test_lease_ends(self) -> None:
        """
        A lease that was not renewed goes to the next, and the old holder is told.
        """
        one = Leases(self.store, "one", self.time)
        other = Leases(self.store, "other", self.time)
        lease = await one.take("expiries", 10)
        assert lease is not None
        self.now = NOW + 10
        self.assertIsNone(await one.holder("expiries"))
        self.assertIsNone(await one.renew(lease, 10))
        self.assertIsNotNone(await other.take("expiries", 10))
        self.assertIsNone(await one.renew(lease, 10))
        await one.release(lease)
        self.assertEqual(await one.holder("expiries"), "other")

    async def test_lease_renewed(self) -> None:
        """
        A lease that is renewed lasts from then on.
        """
        one = Leases(self.store, "one", self.time)
        other = Leases(self.store, "other", self.time)
        lease = await one.take("expiries", 10)
        for turn in range(1, 4):
            assert lease is not None
            self.now = NOW + 9 * turn
            lease = await one.renew(lease, 10)
            self.assertIsNone(await other.take("expiries", 10))
        assert lease is not None
        self.assertEqual(lease.expiry, NOW + 37)

    async def test_lease_released(self) -> None:
        """
        A lease that was released is free at once.
        """
        one = Leases(self.store, "one", self.time)
        lease = await one.take("expiries", 10)
        assert lease is not None
        await one.release(lease)
        self.assertIsNone(await one.renew(lease, 10))
        other = Leases(self.store, "other", self.time)
        self.assertIsNotNone(await other.take("expiries", 10))
