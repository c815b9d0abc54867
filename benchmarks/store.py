"""
What the stores carry: changes, lookups and memory of the live state; the directory.

The process is bound to one core, so that the threads of the disk and the database
compete with the reactor as they do on a busy server. A record is like the bindings of
one address-of-record: 450 bytes of data, an owner, a due time.

``refresh`` reads a record and swaps in a changed one, ``new`` stores one that was not
there. Beside them, ``work`` is how long the reactor computes for each, as a server does
that parses, authenticates and answers: with 0 the store is all there is. Changes are
acknowledged when they are on the disk; `clients` of them wait at a time.

CPU is that of the whole process for one change, and what of it the reactor has.
"""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from sipsorcery.config import Durability
from sipsorcery.store.directory import CDR, Direction, Directory
from sipsorcery.store.live import LocalReader, LocalStore, Record
from sipsorcery.store.secrets import Secrets

RECORDS = 100_000
DATA = 450
CHANGES = 20_000
LOOKUPS = 100_000


@dataclass(frozen=True, slots=True)
class Spent:
    """
    What a number of operations has taken, each.
    """

    rate: float
    cpu: float
    reactor: float

    def __str__(self) -> str:
        return (
            f"{self.rate:9,.0f}/s   CPU {self.cpu * 1e6:6.1f} us, "
            f"reactor {self.reactor * 1e6:6.1f} us"
        )


async def run(
    clients: int, items: Iterable[Any], use: Callable[[Any], Awaitable[Any]]
) -> Spent:
    """
    Let some clients use the items, each one after the other.
    """
    queue = iter(items)
    count = 0

    async def client() -> None:
        nonlocal count
        for item in queue:
            await use(item)
            count += 1

    start = time.perf_counter(), time.process_time(), time.thread_time()
    await gatherResults([Deferred.fromCoroutine(client()) for _ in range(clients)])
    end = time.perf_counter(), time.process_time(), time.thread_time()
    took, cpu, reactor = (b - a for a, b in zip(start, end, strict=True))
    return Spent(count / took, cpu / count, reactor / count)


def compute(seconds: float) -> None:
    """
    Hold the interpreter for a time, as a server's own work does.
    """
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def memory() -> float:
    """
    Give the resident memory of the process in MB.
    """
    gc.collect()
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def make(number: int) -> Record:
    """
    Make a record like the bindings of one address-of-record.
    """
    expiry = time.time() + random.uniform(1800, 3600)
    return Record(
        "binding",
        f"sip:user{number}@example.com",
        os.urandom(DATA),
        expiry,
        f"user{number}",
        due=expiry - 10,
    )


async def live_rates(reactor: Any, folder: Path) -> None:
    """
    Print how many changes there are in a second.
    """
    store = LocalStore(reactor, folder / "rates")
    store.start()
    made = iter(range(10**9))

    async def new(work: float) -> None:
        compute(work)
        await store.put(make(next(made)))

    async def refresh(chosen: tuple[str, float]) -> None:
        key, work = chosen
        compute(work)
        record = await store.get("binding", key)
        assert record is not None
        await store.swap(record.replace(expiry=record.expiry + 60, due=record.expiry))

    print("Live state, changes        clients  work")
    for clients, work, count in (
        (1, 0, 2000),
        (64, 0, CHANGES),
        (1000, 0, CHANGES),
        (64, 50e-6, CHANGES),
        (64, 100e-6, CHANGES),
    ):
        spent = await run(clients, [work] * count, new)
        print(f"  new                     {clients:6}  {work * 1e6:4.0f}  {spent}")
    keys = [record.key async for record in store.scan("binding")]
    for clients, work, count in (
        (1, 0, 2000),
        (64, 0, CHANGES),
        (1000, 0, CHANGES),
        (64, 50e-6, CHANGES),
        (64, 100e-6, CHANGES),
    ):
        chosen = [(key, work) for key in random.sample(keys, count)]
        spent = await run(clients, chosen, refresh)
        print(f"  refresh                 {clients:6}  {work * 1e6:4.0f}  {spent}")
    await store.stop()
    store = LocalStore(reactor, folder / "power", durability=Durability.POWER)
    store.start()
    for clients, count in ((1, 200), (64, 5000)):
        spent = await run(clients, [0.0] * count, new)
        print(f'  new, durability "power" {clients:6}     0  {spent}')
    await store.stop()


