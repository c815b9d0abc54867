"""
The bus in Redis, with a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.redis_bus import RedisBus
from tests.integration.redis_server import RedisServer
from tests.monitor import bus_contract
from tests.monitor.bus_contract import STEP, TRACE, event

# Seconds: for a machine with much else to do.
_PATIENCE = 30.0


class RedisBusTests(bus_contract.BusContract):
    """
    The contract, from one process to another, and what is lost on the way.
    """

    speaks: RedisBus
    hears: RedisBus

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        await super().setUp()
        folder = Path(self.mktemp())
        folder.mkdir()
        self.redis = RedisServer(folder)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.redis.stop()))
        await self.redis.start()
        self.speaks, self.hears = self.open(), self.open()

    def open(self, **options: Any) -> RedisBus:
        """
        Start another process, as it were.
        """
        bus = RedisBus(reactor, self.redis.url, **{"look": 0.05, **options})
        bus.startService()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.close(bus)))
        return bus

    async def close(self, bus: RedisBus) -> None:
        """
        End it, if it runs.
        """
        if bus.running:
            await bus.stopService()

    async def until(self, condition: Callable[[], object]) -> None:
        end = reactor.seconds() + _PATIENCE
        while not condition():
            if reactor.seconds() > end:
                self.fail(f"in vain; heard {[each.time for each in self.heard]}")
            await deferLater(reactor, 0.02)

    async def test_both_ways(self) -> None:
        """
        Each process hears the others, and itself once.
        """
        others: list[Event] = []
        await self.listen(STEP)
        self.speaks.subscribe(others.append, {STEP})
        await self.until(lambda: self.speaks.is_reading)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        self.hears.emit(event(2))
        await self.until_heard(1, 2)
        await self.until(lambda: len(others) == 2)
        self.assertEqual([each.time for each in others], [1, 2])

    async def test_here(self) -> None:
        """
        Who wants what this process emits alone gets nothing of others.
        """
        own: list[Event] = []
        self.hears.here.subscribe(own.append, {STEP})
        await self.listen(STEP)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        self.hears.emit(event(2))
        await self.until_heard(1, 2)
        await self.until(lambda: own)
        self.assertEqual([each.time for each in own], [2])

    async def test_nobody_reads(self) -> None:
        """
        Without a reader nothing is wanted, and nothing lies in Redis.
        """
        for number in range(100):
            self.assertFalse(self.speaks.wants(STEP))
            self.speaks.emit(event(number))
        await self.close(self.speaks)
        self.assertEqual(await self.redis.keys([0]), [])

    async def test_first_events(self) -> None:
        """
        A process that has just started knows what is wanted as soon as it has a
        connection, and does not wait for the next look.
        """
        await self.listen(STEP)
        fresh = self.open(look=3600)
        await self.until(lambda: fresh.wants(STEP))
        fresh.emit(event(1))
        await self.until_heard(1)

    async def test_away(self) -> None:
        """
        While Redis is away, who emits goes on; what fits waits, and comes afterwards.
        """
        await self.listen(STEP)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        await self.redis.kill()
        for number in (2, 3):
            self.speaks.emit(event(number))
        await self.redis.start()
        await self.until_heard(1, 2, 3)
        self.assertEqual(self.place.dropped, 0)

    async def test_standing_still(self) -> None:
        """
        A Redis that hangs makes nobody wait; of more than fit, the oldest go, and who
        reads hears how many.
        """
        await self.close(self.speaks)
        self.speaks = self.open(waiting=100)
        await self.listen(STEP)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        self.redis.pause()
        for number in range(2, 302):
            self.speaks.emit(event(number))
        self.redis.resume()
        await self.until(lambda: self.heard[-1].time == 301)
        self.assertEqual([each.time for each in self.heard], [1, *range(202, 302)])
        self.assertEqual(self.place.dropped, 200)
        self.assertEqual((self.hears.missed, self.speaks.dropped), (200, 200))

    async def test_reader_with_a_name(self) -> None:
        """
        A reader of the same name goes on where the one before it was, and hears what
        came meanwhile, once.
        """
        await self.close(self.hears)
        self.hears = self.open(reader="monitor")
        await self.listen(STEP, TRACE)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        await self.close(self.hears)
        for number in range(2, 50):
            self.speaks.emit(event(number))
        self.speaks.emit(event(50, TRACE))
        self.hears = self.open(reader="monitor")
        self.hears.subscribe(self.heard.append, {STEP, TRACE})
        await self.until(lambda: len(self.heard) == 50)
        self.assertEqual({each.time for each in self.heard}, {*range(1, 51)})
        self.assertEqual(self.hears.missed, 0)

    async def test_bound(self) -> None:
        """
        A stream does not grow without end; a reader that was away for too long hears
        how many are missing.
        """
        await self.close(self.speaks)
        await self.close(self.hears)
        self.speaks, self.hears = self.open(entries=10), self.open(reader="monitor")
        await self.listen(STEP)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        await self.close(self.hears)
        # Redis drops whole nodes of its tree, of a hundred entries each.
        long = "x" * 20_000
        for number in range(2, 602):
            self.speaks.emit(
                Event(time=number, server="proxy", kind=STEP, message=long)
            )
        await self.until(lambda: not self.speaks.waiting)
        self.hears = self.open(reader="monitor")
        self.place = self.hears.subscribe(self.heard.append, {STEP})
        await self.until(lambda: self.heard[-1].time == 601)
        self.assertGreater(self.place.dropped, 300)
        self.assertEqual(len(self.heard) + self.place.dropped, 601)
        times = [each.time for each in self.heard]
        self.assertEqual(times, sorted(set(times)))

    async def test_unread_kinds(self) -> None:
        """
        Who wants no traces does not read them.
        """
        await self.listen(EventKind.FLOW_CLOSED)
        traces: list[Event] = []
        monitor = self.open()
        monitor.subscribe(traces.append, {TRACE})
        await self.until(lambda: self.speaks.wants(TRACE))
        self.speaks.emit(event(1, TRACE))
        self.speaks.emit(event(2, EventKind.FLOW_CLOSED))
        await self.until_heard(2)
        await self.until(lambda: traces)
        self.assertEqual([each.time for each in traces], [1])
