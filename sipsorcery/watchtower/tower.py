"""
What a watchtower decides: which worker is started, drained, ended or killed. Pure.

A worker is an application server in a process of its own, at an address of its own. It
goes from `Phase` to `Phase` by what is seen of it and by the time; what is to be done
about it comes out as actions. Times are seconds, of a clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sipsorcery.dispatch.file import DRAIN, USE
from sipsorcery.endpoint import Endpoint


class Phase(StrEnum):
    """
    Name where a worker is in its life.
    """

    WAITING = "waiting"  # there is no process; the next one comes in its time
    STARTING = "starting"  # it has not answered yet
    UP = "up"
    DRAINING = "draining"  # it gets no new calls, and is waited for
    ENDING = "ending"  # it was told to end


@dataclass(frozen=True, slots=True)
class Policy:
    """
    When a worker is taken for what.

    :ivar start: seconds in which a new one has to answer.
    :ivar misses: probes without an answer after which it gets no new calls.
    :ivar dead: those after which it is killed.
    :ivar drain: seconds that its calls are waited for before it is ended.
    :ivar settle: seconds after its last call in which what is under way still ends:
        longer than answers are repeated (64 T1).
    :ivar end: seconds in which it has to end by itself.
    :ivar memory: octets that it may take; 0: any.
    :ivar age: seconds that it may run; 0: for ever.
    :ivar back_off: seconds until the next start after one that has failed, doubled each
        time up to the second number.
    :ivar steady: seconds of life after which a failure is the first one again.
    """

    start: float = 30.0
    misses: int = 2
    dead: int = 12
    drain: float = 300.0
    settle: float = 33.0
    end: float = 15.0
    memory: int = 0
    age: float = 0.0
    back_off: tuple[float, float] = (0.5, 60.0)
    steady: float = 60.0


@dataclass(frozen=True, slots=True)
class Start:
    """
    Start a process.
    """

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Terminate:
    """
    Tell a process to end.
    """

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Kill:
    """
    End a process that does not end by itself, or does not live.
    """

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Dispatch:
    """
    Write the priority of a server into the dispatch file.
    """

    endpoint: Endpoint
    priority: int


Action: TypeAlias = Start | Terminate | Kill | Dispatch


@dataclass(slots=True)
class Worker:
    """
    One worker, as people see it, too.

    :ivar since: when it came into its phase.
    :ivar why: what has brought it there.
    :ivar calls: how many it has said to have.
    :ivar memory: octets that it takes.
    :ivar failures: ends in a row that nobody wanted.
    """

    endpoint: Endpoint
    phase: Phase = Phase.WAITING
    since: float = 0.0
    why: str = "it is to be started"
    started: float = 0.0
    ready_at: float = 0.0
    calls: int = 0
    idle_since: float | None = None
    memory: int = 0
    misses: int = 0
    failures: int = 0
    is_used: bool = False  # whether the dispatch file lets it have new calls
    to_recycle: str = ""  # why it is to be replaced; "": it is not


class Tower:
    """
    Keeps workers alive, and replaces one at a time.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], policy: Policy = Policy()
    ) -> None:
        self.policy = policy
        self.workers = {endpoint: Worker(endpoint) for endpoint in endpoints}

    # What is seen

    def adopted(self, endpoint: Endpoint, now: float) -> None:
        """
        Hear of a process that was there before us.
        """
        worker = self.workers[endpoint]
        self._become(worker, Phase.STARTING, now, "it was there already")
        worker.started = now

    def answered(self, endpoint: Endpoint, now: float, calls: int) -> Iterator[Action]:
        """
        Hear a good answer to a probe.

        :param calls: how many the worker has.
        """
        worker = self.workers[endpoint]
        worker.misses, worker.calls = 0, calls
        if calls:
            worker.idle_since = None
        elif worker.idle_since is None:
            worker.idle_since = now
        if worker.phase is Phase.STARTING:
            self._become(worker, Phase.UP, now, "it answers")
        if worker.phase is Phase.UP and not worker.is_used:
            yield from self._use(worker, True)

    def missed(self, endpoint: Endpoint, now: float, why: str) -> Iterator[Action]:
        """
        Hear that a probe had no answer, or a bad one.
        """
        worker = self.workers[endpoint]
        if worker.phase not in (Phase.UP, Phase.DRAINING):
            return
        worker.misses += 1
        if worker.misses >= self.policy.misses:
            yield from self._use(worker, False)
        if worker.misses >= self.policy.dead:
            worker.failures += 1
            self._become(worker, Phase.ENDING, now, f"it does not live: {why}")
            yield Kill(endpoint)

    def measured(self, endpoint: Endpoint, memory: int) -> None:
        """
        Hear how much memory a worker takes.
        """
        self.workers[endpoint].memory = memory

    def exited(self, endpoint: Endpoint, now: float, why: str) -> Iterator[Action]:
        """
        Hear that a process has ended, wanted or not.
        """
        worker = self.workers[endpoint]
        yield from self._use(worker, False)
        if worker.phase is Phase.ENDING:
            delay = self._delay(worker) if worker.failures else 0.0
        else:
            if worker.phase is Phase.UP and now - worker.started > self.policy.steady:
                worker.failures = 0
            worker.failures += 1
            delay = self._delay(worker)
        worker.calls, worker.misses, worker.memory = 0, 0, 0
        worker.idle_since, worker.to_recycle = None, ""
        worker.ready_at = now + delay
        self._become(worker, Phase.WAITING, now, why)

    # What is wanted

    def recycle(self, why: str, endpoint: Endpoint | None = None) -> int:
        """
        Have workers replaced, one after the other.

        :param endpoint: None: all of them.
        :return: how many.
        """
        chosen = [
            worker
            for worker in self.workers.values()
            if endpoint in (None, worker.endpoint) and worker.phase is Phase.UP
        ]
        for worker in chosen:
            worker.to_recycle = why
        return len(chosen)

    def tick(self, now: float) -> Iterator[Action]:
        """
        Do what the time brings.
        """
        for worker in self.workers.values():
            match worker.phase:
                case Phase.WAITING:
                    yield from self._start(worker, now)
                case Phase.STARTING:
                    yield from self._await_start(worker, now)
                case Phase.UP:
                    yield from self._look(worker, now)
                case Phase.DRAINING:
                    yield from self._await_calls(worker, now)
                case Phase.ENDING:
                    yield from self._await_end(worker, now)

    # Inside

    def _start(self, worker: Worker, now: float) -> Iterator[Action]:
        # One at a time: a start costs a second of a core, which calls would miss.
        if now < worker.ready_at or self._any(Phase.STARTING):
            return
        self._become(worker, Phase.STARTING, now, "it is being started")
        worker.started = now
        yield Start(worker.endpoint)

    def _await_start(self, worker: Worker, now: float) -> Iterator[Action]:
        if now - worker.since >= self.policy.start:
            worker.failures += 1
            self._become(worker, Phase.ENDING, now, "it did not answer after its start")
            yield Kill(worker.endpoint)

    def _look(self, worker: Worker, now: float) -> Iterator[Action]:
        policy = self.policy
        if now - worker.since > policy.steady:
            worker.failures = 0
        if policy.memory and worker.memory > policy.memory:
            worker.to_recycle = worker.to_recycle or "it takes too much memory"
        if policy.age and now - worker.started > policy.age:
            worker.to_recycle = worker.to_recycle or "it has run for long enough"
        if worker.to_recycle and self._can_spare(worker):
            yield from self._use(worker, False)
            self._become(worker, Phase.DRAINING, now, worker.to_recycle)
            worker.idle_since = None if worker.calls else now

    def _await_calls(self, worker: Worker, now: float) -> Iterator[Action]:
        policy, idle = self.policy, worker.idle_since
        is_idle = idle is not None and now - max(idle, worker.since) >= policy.settle
        if is_idle or now - worker.since >= policy.drain:
            self._become(worker, Phase.ENDING, now, worker.why)
            worker.failures = 0  # this end is wanted
            yield Terminate(worker.endpoint)

    def _await_end(self, worker: Worker, now: float) -> Iterator[Action]:
        if now - worker.since >= self.policy.end:
            worker.since = now  # again, if that does not help either
            yield Kill(worker.endpoint)

    def _can_spare(self, worker: Worker) -> bool:
        """
        Tell whether another one is well, and none is on its way out or in.
        """
        others = [each for each in self.workers.values() if each is not worker]
        is_quiet = all(each.phase in (Phase.UP, Phase.WAITING) for each in others)
        return is_quiet and any(each.is_used for each in others)

    def _any(self, phase: Phase) -> bool:
        return any(worker.phase is phase for worker in self.workers.values())

    def _delay(self, worker: Worker) -> float:
        first, most = self.policy.back_off
        return float(min(most, first * 2 ** min(worker.failures - 1, 30)))

    def _use(self, worker: Worker, is_used: bool) -> Iterator[Action]:
        if worker.is_used is not is_used:
            worker.is_used = is_used
            yield Dispatch(worker.endpoint, USE if is_used else DRAIN)

    def _become(self, worker: Worker, phase: Phase, now: float, why: str) -> None:
        worker.phase, worker.since, worker.why = phase, now, why
