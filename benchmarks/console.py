"""
Measure the console with 200 users and two administrators, and 5,000 lines a second.

Each line goes through SSH to a client in this process, so both ends are measured.
An event is a line for its owner and one for each administrator. Run it with
``python -m benchmarks.console``, or with another number of lines.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from time import process_time
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from tests.integration.console_clients import Audience

USERS = 200
ADMINISTRATORS = 2
LINES = 5000
SECONDS = 5
_TICK = 0.02


async def measure(reactor: Any, folder: Path, lines: int) -> None:
    """
    Emit for some seconds, wait for the last line, and tell what it took.
    """
    audience = Audience(folder, USERS, ADMINISTRATORS)
    began = process_time()
    await audience.start()
    watchers = (*audience.users, *audience.administrators)
    print(f"{len(watchers)} logged in: {process_time() - began:.1f} s of processor")
    count = round(lines / (1 + ADMINISTRATORS) * SECONDS)
    emitted = 0

    def tick() -> None:
        nonlocal emitted
        due = min(count, round((time.perf_counter() - start) / SECONDS * count))
        while emitted < due:
            audience.emit(emitted % USERS)
            emitted += 1
        if emitted == count:
            ticking.stop()

    start, used = time.perf_counter(), process_time()
    ticking = LoopingCall(tick)
    await ticking.start(_TICK)
    for watcher in audience.administrators:
        await watcher.come_to(count)
    for number, watcher in enumerate(audience.users):
        await watcher.come_to(len(audience.sent(number)))
    took, used = time.perf_counter() - start, process_time() - used
    seen = sum(len(watcher.seen) for watcher in watchers)
    missed = sum(watcher.missed for watcher in watchers)
    print(f"{seen} lines in {took:.2f} s, {seen / took:.0f} a second; {missed} missed")
    print(f"{used:.2f} s of processor, {used / seen * 1e6:.0f} us a line, both ends")
    await audience.stop()
    await deferLater(reactor, 0.1)


def main() -> None:
    """
    Measure once.
    """
    reactor: Any = installed_reactor
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            await measure(reactor, Path(folder), lines)

    def begin() -> None:
        running = Deferred.fromCoroutine(run())
        running.addErrback(lambda failure: print(failure, file=sys.stderr))
        running.addBoth(lambda result: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main()
