"""
The whole suite, as ``make suite`` starts it: each server in a process of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor

from sipsorcery.control import ControlError, ask
from sipsorcery.endpoint import Endpoint
from tests import ROOT
from tests.integration.killed import KilledServer, TwoPhonesCase, wait_until
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.peers import require

#: Every process but Redis and the application servers, by the name of its role.
ROLES = ("monitor", "registrar", "watchtower", "proxy", "ssh")

# Seconds: ten processes start, and after sixty the command itself gives them up.
_PATIENCE = 90.0
_TEXT = """
[storage]
live = "redis://127.0.0.1:{redis}/0"
[watchtower]
workers = [{workers}]
settle = 0.5
drain = 4
"""


class RunningSuite(KilledServer):
    """
    A proxy, a registrar, a watchtower and its workers, a monitor, a console, a Redis.

    :param text: further sections of the configuration.
    :param workers: how many application servers there are.
    """

    def __init__(self, folder: Path, text: str = "", workers: int = 3) -> None:
        require("redis-server", "redis-server")
        self.ends = [
            Endpoint.parse(f"udp:127.0.0.1:{free_port()}") for _ in range(workers)
        ]
        self.ssh = free_port()
        named = ", ".join(f'"{end}"' for end in self.ends)
        more = _TEXT.format(redis=free_port(), workers=named)
        super().__init__(folder, f"{more}\n{text}")
        listen = f'listen = ["udp:127.0.0.1:{self.port}"]'
        self.file = folder.absolute() / "dispatch"
        self.text = self.text.replace(
            listen,
            f'{listen}\ninside = "udp:127.0.0.1:{free_port()}"\n'
            f'dispatch_file = "{self.file}"\ndispatch_probe = "invite"',
        ).replace('[ssh]\nlisten = ""', f'[ssh]\nlisten = "127.0.0.1:{self.ssh}"')
        self._program: Program | None = None

    async def start(self) -> None:
        """
        Start everything, and wait until calls can be made.
        """
        command = sys.executable, "-m", "tools.suite", str(self.folder.absolute())
        self._program = Program(self.folder, *command, PYTHONPATH=str(ROOT))
        await self._program.says("Ready.", _PATIENCE)

    async def stop(self) -> None:
        """
        End everything, as an operator does.
        """
        program, self._program = self._program, None
        if program is not None:
            program.signal(signal.SIGTERM)
            await program.ended()

    @property
    def redis_pid(self) -> int:
        """
        Give the number of the process of Redis.
        """
        return int((self.folder / "redis/redis.pid").read_text("ascii"))

    async def pid(self, role: str) -> int:
        """
        Give the number of the process of a server.
        """
        return int((await self.ask(role, "status"))["pid"])

    async def kill_role(self, role: str) -> int:
        """
        Kill a server, which is started again; give the number of its process.
        """
        pid = await self.pid(role)
        os.kill(pid, signal.SIGKILL)
        return pid

    async def back(self, role: str, before: int) -> int:
        """
        Wait until there is another process for a server; give its number.

        :param before: the one that was killed.
        """

        async def is_back() -> int:
            try:
                found = await self.pid(role)
            except ControlError:
                return 0
            return found if found != before else 0

        return await wait_until(is_back)

    async def ask(self, role: str, verb: str, **arguments: str) -> Any:
        """
        Ask a server on its control socket.
        """
        return await ask(reactor, self.folder / "data", role, verb, **arguments)

    async def workers(self) -> list[dict[str, Any]]:
        """
        Give what the watchtower knows of its workers.
        """
        rows: list[dict[str, Any]] = await self.ask("watchtower", "workers")
        return rows

    async def all_up(self) -> list[dict[str, Any]]:
        """
        Wait until the proxy gives calls to all workers; give what is known of these.
        """

        async def are_up() -> list[dict[str, Any]]:
            try:
                seen = await self.ask("proxy", "dispatch")
                rows = await self.workers()
            except ControlError:
                return []
            well = all(row["state"] == "up" for row in seen)
            return rows if well and all(row["phase"] == "up" for row in rows) else []

        return await wait_until(are_up)

    def log(self, name: str) -> str:
        """
        Give what a process has said.
        """
        return (self.folder / f"log/{name}.log").read_text("utf-8", "replace")


class SuiteCase(TwoPhonesCase):
    """
    Two phones at a whole suite.
    """

    server: RunningSuite

    def make_server(self) -> RunningSuite:
        return RunningSuite(Path(self.mktemp()))
