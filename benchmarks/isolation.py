"""
How long ann's callers wait while joe attacks the server that they share.

Ann's account is called, one call at a time, and her dialplan in Python lets a phone
ring that answers at once. Joe's dialplans loop for ever, or take all memory they get,
with as many calls at a time as `AT_ONCE`; or somebody floods him with calls, as many as
the guard of the proxy lets through from one address with its default, 30 a second.

Rounds with and without each attack alternate; the figures are the median and the 95th
percentile of the time from the INVITE to its 200, and how many times that of the round
before it the median is.

``python -m benchmarks.isolation`` prints them.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from subprocess import Popen

from benchmarks import appserver, plans
from benchmarks._measuring import free_port, wait_for
from benchmarks.appserver import HOST, INVITE, WARM, Ends
from sipsorcery.store.directory import Language
from sipsorcery.tap.stores import WritableStores

CALLS, ROUNDS = 40, 6
AT_ONCE = 20
RATE = 30.0
# Seconds that an attack has before its effect is measured.
_ONSET = 2.0
ATTACKS = {
    "loop": "while True: pass",
    "memory": "x = [0]\nwhile True: x += x",
    "flood": 'sys.respond(486, "Busy")',
}
_ACK = (
    b"ACK sip:%(user)b@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(near)d;branch=z9hG4bKi%(id)012x;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Load Gen" <sip:gen@127.0.0.1>;tag=f%(id)012x\r\n'
    b"%(to)b\r\n"
    b"Call-ID: %(id)012x@127.0.0.1\r\n"
    b"CSeq: 1 ACK\r\n"
    b"Content-Length: 0\r\n\r\n"
)


async def fill(stores: WritableStores, far: int) -> None:
    """
    Add both users, their accounts and dialplans.
    """
    everyone = stores.directory.everyone
    await everyone.domains.add("example.com")
    wanted = {"100": ("ann", plans.PLANS[Language.PYTHON].format(far=far))}
    wanted |= {name: ("joe", script) for name, script in ATTACKS.items()}
    for name in ("ann", "joe"):
        await everyone.users.add(name, "a long password")
    for account, (owner, script) in wanted.items():
        owned = stores.directory.of(owner)
        await owned.dialplans.put(account, script, Language.PYTHON)
        await owned.accounts.add(account, "example.com", "a password")
        await owned.accounts.change(account, "example.com", in_dialplan=account)


def attack(user: str, port: int) -> None:
    """
    Call somebody until this process is ended.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind((HOST, 0))
        end.connect((HOST, port))
        near, number = end.getsockname()[1], int(time.time()) << 16
        under_way: set[int] = set()
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= due and len(under_way) < AT_ONCE:
                number += 1
                due = max(due, now - 1) + 1 / RATE
                under_way.add(number)
                fields = {b"near": near, b"id": number, b"length": 0}
                invite = (INVITE % fields).replace(b"sip:100@", b"sip:%b@" % _b(user))
                end.send(invite)
            end.settimeout(max(0.001, due - now))
            try:
                message = end.recv(65535)
            except TimeoutError:
                continue
            if message.startswith(b"SIP/2.0 1"):
                continue
            id = int(message[message.index(b"\r\nCall-ID: ") + 11 :][:12], 16)
            under_way.discard(id)
            to = message[message.index(b"\r\nTo: ") + 2 :].split(b"\r\n", 1)[0]
            end.send(_ACK % {b"user": _b(user), b"near": near, b"id": id, b"to": to})


def _b(text: str) -> bytes:
    return text.encode()


@contextmanager
def attacked(user: str, port: int) -> Iterator[None]:
    """
    Have somebody attack meanwhile.
    """
    words = [sys.executable, "-m", "benchmarks.isolation", "attack", user, str(port)]
    with Popen(words) as attacker:
        try:
            time.sleep(_ONSET)
            yield
        finally:
            attacker.terminate()


def measure() -> None:
    """
    Measure each attack, in turn with none.
    """
    with Ends() as ends:
        port = free_port()
        ports = map(str, (port, ends.near_port, ends.far_port))
        words = [sys.executable, "-m", "benchmarks.isolation", "serve", *ports]
        with Popen(words) as server:
            try:
                wait_for(port)
                ends.aim(port)
                ends.call(WARM)
                ends.window = 1
                for name in ATTACKS:
                    compare(ends, name, port)
            finally:
                server.terminate()


def compare(ends: Ends, name: str, port: int) -> None:
    """
    Measure one attack.
    """
    alone: list[float] = []
    beside: list[float] = []
    ratios = []
    for _ in range(ROUNDS):
        before = _round(ends)
        with attacked(name, port):
            during = _round(ends)
        time.sleep(_ONSET)  # what it has begun comes to its end
        ratios.append(median(during) / median(before))
        alone += before
        beside += during
    text = f"{name:7} alone {_describe(alone)}, beside it {_describe(beside)}: "
    print(text + f"{median(ratios):.2f} times", flush=True)
    if ends.lost or ends.turned_away:
        print(f"        {ends.lost} lost, {ends.turned_away} turned away")


def _round(ends: Ends) -> list[float]:
    ends.took.clear()
    ends.call(CALLS)
    return ends.took.copy()


def _describe(times: list[float]) -> str:
    highest = quantiles(times, n=20)[-1]
    return f"{median(times) * 1000:.1f} ms ({highest * 1000:.1f} ms)"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", *ports]:
            near, far, port = map(int, (ports[1], ports[2], ports[0]))
            appserver.fill = fill
            appserver.serve(port, near, far, 0.5, core=None)
        case ["attack", user, aim]:
            attack(user, int(aim))
        case _:
            measure()
