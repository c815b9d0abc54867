"""
Writing down what a dialplan asks its host for, whatever language it is in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from sipsorcery.appserver.dial.dial_string import is_asterisk_form, parse_asterisk_form
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.appserver.plans.engine import (
    End,
    Engine,
    HostCall,
    HostError,
    PlanRequest,
    Run,
    Value,
)
from sipsorcery.appserver.plans.engine import Step as Next
from sipsorcery.appserver.refusals import USUAL, Code
from sipsorcery.appserver.simulation.trace import Step

# Steps of a call. Simulated time stands still while a dialplan asks for what takes
# none: a real call would have taken too long by then.
_MAX_STEPS = 10_000
_TOO_LONG = End(480, USUAL[Code.PLAN_TIME][1])

_SECRET = frozenset({"password", "token"})

#: Tells whom a dial leads to.
Foresee: TypeAlias = Callable[[PlanRequest, HostCall], Awaitable[tuple[str, ...]]]


@dataclass(slots=True)
class Journal:
    """
    The steps of a call, as they come.

    :ivar clock: gives the seconds since the call was made.
    """

    clock: Callable[[], float]
    foresee: Foresee
    steps: list[Step] = field(default_factory=list)
    _open: list[Step] = field(default_factory=list)  # what is still under way

    async def begin(self, request: PlanRequest, call: HostCall) -> Step:
        """
        Write down what is asked for.
        """
        step = Step(call.name, _shown(call), plan=(request.owner, request.plan))
        step.at = step.ended = self.clock()
        self._add(step)
        self._open.append(step)
        if call.name == "dial":
            step.targets = await self.foresee(request, call)
        return step

    def say(self, request: PlanRequest, text: str) -> None:
        """
        Write down what the dialplan has written to its log.
        """
        step = Step("log", {"text": text}, plan=(request.owner, request.plan))
        step.at = step.ended = self.clock()
        self._add(step)

    def end(self, step: Step, result: Value) -> None:
        """
        Write down what has come of a step.
        """
        step.result, step.ended = result, self.clock()
        if step in self._open:
            self._open.remove(step)

    def note(self, plan: tuple[str, str], text: str) -> None:
        """
        Write down what has happened meanwhile, if anything is under way there.
        """
        for step in reversed(self._open):
            if step.plan == plan:
                step.notes.append((self.clock(), text))
                return

    def close(self, answered: Collection[tuple[str, str]]) -> None:
        """
        End what is under way: the dials of these dialplans were answered.
        """
        for step in [*self._open]:
            result: Value = None
            if step.call == "dial":
                result = {"outcome": "cancelled", "status": 487}
                if step.plan in answered:
                    result = {"outcome": "answered", "status": 200, "reason": "OK"}
            self.end(step, result)

    @property
    def is_full(self) -> bool:
        """
        Whether a call has had more steps than it can have.
        """
        return len(self.steps) >= _MAX_STEPS

    def _add(self, step: Step) -> None:
        if not self.is_full:
            self.steps.append(step)


@dataclass(frozen=True, slots=True)
class JournalledEngine:
    """
    An engine whose runs are written down.
    """

    engine: Engine
    journal: Journal

    async def start(self, script: str, request: PlanRequest) -> tuple[Run, Next]:
        """
        Start a run.
        """
        run, step = await self.engine.start(script, request)
        journalled = _JournalledRun(run, request, self.journal)
        return journalled, await journalled.note(step)


@dataclass(slots=True)
class _JournalledRun:
    run: Run
    request: PlanRequest
    journal: Journal
    step: Step | None = None

    async def resume(self, value: Value | HostError) -> Next:
        assert self.step is not None  # or nobody has asked for anything
        told = {"error": value.text} if isinstance(value, HostError) else value
        self.journal.end(self.step, told)
        return await self.note(await self.run.resume(value))

    async def note(self, step: Next) -> Next:
        """
        Write a step down, unless it is one too many.
        """
        for line in step.lines:
            self.journal.say(self.request, line)
        if isinstance(step, HostCall):
            if self.journal.is_full:
                return _TOO_LONG
            self.step = await self.journal.begin(self.request, step)
        return step


def _shown(call: HostCall) -> dict[str, Value]:
    """
    Give the arguments, but for passwords: traces are read over shoulders.
    """
    shown = dict(call.arguments)
    for name, value in call.arguments.items():
        if name in _SECRET and value is not None:
            shown[name] = "***"
        elif call.name == "dial" and isinstance(value, str) and is_asterisk_form(value):
            with suppress(DialStringError):
                shown[name] = str(parse_asterisk_form(value))
    return shown
