"""
What it costs to send requests on over UDP, beside passing on datagrams unread.

The server runs in a process of its own, on one core; this process is both ends, on
another one: it keeps a window of transactions or calls under way, checks every message
that arrives, and counts what has ended. The figure is the server's processor time for
each, so it holds even where the ends, and not the server, are the limit.

* ``echo``: our UDP port, ``socket.sendto``, nothing parsed: what Python and the kernel
  take for the datagrams.
* ``forward``: the proxy, stateless, by a script of five lines.
* ``guarded``: as ``forward``, with the guard as it is by default.
* ``watched``: as ``guarded``, while somebody reads all events but traces.
* ``traced``: as ``watched``, and traces, too: each message is an event.
* ``exported``: as ``guarded``, with a copy of each message in HEP3.
* ``monitored``: as ``guarded``, with the monitor of ``twistd sipsorcery`` in the same
  process, which writes each message to the disk.
* ``relay``: the proxy, with transactions, and guarded.
* ``kamailio forward``, ``kamailio relay``: the same by Kamailio, where it is installed,
  with its fast allocator and one process for UDP.

A transaction is an OPTIONS and its 200; a call is INVITE, 180, 200, ACK, BYE, 200, with
Record-Route. ``python -m benchmarks.proxy profile forward options`` shows where time
goes, by Python's own profiler.
"""

from __future__ import annotations

import cProfile
import itertools
import os
import pstats
import re
import select
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.protocol import DatagramProtocol

from benchmarks._measuring import free_port, processor_time, wait_for
from sipsorcery import config
from sipsorcery.access.guard import Guard
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.hep_export import HEPService
from sipsorcery.monitor.service import MonitorService
from sipsorcery.proxy.service import ProxyService
from sipsorcery.store.secrets import Secrets
from sipsorcery.tap.collecting import collect_rarely
from sipsorcery.transport.udp import Port

HOST = "127.0.0.1"
SECONDS = 2.0
WINDOW = 32  # fewer than datagrams fit into a socket's buffer, which holds some 150
ROUNDS = 3
USERS = 1000
# Seconds without any message: what is under way was lost, and is not repeated.
PATIENCE = 0.5
# Bytes that a socket of the ends may hold, so that not much is.
BUFFER = 4 << 20

FORWARD = """
from sipsorcery.endpoint import Endpoint

FAR_END = Endpoint.parse("udp:127.0.0.1:{far}")


async def request(sys, req):
    await sys.forward(FAR_END if sys.is_ours else None)
"""
RELAY = """
from sipsorcery.access.contacts import Contact
from sipsorcery.sip.uri import SIPURI

FAR_END = [Contact(SIPURI.parse("sip:far@127.0.0.1:{far}"))]


async def request(sys, req):
    if req.method == "ACK":
        await sys.forward()
    else:
        await sys.relay(FAR_END if sys.is_ours else None)
"""
KAMAILIO = """#!KAMAILIO
debug=-1
children=1
auto_aliases=no
disable_tcp=yes
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "tm.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ exit; }}
    if (loose_route()) {{ {send}; exit; }}
    if (is_method("INVITE")) {{ record_route(); }}
    if (uri == myself) {{ $du = "sip:127.0.0.1:{far}"; }}
    {send};
}}
"""

OPTIONS = (
    b"OPTIONS sip:%(user)08d@127.0.0.1:%(proxy)d SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKo%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:%(user)08d@127.0.0.1>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Contact: <sip:gen@127.0.0.1:%(port)d>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Accept: application/sdp\r\n"
    b"Content-Length: 0\r\n\r\n"
)
INVITE = (
    b"INVITE sip:%(user)08d@127.0.0.1:%(proxy)d SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKi%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"To: <sip:%(user)08d@127.0.0.1>\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:gen@127.0.0.1:%(port)d>\r\n"
    b"User-Agent: gen/1.0\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %(length)d\r\n\r\n"
)
OFFER = (
    b"v=0\r\n"
    b"o=gen 1 1 IN IP4 127.0.0.1\r\n"
    b"s=-\r\n"
    b"c=IN IP4 127.0.0.1\r\n"
    b"t=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 8\r\n"
    b"a=ptime:20\r\n"
    b"a=sendrecv\r\n"
)
WITHIN = (
    b"%(method)b sip:far@127.0.0.1:%(far)d SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bK%(method)b%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"%(routes)b"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"%(to)b\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: %(cseq)d %(method)b\r\n"
    b"Content-Length: 0\r\n\r\n"
)
# What a response repeats of its request.
_REPEATED = re.compile(
    rb"(?<=\n)(?:Via|From|To|Call-ID|CSeq|Record-Route): [^\r]*\r\n"
).findall


