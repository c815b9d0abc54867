"""
What calls cost that a user agent answers over UDP: INVITE, 180, 200, ACK, BYE, 200.

The server is a user agent in a process of its own, on one core, whose application
rings, answers with a description of audio, and waits for the end. This process keeps
some calls under way and counts those that have ended. The time is the server's
processor time for each call, so it holds even where the caller, or somebody else on
the machine, is the limit. The server tells how many dialogs and transactions it has
when it is asked by OPTIONS.

* ``calls``: how long a call takes, with few and with many others held.
* ``memory``: what an idle session takes, and each transaction of one that has ended.
* ``shares``: in which rooms of the house the time goes, by a sampling clock.
"""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from subprocess import PIPE, Popen
from types import FrameType
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred

from benchmarks._measuring import processor_time, resident
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import ServerCall, UserAgent, UserAgentSettings, audio

# Fewer than datagrams fit into a socket's buffer, which holds some 150.
CALLS_AT_ONCE = 16
ROUND, ROUNDS = 500, 12
PATIENCE = 2.0  # seconds without any answer
HELD = (10, 1_000, 50_000)
CALLS = 10_000  # to look for shares in
# What memory is measured with: calls, and T1, of which Timers J and L have 64. All are
# made before the first transaction ends, though counting bytes takes time.
IDLE = 2_000
SHORT = 0.25
SAMPLE = 0.001  # seconds; the kernel makes of it what its own clock has

INVITE = (
    b"INVITE sip:100@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKi%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:100@127.0.0.1>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:gen@127.0.0.1:%(port)d>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO\r\n"
    b"Supported: timer\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %(length)d\r\n\r\n"
)
OFFER = (
    b"v=0\r\n"
    b"o=gen %(id)012d 1 IN IP4 127.0.0.1\r\n"
    b"s=-\r\n"
    b"c=IN IP4 127.0.0.1\r\n"
    b"t=0 0\r\n"
    b"m=audio %(rtp)05d RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-15\r\n"
    b"a=ptime:20\r\n"
    b"a=sendrecv\r\n"
)
# ACK and BYE, which go where the Contact of the 200 says.
WITHIN = (
    b"%(method)b %(target)b SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bK%(method)b%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"%(to)b\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: %(cseq)d %(method)b\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Content-Length: 0\r\n\r\n"
)
OPTIONS = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKo%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n"
    b"To: <sip:127.0.0.1>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class Server:
    """
    Answers calls, and tells what it holds.

    :param mode: of the benchmark.
    """

    MEDIA = audio("127.0.0.1", 4000)

    def __init__(self, reactor: Any, mode: str) -> None:
        # Where memory is measured, the transactions are to end sooner.
        timers = Timers(t1=SHORT) if mode == "memory" else Timers()
        self.agent = UserAgent(
            reactor,
            ["udp:127.0.0.1:0"],
            settings=UserAgentSettings(timers=timers),
        )
        self.agent.on_invite(self.answer)
        self.agent.on("OPTIONS", self.tell)
        self.samples = Samples()
        if mode == "memory":
            tracemalloc.start()
        elif mode == "shares":
            self.samples.start()

    async def start(self) -> None:
        """
        Begin, and say where.
        """
        await self.agent.start()
        print(self.agent.listeners[0].local.port, flush=True)

    async def answer(self, call: ServerCall) -> None:
        """
        Take a call, as the example in the documentation does.
        """
        call.ring()
        session = await call.answer(self.MEDIA)
        await session.ended()

    def tell(self, transaction: ServerTransaction) -> None:
        """
        Answer OPTIONS: what there is, in figures and names.
        """
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        dialogs = len(self.agent.core.dialogs)
        transactions, _ = self.agent.transactions.size
        # Not this one.
        words = [f"{dialogs} {transactions - 1} {size}"]
        words += [f"{room} {count}" for room, count in self.samples.take().items()]
        transaction.respond(200, body=" ".join(words).encode())


