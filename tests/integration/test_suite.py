"""
The whole suite, each server in a process of its own: started, used, and ended.
"""

from __future__ import annotations

from tests.integration.killed import runs
from tests.integration.suite_process import ROLES, SuiteCase


class SuiteTests(SuiteCase):
    """
    Two phones at a whole suite.
    """

    async def test_life(self) -> None:
        """
        Phones call each other through any of three application servers; whoever is
        killed is started again; and when it ends nothing of it is left running.
        """
        for _ in range(6):
            call = await self.alice.call("101")
            await call.bye()
        rows = await self.server.all_up()
        self.assertEqual(len(rows), 3)
        for role in ROLES:
            before = await self.server.kill_role(role)
            await self.server.back(role, before)
        again = await self.server.all_up()
        self.assertEqual([row["pid"] for row in again], [row["pid"] for row in rows])
        call = await self.alice.call("101")
        await call.bye()
        pids = [row["pid"] for row in again]
        pids += [await self.server.pid(role) for role in ROLES]
        pids.append(self.server.redis_pid)
        self.assertTrue(all(runs(pid) for pid in pids))
        await self.server.stop()
        self.assertEqual([pid for pid in pids if runs(pid)], [])
