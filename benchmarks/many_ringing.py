"""
What calls take that ring all at once, each with a dialplan in Python that waits.

The application server is sent INVITEs, to which a phone says that it rings; none is
answered. When all ring, the memory of the server and of its workers is looked at; then
all callers give up, and each is told that it is over. Pages that processes share are
counted for each of them.

``python -m benchmarks.many_ringing [CALLS]`` prints it as JSON; there are 5,000 calls
unless another number is given.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from statistics import median
from subprocess import DEVNULL, Popen

from benchmarks import appserver
from benchmarks._measuring import children, free_port, resident, wait_for
from benchmarks.appserver import WARM, Ends
from sipsorcery.store.directory import Language
from sipsorcery.tap.stores import WritableStores

CALLS = 5000
# Seconds without any message after which something is lost; a busy machine takes long.
PATIENCE = 30.0
PLAN = """\
number = req.uri.user
result = sys.dial(f"{{number}}@127.0.0.1:{far}", ring=290)
sys.respond(480, f"Nobody is at home: {{result.status}}")
"""
CANCEL = (
    b"CANCEL sip:100@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(near)d;branch=z9hG4bKi%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:100@example.com>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 CANCEL\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class Ringing(Ends):
    """
    Callers who wait, and phones that ring.

    :ivar rings: the calls that ring.
    :ivar ended: how many were told that they are over.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rings: set[int] = set()
        self.ended = 0

    def ring(self, count: int) -> None:
        """
        Make calls, some at a time, until all ring.
        """
        for _ in range(count):
            while len(self._ringing) >= self.window:
                self._hear()
            self._begin()
        while self._ringing:
            self._hear()

    def give_up(self) -> None:
        """
        Cancel all calls.
        """
        while self.rings or self._ending:
            while self.rings and len(self._ending) < self.window:
                number = self.rings.pop()
                self._ending.add(number)
                fields = {b"near": self.near_port, b"id": number}
                self._near.sendto(CANCEL % fields, self._server)
            self._hear()

    def _hear(self) -> None:
        if not self._poll.poll(PATIENCE * 1000):
            waiting = len(self._ringing) + len(self._ending)
            raise SystemExit(f"nothing is heard of {waiting} calls")
        super()._hear()

    def _reply(self, response: bytes) -> None:
        if response.startswith(b"SIP/2.0 200 OK") and b" CANCEL\r\n" in response:
            ended = response.replace(b" CANCEL\r\n", b" INVITE\r\n")
            ended = ended.replace(b" 200 OK", b" 487 Request Terminated", 1)
            super()._reply(response)
            super()._reply(ended)
        elif not response.startswith(b"SIP/2.0 200 OK"):
            super()._reply(response)

    def _go_on(self, message: bytes) -> None:
        number = int(message[message.index(b"\r\nCall-ID: ") + 11 :][:12], 16)
        if message.startswith(b"SIP/2.0 180 ") and number in self._ringing:
            self._ringing.remove(number)
            self.took.append(time.monotonic() - self._begun.pop(number))
            self.rings.add(number)
        elif message.startswith(b"SIP/2.0 487 "):
            to = message[message.index(b"\r\nTo: ") + 2 :].split(b"\r\n", 1)[0]
            self._send_within(b"ACK", 1, number, to, b"sip:100@example.com")
            if number in self._ending:
                self._ending.remove(number)
                self.ended += 1
        elif not message.startswith((b"SIP/2.0 1", b"SIP/2.0 200 ")):
            super()._go_on(message)


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


def measure(count: int) -> dict[str, float]:
    """
    Let calls ring; give what was seen.
    """
    with Ringing() as ends, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        ports = map(str, (port, ends.near_port, ends.far_port))
        words = [sys.executable, "-m", "benchmarks.many_ringing", *ports]
        environment = {**os.environ, "TMPDIR": folder}
        with Popen(words, env=environment, stdout=DEVNULL) as server:
            try:
                wait_for(port)
                ends.aim(port)
                ends.ring(min(WARM, count))
                ends.give_up()
                ends.took.clear()
                ends.ended = 0
                before = _memory(server.pid)
                ends.ring(count)
                after, ringing = _memory(server.pid), len(ends.rings)
                workers = len(children(server.pid))
                ends.give_up()
            finally:
                server.terminate()
                server.wait()
    return {
        "ringing": ringing,
        "workers": workers,
        "sandbox_workers": max(2, os.cpu_count() or 1),
        "bytes": after,
        "bytes_before": before,
        "bytes_each": round((after - before) / count),
        "seconds_until_it_rings": round(median(ends.took), 4),
        "turned_away_and_called_again": ends.turned_away,
        "ended": ends.ended,
    }


def _memory(pid: int) -> int:
    return sum(map(resident, (pid, *children(pid))))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [port, near, far]:
            appserver.fill = fill
            appserver.serve(int(port), int(near), int(far), 0.5)
        case words:
            os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
            print(json.dumps(measure(int(words[0]) if words else CALLS), indent=2))