class Samples:
    """
    Looks every few milliseconds of processor time which room is at work.

    What others do for a room, such as the regular expressions of Python or the kernel,
    counts as its own; the garbage collector does not.
    """

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()  # nanoseconds
        self._seen = self._began = 0

    def start(self) -> None:
        """
        Begin.
        """
        self._seen = time.process_time_ns()
        gc.callbacks.append(self._collect)
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE, SAMPLE)

    def take(self) -> Counter[str]:
        """
        Give for how many nanoseconds each was at work since the last time.
        """
        found, self._found = self._found, Counter()
        return found

    def _collect(self, phase: str, _: object) -> None:
        now = time.process_time_ns()
        if phase == "start":
            self._began = now
        else:
            self._found["collector"] += now - self._began
            self._seen += now - self._began  # it was nobody else's
            self._began = 0

    def _look(self, _: int, frame: FrameType | None) -> None:
        if self._began:
            return  # what was due meanwhile comes before the collector has ended
        now = time.process_time_ns()
        self._found[room_of(frame)] += now - self._seen
        self._seen = now


def room_of(frame: FrameType | None) -> str:
    """
    Name the room that is at work in a frame.
    """
    while frame is not None:
        path = frame.f_code.co_filename.split("/")
        if "sipsorcery" in path[:-1]:
            return path[len(path) - path[::-1].index("sipsorcery")]
        if "twisted" in path:
            return "twisted"
        frame = frame.f_back
    return "others"


def serve(mode: str) -> None:
    """
    Run the server until this process is ended.
    """
    os.sched_setaffinity(0, {0})
    reactor: Any = installed_reactor
    server = Server(reactor, mode)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(server.start()))
    # Without handlers of its own, which a sampling signal would wake for nothing.
    reactor.run(installSignalHandlers=False)


