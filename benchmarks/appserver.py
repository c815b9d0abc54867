"""
What calls cost that the application server connects, beside sippy's ``b2bua_simple``.

Each server runs in a process of its own, on the first core, and sends every call on to
one next hop. This process is both ends, on another core: it keeps some calls under way,
checks what arrives, and counts the calls that have ended on both sides. A call is
INVITE, 180, 200, ACK, BYE, 200 with the one who calls, and again with the one who is
called. The figure is the server's processor time for each, so it holds even where the
ends, or somebody else on the machine, are the limit.

Ours runs a line plan of one line for each call, writes call detail records and keeps a
record of each established call; sippy, which does none of that, logs nothing. It is
installed from the package index into an environment of its own, which is kept in
``var/bench``; where that fails it is left out.

* ``calls``: alternating, the median of some rounds.
* ``memory``: what an established call takes, and what is left when all have ended.

``python -m benchmarks.appserver profile`` shows where the time of ours goes.
"""

from __future__ import annotations

import cProfile
import gc
import itertools
import os
import pstats
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Self

from twisted.application.service import MultiService
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from benchmarks._measuring import free_port, processor_time, resident, wait_for
from sipsorcery import config
from sipsorcery.appserver.service import AppServerService
from sipsorcery.store.directory import Language
from sipsorcery.tap.appserver import make_appserver
from sipsorcery.tap.collecting import collect_rarely
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import WritableStores

HOST = "127.0.0.1"
WINDOW = 16  # calls at a time: fewer datagrams than fit into a socket's buffer
WARM, ROUND, ROUNDS = 300, 500, 7
HELD = 2_000
# T1 where calls are held: all that their end leaves behind lasts 64 of it.
T1 = 0.1
LINGERING = 64 * T1 + 3
# Seconds without any message: what is under way was lost, and is counted as such.
PATIENCE = 2.0
BUFFER = 4 << 20
# Seconds until somebody who was turned away calls again.
_PAUSE = 0.1

VENV = Path("var/bench/sippy")

CONFIGURATION = """
[server]
data_dir = "{folder}"
[sip]
proxies = ["udp:127.0.0.1:{far}", "udp:127.0.0.1:{near}"]
t1 = {t1}
[appserver]
listen = "udp:127.0.0.1:{port}"
[limits]
ringing_at_once = 0
outside_calls = ""
outside_calls_at_once = 0
"""
PLAN = "exten => _1XX,1,Dial(gen,secret,${{dst}}@127.0.0.1:{far})\n"

INVITE = (
    b"INVITE sip:100@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(near)d;branch=z9hG4bKi%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:100@example.com>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:gen@127.0.0.1:%(near)d>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %(length)d\r\n\r\n"
)
DESCRIPTION = (
    b"v=0\r\n"
    b"o=gen 1 1 IN IP4 127.0.0.1\r\n"
    b"s=-\r\n"
    b"c=IN IP4 127.0.0.1\r\n"
    b"t=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 8\r\n"
    b"a=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:8 PCMA/8000\r\n"
    b"a=ptime:20\r\n"
    b"a=sendrecv\r\n"
)
WITHIN = (
    b"%(method)b %(target)b SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(near)d;branch=z9hG4bK%(method)b%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"%(to)b\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: %(cseq)d %(method)b\r\n"
    b"Content-Length: 0\r\n\r\n"
)
# What a response repeats of its request.
_REPEATED = re.compile(rb"(?:Via|From|To|Call-ID|CSeq): [^\r]*\r\n").findall


# The servers


