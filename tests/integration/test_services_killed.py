"""
Registrar, watchtower and Redis are killed, in a whole suite that is busy, and phones
hear as little of it as can be.

With ``SIPSORCERY_LONG`` set there are more calls, each is killed more often, and the
figures are printed; ``SIPSORCERY_RATE`` sets how many calls, registrations and
questions there are in a second.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from functools import partial
from time import monotonic

from sipsorcery.ua import Session
from tests import LONG
from tests.integration.killed import runs, sleep, wait_for, wait_until
from tests.integration.memory import Memory
from tests.integration.suite_process import ROLES
from tests.integration.traffic import RATE, Kind, LoadedCase

_ROUNDS = 5 if LONG else 1
# Seconds for which a Redis stands still.
_PAUSE = 30.0 if LONG else 8.0
# Attempts of each kind before something happens, and after it.
_SOME = 40 if LONG else 4
_HELD = 12
# Seconds after which a server takes calls again once its store is there: three tries of
# a connection that come ever later, and what a busy machine adds.
_SOON = 10.0
# By how much the memory of a server may grow, in octets, while nothing can be stored:
# some hundred requests that wait, and what Python keeps of any busy time.
_GROWTH = 32 << 20


class KilledCase(LoadedCase):
    """
    Phones that are busy, and calls that are held meanwhile.
    """

    async def start(self) -> None:
        await super().start()
        self.held: list[Session] = [await self.alice.call("101") for _ in range(_HELD)]

    async def go_on(self, count: int = _SOME) -> None:
        """
        Wait until so many more attempts of each kind have succeeded.
        """
        since = monotonic()

        def have_succeeded() -> bool:
            return all(
                sum(one.is_well for one in self.traffic.of(kind, since)) >= count
                for kind in Kind
            )

        await wait_for(have_succeeded)

    async def next_watchtower(self) -> None:
        """
        Kill the watchtower, and wait for the next.
        """
        before = await self.server.kill_role("watchtower")
        await self.server.back("watchtower", before)

    async def talk(self, calls: list[Session]) -> None:
        """
        Hold calls, and take them back.
        """
        for call in calls:
            await call.hold()
            await call.resume()

    async def hang_up(self, calls: list[Session]) -> None:
        """
        End calls.
        """
        for call in calls:
            self.assertFalse(call.is_over)
            await call.bye()

    async def end(self) -> None:
        """
        Let all calls end; check that no registration and no record is lost.
        """
        await self.talk(self.held)
        await self.hang_up(self.held)
        await self.traffic.rest()
        if LONG:  # they may have been asked to wait for half a minute
            await self.traffic.registered()
        print(f"\n{self.id()}, {RATE:g} of each a second: {self.traffic.figures()}")
        await self.none_lost()
        await self.all_recorded()


class KilledTests(KilledCase):
    """
    One after the other is killed.
    """

    async def test_killed(self) -> None:
        """
        No call fails for want of a registrar or a watchtower, and phones repeat what
        has no answer yet. Without Redis calls go on, and new ones and registrations may
        be refused for a moment. Nothing that was acknowledged is lost.
        """
        for _ in range(_ROUNDS):
            await self.go_on()
            before = await self.server.kill_role("registrar")
            await self.server.back("registrar", before)
        for _ in range(_ROUNDS):
            await self.go_on()
            await self.watchtower_killed()
        await self.go_on()
        self.all_well(one for one in self.traffic.attempts if one.is_over)
        for _ in range(_ROUNDS):
            await self.redis_killed()
            await self.go_on()
        await self.end()
        self.only_postponed()

    async def test_redis_paused(self) -> None:
        """
        The same as long as Redis stands still; and what waits for it is bounded.
        """
        memory = Memory({role: await self.server.pid(role) for role in ROLES})
        await self.go_on()
        early, paused = memory.now(), monotonic()
        pid = self.server.redis_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await self.talk(self.held[:2])
            await self.hang_up(self.held[:2])
            del self.held[:2]
            await sleep(max(0.0, _PAUSE + paused - monotonic()))
            late = memory.now()
        finally:
            os.kill(pid, signal.SIGCONT)
        resumed = monotonic()
        await self.go_on()
        self.resumed(resumed)
        for kind in (Kind.CALL, Kind.REGISTER):
            refused = [one for one in self.traffic.of(kind) if one.is_postponed]
            self.assertNotEqual(refused, [], kind)
        self.bounded(early, late)
        await self.end()
        self.only_postponed()

    async def watchtower_killed(self) -> None:
        """
        Kill the watchtower: the next one goes on with the workers of the last.
        """
        before = [row["pid"] for row in await self.server.workers()]
        await self.next_watchtower()
        rows = await self.server.all_up()
        self.assertEqual([row["pid"] for row in rows], before)

    async def redis_killed(self) -> None:
        """
        Kill the Redis: calls go on meanwhile.
        """
        before = self.server.redis_pid
        os.kill(before, signal.SIGKILL)
        killed = monotonic()
        await self.talk(self.held[:2])
        await wait_for(partial(self.is_another, before))
        await self.go_on()
        self.resumed(killed)

    def is_another(self, before: int) -> bool:
        """
        Tell whether there is another Redis in the place of one.
        """
        try:
            return self.server.redis_pid != before
        except (OSError, ValueError):  # it is just being written
            return False

    def resumed(self, there: float) -> None:
        """
        Check that nothing was refused long after the store was there.

        :param there: since when it is.
        """
        refused = [one.begun for one in self.traffic.attempts if one.is_postponed]
        last = max(refused, default=there)
        print(f"\nthe last one was refused {max(0.0, last - there):.1f} s later")
        self.assertLess(last - there, _SOON)

    def only_postponed(self) -> None:
        """
        Check that nothing has failed but what was asked to come again later.
        """
        self.all_well(self.traffic.of(Kind.OPTIONS))
        self.all_well(one for one in self.traffic.attempts if not one.is_postponed)

    def bounded(self, early: Mapping[str, int], late: Mapping[str, int]) -> None:
        """
        Check that no server has grown by much.
        """
        more = {name: late[name] - early[name] for name in early}
        text = ", ".join(f"{name} {grown / 1e6:+.1f}" for name, grown in more.items())
        print(f"\nmemory while nothing could be stored, MB: {text}")
        self.assertLess(max(more.values()), _GROWTH, text)


class WatchtowerTests(KilledCase):
    """
    The watchtower is killed while workers come and go.
    """

    async def test_killed(self) -> None:
        """
        The next one goes on with workers that wait for their calls to end, and with one
        that has just been started. No call fails, and in the end there is one process
        in the place of each.
        """
        await self.go_on()
        await self.server.command("workers", "restart")
        await self.phase("draining")
        await self.next_watchtower()
        await self.one_each()
        await self.traffic.rest()
        before = await self.one_each()
        os.kill(before[0], signal.SIGKILL)
        await self.phase("starting")
        await self.next_watchtower()
        after = await self.one_each()
        self.assertEqual(after[1:], before[1:])
        self.traffic.run()
        await self.go_on()
        await self.end()
        self.all_well(self.traffic.attempts)

    async def one_each(self) -> list[int]:
        """
        Wait until all workers are up; give the numbers of their processes.
        """
        pids = [row["pid"] for row in await self.server.all_up()]
        self.assertTrue(all(map(runs, pids)), pids)
        self.assertEqual(len(set(pids)), len(self.server.ends))
        return pids

    async def phase(self, phase: str) -> None:
        """
        Wait until a worker is in this phase.
        """

        async def is_there() -> bool:
            return any(row["phase"] == phase for row in await self.server.workers())

        await wait_until(is_there)
