"""
Many calls that are held through a whole suite of processes, and what they leave behind.

It is 500 for two minutes, or 2,000 for thirty with ``SIPSORCERY_LONG`` set; all but
their begin and their end is waiting. A fifth of them have session timers of 90 seconds,
the others the usual ones. The figures are printed at the end.
``SIPSORCERY_SOAK_CALLS`` and ``SIPSORCERY_SOAK_SECONDS`` (60 or more) set others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from sipsorcery.control.naming import servers
from sipsorcery.control.several import ask_all
from tests import LONG
from tests.integration.held_calls import HeldCalls
from tests.integration.killed import sleep, wait_until
from tests.integration.memory import Growth, Memory
from tests.integration.suite_process import ROLES, RunningSuite

_CALLS = int(os.environ.get("SIPSORCERY_SOAK_CALLS", 2000 if LONG else 500))
_HOLD = float(os.environ.get("SIPSORCERY_SOAK_SECONDS", 1800 if LONG else 120))
# Calls in a second: less than half of what one processor sets up with everything on it,
# as others are at work on the machine.
_RATE = 25.0
# Seconds between two looks at the memory, some hundred in all.
_STEP = _HOLD / 120
# Seconds for which the transactions of probes last, 64*T1, and a little more: then as
# many begin as end.
_SETTLED = 35.0
# Until what the calls have left goes, as long again, and what a busy machine needs.
_PATIENCE = 150.0
# Looks at a suite at rest, of which the most counts, and seconds from one to the next.
_LOOKS, _PAUSE = 5, 2.0
# What servers greet and probe each other by may be a little more at another moment.
_ALWAYS = ("transactions", "transaction_timers", "delayed_calls")
_MORE = 5
# Where calls were sent the proxy remembers, of the last so many, until others come.
_REMEMBERED = ("dispatched",)

# The calls are all of one user, and a busy machine lets many of them ring. On one, too,
# servers are slow for seconds and are not to be taken for dead: others test that.
_KEYS = {
    "[limits]": "ringing_at_once = 0",
    "[proxy]": "dispatch_interval = 5.0\ndispatch_patience = 10.0",
}

#: Entries, by server and table.
_Tables: TypeAlias = dict[tuple[str, str], int]


class SoakTests(TestCase):
    """
    Calls that are held for long.
    """

    timeout = _HOLD + 900

    def setUp(self) -> None:
        self.suite = RunningSuite(Path(self.mktemp()))
        for section, keys in _KEYS.items():
            self.suite.text = self.suite.text.replace(section, f"{section}\n{keys}")
        self.addCleanup(lambda: Deferred.fromCoroutine(self.suite.stop()))

    async def test_nothing_is_left(self) -> None:
        """
        No call is lost; the memory of every process is flat after the first fifth of
        the time; and a little after the last call each table holds what it held before.
        """
        await self.suite.prepare()
        await self.suite.start()
        rest = await self._at_rest()
        memory = Memory(await self._processes())
        empty = memory.now()
        await self._call(memory)
        await self._rests(rest)
        await self._assert_recorded()
        growths = memory.growths()
        print(_told(growths, empty))
        self.assertEqual([str(one) for one in growths if not one.is_flat], [])

    # Inside

    async def _processes(self) -> dict[str, int]:
        roles = {role: await self.suite.pid(role) for role in ROLES}
        return {"redis": self.suite.redis_pid, **roles}

    async def _call(self, memory: Memory) -> None:
        """
        Make all calls, hold them while their memory is noted, and end them.
        """
        calls = HeldCalls(self.suite.folder, self.suite.proxy, _CALLS, _RATE)
        self.addCleanup(calls.stop_soon)
        begun = await calls.held()
        self.assertEqual((begun["held"], begun["failed"]), (_CALLS, []))
        await self._assert_counted()
        end = time.monotonic() + _HOLD
        while time.monotonic() < end:
            memory.note()
            await sleep(_STEP)
        over = await calls.hang_up()
        self.assertEqual((over["held"], over["lost"]), (_CALLS, []))
        self.assertGreater(over["requests"], begun["requests"])  # they were refreshed
        await calls.go()

    async def _assert_counted(self) -> None:
        """
        Check that the servers together have all calls, and so has their store.
        """
        tables = await wait_until(self._tables)
        for name, entries in (("established_calls", 1), ("dialogs", 2)):
            found = sum(tables[each] for each in tables if each[1] == name)
            self.assertEqual(found, entries * _CALLS, name)
        self.assertEqual(tables["proxy", "dialogue_records"], _CALLS)

    async def _assert_recorded(self) -> None:
        """
        Check that of each call both legs have a record with an end.
        """
        answered = [each for each in await self.suite.cdrs() if each.answered_at]
        self.assertEqual(len(answered), 2 * _CALLS)
        self.assertEqual([each for each in answered if each.ended_at is None], [])

    async def _at_rest(self) -> _Tables:
        await sleep(_SETTLED)
        most: _Tables = {}
        for _ in range(_LOOKS):
            for table, entries in (await wait_until(self._tables)).items():
                most[table] = max(most.get(table, 0), entries)
            await sleep(_PAUSE)
        return most

    async def _rests(self, rest: _Tables) -> None:
        """
        Wait until no table holds more than before.
        """
        end = time.monotonic() + _PATIENCE
        while left := {
            f"{server}'s {table}": (entries, rest[server, table])
            for (server, table), entries in (await wait_until(self._tables)).items()
            if table not in _REMEMBERED
            and entries > rest[server, table] + _MORE * table.endswith(_ALWAYS)
        }:
            self.assertLess(time.monotonic(), end, f"more than before: {left}")
            await sleep(_PAUSE)

    async def _tables(self) -> _Tables:
        """
        Ask all servers what they hold; {}: one of them is too busy to say.
        """
        folder = self.suite.folder / "data"
        answers = await ask_all(reactor, folder, servers(folder), "tables")
        if answers.missing:
            return {}
        return {
            (server, table): entries
            for server, tables in answers.given.items()
            for table, entries in tables.items()
        }


def _told(growths: Sequence[Growth], empty: Mapping[str, int]) -> str:
    """
    Say what each process has, what more since the begin, and what a call takes of it.
    """
    told = [f"{_CALLS} calls held for {_HOLD:.0f} s"]
    for growth in growths:
        share = (growth.early - empty[growth.name]) / _CALLS / 1000
        told.append(f"{growth}, {share:.0f} kB a call")
    return "; ".join(told)
