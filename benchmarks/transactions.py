"""
What server transactions cost over UDP: processor time and memory, few and many of them.

The server runs in a process of its own, on one core; this process keeps a window of
requests or calls in flight, each with a branch and a Call-ID of its own, and counts the
answers. The time is the server's processor time for each request or call, so it holds
even where the sender, or somebody else on the machine, is the limit.

* ``options``: OPTIONS, each answered 200 at once. Timer J keeps each transaction for
  32 seconds: the later rounds are measured with hundreds of thousands of them, and
  when the first ones end.
* ``calls``: INVITE, 180, 200, ACK, BYE, 200. Timers L and J keep two transactions each.
  ``sipp`` is the same from a client that asks for no rport, as SIPp does not.
* ``ringing``: INVITE, answered 180 and not finally: what a request that waits takes.
* ``timers``: the wheel that ends them, beside a delayed call of the reactor for each.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from twisted.internet.epollreactor import EPollReactor

from benchmarks._measuring import processor_time, resident, serve, serving
from sipsorcery.endpoint import ListenAddress
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.uri import parse_uri
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.transactions.wheel import TimerWheel

WINDOW = 64
# Fewer, for each may have several datagrams in a socket's buffer, which holds some 150.
CALLS_AT_ONCE = 16
ROUND = 20_000
# Longer than Timer J, so that the last rounds see as many end as begin.
SECONDS = 40.0
CALLS = 20_000
RINGING = 20_000
TIMERS = 200_000

REQUEST = (
    b"%(method)b sip:100@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d"
    b";branch=z9hG4bKg%(id)012x%(method)b%(rport)b\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:100@127.0.0.1>%(to_tag)b\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 %(method)b\r\n"
    b"Contact: <sip:gen@127.0.0.1:%(port)d>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Accept: application/sdp\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class Server:
    """
    Answers what comes.

    :param ringing: whether calls are left to ring.
    """

    def __init__(self, reactor: Any, ringing: bool) -> None:
        self.transactions = TransactionLayer(reactor, self)
        listen = (ListenAddress.parse("udp:127.0.0.1:0"),)
        self.transport = TransportLayer(
            reactor, TransportSettings(listen), self.transactions
        )
        self.transactions.join(self.transport)
        self.transport.start()
        self.port = self.transport.listeners[0].local.port
        self._ringing = ringing
        self._contact = Address(parse_uri(f"sip:127.0.0.1:{self.port}"))

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Answer.
        """
        if not transaction.is_invite:
            transaction.respond(200)
            return
        transaction.respond(180)
        if not self._ringing:
            transaction.respond(200, fields=[(CONTACT, self._contact)])

    def ack_received(self, *_: object) -> None:
        """
        Be content; the next four never happen here.
        """

    stray_response = stun_received = parse_failed = flow_closed = ack_received


def start(mode: str, reactor: Any) -> int:
    """
    Start the server on the first core and return its port.
    """
    os.sched_setaffinity(0, {0})
    return Server(reactor, mode == "ringing").port


class Load:
    """
    Sends requests and counts what comes back.

    :param rport: whether it asks for its port, as nearly everybody does, but not SIPp.
    """

    def __init__(self, port: int, rport: bool) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(5)
        self._port = self._socket.getsockname()[1]
        self._rport = b";rport" if rport else b""
        self._numbers = itertools.count()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, method: bytes, number: int, to_tag: bytes = b"") -> None:
        """
        Send a request.
        """
        fields = {b"method": method, b"port": self._port, b"id": number}
        fields |= {b"to_tag": to_tag, b"rport": self._rport}
        self._socket.send(REQUEST % fields)

    def requests(self, method: bytes, count: int) -> None:
        """
        Send requests that have one response each, and wait for all of these.
        """
        for sent in range(count + WINDOW):
            if sent >= WINDOW:
                self._socket.recv(65535)
            if sent < count:
                self.send(method, next(self._numbers))

    def calls(self, count: int) -> None:
        """
        Make calls, one after the other in each place of the window.
        """
        ended = 0
        for _ in range(CALLS_AT_ONCE):
            self.send(b"INVITE", next(self._numbers))
        while ended < count:
            data = self._socket.recv(65535)
            if b"\r\nCSeq: 1 BYE" in data:
                ended += 1
                if ended <= count - CALLS_AT_ONCE:
                    self.send(b"INVITE", next(self._numbers))
            elif data.startswith(b"SIP/2.0 200"):
                place = data.index(b"\r\nCall-ID: ") + 11
                number = int(data[place : place + 12], 16)
                to = data.index(b"\r\nTo: ")
                tag = data[data.index(b";tag=", to) : data.index(b"\r", to + 1)]
                self.send(b"ACK", number, tag)
                self.send(b"BYE", number, tag)


