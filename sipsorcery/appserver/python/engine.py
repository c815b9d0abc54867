"""
The engine of dialplans in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from sipsorcery.appserver.plans import dumping
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.python.checking import find_faults, raise_faults
from sipsorcery.appserver.python.turns import (
    Begin,
    Facts,
    Proceed,
    Through,
    Waiting,
    take_turn,
)
from sipsorcery.appserver.python.workers import Workers


class _Dumped(msgspec.Struct, array_like=True):
    call: str
    snapshot: bytes
    gives: str
    is_redirect: bool
    redirect_uri: str | None
    last_failure_status: int
    last_failure_reason: str


@dataclass(slots=True)
class PythonRun:
    """
    One run of a dialplan: while it waits, a snapshot and nothing else.
    """

    workers: Workers
    request: PlanRequest
    clock: Callable[[], float] | None
    facts: Facts = Facts()  # noqa: RUF009  # frozen
    waiting: Waiting | None = None

    async def begin(self, script: str) -> Step:
        """
        Run to the first host call.
        """
        return await self._take(Begin(script))

    async def resume(self, value: Value | HostError) -> Step:
        """
        Go on with what the host call has come to.

        :raises EngineOverloaded: if too much waits for a worker.
        """
        waiting, self.waiting = self.waiting, None
        assert waiting is not None  # or nobody has asked for anything
        if waiting.call.name == "dial" and isinstance(value, Mapping):
            self._note_failure(value)
        return await self._take(Proceed(waiting.snapshot, waiting.gives, value))

    async def _take(self, task: Begin | Proceed) -> Step:
        workers, request, facts = self.workers, self.request, self.facts
        now = None if self.clock is None else self.clock()
        outcome = await workers.run(
            request.owner,
            lambda pool: take_turn(pool, workers.limits, request, facts, task, now),
        )
        if isinstance(outcome, Waiting):
            self.waiting = outcome
            return outcome.call
        return self._end(outcome)

    def dump(self) -> bytes | None:
        """
        Give the snapshot, and what goes with it; None while it has its turn.
        """
        waiting, facts = self.waiting, self.facts
        if waiting is None:
            return None
        return dumping.dump(
            _Dumped(
                waiting.call.name,
                waiting.snapshot,
                waiting.gives,
                facts.is_redirect,
                facts.redirect_uri,
                facts.last_failure_status,
                facts.last_failure_reason,
            )
        )

    def _end(self, through: Through) -> End:
        if through.error:
            lines = (*through.lines, through.error)
            return End(500, "The dialplan has failed", lines)
        facts = self.facts
        if facts.last_failure_status >= 300:
            return End(
                facts.last_failure_status, facts.last_failure_reason, through.lines
            )
        return End(480, "The dialplan has not answered the call", through.lines)

    def _note_failure(self, value: Mapping[str, Value]) -> None:
        status, reason = value.get("status"), value.get("reason")
        redirect = value.get("redirect_uri")
        self.facts = replace(
            self.facts,
            last_failure_status=status if isinstance(status, int) else 480,
            last_failure_reason=str(reason or ""),
            redirect_uri=redirect if isinstance(redirect, str) else None,
        )


class PythonEngine:
    """
    Runs dialplans in Python.

    :param workers: started.
    :param clock: gives the seconds since the epoch, as dialplans see them; None: they
        have the clock of the system.
    """

    def __init__(
        self, workers: Workers, clock: Callable[[], float] | None = None
    ) -> None:
        self._workers = workers
        self._clock = clock

    async def start(self, script: str, request: PlanRequest) -> tuple[PythonRun, Step]:
        """
        Start a run.

        A script with faults runs as far as it comes, and ends in a 500: see `check`.

        :raises EngineOverloaded: if too much waits for a worker.
        """
        redirect = request.redirect_uri or None
        facts = Facts(is_redirect=redirect is not None, redirect_uri=redirect)
        run = PythonRun(self._workers, request, self._clock, facts)
        return run, await run.begin(script)

    def restore(self, dumped: bytes, request: PlanRequest) -> PythonRun:
        """
        Go on with a run that waits.

        Its snapshot holds the script as it was, whatever has become of that since.

        :raises SnapshotError: if it is of another version.
        """
        left = dumping.restore(dumped, _Dumped)
        facts = Facts(
            left.is_redirect,
            left.redirect_uri,
            left.last_failure_status,
            left.last_failure_reason,
        )
        waiting = Waiting(HostCall(left.call), left.snapshot, left.gives)
        return PythonRun(self._workers, request, self._clock, facts, waiting)

    async def check(self, script: str, owner: str) -> None:
        """
        Look for faults in a script without running it.

        :raises PlanErrors: naming the line and column of each.
        :raises EngineOverloaded: if too much waits for a worker.
        """
        check = partial(find_faults, script=script)
        raise_faults(await self._workers.run(owner, check))
