"""
The engine of rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

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
from sipsorcery.appserver.plans.time_zone import find_zone
from sipsorcery.appserver.wizard.rules import matching, read_rules

_NOBODY = End(480, "No rule has come to an end")


class _Dumped(msgspec.Struct, array_like=True):
    calls: list[tuple[str, dict[str, Any]]]
    status: int
    reason: str


class RuleRun:
    """
    One run of a table of rules.

    :param calls: what the rules that match say, in their order.
    :param end: what it comes to if nothing else does; None: it has just begun.
    """

    def __init__(self, calls: list[HostCall], end: End | None = None) -> None:
        self._calls = iter(calls)
        self._end = end or (
            _NOBODY if calls else End(404, "There is no rule for this call")
        )

    def begin(self) -> Step:
        """
        Give the first step.
        """
        return self._next()

    async def resume(self, value: Value | HostError) -> Step:
        """
        Go on with the next rule, for nobody has answered.
        """
        match value:
            case {"status": int(status), "reason": str(reason)} if 300 <= status < 700:
                self._end = End(status, reason)
            case HostError(text):
                self._end = End(480, text)
        return self._next()

    def dump(self) -> bytes:
        """
        Give the rules that are left, and what the dials so far have come to.
        """
        calls = [*self._calls]
        self._calls = iter(calls)
        left = [(call.name, dict(call.arguments)) for call in calls]
        return dumping.dump(_Dumped(left, self._end.status, self._end.reason))

    def _next(self) -> Step:
        call = next(self._calls, None)
        if call is None:
            return self._end
        match call.arguments:
            case {"status": int(status), "reason": str(reason)}:
                return End(status, reason)
        return call


class WizardEngine:
    """
    Runs tables of rules.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    async def start(self, script: str, request: PlanRequest) -> tuple[RuleRun, Step]:
        """
        Start a run.

        :raises PlanErrors: if the rules have faults.
        """
        moment = datetime.fromtimestamp(self._clock(), find_zone(request.time_zone))
        run = RuleRun(matching(read_rules(script), request, moment))
        return run, run.begin()

    def restore(self, dumped: bytes, request: PlanRequest) -> RuleRun:
        """
        Go on with a run that waits.

        Which rules are for the call was decided when it began.

        :raises SnapshotError: if it is of another version.
        """
        left = dumping.restore(dumped, _Dumped)
        calls = [HostCall(name, arguments) for name, arguments in left.calls]
        return RuleRun(calls, End(left.status, left.reason))