@contextmanager
def server(mode: str) -> Iterator[tuple[int, Load]]:
    """
    Give a server's process and the load for it.
    """
    with (
        serving("benchmarks.transactions", mode) as (pid, port),
        Load(port, rport=mode != "sipp") as load,
    ):
        yield pid, load


def options() -> None:
    """
    Measure OPTIONS, with more and more transactions held.
    """
    print("OPTIONS through server transactions: processor time of the server")
    with server("options") as (pid, load):
        load.requests(b"OPTIONS", 1000)
        start, empty = time.monotonic(), resident(pid)
        for number in itertools.count(1):
            if time.monotonic() - start > SECONDS:
                break
            before, begin = processor_time(pid), time.monotonic()
            load.requests(b"OPTIONS", ROUND)
            used, now = processor_time(pid) - before, time.monotonic()
            each, memory = used / ROUND * 1e6, resident(pid) - empty
            print(
                f"  {number * ROUND:7} sent, {now - start:5.1f} s:{each:7.1f} us, "
                f"{1e6 / each:6.0f}/s of a core ({ROUND / (now - begin):6.0f}/s seen), "
                f"{memory / 1e6:4.0f} MB"
            )
            if number == 2:
                print(f"  {'':7} {memory / number / ROUND:.0f} B of memory each")


def calls() -> None:
    """
    Measure calls.
    """
    print("calls: INVITE 180 200 ACK BYE 200")
    for mode in ("calls", "sipp"):
        with server(mode) as (pid, load):
            load.calls(500)
            before, begin, empty = processor_time(pid), time.monotonic(), resident(pid)
            load.calls(CALLS)
            used = (processor_time(pid) - before) / CALLS * 1e6
            rate = CALLS / (time.monotonic() - begin)
            memory = (resident(pid) - empty) / CALLS
            print(
                f"  {mode:6}{used:6.1f} us, {1e6 / used:.0f}/s of a core "
                f"({rate:.0f}/s seen), {memory:.0f} B of memory each until Timer L"
            )


def ringing() -> None:
    """
    Measure what a call takes that rings.
    """
    with server("ringing") as (pid, load):
        load.requests(b"INVITE", 500)
        empty = resident(pid)
        load.requests(b"INVITE", RINGING)
        memory = (resident(pid) - empty) / RINGING
        print(f"ringing: {memory:.0f} B of memory for an INVITE that waits")


class Timed:
    """
    Something that wants to be told the time.
    """

    __slots__ = ("slot",)

    def __init__(self) -> None:
        self.slot: int | None = None

    def timer_due(self, now: float) -> None:
        """
        Hear it.
        """


def timers() -> None:
    """
    Measure timers that all run for 32 seconds, as if 10,000 a second began.
    """
    print("timers: microseconds to set one and take it away, bytes meanwhile")
    reactor = EPollReactor()
    items = [Timed() for _ in range(TIMERS)]
    wheel = TimerWheel(reactor)

    def on_the_wheel() -> None:
        for number, item in enumerate(items):
            wheel.set(item, 1000.0 + number / 10_000)

    def off_the_wheel() -> None:
        for item in items:
            wheel.set(item, None)

    calls: list[Any] = []

    def on_the_heap() -> None:
        for number, item in enumerate(items):
            calls.append(reactor.callLater(1000.0 + number / 1e4, item.timer_due))
            if not number % WINDOW:
                reactor.runUntilCurrent()

    def off_the_heap() -> None:
        for number, call in enumerate(calls):
            call.cancel()
            if not number % WINDOW:
                reactor.runUntilCurrent()
        calls.clear()

    for name, set_all, clear_all in (
        ("wheel", on_the_wheel, off_the_wheel),
        ("callLater", on_the_heap, off_the_heap),
    ):
        begin = time.process_time()
        set_all()
        clear_all()
        used = (time.process_time() - begin) / TIMERS * 1e6
        tracemalloc.start()
        set_all()
        size, _ = tracemalloc.get_traced_memory()
        clear_all()
        tracemalloc.stop()
        print(f"  {name:10}{used:6.2f} us{size / TIMERS:8.0f} B")


def main() -> None:
    """
    Measure all.
    """
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})  # the server has the first
    for measure in (options, calls, ringing, timers):
        measure()


if __name__ == "__main__":
    serve(partial(start, sys.argv[1])) if len(sys.argv) > 1 else main()
