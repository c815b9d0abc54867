"""
What it costs to write down calls that ring, so that another process can go on.

One application server, with a dialplan in Python for each call, is sent calls at one
rate. In turn, phones answer at once, together with saying that they ring, so that
nothing is written down, and half a second later: the difference is what the record
costs, to write it and to remove it. The figure is the server's processor time for each
call, the thread that writes to the disk included, but for the processes that dialplans
run in.

``python -m benchmarks.ringing`` prints both.
"""

from __future__ import annotations

import heapq
import os
import sys
import tempfile
import time
from statistics import median
from subprocess import Popen
from typing import Any

from benchmarks import appserver
from benchmarks._measuring import free_port, processor_time, wait_for
from benchmarks.appserver import Ends
from sipsorcery.store.directory import Language
from sipsorcery.tap.stores import WritableStores

# Calls a second: little enough for a core that others use as well.
RATE = 60
SOON, LATE = 0.0, 0.5
CALLS, ROUNDS = 300, 5
PLAN = """\
number = req.uri.user
for turn in range(2):
    result = sys.dial(f"{{number}}@127.0.0.1:{far}", ring=30)
    sys.log(f"nobody has answered: {{result.status}}")
"""


async def fill(stores: WritableStores, far: int) -> None:
    """
    Add the account that is called, and its dialplan.
    """
    await stores.directory.everyone.users.add("joe", "a long password")
    await stores.directory.everyone.domains.add("example.com")
    owned = stores.directory.of("joe")
    await owned.dialplans.put("in", PLAN.format(far=far), Language.PYTHON)
    await owned.accounts.add("100", "example.com", "a password")
    await owned.accounts.change("100", "example.com", in_dialplan="in")


class Patient(Ends):
    """
    Ends that answer after a while.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ring = SOON
        self._due: list[tuple[float, bytes]] = []

    def call_at_rate(self, count: int) -> None:
        """
        Make calls, `RATE` a second, until all have ended.
        """
        start = time.monotonic()
        for turn in range(count):
            while (left := start + turn / RATE - time.monotonic()) > 0:
                self._hear_for(left)
            self._begin()
        while self._ringing or self._ending:
            self._hear_for(1.0)

    def _hear_for(self, seconds: float) -> None:
        now = time.monotonic()
        if self._due:
            seconds = min(seconds, self._due[0][0] - now)
        for descriptor, _ in self._poll.poll(max(0.0, seconds) * 1000):
            if descriptor == self._far.fileno():
                self._drain(self._far, self._answer)
            else:
                self._drain(self._near, self._go_on)
        while self._due and self._due[0][0] <= time.monotonic():
            self._far.sendto(heapq.heappop(self._due)[1], self._server)

    def _reply(self, response: bytes) -> None:
        is_answer = (
            response.startswith(b"SIP/2.0 200 OK") and b" INVITE\r\n" in response
        )
        if self.ring and is_answer:
            heapq.heappush(self._due, (time.monotonic() + self.ring, response))
        else:
            super()._reply(response)


def measure(folder: str) -> None:
    """
    Measure calls that ring for a short and for a long time, in turn.
    """
    with Patient() as ends:
        port = free_port()
        ports = map(str, (port, ends.near_port, ends.far_port))
        words = [sys.executable, "-m", "benchmarks.ringing", *ports]
        with Popen(words, env={**os.environ, "TMPDIR": folder}) as server:
            try:
                wait_for(port)
                ends.aim(port)
                ends.call_at_rate(CALLS)
                used = rounds(ends, server)
            finally:
                server.terminate()
    soon, late = (median(used[ring]) for ring in (SOON, LATE))
    print(f"answered at once:      {soon:6.0f} us for each call")
    print(
        f"answered after {LATE * 1000:.0f} ms: {late:6.0f} us, written down meanwhile"
    )
    print(f"the record: {late - soon:.0f} us, {(late / soon - 1) * 100:.1f} %")


def rounds(ends: Patient, server: Popen[Any]) -> dict[float, list[float]]:
    """
    Give the processor time of each call, round by round.
    """
    used: dict[float, list[float]] = {SOON: [], LATE: []}
    for _ in range(ROUNDS):
        for ring, each in used.items():
            ends.ring = ring
            before = processor_time(server.pid)
            ends.call_at_rate(CALLS)
            each.append((processor_time(server.pid) - before) / CALLS * 1e6)
    return used


if __name__ == "__main__":
    if len(sys.argv) > 1:
        appserver.fill = fill
        port, near, far = map(int, sys.argv[1:])
        appserver.serve(port, near, far, 0.5)
    else:
        os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
        measure(tempfile.mkdtemp())
