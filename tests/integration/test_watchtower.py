"""
A watchtower over two application servers, behind a proxy: workers are killed, replaced
under calls, and found again.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.integration.killed import RedisPhonesCase, runs, sleep, wait_for
from tests.integration.test_dispatching import Suite

# How often, and after how many seconds each, to look what the watchtower does.
_LOOKS, _STEP = 600, 0.1


class Guarded(Suite):
    """
    The servers are workers of a watchtower.
    """

    def __init__(self, folder: Path, redis: str) -> None:
        super().__init__(folder, redis)
        self.file.unlink()
        named = ", ".join(f'"{end}"' for end in self.ends)
        self.text += f"\n[watchtower]\nworkers = [{named}]\nsettle = 0.5\ndrain = 4\n"

    async def start(self) -> None:
        """
        Start registrar, watchtower and proxy, and wait until all workers are up.
        """
        self.others.append(await self.run("sipregistrar"))
        self.tower = await self.run("sipwatchtower")
        self.others.append(await self.run("sipproxy"))
        await self.phases("up", "up")
        await self.states("up", "up")

    async def stop(self) -> None:
        """
        End everything; the watchtower ends its workers.
        """
        await self.tower.stop()
        await super().stop()

    async def kill_tower(self) -> None:
        """
        Kill the watchtower. Its workers hold its output open, so that has no end.
        """
        os.kill(self.tower.pid, signal.SIGKILL)
        await wait_for(lambda: not runs(self.tower.pid))

    async def workers(self) -> list[dict[str, Any]]:
        """
        Give what the watchtower knows of its workers.
        """
        rows: list[dict[str, Any]] = await self.ask("watchtower", "workers")
        return rows

    async def phases(self, *phases: str) -> list[dict[str, Any]]:
        """
        Wait until the workers are in these phases.
        """
        for _ in range(_LOOKS):
            rows = await self.workers()
            if [row["phase"] for row in rows] == list(phases):
                return rows
            await sleep(_STEP)
        raise AssertionError(f"it never was {phases}: {rows}\n{self.tower.output}")


class GuardedCase(RedisPhonesCase):
    """
    Two phones at servers below a watchtower.
    """

    server: Guarded

    def make_server_with(self, folder: Path, redis: str) -> Guarded:
        return Guarded(folder, redis)


class WatchtowerTests(GuardedCase):
    """
    Two phones, and workers that come and go.
    """

    async def test_life(self) -> None:
        """
        Workers read the configuration again when their watchtower does, and go on; are
        killed and come again; are replaced under calls, none of which is
        refused; outlive their watchtower, are found by the next, and end with it.
        """
        await self._reload()
        await self._kill()
        await self._restart()
        await self._find()

    async def _reload(self) -> None:
        before = await self.server.workers()
        text = self.server.text.replace("[limits]", "[limits]\nban = 7")
        file = self.server.folder / "sipsorcery.toml"
        file.write_text(text, "utf-8")
        os.kill(self.server.tower.pid, signal.SIGHUP)
        # The log of the workers goes where that of the watchtower goes.
        tower = self.server.tower
        await wait_for(lambda: tower.output.count("Changed: limits.ban.") == 3)
        rows = await self.server.workers()
        self.assertEqual([row["pid"] for row in rows], [row["pid"] for row in before])
        await self._call()

    async def _kill(self) -> None:
        first, second = await self.server.workers()
        os.kill(first["pid"], signal.SIGKILL)
        await self._call()
        rows = await self._new(0, first["pid"])
        self.assertEqual(rows[0]["failures"], 1)
        self.assertEqual(rows[1]["pid"], second["pid"])
        self.assertEqual(
            self.server.file.read_text(),
            "".join(f"100,{end}\n" for end in self.server.ends),
        )

    async def _restart(self) -> None:
        before = {row["pid"] for row in await self.server.workers()}
        self.bob.sessions.clear()
        caller = await self.alice.call("101")
        await wait_for(lambda: self.bob.sessions)
        callee = self.bob.sessions[0]
        told = await self.server.command("workers", "restart")
        self.assertEqual(told, [{"workers": 2}])
        calls = 0
        while before & {row["pid"] for row in await self.server.workers()}:
            await self._call()
            calls += 1
        self.assertGreater(calls, 2)
        listed = await self.server.command("workers", "list")
        self.assertEqual([row["failures"] for row in listed], [0, 0])
        await self.server.phases("up", "up")
        await caller.hold()
        self.assertTrue(callee.is_held)
        over = callee.ended()
        await caller.bye()
        await over

    async def _find(self) -> None:
        before = [row["pid"] for row in await self.server.workers()]
        await self.server.kill_tower()
        await self._call()
        self.server.tower = await self.server.run("sipwatchtower")
        rows = await self.server.phases("up", "up")
        self.assertEqual([row["pid"] for row in rows], before)
        os.kill(before[1], signal.SIGKILL)
        rows = await self._new(1, before[1])
        await self.server.tower.stop()
        for row in rows:
            self.assertFalse(runs(row["pid"]))

    async def _call(self) -> None:
        call = await self.alice.call("101")
        await call.bye()

    async def _new(self, number: int, before: int) -> list[dict[str, Any]]:
        """
        Wait until there is another process in the place of one, and both are up.
        """
        for _ in range(_LOOKS):
            rows = await self.server.phases("up", "up")
            if rows[number]["pid"] != before:
                return rows
            await sleep(_STEP)
        raise AssertionError(f"it never came: {self.server.tower.output}")
