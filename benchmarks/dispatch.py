"""
What the dispatcher costs: for each call, each choice, and each probe.

The same script sends calls to one application server, in turns with a dispatch file
that names it and without, by ``[appserver] listen``. Each proxy runs in a process of
its own; the figure is its processor time for a call (INVITE to the 200 of its BYE),
probes included, and the ratio of the two is what the dispatcher takes. Choices and
probes are counted in this process.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._measuring import free_port, processor_time, serve, serving
from benchmarks.proxy import HOST, SECONDS, Ends
from sipsorcery import config
from sipsorcery.config import DispatchBy, DispatchProbe
from sipsorcery.dispatch.question import Question
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.service import ProxyService
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.network import MemoryNetwork

ROUNDS = 4
REPEATS = 5_000
SCRIPT = """
async def request(sys, req):
    if req.method == "INVITE" and sys.is_ours and not sys.has_flow:
        await sys.dispatch()
    else:
        await sys.forward()
"""
_PROBE = re.compile(
    rb"Via: SIP/2\.0/UDP [^:]*:([0-9]+)[^\r]*;rport\r\n.*sipcalldisp", re.S
)


class ServerEnds(Ends):
    """
    A caller outside and a server inside, which answers probes, too.

    :param inside: the port of the inside socket.
    """

    def __init__(self, inside: int) -> None:
        super().__init__(calls=True)
        self._inside = HOST, inside

    def _answer(self, request: bytes) -> bool:
        outside, probe = self._proxy, _PROBE.search(request)
        if probe is not None:
            asked = parse(request)
            assert isinstance(asked, Request)
            answer = asked.respond(200, to_tag="far").to_bytes()
            self.far.sendto(answer, (HOST, int(probe[1])))
            return False
        self._proxy = self._inside
        try:
            return super()._answer(request)
        finally:
            self._proxy = outside


def start(reactor: Any, dispatches: bool, far: int, inside: int) -> int:
    """
    Start a proxy and give its port.
    """
    folder, port = Path(tempfile.mkdtemp()), free_port()
    (folder / "script.py").write_text(SCRIPT)
    (folder / "servers").write_text(f"100,udp:{HOST}:{far}\n")
    text = f"""
        server.data_dir = "{folder}"
        appserver.listen = "udp:{HOST}:{far}"
        proxy.listen = ["udp:{HOST}:{port}"]
        proxy.inside = "udp:{HOST}:{inside}"
        proxy.script = "{folder}/script.py"
    """
    if dispatches:
        text += f'proxy.dispatch_file = "{folder}/servers"'
    secrets = Secrets(folder)
    secrets.load()
    ProxyService(
        reactor,
        config.parse(text.encode()),
        bus=LocalBus(reactor),
        secrets=secrets,
        here=("appserver",),
    ).startService()
    return port


def call(*, dispatches: bool) -> float:
    """
    Return the microseconds of a proxy for each call.
    """
    inside = free_port()
    with ServerEnds(inside) as ends:
        far = ends.far.getsockname()[1]
        name = f"{int(dispatches)}:{far}:{inside}"
        with serving("benchmarks.dispatch", name) as (pid, port):
            ends.aim(port)
            ends.load(0.5)
            before = processor_time(pid)
            ended = ends.load(SECONDS)
            return (processor_time(pid) - before) / ended * 1e6


def calls() -> None:
    """
    Measure calls, in turns, and print the best of each.
    """
    best = {False: float("inf"), True: float("inf")}
    for _ in range(ROUNDS):
        for dispatches in best:
            best[dispatches] = min(best[dispatches], call(dispatches=dispatches))
    ratio = best[True] / best[False]
    print(f"call, to the one server        {best[False]:7.1f} us")
    print(f"call, dispatched to it         {best[True]:7.1f} us   x {ratio:.3f}")


def choices() -> None:
    """
    Measure choices among several servers, all of which are well.
    """
    for count in (3, 10, 100):
        reactor = MemoryNetwork().machine(HOST)
        file = Path(tempfile.mkdtemp()) / "servers"
        file.write_text("".join(f"100,udp:{HOST}:{5000 + n}\n" for n in range(count)))
        dispatcher = Dispatcher(reactor, file)
        dispatcher.start()
        for by in DispatchBy:
            choose = partial(dispatcher.choose, by=by)

            def choice(number: int, choose: Callable[..., object] = choose) -> object:
                return choose(f"{number}@x", f"user{number}")

            print(f"choice among {count:3} by {by.value:10}{_timed(choice):7.1f} us")
        dispatcher.stop()


def probes() -> None:
    """
    Measure a question and the reading of its answer; the sockets come on top.
    """
    for kind in DispatchProbe:
        question = Question(Endpoint.parse(f"udp:{HOST}:5070"), kind)

        def probe(_: int, question: Question = question) -> None:
            request = question.put(HOST, 40000)
            question.read(request.respond(200, to_tag="x").to_bytes())

        print(f"probe, {kind.value:10}              {_timed(probe):7.1f} us")


def _timed(do: Callable[[int], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        before = time.process_time()
        for number in range(REPEATS // ROUNDS):
            do(number)
        best = min(best, time.process_time() - before)
    return best / (REPEATS // ROUNDS) * 1e6


def main() -> None:
    """
    Measure everything and print it.
    """
    if len(sys.argv) > 1:
        dispatches, far, inside = map(int, sys.argv[1].split(":"))
        os.sched_setaffinity(0, {0})
        serve(lambda reactor: start(reactor, bool(dispatches), far, inside))
        return
    choices()
    probes()
    os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
    calls()


if __name__ == "__main__":
    main()
