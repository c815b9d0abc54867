"""
The engine of rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

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


class RuleRun:
    """
    One run of a table of rules.

    :param calls: what the rules that match say, in their order.
    """

    def __init__(self, calls: list[HostCall]) -> None:
        self._calls = iter(calls)
        self._end = _NOBODY if calls else End(404, "There is no rule for this call")

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
