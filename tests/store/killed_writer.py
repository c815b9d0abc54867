"""
A process that writes live state until it is killed, and reports what is acknowledged.

Usage: ``python -m tests.store.killed_writer FOLDER PREFIX``. Each key has one writer,
which makes one change after the other; the number of each that was acknowledged goes to
standard output, as ``KEY NUMBER``. `expected` says what a change leaves.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from sipsorcery.store.live import LocalStore, Record

KEYS = 200


def expected(number: int) -> bytes | None:
    """
    Give the data of a record after its change of that number; None: it is removed.
    """
    return None if number % 5 == 4 else b"%d" % number


async def write(store: LocalStore, key: str) -> None:
    """
    Change one record for ever.
    """
    number = 0
    while True:
        data = expected(number)
        if data is None:
            await store.discard("call", key)
        else:
            await store.put(Record("call", key, data, time.time() + 3600))
        os.write(sys.stdout.fileno(), f"{key} {number}\n".encode())
        number += 1


def main(reactor: object, folder: str, prefix: str) -> Deferred[list[None]]:
    """
    Start the writers.
    """
    store = LocalStore(reactor, Path(folder))
    store.start()
    return gatherResults(
        [
            Deferred.fromCoroutine(write(store, f"{prefix}-{number}"))
            for number in range(KEYS)
        ]
    )


if __name__ == "__main__":
    react(main, sys.argv[1:])