# The servers


class Echo(DatagramProtocol):
    """
    Passes datagrams on between the far end and whoever else sends, unread.
    """

    def __init__(self, far: int) -> None:
        self._far = self._near = (HOST, far)

    def startProtocol(self) -> None:
        """
        Keep the one function that is needed.
        """
        transport: Any = self.transport
        self.send = transport.socket.sendto

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Send it on.
        """
        if addr == self._far:
            self.send(datagram, self._near)
        else:
            self._near = addr
            self.send(datagram, self._far)


def start_proxy(
    reactor: Any,
    script: str,
    far: int,
    *,
    guarded: bool = True,
    watch: Callable[[Any, config.Config, LocalBus], object] | None = None,
) -> int:
    """
    Start the proxy service and return its port.

    :param guarded: whether the guard judges each packet.
    :param watch: begins to read events.
    """
    folder, port = Path(tempfile.mkdtemp()), free_port()
    file = folder / "script.py"
    file.write_text(script.format(far=far))
    text = f"""
        server.data_dir = "{folder}"
        proxy.listen = ["udp:{HOST}:{port}"]
        proxy.script = "{file}"
    """
    secrets = Secrets(folder)
    secrets.load()
    loaded = config.parse(text.encode())
    bus = LocalBus(reactor)
    if watch is not None:
        watch(reactor, loaded, bus)
    guard = Guard.of_config(loaded) if guarded else None
    ProxyService(reactor, loaded, bus=bus, secrets=secrets, guard=guard).startService()
    return port


def watch(reactor: Any, loaded: config.Config, bus: LocalBus) -> None:
    """
    Read all events but traces.
    """
    bus.subscribe(lambda event: None, set(EventKind) - {EventKind.SIP_TRACE})


def trace(reactor: Any, loaded: config.Config, bus: LocalBus) -> None:
    """
    Read all events.
    """
    bus.subscribe(lambda event: None)


def export(reactor: Any, loaded: config.Config, bus: LocalBus) -> None:
    """
    Send traces to somebody who does not listen.
    """
    target = Endpoint.parse(f"udp:{HOST}:{free_port()}")
    HEPService(reactor, target, bus).startService()


def monitor(reactor: Any, loaded: config.Config, bus: LocalBus) -> None:
    """
    Keep all events on the disk.
    """
    service = MonitorService(reactor, loaded, bus)
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)


def start_echo(reactor: Any, far: int) -> int:
    """
    Start the echo and return its port.
    """
    port = Port(0, Echo(far), HOST, 65535, reactor)
    port.startListening()
    return int(port.getHost().port)


SERVERS: dict[str, Callable[[Any, int], int]] = {
    "echo": start_echo,
    "forward": lambda reactor, far: start_proxy(reactor, FORWARD, far, guarded=False),
    "guarded": lambda reactor, far: start_proxy(reactor, FORWARD, far),
    "watched": lambda reactor, far: start_proxy(reactor, FORWARD, far, watch=watch),
    "traced": lambda reactor, far: start_proxy(reactor, FORWARD, far, watch=trace),
    "exported": lambda reactor, far: start_proxy(reactor, FORWARD, far, watch=export),
    "monitored": lambda reactor, far: start_proxy(reactor, FORWARD, far, watch=monitor),
    "relay": lambda reactor, far: start_proxy(reactor, RELAY, far),
}
# How Kamailio sends on.
PEERS = {"kamailio forward": "forward()", "kamailio relay": "t_relay()"}
# With which of them each server is compared.
PEER_OF = {
    **dict.fromkeys(
        ("forward", "guarded", "watched", "traced", "exported", "monitored"),
        "kamailio forward",
    ),
    "relay": "kamailio relay",
}


def serve(name: str, far: int, profile: bool) -> None:
    """
    Run one server until this process is ended.
    """
    os.sched_setaffinity(0, {0})
    reactor: Any = installed_reactor
    print(SERVERS[name](reactor, far), flush=True)
    reactor.callWhenRunning(collect_rarely)  # as every server does
    profiler = cProfile.Profile()
    if profile:
        reactor.callLater(1, profiler.enable)
    reactor.run()
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(40)


@contextmanager
def running(name: str, far: int, *, profile: bool = False) -> Iterator[tuple[int, int]]:
    """
    Give a server's process and its port.
    """
    if name in SERVERS:
        command = [sys.executable, "-m", "benchmarks.proxy", "serve", name, str(far)]
        server = Popen([*command, "profile"] if profile else command, stdout=PIPE)
        assert server.stdout is not None
        port = int(server.stdout.readline())
    else:
        folder, port = Path(tempfile.mkdtemp()), free_port()
        file = folder / "kamailio.cfg"
        file.write_text(KAMAILIO.format(port=port, far=far, send=PEERS[name]))
        command = [*("kamailio", "-DD", "-E", "-f", str(file), "-w", str(folder))]
        command += ["-Y", str(folder), "-m", "512", "-M", "16", "-x", "fm", "-X", "fm"]
        command = ["taskset", "-c", "0", *command]
        server = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
        wait_for(port)
    with server:
        try:
            yield server.pid, port
        finally:
            server.terminate()


# Both ends


class Ends:
    """
    The one who calls and the one who is called.

    :param calls: whether they make calls; else it is OPTIONS.

    :ivar lost: those that have not ended.
    """

    def __init__(self, *, calls: bool) -> None:
        self._calls = calls
        self.lost = 0
        self._near = self._socket()
        self.far = self._socket()
        self._numbers = itertools.count(int(time.time()) << 16)
        self._fields: dict[bytes, Any] = {}
        self._waiting: set[int] = set()
        self._poll = select.poll()
        for one in (self._near, self.far):
            self._poll.register(one, select.POLLIN)

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self._near.close()
        self.far.close()

    def aim(self, proxy: int) -> None:
        """
        Choose the server.
        """
        self._proxy = (HOST, proxy)
        self._fields = {
            b"port": self._near.getsockname()[1],
            b"far": self.far.getsockname()[1],
            b"proxy": proxy,
            b"length": len(OFFER),
        }

    def load(self, seconds: float) -> int:
        """
        Keep `WINDOW` of them under way for a time, and return how many have ended.
        """
        ended = 0
        for _ in range(WINDOW):
            self._begin()
        end = time.monotonic() + seconds
        while self._waiting:
            ready = self._poll.poll(PATIENCE * 1000)
            going_on = time.monotonic() < end
            if not ready:
                self.lost += len(self._waiting)
                self._waiting.clear()
                for _ in range(WINDOW if going_on else 0):
                    self._begin()
            for descriptor, _ in ready:
                if descriptor == self.far.fileno():
                    self._drain(self.far, self._answer)
                else:
                    for _ in range(self._drain(self._near, self._go_on)):
                        ended += 1
                        if going_on:
                            self._begin()
        return ended

    def _drain(self, source: socket.socket, take: Callable[[bytes], bool]) -> int:
        count = 0
        for _ in range(WINDOW):
            try:
                data = source.recv(65535)
            except BlockingIOError:
                break
            count += take(data)
        return count

    def _begin(self) -> None:
        number = next(self._numbers)
        self._waiting.add(number)
        fields = {**self._fields, b"id": number, b"user": number % USERS}
        request = INVITE + OFFER if self._calls else OPTIONS
        self._near.sendto(request % fields, self._proxy)

    def _answer(self, request: bytes) -> bool:
        """
        Answer at the far end.
        """
        method = request[: request.index(b" ")]
        if b"\r\nMax-Forwards: 69\r\n" not in request and self._is_read:
            raise RuntimeError(f"no hop was counted: {request!r}")
        if method == b"ACK":
            return False
        lines = b"".join(
            line[:-2] + b";tag=far\r\n"
            if line.startswith(b"To:") and b";tag=" not in line
            else line
            for line in _REPEATED(request)
        )
        lines += b"Contact: <sip:far@127.0.0.1:%d>\r\n" % self._fields[b"far"]
        lines += b"Content-Length: 0\r\n\r\n"
        if method == b"INVITE":
            self.far.sendto(b"SIP/2.0 180 Ringing\r\n" + lines, self._proxy)
        self.far.sendto(b"SIP/2.0 200 OK\r\n" + lines, self._proxy)
        return False

    def _go_on(self, response: bytes) -> bool:
        """
        Take a response, and tell whether anything has ended with it.
        """
        if response.startswith(b"SIP/2.0 1"):
            return False
        if not response.startswith(b"SIP/2.0 200 "):
            raise RuntimeError(f"refused: {response!r}")
        if self._is_read and response.count(b"\nVia: ") != 1:
            raise RuntimeError(f"not the response for us: {response!r}")
        number = int(_line(response, b"Call-ID: ")[9:21], 16)
        if b" INVITE" in _line(response, b"CSeq: "):
            if number in self._waiting:  # else a repetition
                self._send_within(b"ACK", 1, number, response)
                self._send_within(b"BYE", 2, number, response)
            return False
        if number not in self._waiting:
            return False
        self._waiting.remove(number)
        return True

    def _send_within(
        self, method: bytes, cseq: int, number: int, response: bytes
    ) -> None:
        routes = re.findall(rb"\nRecord-Route: ([^\r]*)", response)
        routes = [one.strip() for each in routes for one in each.split(b",")]
        fields = {
            **self._fields,
            b"id": number,
            b"method": method,
            b"cseq": cseq,
            b"to": _line(response, b"To: "),
            b"routes": b"".join(b"Route: %b\r\n" % one for one in reversed(routes)),
        }
        self._near.sendto(WITHIN % fields, self._proxy)

    @property
    def _is_read(self) -> bool:
        return self.reads

    #: Whether the server reads what it sends on.
    reads = True

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((HOST, 0))
        made.setblocking(False)
        return made


def _line(data: bytes, begin: bytes) -> bytes:
    place = data.index(b"\r\n" + begin) + 2
    return data[place : data.index(b"\r", place)]


def measure(name: str, *, calls: bool, profile: bool = False) -> tuple[float, float]:
    """
    Return microseconds of the server and how many ended in a second.
    """
    with Ends(calls=calls) as ends:
        far = ends.far.getsockname()[1]
        with running(name, far, profile=profile) as (pid, port):
            ends.reads = name != "echo"
            ends.aim(port)
            ends.load(0.5)
            before, start = processor_time(pid), time.monotonic()
            ended = ends.load(SECONDS)
            used = processor_time(pid) - before
            elapsed = time.monotonic() - start
    return used / ended * 1e6, ended / elapsed


def main() -> None:
    """
    Measure all in turn and print tables of the best rounds.
    """
    os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
    names = [*SERVERS, *(PEERS if shutil.which("kamailio") else ())]
    for calls, title in ((False, "OPTIONS"), (True, "Calls")):
        best = dict.fromkeys(names, (float("inf"), 0.0))
        for _ in range(ROUNDS):
            for name in names:
                best[name] = min(best[name], measure(name, calls=calls))
        print(f"{title} over UDP: processor time of the server for each")
        for name, (microseconds, rate) in best.items():
            ratio = best["echo"][0] / microseconds
            text = (
                f"  {name:17}{microseconds:8.1f} us {rate:8.0f}/s  echo x {ratio:.2f}"
            )
            peer = best.get(PEER_OF.get(name, ""))
            if peer is not None:
                text += f"  kamailio x {peer[0] / microseconds:.2f}"
            print(text)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", name, far, *rest]:
            serve(name, int(far), bool(rest))
        case ["profile", name, kind]:
            measure(name, calls=kind == "calls", profile=True)
        case _:
            main()
