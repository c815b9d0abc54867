"""
The watchtower as a Twisted service.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.config import Config, DispatchProbe
from sipsorcery.dispatch.file import DRAIN, USE, write
from sipsorcery.dispatch.health import Health, State
from sipsorcery.dispatch.load import calls_told
from sipsorcery.dispatch.probing import Probe
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.figures import Figure, counter, gauge, of_tables
from sipsorcery.sip.response import Response
from sipsorcery.watchtower.errors import WatchtowerError
from sipsorcery.watchtower.processes import Processes
from sipsorcery.watchtower.tower import (
    Action,
    Dispatch,
    Kill,
    Phase,
    Policy,
    Start,
    Terminate,
    Tower,
)

# Seconds between two rounds, in which each server is asked how it is.
_ROUND = 0.5
# Rounds between two looks at the memory.
_MEMORY_ROUNDS = 10


class WatchtowerService(Service):
    """
    Keeps the application servers of the configuration alive.

    :param reactor: has processes, UDP and time.
    :param command: makes the command line of the worker for an address.
    :param clock: gives the seconds since the epoch.
    """

    name = "watchtower"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        command: Callable[[Endpoint], Sequence[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        own = config.watchtower
        self._reactor = reactor
        self._clock = clock
        self._file = config.proxy.dispatch_file
        self._tower = Tower(
            (address.endpoint for address in own.workers),
            _policy(config),
        )
        self._watched = {
            address.endpoint: Health(clock())
            for address in own.watch
            if address.endpoint not in self._tower.workers
        }
        folder = config.server.data_dir
        self._folder = folder
        self._processes = Processes(
            reactor, command, folder / "workers.json", self._ended
        )
        self._probes: dict[Endpoint, Probe] = {}
        self._asked: set[Endpoint] = set()  # those that owe an answer
        # Those that have not been told of another configuration: one that does not
        # answer yet may not mind the signal yet, either, and would end.
        self._stale: set[Endpoint] = set()
        self._rounds = 0
        self._acts: Counter[type[Action]] = Counter()
        self._ends = 0
        self._looping = LoopingCall(self._round)
        self._looping.clock = reactor

    def reconfigure(self, config: Config) -> None:
        """
        Replace workers as another configuration says, which they are to read as well.
        """
        self._tower.policy = _policy(config)
        self._stale = set(self._tower.workers)

    def startService(self) -> None:
        """
        Take over what is there, and begin.

        :raises WatchtowerError: if there is nothing to do, or no dispatch file.
        :raises OSError: if that cannot be written.
        """
        if self._file is None:
            raise WatchtowerError("proxy.dispatch_file is not set: who would read it?")
        workers = self._tower.workers
        if not workers and not self._watched:
            raise WatchtowerError("watchtower.workers names nobody")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._reactor.seconds()
        found = self._processes.adopt(workers)
        for endpoint in found:
            self._tower.adopted(endpoint, now)
            self._log.info("Found the worker at {end} again", end=str(endpoint))
        # What it says of those that do not run yet is of another time.
        self._dispatch({end: DRAIN for end in workers if end not in found})
        for endpoint in (*workers, *self._watched):
            probe = Probe(self._reactor, endpoint, DispatchProbe.INVITE, self)
            self._probes[endpoint] = probe
        self._looping.start(_ROUND)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        End the workers, and with them the watch.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._looping.running:
            self._looping.stop()
        for probe in self._probes.values():
            probe.stop()
        self._probes.clear()
        workers = [end for end in self._tower.workers if end in self._processes]
        if workers:
            self._dispatch(dict.fromkeys(workers, DRAIN))
        await self._processes.stop(self._tower.policy.end)

    # For people

    def table(self) -> list[dict[str, Any]]:
        """
        Give each server, what it is doing, and why.
        """
        now = self._reactor.seconds()
        rows: list[dict[str, Any]] = [
            {
                "server": str(worker.endpoint),
                "phase": worker.phase.value,
                "for": now - worker.since,
                "why": worker.why,
                "pid": self._processes.pid(worker.endpoint),
                "age": None if worker.phase is Phase.WAITING else now - worker.started,
                "calls": worker.calls,
                "memory": worker.memory,
                "failures": worker.failures,
                "is_used": worker.is_used,
            }
            for worker in self._tower.workers.values()
        ]
        rows += [
            {
                "server": str(endpoint),
                "phase": "watched",
                "for": self._clock() - health.since,
                "why": health.why,
                "is_used": health.state is State.UP,
            }
            for endpoint, health in self._watched.items()
        ]
        return rows

    def restart(self, endpoint: Endpoint | None = None) -> int:
        """
        Replace workers, one after the other, with no call refused.

        :param endpoint: None: all of them.
        :return: how many that will be.
        """
        return self._tower.recycle("somebody wants it started anew", endpoint)

    # For whoever collects figures

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        phases = Counter(worker.phase for worker in self._tower.workers.values())
        for phase in Phase:
            yield gauge(
                "workers", "Workers, by what they do.", phases[phase], phase=phase.value
            )
        yield gauge("servers_used", "Servers that get new calls.", self._used())
        for kind in (Start, Terminate, Kill):
            name = kind.__name__.lower()
            yield counter(
                "worker_actions",
                "What was done to workers.",
                self._acts[kind],
                action=name,
            )
        yield counter("worker_ends", "Workers that have ended.", self._ends)
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count the servers that owe an answer.
        """
        return {"probes": len(self._asked)}

    async def check(self) -> str | None:
        """
        Say what is wrong: that there is nobody to send a call to.
        """
        return None if self._used() else "no server gets new calls"

    def _used(self) -> int:
        watched = sum(each.state is State.UP for each in self._watched.values())
        return watched + sum(each.is_used for each in self._tower.workers.values())

    # What probes tell

    def answered(self, endpoint: Endpoint, response: Response) -> None:
        """
        Take an answer.
        """
        self._asked.discard(endpoint)
        told = f"{response.status} {response.reason}"
        if not self._probes[endpoint].is_healthy(response):
            self._missed(endpoint, told)
        elif endpoint in self._watched:
            health = self._watched[endpoint]
            if health.answered(self._clock(), told, 0.0):
                self._dispatch({endpoint: USE})
        else:
            calls = calls_told(response) or 0
            now = self._reactor.seconds()
            if endpoint in self._stale:
                self._stale.discard(endpoint)
                self._processes.hang_up(endpoint)
            self._do(self._tower.answered(endpoint, now, calls))

    def refused(self, endpoint: Endpoint) -> None:
        """
        Hear that nobody listens there.
        """
        if endpoint in self._asked:
            self._asked.discard(endpoint)
            self._missed(endpoint, "nobody listens there")

    # Inside

    def _round(self) -> None:
        self._processes.look()
        for endpoint in list(self._asked):
            self._asked.discard(endpoint)
            self._missed(endpoint, "no answer")
        now = self._reactor.seconds()
        if self._rounds % _MEMORY_ROUNDS == 0:
            for endpoint in self._tower.workers:
                memory = self._processes.memory(endpoint)
                self._tower.measured(endpoint, memory)
        self._rounds += 1
        self._do(self._tower.tick(now))
        for endpoint, probe in self._probes.items():
            if endpoint in self._watched or endpoint in self._processes:
                self._asked.add(endpoint)
                probe.ask()

    def _missed(self, endpoint: Endpoint, why: str) -> None:
        if endpoint in self._watched:
            health = self._watched[endpoint]
            if health.missed(self._clock(), why):
                self._dispatch({endpoint: DRAIN})
        else:
            now = self._reactor.seconds()
            self._do(self._tower.missed(endpoint, now, why))

    def _ended(self, endpoint: Endpoint, why: str) -> None:
        if endpoint not in self._tower.workers:
            return
        self._ends += 1
        self._log.info("The worker at {end} {why}", end=str(endpoint), why=why)
        if self.running:
            self._do(self._tower.exited(endpoint, self._reactor.seconds(), why))

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            worker = self._tower.workers[action.endpoint]
            self._acts[type(action)] += 1
            if not isinstance(action, Dispatch):
                self._log.info(
                    "{what} the worker at {end}: {why}",
                    what=type(action).__name__,
                    end=str(action.endpoint),
                    why=worker.why,
                )
            match action:
                case Start(endpoint):
                    self._processes.start(endpoint)
                case Terminate(endpoint):
                    self._processes.terminate(endpoint)
                case Kill(endpoint):
                    self._processes.kill(endpoint)
                case Dispatch(endpoint, priority):
                    self._dispatch({endpoint: priority})

    def _dispatch(self, priorities: dict[Endpoint, int]) -> None:
        assert isinstance(self._file, Path)  # or it would not have started
        if not priorities:
            return
        try:
            write(self._file, priorities)
        except (OSError, ValueError) as error:
            self._log.error(
                "The dispatch file '{file}' cannot be written: {error}",
                file=str(self._file),
                error=error,
            )


def _policy(config: Config) -> Policy:
    own = config.watchtower
    return Policy(drain=own.drain, settle=own.settle, memory=own.memory, age=own.age)
