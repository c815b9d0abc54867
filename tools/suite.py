"""
Start the whole suite, each server in a process of its own: what ``make suite`` does.

``python -m tools.suite [FOLDER]``: the folder, var/suite unless another one is named,
gets the configuration, the data of the servers and of their Redis, and a log of each
process. The configuration is written once, and yours to change after that. There are

* redis-server, with the live state and the events, which all servers share;
* ``sipproxy``, which owns the ports for phones;
* ``sipregistrar``;
* ``sipwatchtower``, which starts three application servers, and tells the proxy in the
  dispatch file which of them may have calls;
* ``sipmonitor``, which keeps what all of them tell;
* ``sipssh``, the console.

Whatever ends is started again, as systemd does it with the units of etc/systemd, which
are for machines in earnest. On SIGINT and SIGTERM all end, Redis last.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.runner.procmon import ProcessMonitor

from sipsorcery.cli.session import Session
from sipsorcery.config import Config, load
from sipsorcery.control import ControlError, ask
from tools.demo import explain, fill

_FOLDER = Path("var/suite")
_WORKERS = 3
_TEXT = """\
# The configuration of "make suite". Change what you like: it is written once.
# etc/sipsorcery.toml shows every key with its default.

[server]
data_dir = "{folder}/data"

[storage]
live = "redis://127.0.0.1:{redis}/0"

[proxy]
listen = [
    "udp:0.0.0.0:5060", "tcp:0.0.0.0:5060", "tls:0.0.0.0:5061",
    "udp:[::]:5060", "tcp:[::]:5060", "tls:[::]:5061",
]
inside = "udp:127.0.0.1:{inside}"
dispatch_file = "{folder}/dispatch"
dispatch_probe = "invite"

[watchtower]
workers = [{workers}]
"""
# Seconds that everything may take to start, on a machine that is busy.
_PATIENCE = 60.0
_STEP = 0.1


class Supervisor(ProcessMonitor):
    """
    Starts programs, and starts again what ends, until it is stopped itself.

    :param folder: where each has its log.
    """

    killTime = 25  # seconds: the watchtower waits for its workers
    maxRestartDelay = 10

    def __init__(self, reactor: Any, folder: Path) -> None:
        super().__init__(reactor)
        self._folder = folder

    def add(self, name: str, *command: str) -> None:
        """
        Add a program.
        """
        # Not through us: the workers outlive their watchtower and go on writing.
        log = str(self._folder / f"{name}.log")
        shell = ["/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', log]
        self.addProcess(name, [*shell, *command], env=dict(os.environ))

    async def end(self) -> None:
        """
        End all of them, and wait until they have ended.
        """
        if self.running:
            self.stopService()
        while self.protocols:
            await deferLater(self._clock, _STEP)


class Suite:
    """
    The processes of one folder.
    """

    def __init__(self, reactor: Any, folder: Path) -> None:
        self.file = folder / "sipsorcery.toml"
        self._reactor = reactor
        self._folder = folder
        logs = folder / "log"
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._redis = Supervisor(reactor, logs)
        self._servers = Supervisor(reactor, logs)

    async def start(self) -> Config:
        """
        Start everything, and wait until calls can be made.

        :return: the configuration.
        :raises RuntimeError: if it does not come to that.
        """
        if not self.file.exists():
            self.file.write_text(_configuration(self._folder), "utf-8")
        config = load(self.file)
        await fill(Session(config, self._reactor))
        self._add_redis(config)
        self._redis.startService()
        await self._until(partial(self._listens, config), "redis-server")
        twistd = str(Path(sys.executable).with_name("twistd"))
        roles = ["monitor", "registrar", "watchtower", "proxy"]
        if config.ssh.listen is not None:
            roles.append("ssh")
        for role in roles:
            options = "--nodaemon", "--pidfile=", f"sip{role}", "--config"
            self._servers.add(f"sip{role}", twistd, *options, str(self.file))
        self._servers.startService()
        for role in roles:
            await self._until(partial(self._lives, config, role), f"sip{role}")
        await self._until(partial(self._can_call, config), "application servers")
        return config

    async def stop(self) -> None:
        """
        End everything.
        """
        await self._servers.end()
        await self._redis.end()

    # Inside

    def _add_redis(self, config: Config) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("there is no redis-server: apt install redis-server")
        data = self._folder / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        port = str(_port_of_redis(config))
        self._redis.add(
            *("redis", program, "--bind", "127.0.0.1", "--port", port),
            # What is acknowledged outlives the process, and at most a second of it is
            # lost with the machine.
            *("--dir", str(data), "--appendonly", "yes", "--save", ""),
            *("--pidfile", "redis.pid"),
        )

    async def _until(self, is_there: Callable[[], Awaitable[bool]], what: str) -> None:
        waited = 0.0
        while not await is_there():
            if waited >= _PATIENCE:
                raise RuntimeError(f"{what} not there in time: see {self._folder}/log")
            await deferLater(self._reactor, _STEP)
            waited += _STEP

    async def _listens(self, config: Config) -> bool:
        there = HostnameEndpoint(self._reactor, "127.0.0.1", _port_of_redis(config))
        try:
            protocol = await connectProtocol(there, Protocol())
        except ConnectError:
            return False
        protocol.transport.loseConnection()
        return True

    async def _lives(self, config: Config, role: str) -> bool:
        return await self._ask(config, role, "status") is not None

    async def _can_call(self, config: Config) -> bool:
        rows = await self._ask(config, "proxy", "dispatch") or []
        return bool(rows) and all(row["state"] == "up" for row in rows)

    async def _ask(self, config: Config, role: str, verb: str) -> Any:
        try:
            return await ask(self._reactor, config.server.data_dir, role, verb)
        except ControlError:
            return None


def _configuration(folder: Path) -> str:
    # Ports that nobody has now; after that they stay as they are.
    sockets = [socket.socket() for _ in range(2 + _WORKERS)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    redis, inside, *workers = (each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    named = ", ".join(f'"udp:127.0.0.1:{port}"' for port in workers)
    return _TEXT.format(folder=folder, redis=redis, inside=inside, workers=named)


def _port_of_redis(config: Config) -> int:
    return int(config.storage.live[0].rpartition(":")[2].partition("/")[0])


def main() -> int:
    """
    Run the suite until somebody ends it.

    :return: the exit status.
    """
    from twisted.internet import reactor

    parser = argparse.ArgumentParser(prog="python -m tools.suite")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER)
    folder = parser.parse_args().folder
    running: Any = reactor
    suite, failures = Suite(running, folder), []

    def ready(config: Config) -> None:
        print(explain(config, suite.file))
        print(f"What each process says is in {folder}/log. Ready.", flush=True)

    def fail(failure: Failure) -> None:
        if not failure.check(CancelledError):  # somebody has ended it
            failures.append(failure)
            print(f"The suite cannot start: {failure.value}", file=sys.stderr)
            running.stop()

    def end() -> Deferred[None]:
        starting.cancel()
        return Deferred.fromCoroutine(suite.stop())

    starting: Deferred[Any] = deferLater(running, 0)
    starting.addCallback(lambda _: Deferred.fromCoroutine(suite.start()))
    starting.addCallback(ready).addErrback(fail)
    running.addSystemEventTrigger("before", "shutdown", end)
    running.run()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
