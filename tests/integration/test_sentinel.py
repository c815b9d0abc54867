"""
The live state and the bus in a Redis that Sentinels watch, with real ones.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from sipsorcery.config import Durability
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.redis_bus import RedisBus
from sipsorcery.store.errors import StoreUnavailable
from sipsorcery.store.live.redis import RedisStore
from tests.integration.killed import wait_for
from tests.integration.sentinel import SentinelGroup
from tests.monitor.bus_contract import STEP, event
from tests.store.contract import NOW, everything, make


class SentinelCase(TestCase):
    """
    A master and its replica.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        folder = Path(self.mktemp())
        folder.mkdir()
        self.group = SentinelGroup(folder)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.group.stop()))
        await self.group.start()

    def store(self, durability: Durability) -> RedisStore:
        """
        Open a store.
        """
        store = RedisStore(
            reactor, [self.group.url], durability=durability, clock=lambda: NOW
        )
        store.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(store.stop()))
        return store


class FailoverTests(SentinelCase):
    """
    A master that is killed in the middle of changes.
    """

    async def write(self, store: RedisStore, row: int, stored: set[str]) -> None:
        """
        Store records one after another until that fails; note what was acknowledged.
        """
        for number in count():
            name = f"{row}-{number}"
            try:
                await store.put(make(name))
            except StoreUnavailable:
                return
            stored.add(name)

    async def test_nothing_is_lost(self) -> None:
        """
        With durability "power" the replica has all that was acknowledged, whenever the
        master dies.
        """
        store = self.store(Durability.POWER)
        stored: set[str] = set()
        writers = [
            Deferred.fromCoroutine(self.write(store, row, stored)) for row in range(20)
        ]
        await wait_for(lambda: len(stored) > 300)
        await self.group.master.kill()
        for writer in writers:
            await writer
        await self.group.promoted()
        found = await self.comes_back(self.store(Durability.PROCESS))
        self.assertEqual(stored - found, set())

    async def comes_back(self, store: RedisStore) -> set[str]:
        """
        Wait until a store tells what it has.
        """
        while True:
            try:
                return {*await everything(store.scan("binding"))}
            except StoreUnavailable:
                continue

    async def test_process(self) -> None:
        """
        With durability "process" the store goes on as well; a record that the replica
        had when the master died is there.
        """
        store = self.store(Durability.PROCESS)
        kept = await store.put(make("kept"))
        while "sipsorcery:record:binding:kept" not in await self.group.replica.keys(
            [0]
        ):
            pass
        await self.group.master.kill()
        await self.group.promoted()
        while True:
            try:
                self.assertEqual(await store.get("binding", "kept"), kept)
            except StoreUnavailable:
                continue
            break
        await store.swap(kept.replace(data=b"more"))

    async def test_without_replica(self) -> None:
        """
        With durability "power" no change counts that the master has alone; once there
        is a replica again, the change is made once.
        """
        store = self.store(Durability.POWER)
        first = await store.put(make())
        await self.group.replica.kill()
        with capturedLogs() as logged:
            await self.assertFailure(
                store.swap(first.replace(data=b"second")), StoreUnavailable
            )
        self.assertIn("no replica", "\n".join(map(formatEvent, logged)))
        await self.group.replica.start()
        while True:
            try:
                found = await store.get("binding", "alice")
            except StoreUnavailable:
                continue
            break
        assert found is not None
        self.assertEqual(found.data, b"second")
        await store.swap(found)


class BusTests(SentinelCase):
    """
    Events, while a replica becomes the master.
    """

    async def test_goes_on(self) -> None:
        """
        What is emitted while there is no master arrives afterwards.
        """
        speaks, hears = (RedisBus(reactor, self.group.url, look=0.05) for _ in "12")
        heard: list[Event] = []
        for bus in (speaks, hears):
            bus.startService()
            self.addCleanup(bus.stopService)
        hears.subscribe(heard.append, {STEP})
        await wait_for(lambda: speaks.wants(STEP))
        speaks.emit(event(1))
        await wait_for(lambda: heard)
        await self.group.master.kill()
        speaks.emit(event(2))
        await self.group.promoted()
        await wait_for(lambda: len(heard) > 1)
        speaks.emit(event(3))
        await wait_for(lambda: heard[-1].time == 3)
        self.assertEqual([each.time for each in heard], [1, 2, 3])
        self.assertEqual(hears.missed, 0)