class Load:
    """
    Makes calls.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(PATIENCE)
        self._port = self._socket.getsockname()[1]
        self._numbers = itertools.count()
        # What waits for a final response, by the number of its call.
        self._ringing: dict[int, bytes] = {}
        self._ending: dict[int, bytes] = {}

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def make(self, count: int, *, hold: bool = False) -> None:
        """
        Make calls, some at a time, and wait until each has ended.

        :param hold: whether they are left as they are once they are answered.
        """
        for _ in range(count):
            while len(self._ringing) + len(self._ending) >= CALLS_AT_ONCE:
                self._hear(hold)
            self._call()
        while self._ringing or self._ending:
            self._hear(hold)

    def ask(self) -> tuple[int, int, int, dict[str, int]]:
        """
        Ask the server for its dialogs, transactions, bytes and samples.
        """
        fields = {b"port": self._port, b"id": next(self._numbers)}
        self._socket.send(OPTIONS % fields)
        self._socket.settimeout(PATIENCE + 60)  # it collects garbage first
        while b"\r\nCSeq: 1 OPTIONS" not in (data := self._socket.recv(65535)):
            pass
        self._socket.settimeout(PATIENCE)
        words = data.partition(b"\r\n\r\n")[2].decode().split()
        dialogs, transactions, size = map(int, words[:3])
        samples = dict(zip(words[3::2], map(int, words[4::2]), strict=True))
        return dialogs, transactions, size, samples

    def _call(self) -> None:
        number = next(self._numbers)
        # Each call has a description of its own, as from any telephone.
        offer = OFFER % {b"id": number, b"rtp": 10_000 + 2 * (number % 10_000)}
        fields = {b"port": self._port, b"id": number, b"length": len(offer)}
        self._ringing[number] = INVITE % fields + offer
        self._socket.send(self._ringing[number])

    def _hear(self, hold: bool) -> None:
        try:
            data = self._socket.recv(65535)
        except TimeoutError:  # something is lost, as where the processor is not free
            for request in (*self._ringing.values(), *self._ending.values()):
                self._socket.send(request)
            return
        if data.startswith(b"SIP/2.0 200"):
            number = int(_line(data, b"Call-ID: ")[9:21], 16)
            if b"\r\nCSeq: 2 BYE" in data:
                self._ending.pop(number, None)
            else:
                self._answered(number, data, hold)

    def _answered(self, number: int, data: bytes, hold: bool) -> None:
        to, contact = _line(data, b"To: "), _line(data, b"Contact: ")
        target = contact[contact.index(b"<") + 1 : contact.index(b">")]
        values = {b"to": to, b"target": target, b"id": number, b"port": self._port}
        self._socket.send(WITHIN % {b"method": b"ACK", b"cseq": 1, **values})
        # The 200 may come again, where this process had to wait for the processor.
        if self._ringing.pop(number, None) is not None and not hold:
            bye = WITHIN % {b"method": b"BYE", b"cseq": 2, **values}
            self._ending[number] = bye
            self._socket.send(bye)


def _line(data: bytes, begin: bytes) -> bytes:
    place = data.index(b"\r\n" + begin) + 2
    return data[place : data.index(b"\r", place)]


@contextmanager
def server(mode: str) -> Iterator[tuple[int, Load]]:
    """
    Give a server's process and the load for it.
    """
    command = [sys.executable, "-m", "benchmarks.calls", mode]
    with Popen(command, stdout=PIPE) as process:
        assert process.stdout is not None
        with Load(int(process.stdout.readline())) as load:
            try:
                yield process.pid, load
            finally:
                process.terminate()


def calls() -> None:
    """
    Measure calls beside few and many others, in turn, as the machine may be busy.
    """
    with ExitStack() as stack:
        servers = [stack.enter_context(server("calls")) for _ in HELD]
        sizes: list[int] = []
        for (pid, load), held in zip(servers, HELD, strict=True):
            load.make(ROUND)
            empty = resident(pid)
            load.make(held, hold=True)
            sizes.append(resident(pid) - empty)
        used: list[list[float]] = [[] for _ in HELD]
        for _ in range(ROUNDS):
            for (pid, load), each in zip(servers, used, strict=True):
                before = processor_time(pid)
                load.make(ROUND)
                each.append((processor_time(pid) - before) / ROUND * 1e6)
    print("calls as UAS: processor time of the server")
    for held, each, size in zip(HELD, used, sizes, strict=True):
        middle = median(each)
        print(
            f"  {held:6} held:{middle:6.0f} us ({min(each):.0f} to {max(each):.0f}), "
            f"{1e6 / middle:5.0f}/s of a core, {size / 1e6:4.0f} MB"
        )


def memory() -> None:
    """
    Measure what is held of a call.
    """
    with server("memory") as (_, load):
        load.make(100)
        time.sleep(70 * SHORT)
        _, _, empty, _ = load.ask()
        load.make(IDLE)
        _, transactions, full, _ = load.ask()
        time.sleep(70 * SHORT)
        _, _, before, _ = load.ask()
        load.make(IDLE, hold=True)
        time.sleep(70 * SHORT)
        dialogs, _, idle, _ = load.ask()
        print("memory")
        print(f"  an idle session: {(idle - before) / dialogs:.0f} B")
        print(f"  a transaction, before it ends: {(full - empty) / transactions:.0f} B")


def shares() -> None:
    """
    Measure where the time goes.
    """
    with server("shares") as (_, load):
        load.make(500)
        load.ask()
        load.make(CALLS)
        *_, samples = load.ask()
    total = sum(samples.values())
    print(f"shares of the {total / CALLS / 1000:.0f} us of a call")
    for room, spent in sorted(samples.items(), key=lambda item: -item[1]):
        print(f"  {room:12}{spent / total:6.1%}")


def main() -> None:
    """
    Measure all.
    """
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})  # the server has the first
    for measure in (calls, memory, shares):
        measure()


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
