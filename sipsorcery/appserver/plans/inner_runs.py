"""
The dialplans of callees that a dial has begun, as another process goes on with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sipsorcery.appserver.calls.legs import Delivered
from sipsorcery.appserver.dial.dialling import Answered, NotAnswered
from sipsorcery.appserver.dial.options import NO_OPTIONS, read_options
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.appserver.plans.run_state import InnerRun, RunState
from sipsorcery.appserver.refusals import Refused
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account


class Resumable(Protocol):
    """
    A run of a dialplan: `sipsorcery.appserver.plans.execution.Execution`.
    """

    @property
    def is_over(self) -> bool:
        """
        Whether it has come to its end.
        """

    @property
    def leases(self) -> tuple[str, ...]:
        """
        What its dial counts under.
        """

    @property
    def state(self) -> RunState | None:
        """
        What another process needs to go on with it.
        """

    async def resume(
        self, state: RunState, failed: NotAnswered
    ) -> Answered | Delivered | Refused:
        """
        Go on with what another process has begun.
        """

    def stop(self) -> None:
        """
        End the dial that is under way.
        """


class InnerRuns:
    """
    The runs that one dial has begun, no more than it has legs.
    """

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[tuple[Target, Plan, Resumable]] = []

    def add(self, target: Target, plan: Plan, run: Resumable) -> None:
        """
        Add the run of a callee's dialplan.
        """
        self._runs.append((target, plan, run))

    def clear(self) -> None:
        """
        Forget them, for there is another dial.
        """
        self._runs.clear()

    @property
    def leases(self) -> tuple[str, ...]:
        """
        What their dials count under.
        """
        runs = (run for _, _, run in self._runs if not run.is_over)
        return tuple(lease for run in runs for lease in run.leases)

    def dump(self) -> tuple[InnerRun, ...]:
        """
        Write those down that can go on elsewhere.
        """
        return tuple(
            _describe(target, plan, state)
            for target, plan, run in self._runs
            if not run.is_over and (state := run.state) is not None
        )


@dataclass(slots=True)
class ResumedRun:
    """
    A run of a callee's dialplan that another process has begun: what a leg runs.

    :ivar failed: what the dial has come to that it waits for.
    """

    inner: Resumable
    state: RunState
    failed: NotAnswered

    async def run(self) -> Answered | Delivered | Refused:
        """
        Go on to its end.
        """
        return await self.inner.resume(self.state, self.failed)

    def stop(self) -> None:
        """
        End the dial that is under way.
        """
        self.inner.stop()


def target_of(inner: InnerRun, account: Account) -> Target:
    """
    Give the target again that has led to a run.

    :raises ParseError: if it is of another version; so does `DialStringError`.
    """
    text = inner.options
    return Target(
        Kind.PLAN,
        SIPURI.parse(inner.uri),
        SIPURI.parse(inner.to),
        SIPURI.parse(inner.sender),
        read_options(text, 0)[0] if text else NO_OPTIONS,
        sender_name=inner.sender_name,
        account=account,
    )


def _describe(target: Target, plan: Plan, state: RunState) -> InnerRun:
    assert target.account is not None  # a dialplan is somebody's
    return InnerRun(
        uri=str(target.uri),
        to=str(target.to),
        sender=str(target.sender),
        sender_name=target.sender_name,
        options=str(target.options),
        username=target.account.username,
        domain=target.account.domain,
        plan=plan.name,
        version=plan.version,
        language="" if plan.language is None else str(plan.language),
        state=state,
    )
