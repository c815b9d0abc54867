"""
redis-server as a Sentinel: a master and a replica, and who takes the one for the other.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from sipsorcery.endpoint import Transport
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.redis_server import RedisServer
from tests.peers import require


class SentinelGroup:
    """
    A master, its replica, and one Sentinel.

    :param folder: where they have their files; it must exist.

    :ivar url: as the configuration names it; the first of its two Sentinels is down.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{self._port}"
        self.url = f"redis+sentinel://{hosts}/phones/0"
        self.master = self._server("master")
        following = ("--replicaof", "127.0.0.1", str(self.master.port))
        self.replica = self._server("replica", *following)
        self._sentinel: Program | None = None

    async def start(self) -> None:
        """
        Start all, and wait until the replica has what the master has.
        """
        await self.master.start()
        await self.replica.start()
        await self.replica.says("MASTER <-> REPLICA sync: Finished with success")
        file = self._folder / "sentinel.conf"
        file.write_text(
            dedent(f"""\
            port {self._port}
            bind 127.0.0.1
            sentinel monitor phones 127.0.0.1 {self.master.port} 1
            sentinel down-after-milliseconds phones 500
            """)
        )
        program = require("redis-server", "redis-server")
        self._sentinel = Program(self._folder, program, file.name, "--sentinel")
        await self._sentinel.listens(Transport.TCP, self._port)
        await self._sentinel.says("+slave")

    async def promoted(self) -> None:
        """
        Wait until the replica has become the master.
        """
        assert self._sentinel is not None, "it has not been started"
        await self._sentinel.says("+switch-master")

    async def stop(self) -> None:
        """
        End all that run.
        """
        if self._sentinel is not None:
            await self._sentinel.stop()
        for server in (self.replica, self.master):
            await server.stop()

    def _server(self, name: str, *options: str) -> RedisServer:
        folder = self._folder / name
        folder.mkdir()
        # A replica shall not wait for others that might want the same data.
        at_once = ("--repl-diskless-sync-delay", "0")
        durable = ("--appendonly", "yes", "--appendfsync", "always")
        return RedisServer(folder, *durable, *at_once, *options)
