"""
What registrations cost with the live state in a file and in Redis, at one durability.

The registrar is that of `benchmarks.registrar`, on the first core; the load, and Redis
with it, are on the second. Rounds of the two take turns, and the best of each counts.

* ``process``: SQLite with synchronous = NORMAL, Redis with appendfsync everysec.
* ``power``: synchronous = FULL, appendfsync always.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import registrar
from benchmarks._measuring import free_port, processor_time
from benchmarks.registrar import Phones, Server, command
from sipsorcery.config import Durability

ROUND = 5_000  # requests
ROUNDS = 4
FSYNC = {Durability.PROCESS: "everysec", Durability.POWER: "always"}


@contextmanager
def redis(folder: Path, durability: Durability) -> Iterator[tuple[str, int]]:
    """
    Run a Redis; give its URL and its process.
    """
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("There is no redis-server here.")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    options += ["--save", "", "--appendonly", "yes", "--appendfsync", FSYNC[durability]]
    process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "Ready to accept" not in process.stdout.readline():
        pass
    try:
        yield f"redis://127.0.0.1:{port}/0", process.pid
    finally:
        process.terminate()
        process.communicate()


class Side:
    """
    One registrar, and the best that it has shown.
    """

    def __init__(self, name: str, folder: Path, text: str, store: int = 0) -> None:
        port = free_port()
        self.name = name
        self._store = store
        folder.mkdir()
        subprocess.run(command("prepare", folder, port), check=True)
        (folder / "more.toml").write_text(text)
        self.server = Server(folder, port)
        self.phones = Phones(port)
        self._best: dict[str, tuple[float, float, float]] = {}

    def measure(self, what: str, turn: int) -> None:
        """
        Let phones register.
        """
        first = turn * ROUND if what == "new" else 0
        numbers = range(first, first + ROUND)
        requests = self.phones.requests(numbers, f"{what}{turn}x")
        before, stored = self.server.processor_time(), self._store_time()
        elapsed = self.phones.send(requests)
        used = self.server.processor_time() - before
        figures = (used, elapsed, self._store_time() - stored)
        self._best[what] = min(figures, self._best.get(what, figures))

    def _store_time(self) -> float:
        return processor_time(self._store) if self._store else 0.0

    def row(self, what: str) -> str:
        """
        Give what the best round has shown, for each request.
        """
        used, elapsed, stored = (each / ROUND * 1e6 for each in self._best[what])
        return (
            f"  {self.name:10}{what:10}CPU {used:6.1f} us   Redis {stored:5.1f} us   "
            f"{1e6 / elapsed:6.0f}/s here"
        )


def compare(durability: Durability, folder: Path) -> None:
    """
    Measure both at one durability.
    """
    folder.mkdir()
    setting = f'[storage]\ndurability = "{durability.value}"\n'
    with redis(folder, durability) as (url, process):
        sides = [
            Side("file", folder / "file", setting),
            Side("Redis", folder / "redis", f'{setting}live = "{url}"\n', process),
        ]
        time.sleep(1)
        for turn in range(ROUNDS):
            for what in ("new", "refresh"):
                for side in sides:
                    side.measure(what, turn)
        print(f"durability = {durability.value}")
        for what in ("new", "refresh"):
            for side in sides:
                print(side.row(what), flush=True)
        for side in sides:
            side.server.__exit__()


def main() -> None:
    """
    Measure everything and print it.
    """
    os.sched_setaffinity(0, {registrar.LOAD})
    folder = Path(tempfile.mkdtemp())
    try:
        for durability in FSYNC:
            compare(durability, folder / durability.value)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
