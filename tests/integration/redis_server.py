"""
redis-server: one that a test starts for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import txredisapi  # type: ignore[import-untyped]  # it has no types

from sipsorcery.endpoint import Transport
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.peers import require


class RedisServer:
    """
    A Redis on a port of its own, without any data at first.

    :param folder: where it has its files; it must exist.
    :param options: of its command line, such as ``"--appendonly", "yes"``.

    :ivar url: as the configuration names it.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = self.url_of(0)
        self._folder = folder
        self._options = options
        self._program: Program | None = None

    @property
    def pid(self) -> int:
        """
        Give the number of its process.
        """
        return self._running.pid

    async def start(self) -> None:
        """
        Start it, with what it has on its disk, and wait until it answers.
        """
        words = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        program = require("redis-server", "redis-server")
        self._program = Program(self._folder, program, *words, *self._options)
        await self.says("Ready to accept connections")
        await self._program.listens(Transport.TCP, self.port)

    async def ask(self, *words: str) -> Any:
        """
        Give it a command, as its operator would.
        """
        connection = await txredisapi.Connection(
            "127.0.0.1", self.port, reconnect=False
        )
        try:
            return await connection.execute_command(*words)
        finally:
            await connection.disconnect()

    async def says(self, text: str) -> None:
        """
        Wait until it has written *text*.
        """
        await self._running.says(text)

    async def stop(self) -> None:
        """
        End it, if it runs.
        """
        program, self._program = self._program, None
        if program is not None:
            program.signal(SIGCONT)
            await program.stop()

    def url_of(self, database: int) -> str:
        """
        Name one of its databases.
        """
        return f"redis://127.0.0.1:{self.port}/{database}"

    async def keys(self, databases: Iterable[int]) -> list[str]:
        """
        Give the names of all that lies in databases.
        """
        found: list[str] = []
        for database in databases:
            connection = await txredisapi.Connection(
                "127.0.0.1", self.port, dbid=database, reconnect=False
            )
            found += await connection.keys("*")
            await connection.disconnect()
        return found

    def pause(self) -> None:
        """
        Let it stand still: connections stay, and nothing is answered.
        """
        self._running.signal(SIGSTOP)

    def resume(self) -> None:
        """
        Let it go on.
        """
        self._running.signal(SIGCONT)

    async def kill(self) -> None:
        """
        End it without letting it write anything.
        """
        program, self._program = self._running, None
        program.signal(SIGKILL)
        await program.ended()

    @property
    def _running(self) -> Program:
        assert self._program is not None, "it has not been started"
        return self._program
