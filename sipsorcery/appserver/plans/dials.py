"""
What a run of a dialplan dials, one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Protocol, TypeAlias

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Listener, MakeLeg
from sipsorcery.appserver.calls.plan_leg import PlanLeg, Runnable
from sipsorcery.appserver.dial.departure import Departure
from sipsorcery.appserver.dial.dial_arguments import (
    dial_string_of,
    limited,
    outcome,
    ringing_of,
    seconds_of,
)
from sipsorcery.appserver.dial.dial_string import DialString
from sipsorcery.appserver.dial.dialling import (
    Answered,
    Budget,
    Dialling,
    NotAnswered,
    Result,
)
from sipsorcery.appserver.dial.resolution import (
    Kind,
    Omission,
    Target,
    redirect,
    resolve,
)
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.appserver.hosting.guest import Guest
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.appserver.plans.inner_runs import (
    InnerRuns,
    Resumable,
    ResumedRun,
    target_of,
)
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.appserver.plans.run_state import InnerRun, RunState
from sipsorcery.appserver.plans.running_time import RunningTime
from sipsorcery.appserver.plans.story import Story, within
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory.cdrs import Direction


class Again(Enum):
    """
    Says that the dialplan is to decide once more, as it has been redirected.
    """

    AGAIN = "again"


#: What a dial comes to: the end of the run, or what the dialplan is told.
Dialled: TypeAlias = Answered | Delivered | Again | Value


class InnerExecution(Runnable, Resumable, Protocol):
    """
    The run of a callee's own dialplan.
    """


class Dials:
    """
    The dials of one run.

    :param time: that the run has left.
    :param make_run: makes the run of a callee's own dialplan.

    :ivar failed: what the last one came to; None: it has not failed.
    :ivar code: and why.
    :ivar may_run_again: whether a redirection may let the dialplan run from the start.
    :ivar redirect: where it leads, for which it runs again; None: nowhere.
    """

    def __init__(
        self,
        around: Surroundings,
        story: Story,
        guest: Guest,
        time: RunningTime,
        make_run: Callable[[Story], InnerExecution],
    ) -> None:
        self._around = around
        self._story = story
        self._guest = guest
        self._time = time
        self._make_run = make_run
        self._dialling: Dialling | None = None
        self._departure: Departure | None = None
        self._inner = InnerRuns()
        self.failed: NotAnswered | None = None
        self.code = Code.NOT_ANSWERED
        self.may_run_again = True
        self.redirect: SIPURI | None = None

    @property
    def leases(self) -> tuple[str, ...]:
        """
        Under which the dial counts as calls to the outside.
        """
        departure = self._departure
        own = () if departure is None or not departure.lease else (departure.lease,)
        return (*own, *self._inner.leases)

    def dump(self) -> tuple[InnerRun, ...]:
        """
        Write down the dialplans of callees that wait for dials of their own.
        """
        return self._inner.dump()

    def stop(self) -> None:
        """
        End the dial that is under way; nobody wants an answer any more.
        """
        if self._dialling is not None:
            self._dialling.cancel()

    async def dial(self, arguments: Mapping[str, Value]) -> Dialled:
        """
        Dial what a dialplan asks for.

        :raises StoreError: if a store is away.
        """
        try:
            dial_string = dial_string_of(arguments)
        except DialStringError as error:
            self.failed, self.code = NotAnswered(500, str(error)), Code.DIAL_STRING
            return outcome("error", 500, str(error))
        self._guest.note(f"dials {dial_string}")

        async def ring(departure: Departure) -> Result | None:
            stages = await self._find(dial_string, departure, arguments)
            return await self._ring(stages, departure, arguments) if stages else None

        result = await self._counted(ring)
        if result is None:
            assert self.failed is not None  # it says why
            return outcome("error", self.failed.status, self.failed.reason)
        return self._came_to(result)

    async def resume(self, inner: Sequence[InnerRun], failed: NotAnswered) -> Dialled:
        """
        Go on with the dialplans that a dial had begun in another process.

        The phones that it rang are no more.

        :param failed: what it has come to if there are none.
        :raises StoreError: if a store is away.
        """
        return self._came_to(await self._ring_again(inner, failed))

    # Inside

    def _came_to(self, result: Result) -> Dialled:
        if not isinstance(result, NotAnswered):
            return result
        self.failed, self.code = result, Code.NOT_ANSWERED
        if result.runs_again and self.may_run_again:
            self.may_run_again, self.redirect = False, result.redirect
            return Again.AGAIN
        self._guest.note(f"nobody has answered: {result.status} {result.reason}")
        kind = "failed"
        if result.redirect is not None:
            kind = "redirected"
        elif result.timed_out:
            kind = "timed out"
        uri = None if result.redirect is None else str(result.redirect)
        return outcome(kind, result.status, result.reason, uri)

    async def _find(
        self,
        dial_string: DialString,
        departure: Departure,
        arguments: Mapping[str, Value],
    ) -> list[list[Target]]:
        """
        Find whom a dial string leads to, and who of them may be called.
        """
        guest, limit = self._guest, seconds_of(arguments.get("limit"))
        situation = replace(self._story.situation, from_parts=guest.dress.from_parts)
        resolved = await resolve(dial_string, situation, guest.lookup)
        for omission in resolved.omissions:
            guest.note(f"leaves {omission.leg} out: {omission.reason}")
        stages: list[list[Target]] = []
        for stage in resolved.stages:
            admitted = await departure.admit([limited(each, limit) for each in stage])
            if admitted:
                stages.append([guest.dress.put_on(each) for each in admitted])
        self.failed, self.code = _nobody(resolved.omissions), Code.NOBODY_TO_CALL
        if departure.refused is not None:
            refused = departure.refused
            self.failed = NotAnswered(refused.status, refused.text)
            self.code = refused.code
        return stages

    async def _ring(
        self,
        stages: list[list[Target]],
        departure: Departure,
        arguments: Mapping[str, Value],
        make_leg: MakeLeg | None = None,
        budget: Budget | None = None,
    ) -> Result:
        clock = self._around.clock
        left = self._time.left(clock.seconds())
        dialling = self._dialling = Dialling(
            clock,
            stages,
            ringing=min(ringing_of(arguments), left),
            budget=budget or self._around.budget,
            make_leg=make_leg or self._make_leg,
            follow=partial(self._follow, departure),
            progress=self._around.audience.progressed,
        )
        try:
            return await dialling.start()
        finally:
            # It knows this run: together they would wait for the garbage collector.
            self._dialling = None

    async def _ring_again(
        self, inner: Sequence[InnerRun], failed: NotAnswered
    ) -> Result:
        legs: list[tuple[Target, Plan, RunState]] = []
        for each in inner:
            username, domain = each.username, each.domain
            account = await self._guest.lookup.find_called(username, domain)
            if account is None:
                continue
            kept = each.plan, each.language, each.version
            try:
                plan = await self._around.plans.again(account, *kept)
                legs.append((target_of(each, account), plan, each.state))
            except (Refused, ParseError, DialStringError) as error:
                self._guest.note(f"{each.plan} cannot go on: {error}")
        if not legs:
            return failed

        def make_leg(target: Target, listener: Listener) -> CallLeg:
            for known, plan, state in legs:
                if known is target:
                    go_on = partial(self._callee_again, plan, state, failed)
                    return PlanLeg(go_on, target, listener)
            return self._make_leg(target, listener)  # where one is redirected to

        stages = [[target for target, _, _ in legs]]
        budget = Budget(len(legs))  # they have been counted
        result = await self._counted(
            lambda departure: self._ring(stages, departure, {}, make_leg, budget)
        )
        return failed if result is None else result

    async def _counted(
        self, ring: Callable[[Departure], Awaitable[Result | None]]
    ) -> Result | None:
        """
        Dial, and count what leaves the service until its end.
        """
        guest = self._guest
        departure = Departure(self._around.outside, guest.owner, guest.note)
        self._departure = departure
        self._inner.clear()
        try:
            result = await ring(departure)
        except BaseException:
            departure.end()
            raise
        if result is None:
            departure.end()
        else:
            departure.settle(result)
        return result

    # Legs

    def _make_leg(self, target: Target, listener: Listener) -> CallLeg:
        if target.kind is Kind.PLAN:
            return PlanLeg(self._callee, target, listener)
        return self._around.audience.call(target, listener, self._story)

    async def _follow(
        self, departure: Departure, target: Target, contact: SIPURI
    ) -> list[Target]:
        guest = self._guest
        guest.note(f"{target.uri} leads to {contact}")
        found = await redirect(target, contact, self._story.situation, guest.lookup)
        return await departure.admit(found)

    async def _callee(self, target: Target) -> InnerExecution:
        """
        Make the run of a callee's own dialplan.

        :raises Refused: if there is none that may run.
        """
        assert target.account is not None  # a dialplan is somebody's
        if self._story.hops <= 1:
            raise Refused(Code.HOPS)
        plan = await self._around.plans.of(target.account, Direction.IN)
        plan.check(self._story.request.method)
        return self._within(target, plan)

    async def _callee_again(
        self, plan: Plan, state: RunState, failed: NotAnswered, target: Target
    ) -> ResumedRun:
        """
        Make a run of a callee's dialplan that another process has begun.
        """
        return ResumedRun(self._within(target, plan), state, failed)

    def _within(self, target: Target, plan: Plan) -> InnerExecution:
        run = self._make_run(within(self._story, target, plan))
        self._inner.add(target, plan, run)
        return run


def _nobody(omissions: Sequence[Omission]) -> NotAnswered:
    """
    Say what a caller is told whose dial leads to nobody: 404 if none of them is there.
    """
    status = min((each.status for each in omissions), default=480)
    if any(each.status != status for each in omissions):
        status = 480
    return NotAnswered(status, "There is nobody to call")
