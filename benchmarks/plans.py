"""
What a dialplan in Python costs, beside sippy's ``b2bua_simple`` and a line plan.

The calls are those of `benchmarks.appserver`. The server is on the first core, and the
processes that dialplans run in are on the second one, where both ends are, too; the
processor time of both is told. What a dialplan adds to the time from the INVITE to its
200 is measured with one call at a time, line plan and Python plan in turn.

``python -m benchmarks.plans`` prints both; with ``profile`` it shows where the time of
the server goes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from subprocess import Popen
from typing import Any

from benchmarks import appserver
from benchmarks._measuring import children, free_port, processor_times, wait_for
from benchmarks.appserver import ROUND, ROUNDS, WARM, Ends, sippy, theirs
from sipsorcery.store.directory import Language
from sipsorcery.tap.stores import WritableStores

SINGLE = 100  # calls of a round, one at a time
_SECOND_CORE = {min(1, (os.cpu_count() or 1) - 1)}

PLANS = {
    Language.LINES: appserver.PLAN,
    Language.PYTHON: """\
if req.uri.user.startswith("1"):
    sys.dial(f"{{req.uri.user}}@127.0.0.1:{far}", ring=30)
sys.respond(404, "Nobody has that number")
""",
}


async def fill(stores: WritableStores, far: int) -> None:
    """
    Add the account that is called, and its dialplan.
    """
    language = Language(sys.argv[4])
    everyone = stores.directory.everyone
    await everyone.users.add("joe", "a long password")
    await everyone.domains.add("example.com")
    owned = stores.directory.of("joe")
    await owned.dialplans.put("in", PLANS[language].format(far=far), language)
    await owned.accounts.add("100", "example.com", "a password")
    await owned.accounts.change("100", "example.com", in_dialplan="in")


@contextmanager
def ours(ends: Ends, language: Language, how: str = "") -> Iterator[Popen[Any]]:
    """
    Run our server with a dialplan in a language.
    """
    port = free_port()
    ports = map(str, (port, ends.near_port, ends.far_port))
    words = [sys.executable, "-m", "benchmarks.plans", *ports, language, how]
    with Popen(words) as server:
        try:
            wait_for(port)
            ends.aim(port)
            ends.call(WARM)
            for each in children(server.pid):
                os.sched_setaffinity(each, _SECOND_CORE)
            yield server
        finally:
            server.terminate()


def calls() -> None:
    """
    Measure whole calls, some at a time, the servers in turn.
    """
    program = sippy()
    with ExitStack() as stack:
        ends, servers = {}, {}
        for language in Language.PYTHON, Language.LINES:
            name = f"ours, {language}"
            ends[name] = end = stack.enter_context(Ends())
            servers[name] = stack.enter_context(ours(end, language))
        if program:
            ends["sippy"] = end = stack.enter_context(Ends())
            servers["sippy"] = stack.enter_context(theirs(end, program))
            end.call(WARM)
        used: dict[str, list[tuple[float, float]]] = {name: [] for name in ends}
        rates: dict[str, list[float]] = {name: [] for name in ends}
        for _ in range(ROUNDS):
            for name, end in ends.items():
                before = processor_times(servers[name].pid)
                start = time.monotonic()
                end.call(ROUND)
                rates[name].append(ROUND / (time.monotonic() - start))
                after = processor_times(servers[name].pid)
                own, others = (b - a for a, b in zip(before, after, strict=True))
                used[name].append((own / ROUND * 1e6, others / ROUND * 1e6))
    print("calls: processor time of the server and of its workers for each")
    for name, each in used.items():
        own = median(one for one, _ in each)
        others = median(other for _, other in each)
        text = f"  {name:13}{own:6.0f} us + {others:4.0f} us, {1e6 / own:5.0f}/s of a"
        text += f" core, {median(rates[name]):5.0f}/s seen"
        if "sippy" in used and name != "sippy":
            beside = median(one for one, _ in used["sippy"]) / own
            text += f", {beside:.2f} times sippy's"
        end = ends[name]
        text += f", {end.lost} lost" if end.lost else ""
        print(text + (f", {end.turned_away} turned away" if end.turned_away else ""))


def set_up() -> None:
    """
    Measure how long the caller waits, one call at a time.
    """
    with ExitStack() as stack:
        ends = {}
        for language in PLANS:
            ends[language] = end = stack.enter_context(Ends())
            stack.enter_context(ours(end, language))
            end.window = 1
            end.took.clear()
        for _ in range(ROUNDS):
            for end in ends.values():
                end.call(SINGLE)
    lines, python = (median(each.took) * 1000 for each in ends.values())
    print("set-up: from the INVITE to its 200, median")
    print(f"  line plan {lines:.2f} ms, Python plan {python:.2f} ms", end="")
    print(f": {python - lines:.2f} ms more")


def profile() -> None:
    """
    Show where the time of our server goes.
    """
    with Ends() as ends, ours(ends, Language.PYTHON, "profile"):
        time.sleep(3)
        ends.call(2 * ROUND)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [port, near, far, _, how]:
            appserver.fill = fill
            ports = int(port), int(near), int(far)
            appserver.serve(*ports, 0.5, profile=bool(how))
        case ["profile"]:
            os.sched_setaffinity(0, _SECOND_CORE)
            profile()
        case _:
            os.sched_setaffinity(0, _SECOND_CORE)
            calls()
            set_up()
