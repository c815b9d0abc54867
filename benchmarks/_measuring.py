"""
What the benchmarks of servers share.

A server runs in a process of its own, while this one keeps a window of requests in
flight and counts the answers. The figure is the server's processor time for each
transaction, so it holds even where the sender, and not the server, is the limit.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from twisted.internet import reactor as installed_reactor

SECONDS = 3.0
WINDOW = 64
ROUNDS = 3
# Seconds that a server may take to start.
_PATIENCE = 10.0

_REQUEST = (
    "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKg{id}T;rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f{id}\r\n'
    "To: <sip:100@127.0.0.1>\r\n"
    "Call-ID: {id}@127.0.0.1\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Contact: <sip:gen@127.0.0.1:{port}>\r\n"
    "User-Agent: gen/1.0\r\n"
    "Accept: application/sdp\r\n"
    "Content-Length: 0\r\n\r\n"
)


def run(
    title: str,
    module: str,
    servers: dict[str, Callable[[Any], int]],
    base: str,
) -> None:
    """
    Measure servers in turn and print a table of the best rounds.

    :param module: that of the benchmark; given the name of a server it is that server.
    :param servers: what starts each on a reactor and gives its port.
    :param base: the one that the others are compared with.
    """
    if len(sys.argv) > 1:
        serve(servers[sys.argv[1]])
        return
    best = dict.fromkeys(servers, (float("inf"), 0.0))
    for _ in range(ROUNDS):
        for name in servers:
            best[name] = min(best[name], measure(module, name))
    print(title)
    for name, (microseconds, rate) in best.items():
        ratio = best[base][0] / microseconds
        print(f"  {name:8}{microseconds:8.1f} us  {rate:8.0f}/s  {base} x {ratio:.2f}")


def serve(start: Callable[[Any], int]) -> None:
    """
    Run a server until this process is ended; tell its port first.
    """
    reactor: Any = installed_reactor
    print(start(reactor), flush=True)
    reactor.run()


@contextmanager
def serving(module: str, name: str) -> Iterator[tuple[int, int]]:
    """
    Have a server in a process of its own; give the process and the port.
    """
    with Popen([sys.executable, "-m", module, name], stdout=PIPE) as server:
        assert server.stdout is not None
        try:
            yield server.pid, int(server.stdout.readline())
        finally:
            server.terminate()


def measure(module: str, name: str) -> tuple[float, float]:
    """
    Return microseconds of a server for each transaction, and transactions a second.
    """
    with serving(module, name) as (pid, port):
        load(port, 0.5)
        before, start = processor_time(pid), time.monotonic()
        answered = load(port, SECONDS)
        used = processor_time(pid) - before
        elapsed = time.monotonic() - start
    return used / answered * 1e6, answered / elapsed


def load(port: int, seconds: float) -> int:
    """
    Keep `WINDOW` requests in flight and return how many were answered.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        sender.settimeout(1)
        own = sender.getsockname()[1]
        requests = [
            _REQUEST.format(port=own, id=f"{number:012x}").encode()
            for number in range(4096)
        ]
        for request in requests[:WINDOW]:
            sender.send(request)
        answered, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for request in requests:
                sender.recv(65535)
                answered += 1
                sender.send(request)
        for _ in range(WINDOW):
            sender.recv(65535)
        return answered


def free_port() -> int:
    """
    Find a UDP port that nobody has.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """
    Wait until somebody has a UDP port of the loopback.
    """
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


def processor_time(pid: int) -> float:
    """
    Return the seconds of processor time that a process and its children have used.
    """
    return sum(processor_times(pid))


def processor_times(pid: int) -> tuple[float, float]:
    """
    Return those of a process, and those of its children.
    """
    own = others = 0
    for each, parent, ticks in _processes():
        if each == pid:
            own = ticks
        elif parent == pid:
            others += ticks
    second = os.sysconf("SC_CLK_TCK")
    return own / second, others / second


def children(pid: int) -> list[int]:
    """
    Return the processes that a process has started.
    """
    return [each for each, parent, _ in _processes() if parent == pid]


def _processes() -> Iterator[tuple[int, int, int]]:
    """
    Give each process, who has started it, and the ticks that it has used.
    """
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        yield int(file.parent.name), int(fields[1]), int(fields[11]) + int(fields[12])


def resident(pid: int) -> int:
    """
    Return the bytes of memory that a process has.
    """
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