def serve(
    port: int,
    near: int,
    far: int,
    t1: float,
    *,
    profile: bool = False,
    core: int | None = 0,
) -> None:
    """
    Be our application server until this process is ended.

    Upon SIGUSR1 it tells how many calls, dialogs and transactions it has.

    :param core: the one that it has; None: any, as have the processes that it starts.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    reactor: Any = installed_reactor
    text = CONFIGURATION.format(
        folder=tempfile.mkdtemp(), near=near, far=far, port=port, t1=t1
    )
    services = MultiService()
    services.startService()

    async def start() -> None:
        settings = Settings(lambda: config.parse(text.encode()))
        for service in make_appserver(reactor, settings):
            service.setServiceParent(services)
            if isinstance(service, WritableStores):
                await fill(service, far)
            elif isinstance(service, AppServerService):
                signal.signal(signal.SIGUSR1, tell(service))

    profiler = cProfile.Profile()

    def begin() -> None:
        Deferred.fromCoroutine(start()).addErrback(fail)

    def fail(failure: Failure) -> None:
        failure.printTraceback()
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.callWhenRunning(collect_rarely)  # as every server does
    if profile:
        reactor.callLater(2, profiler.enable)
    reactor.run()
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(60)


async def fill(stores: WritableStores, far: int) -> None:
    """
    Add the account that is called, and its dialplan.
    """
    everyone = stores.directory.everyone
    await everyone.users.add("joe", "a long password")
    await everyone.domains.add("example.com")
    owned = stores.directory.of("joe")
    await owned.dialplans.put("in", PLAN.format(far=far), Language.LINES)
    await owned.accounts.add("100", "example.com", "a password")
    await owned.accounts.change("100", "example.com", in_dialplan="in")


def tell(service: AppServerService) -> Callable[..., None]:
    """
    Make what writes down the sizes of the tables.
    """

    def write(*_: object) -> None:
        gc.collect()  # which is done rarely
        agent = service.agent
        transactions = agent.transactions.size[0]
        print(len(service.calls), len(agent.core.dialogs), transactions, flush=True)

    return write


def sippy() -> Path | None:
    """
    Give sippy's server, which is installed first if it has to be; None: it cannot be.
    """
    program = VENV / "bin" / "b2bua_simple"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
            install = [str(VENV / "bin" / "pip"), "install", "--quiet", "sippy"]
            subprocess.run(install, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"sippy is left out: {error}", file=sys.stderr)
            return None
    return program


@contextmanager
def ours(ends: Ends, *, t1: float = 0.5, profile: bool = False) -> Iterator[Popen[Any]]:
    """
    Run our server.
    """
    port = free_port()
    given = [port, ends.near_port, ends.far_port, t1, "profile" if profile else ""]
    words = [sys.executable, "-m", "benchmarks.appserver", "serve", *map(str, given)]
    with Popen(words, stdout=PIPE) as server:
        try:
            wait_for(port)
            ends.aim(port)
            yield server
        finally:
            server.terminate()


@contextmanager
def theirs(ends: Ends, program: Path) -> Iterator[Popen[Any]]:
    """
    Run sippy's.
    """
    port = free_port()
    words = ["taskset", "-c", "0", str(program), "-f", "-l", HOST, "-p", str(port)]
    words += ["-n", f"{HOST}:{ends.far_port}"]
    quiet = {**os.environ, "SIPLOG_BEND": "none"}
    with Popen(words, env=quiet, stdout=DEVNULL, stderr=DEVNULL) as server:
        try:
            wait_for(port)
            ends.aim(port)
            yield server
        finally:
            server.terminate()


# Both ends


class Ends:
    """
    The one who calls and the one who is called.

    :ivar lost: calls that have not come to their end.
    :ivar turned_away: those that the server had no time for; each was made again.
    :ivar held: what ends the calls that are held: To and the target of each.
    :ivar window: how many calls are under way at a time.
    :ivar took: the seconds that each call has taken from its INVITE to its 200.
    """

    def __init__(self) -> None:
        self.lost = self.turned_away = 0
        self.window = WINDOW
        self.took: list[float] = []
        self._begun: dict[int, float] = {}
        self.held: dict[int, tuple[bytes, bytes]] = {}
        self._near, self._far = self._socket(), self._socket()
        self._numbers = itertools.count(int(time.time()) << 16)
        self._ringing: set[int] = set()
        self._ending: set[int] = set()
        self._hangs_up = True
        self._server = (HOST, 0)
        self._poll = select.poll()
        for one in (self._near, self._far):
            self._poll.register(one, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._near.close()
        self._far.close()

    @property
    def near_port(self) -> int:
        """
        The port that calls come from.
        """
        return int(self._near.getsockname()[1])

    @property
    def far_port(self) -> int:
        """
        The port that calls go to.
        """
        return int(self._far.getsockname()[1])

    def aim(self, port: int) -> None:
        """
        Choose the server.
        """
        self._server = (HOST, port)

    def call(self, count: int, *, hold: bool = False) -> None:
        """
        Make calls, some at a time, until all have ended; or hold them.
        """
        self._hangs_up = not hold
        for _ in range(count):
            while len(self._ringing) + len(self._ending) >= self.window:
                self._hear()
            self._begin()
        self._finish()

    def hang_up(self) -> None:
        """
        End the calls that are held.
        """
        while self.held:
            number, (to, target) = self.held.popitem()
            self._bye(number, to, target)
            while len(self._ending) >= self.window:
                self._hear()
        self._finish()

    def _finish(self) -> None:
        while self._ringing or self._ending:
            self._hear()

    def _hear(self) -> None:
        ready = self._poll.poll(PATIENCE * 1000)
        if not ready:
            self.lost += len(self._ringing) + len(self._ending)
            self._ringing.clear()
            self._begun.clear()
            self._ending.clear()
        for descriptor, _ in ready:
            if descriptor == self._far.fileno():
                self._drain(self._far, self._answer)
            else:
                self._drain(self._near, self._go_on)

    def _drain(self, source: socket.socket, take: Callable[[bytes], None]) -> None:
        for _ in range(2 * WINDOW):
            try:
                data = source.recv(65535)
            except BlockingIOError:
                return
            take(data)

    def _begin(self) -> None:
        number = next(self._numbers)
        self._ringing.add(number)
        self._begun[number] = time.monotonic()
        fields = {b"near": self.near_port, b"id": number, b"length": len(DESCRIPTION)}
        self._near.sendto(INVITE % fields + DESCRIPTION, self._server)

    def _answer(self, request: bytes) -> None:
        """
        Be called.
        """
        method = request[: request.index(b" ")]
        if method == b"ACK":
            return
        lines = b"".join(
            line[:-2] + b";tag=far\r\n"
            if line.startswith(b"To:") and b";tag=" not in line
            else line
            for line in _REPEATED(request)
        )
        lines += b"Contact: <sip:far@127.0.0.1:%d>\r\n" % self.far_port
        if method != b"INVITE":
            end = lines + b"Content-Length: 0\r\n\r\n"
            self._reply(b"SIP/2.0 200 OK\r\n" + end)
            return
        if b"\r\nm=audio 40000" not in request:
            raise RuntimeError(f"there is no description: {request!r}")
        end = lines + b"Content-Length: 0\r\n\r\n"
        self._reply(b"SIP/2.0 180 Ringing\r\n" + end)
        lines += b"Content-Type: application/sdp\r\n"
        lines += b"Content-Length: %d\r\n\r\n" % len(DESCRIPTION)
        self._reply(b"SIP/2.0 200 OK\r\n" + lines + DESCRIPTION)

    def _reply(self, response: bytes) -> None:
        self._far.sendto(response, self._server)

    def _go_on(self, message: bytes) -> None:
        """
        Take what comes to who calls.
        """
        if message.startswith(b"SIP/2.0 1"):
            return
        number = int(_line(message, b"Call-ID: ")[9:21], 16)
        if message.startswith(b"SIP/2.0 503 "):
            self._turn_away(number, message)
            return
        if not message.startswith(b"SIP/2.0 200 "):
            raise RuntimeError(f"not expected: {message!r}")
        if b" INVITE" not in _line(message, b"CSeq: "):
            self._ending.discard(number)
            return
        if number not in self._ringing:
            return  # a repetition
        self._ringing.remove(number)
        self.took.append(time.monotonic() - self._begun.pop(number))
        contact, to = _line(message, b"Contact: "), _line(message, b"To: ")
        start, end = contact.find(b"<") + 1, contact.find(b">")
        target = contact[start:end] if start else contact[9:]
        self._send_within(b"ACK", 1, number, to, target)
        if self._hangs_up:
            self._bye(number, to, target)
        else:
            self.held[number] = to, target

    def _turn_away(self, number: int, response: bytes) -> None:
        """
        Call again: another process has kept the server from its work for a moment.
        """
        self._send_within(b"ACK", 1, number, _line(response, b"To: "), b"sip:server")
        if number in self._ringing:
            self._ringing.remove(number)
            del self._begun[number]
            self.turned_away += 1
            time.sleep(_PAUSE)
            self._begin()

    def _bye(self, number: int, to: bytes, target: bytes) -> None:
        self._ending.add(number)
        self._send_within(b"BYE", 2, number, to, target)

    def _send_within(
        self, method: bytes, cseq: int, number: int, to: bytes, target: bytes
    ) -> None:
        fields = {b"near": self.near_port, b"id": number, b"method": method}
        fields |= {b"cseq": cseq, b"to": to, b"target": target}
        self._near.sendto(WITHIN % fields, self._server)

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((HOST, 0))
        made.setblocking(False)
        return made


def _line(data: bytes, begin: bytes) -> bytes:
    place = data.index(b"\r\n" + begin) + 2
    return data[place : data.index(b"\r", place)]


# What is measured


def calls() -> None:
    """
    Measure whole calls, the servers in turn.
    """
    program = sippy()
    with ExitStack() as stack:
        ends: dict[str, Ends] = {}
        pids: dict[str, int] = {}
        for name in ("ours", "sippy") if program else ("ours",):
            ends[name] = end = stack.enter_context(Ends())
            run = ours(end) if name == "ours" or not program else theirs(end, program)
            pids[name] = stack.enter_context(run).pid
            end.call(WARM)
        used: dict[str, list[float]] = {name: [] for name in ends}
        rates: dict[str, list[float]] = {name: [] for name in ends}
        for _ in range(ROUNDS):
            for name, end in ends.items():
                before, start = processor_time(pids[name]), time.monotonic()
                end.call(ROUND)
                spent = processor_time(pids[name]) - before
                used[name].append(spent / ROUND * 1e6)
                rates[name].append(ROUND / (time.monotonic() - start))
    print("calls: processor time of the server for each, and how many in a second")
    for name, each in used.items():
        middle, lost = median(each), ends[name].lost
        text = f"  {name:6}{middle:7.0f} us ({min(each):.0f} to {max(each):.0f})"
        text += f", {1e6 / middle:5.0f}/s of a core, {median(rates[name]):5.0f}/s seen"
        if name == "ours" and "sippy" in used:
            text += f", {median(used['sippy']) / middle:.2f} times sippy's"
        again = ends[name].turned_away
        text += f", {lost} lost" if lost else ""
        print(text + (f", {again} turned away" if again else ""))


def memory() -> None:
    """
    Measure what is held of a call, and what is left of it.
    """
    with Ends() as ends, ours(ends, t1=T1) as server:
        assert server.stdout is not None

        def sizes() -> tuple[str, int]:
            server.send_signal(signal.SIGUSR1)
            assert server.stdout is not None
            return server.stdout.readline().decode().strip(), resident(server.pid)

        # As many as will be held, so that what only grows once has done so.
        ends.call(WARM)
        time.sleep(LINGERING)
        _, empty = sizes()
        print("memory: calls, dialogs and transactions; resident")
        print(f"  before            {sizes()[0]:>16}  {empty / 1e6:6.1f} MB")
        for turn in ("first", "second"):
            ends.call(HELD, hold=True)
            time.sleep(LINGERING)
            tables, full = sizes()
            each = (full - empty) / HELD / 1000
            print(
                f"  {turn:7}{HELD:5} held  {tables:>16}  {full / 1e6:6.1f} MB", end=""
            )
            print(f", {each:.1f} kB for each call")
            ends.hang_up()
            time.sleep(LINGERING)
            tables, left = sizes()
            print(f"  all ended         {tables:>16}  {left / 1e6:6.1f} MB")
        if ends.lost or ends.turned_away:
            print(f"  {ends.lost} lost, {ends.turned_away} turned away")


def profile() -> None:
    """
    Show where the time of our server goes.
    """
    with Ends() as ends, ours(ends, profile=True):
        time.sleep(3)
        ends.call(2 * ROUND)


def main() -> None:
    """
    Measure all.
    """
    os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
    for measure in (calls, memory):
        measure()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", port, near, far, t1, how]:
            ports = int(port), int(near), int(far)
            serve(*ports, float(t1), profile=bool(how))
        case ["profile"]:
            profile()
        case _:
            main()