async def fill(reactor: Any, folder: Path) -> None:
    """
    Store what `live_memory` opens.
    """
    store = LocalStore(reactor, folder)
    store.start()
    await run(5000, range(RECORDS), lambda number: store.put(make(number)))
    await store.stop()


async def live_memory(reactor: Any, folder: Path) -> None:
    """
    Print what records take in memory, and how long a lookup takes.
    """
    folder = folder / "memory"
    # In a process of its own, which takes what it has used up to its grave.
    filling = [sys.executable, "-m", "benchmarks.store", str(folder)]
    subprocess.run(filling, check=True)
    before = memory()
    store = LocalStore(reactor, folder)
    start = time.perf_counter()
    store.start()
    print(f"Live state, {RECORDS:,} records")
    print(f"  opened in                {time.perf_counter() - start:7.2f} s")
    print(f"  memory                   {memory() - before:7.1f} MB")
    reader = LocalReader(folder)
    keys = [f"sip:user{random.randrange(RECORDS)}@example.com" for _ in range(LOOKUPS)]
    for name, source in (("lookup", store), ("lookup of another process", reader)):
        start = time.perf_counter()
        for key in keys:
            await source.get("binding", key)
        each = (time.perf_counter() - start) / LOOKUPS
        print(f"  {name:25} {each * 1e6:6.1f} us")
    reader.stop()
    await store.stop()


async def directory_rates(reactor: Any, folder: Path) -> None:
    """
    Print how many accounts are found and records written in a second.
    """
    folder = folder / "directory"
    secrets = Secrets(folder)
    secrets.load()
    directory = Directory(reactor, folder, secrets)
    directory.start()
    everyone, joe = directory.everyone, directory.of("joe")
    await everyone.users.add("joe", "correct horse")
    await everyone.domains.add("example.com")
    spent = await run(1, range(500), lambda n: joe.accounts.add(f"{n}", "example.com"))
    print("Directory                  clients")
    print(f"  account added                1        {spent}")
    for clients, count in ((1, 500), (64, CHANGES), (500, CHANGES)):
        names = [f"{random.randrange(500)}" for _ in range(count)]
        spent = await run(
            clients, names, lambda name: everyone.accounts.find(name, "example.com")
        )
        print(f"  account found           {clients:6}        {spent}")
    cdr = CDR(
        id="",
        owner="joe",
        server="app1",
        direction=Direction.OUT,
        call_id="a84b4c76e66710",
        destination_uri="sip:+3531@example.org",
        from_header="<sip:100@example.com>",
        created=datetime.now(UTC),
    )
    for clients, count in ((1, 500), (64, CHANGES // 2)):
        cdrs = [replace(cdr, id=f"{clients}-{number}") for number in range(count)]
        spent = await run(clients, cdrs, everyone.cdrs.write)
        print(f"  call record written     {clients:6}        {spent}")
    spent = await run(
        4, range(10), lambda _: everyone.users.log_in("joe", "correct horse")
    )
    print(f"  login                        4        {spent}")
    directory.stop()


async def measure(reactor: Any) -> None:
    """
    Measure and print.
    """
    os.sched_setaffinity(0, [0])
    with tempfile.TemporaryDirectory(prefix="sipsorcery-store-") as name:
        folder = Path(name)
        await live_memory(reactor, folder)
        await live_rates(reactor, folder)
        await directory_rates(reactor, folder)


def main(folder: str | None = None) -> None:
    """
    Run in the reactor.

    :param folder: only fill a store in it.
    """
    if folder is None:
        react(lambda reactor: Deferred.fromCoroutine(measure(reactor)))
    else:
        react(lambda reactor: Deferred.fromCoroutine(fill(reactor, Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
