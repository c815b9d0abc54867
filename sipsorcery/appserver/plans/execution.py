"""
Running a dialplan: what it asks of the host is done, one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import TypeAlias

from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Listener, MakeLeg
from sipsorcery.appserver.calls.plan_leg import PlanLeg
from sipsorcery.appserver.core import user_of
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
    Lookup,
    Omission,
    Target,
    redirect,
    resolve,
)
from sipsorcery.appserver.dial.response_arguments import read_fields
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import (
    AppServerError,
    DialStringError,
    DressError,
    EngineOverloaded,
    SnapshotError,
)
from sipsorcery.appserver.hosting.guest import Functions, Guest, no_functions
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    LastingEngine,
    LastingRun,
    PlanRequest,
    Run,
    Step,
    Value,
)
from sipsorcery.appserver.plans.inner_runs import InnerRuns, ResumedRun, target_of
from sipsorcery.appserver.plans.narrating import asks, is_given
from sipsorcery.appserver.plans.plans import Plan, Plans
from sipsorcery.appserver.plans.run_state import InnerRun, RunState
from sipsorcery.appserver.plans.running_time import RunningTime
from sipsorcery.appserver.plans.story import Audience, Story
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.status import reason_phrase
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.errors import StoreError

#: Dialplans of callees that a call passes here, one behind the other: what a company
#: has whose departments forward to each other, several times over.
MAX_PLANS = 10


class _Again(Enum):
    """
    Says that the dialplan is to decide once more, as it has been redirected.
    """

    AGAIN = "again"


# What the engines say of a run that has come to its end by itself.
_ENDS = {480: Code.PLAN_ENDED, 500: Code.PLAN_FAILED}

#: What a host call comes to: a value to go on with, or the end of the run.
_Outcome: TypeAlias = Value | HostError | Answered | Delivered | Refused | _Again
#: What a run comes to.
_Ended: TypeAlias = Answered | Delivered | Refused | _Again
HostFunction: TypeAlias = Callable[[Mapping[str, Value]], Awaitable[_Outcome]]


class Execution:
    """
    One run of a dialplan, and the dials that it makes.

    :param lookup_for: gives what finds the things of an account's owner.
    :param budget: of the whole call.
    :param functions: what a dialplan can ask for beside calls and responses.
    :param outside: counts the calls that leave the service; None: nobody does.
    """

    def __init__(
        self,
        clock: IReactorTime,
        plans: Plans,
        lookup_for: Callable[[Account], Lookup],
        story: Story,
        budget: Budget,
        audience: Audience,
        functions: Functions = no_functions,
        outside: OutsideCalls | None = None,
    ) -> None:
        self._clock = clock
        self._plans = plans
        self._lookup_for = lookup_for
        self._lookup = lookup_for(story.account)
        self._story = story
        self._budget = budget
        self._audience = audience
        self._dialling: Dialling | None = None
        self._failed: NotAnswered | None = None  # what the last dial came to
        self._code = Code.NOT_ANSWERED  # and why
        self._refused: Refused | None = None  # what the dialplan has responded
        self._may_run_again = True
        self._redirect: SIPURI | None = None  # why it runs again
        self._functions = functions
        self._outside = outside
        # None of what it makes leads back here: so that a run goes when it is over, and
        # nobody has to find a cycle.
        self._step = partial(audience.stepped, story)
        self._time = RunningTime(clock.seconds())
        self._guest = Guest(
            account=story.account,
            plan=story.plan,
            request=story.request,
            situation=story.situation,
            lookup=self._lookup,
            note=self._step,
        )
        self._others: Mapping[str, HostFunction] | None = None
        self._waiting: Run | None = None  # for a dial
        self._departure: Departure | None = None
        self._inner = InnerRuns()
        self._last_state: RunState | None = None
        self.is_over = False

    async def run(self) -> Answered | Delivered | Refused:
        """
        Run the dialplan to its end.

        :return: who has answered, or why nobody has.
        """
        return await self._conclude(self._begin(self._story.request))

    async def resume(
        self, state: RunState, failed: NotAnswered
    ) -> Answered | Delivered | Refused:
        """
        Go on with a run that another process has begun, to its end.

        :param failed: what the dial has come to that it waits for.
        """
        return await self._conclude(self._resume(state, failed))

    @property
    def leases(self) -> tuple[str, ...]:
        """
        Under which its dial counts as calls to the outside.
        """
        departure = self._departure
        own = () if departure is None or not departure.lease else (departure.lease,)
        return (*own, *self._inner.leases)

    @property
    def state(self) -> RunState | None:
        """
        What another process needs to go on with it, as it waits for its last dial.

        None: it has not come to one, or cannot go on elsewhere.
        """
        run, guest = self._waiting, self._guest
        dumped = run.dump() if isinstance(run, LastingRun) else None
        if dumped is None:
            return self._last_state
        self._last_state = RunState(
            run=dumped,
            taken=self._time.taken(self._clock.seconds()),
            own=self._time.own,
            legs=self._budget.left,
            used=dict(guest.used),
            fields=dict(guest.dress.fields),
            from_parts=guest.dress.from_parts,
            content=guest.dress.content,
            may_run_again=self._may_run_again,
            redirect="" if self._redirect is None else str(self._redirect),
            inner=self._inner.dump(),
        )
        return self._last_state

    def stop(self) -> None:
        """
        End the dial that is under way; nobody wants an answer any more.
        """
        if self._dialling is not None:
            self._dialling.cancel()

    # The run

    async def _conclude(
        self, running: Awaitable[_Ended]
    ) -> Answered | Delivered | Refused:
        try:
            result = await running
            if isinstance(result, _Again):
                result = await self._begin(self._redirected())
        except StoreError as error:
            return Refused(Code.STORE_AWAY, str(error))
        except EngineOverloaded as error:
            self._step(f"{self._story.plan.name} cannot be run now: {error}")
            return Refused(Code.PLAN_OVERLOADED)
        except SnapshotError as error:
            self._step(f"{self._story.plan.name} cannot go on: {error}")
            return Refused(Code.RESTARTED)
        except AppServerError as error:
            self._step(f"{self._story.plan.name} cannot be run: {error}")
            return Refused(Code.PLAN_FAULTY)
        finally:
            self.is_over = True
        assert not isinstance(result, _Again)  # once is enough
        return result

    def _redirected(self) -> PlanRequest:
        where = "" if self._redirect is None else str(self._redirect)
        return replace(self._story.request, redirect_uri=where)

    async def _begin(self, request: PlanRequest) -> _Ended:
        plan, begun = self._story.plan, self._clock.seconds()
        run, step = await plan.engine.start(plan.script, request)
        return await self._go_on(run, step, begun)

    async def _resume(self, state: RunState, failed: NotAnswered) -> _Ended:
        engine, begun = self._story.plan.engine, self._clock.seconds()
        self._time = RunningTime(begun - state.taken, state.own)
        if not self._time.left(begun):
            return Refused(Code.PLAN_TIME)
        guest, self._may_run_again = self._guest, state.may_run_again
        guest.used.update(state.used)
        guest.dress.fields.update(state.fields)
        guest.dress.from_parts = state.from_parts
        guest.dress.content = state.content
        if state.redirect:
            self._redirect = SIPURI.parse(state.redirect)
        if not isinstance(engine, LastingEngine):
            raise SnapshotError("its engine keeps nothing")
        run = engine.restore(state.run, self._redirected())
        self._last_state, self._waiting = state, run
        value = self._dialled(await self._ring_again(state.inner, failed))
        self._waiting = None
        if isinstance(value, Answered | Delivered | Refused | _Again):
            return value
        begun = self._clock.seconds()
        return await self._go_on(run, await run.resume(value), begun)

    async def _go_on(self, run: Run, step: Step, begun: float) -> _Ended:
        while True:
            now = self._clock.seconds()
            self._time.take(now - begun)
            for line in step.lines:
                self._step(f"says {line}")
            match step:
                case End(status, reason):
                    return self._ended(status, reason)
                case HostCall(name, arguments) if self._time.left(now):
                    self._waiting = run if name == "dial" else None
                    value = await self._host(name, arguments)
                    self._waiting = None
                case HostCall():
                    return Refused(Code.PLAN_TIME)
            if isinstance(value, Answered | Delivered | Refused | _Again):
                return value
            begun = self._clock.seconds()
            step = await run.resume(value)

    async def _host(self, name: str, arguments: Mapping[str, Value]) -> _Outcome:
        match name:
            case "dial":
                return await self._dial(arguments)
            case "respond":
                return self._respond(arguments)
            case "log":
                self._step(f"says {arguments.get('text')}")
                return None
            case "extend_script_timeout":
                self._time.extend(seconds_of(arguments.get("seconds")))
                return None
        function = self._other(name)
        if function is None:
            return HostError(f"there is no {name} here")
        self._step(asks(name, arguments))
        value = await function(arguments)
        if not isinstance(value, Answered | Delivered | Refused | _Again):
            self._step(is_given(name, value))
        return value

    def _other(self, name: str) -> HostFunction | None:
        """
        Find what few dialplans ask for, so that all others need not pay for it.
        """
        if self._others is None:
            self._others = self._functions(self._guest)
        return self._others.get(name)

    def _ended(self, status: int, reason: str) -> Refused:
        """
        Say why a call is refused whose dialplan has come to its end.
        """
        failed = self._failed
        if failed is not None and (failed.status, failed.reason) == (status, reason):
            if status < 400:
                # Where it leads the dialplan has not said, and alone it is of no use.
                return Refused(self._code, reason, 480)
            return Refused(self._code, reason, status, failed.fields)
        code = _ENDS.get(status, Code.PLAN_REFUSED)
        return Refused(code, reason or reason_phrase(status), status)

    # What a dialplan can ask for

    async def _dial(self, arguments: Mapping[str, Value]) -> _Outcome:
        try:
            dial_string = dial_string_of(arguments)
        except DialStringError as error:
            self._failed, self._code = NotAnswered(500, str(error)), Code.DIAL_STRING
            return outcome("error", 500, str(error))
        self._step(f"dials {dial_string}")

        async def ring(departure: Departure) -> Result | None:
            stages = await self._find(dial_string, departure, arguments)
            return await self._ring(stages, departure, arguments) if stages else None

        result = await self._counted(ring)
        if result is None:
            assert self._failed is not None  # it says why
            return outcome("error", self._failed.status, self._failed.reason)
        return self._dialled(result)

    def _dialled(self, result: Result) -> _Outcome:
        """
        Say what a dial has come to.
        """
        if not isinstance(result, NotAnswered):
            return result
        if result.runs_again and self._may_run_again:
            self._failed, self._code = result, Code.NOT_ANSWERED
            self._may_run_again = False
            self._redirect = result.redirect
            return _Again.AGAIN
        self._failed, self._code = result, Code.NOT_ANSWERED
        self._step(f"nobody has answered: {result.status} {result.reason}")
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
        dress, limit = self._guest.dress, seconds_of(arguments.get("limit"))
        situation = replace(self._story.situation, from_parts=dress.from_parts)
        resolved = await resolve(dial_string, situation, self._lookup)
        for omission in resolved.omissions:
            self._step(f"leaves {omission.leg} out: {omission.reason}")
        stages: list[list[Target]] = []
        for stage in resolved.stages:
            admitted = await departure.admit([limited(each, limit) for each in stage])
            if admitted:
                stages.append([dress.put_on(each) for each in admitted])
        self._failed, self._code = _nobody(resolved.omissions), Code.NOBODY_TO_CALL
        if departure.refused is not None:
            refused = departure.refused
            self._failed = NotAnswered(refused.status, refused.text)
            self._code = refused.code
        return stages

    async def _ring(
        self,
        stages: list[list[Target]],
        departure: Departure,
        arguments: Mapping[str, Value],
        make_leg: MakeLeg | None = None,
        budget: Budget | None = None,
    ) -> Result:
        left = self._time.left(self._clock.seconds())
        dialling = self._dialling = Dialling(
            self._clock,
            stages,
            ringing=min(ringing_of(arguments), left),
            budget=budget or self._budget,
            make_leg=make_leg or self._make_leg,
            follow=partial(self._follow, departure),
            progress=self._audience.progressed,
        )
        try:
            return await dialling.start()
        finally:
            # It knows this run: together they would wait for the garbage collector.
            self._dialling = None

    async def _ring_again(
        self, inner: Sequence[InnerRun], failed: NotAnswered
    ) -> Result:
        """
        Go on with the dialplans that a dial had begun in another process.

        The phones that it rang are no more.
        """
        legs: list[tuple[Target, Plan, RunState]] = []
        for each in inner:
            account = await self._lookup.find_called(each.username, each.domain)
            if account is None:
                continue
            kept = each.plan, each.language, each.version
            try:
                plan = await self._plans.again(account, *kept)
                legs.append((target_of(each, account), plan, each.state))
            except (Refused, ParseError, DialStringError) as error:
                self._step(f"{each.plan} cannot go on: {error}")
        if not legs:
            return failed

        def make_leg(target: Target, listener: Listener) -> CallLeg:
            for known, plan, state in legs:
                if known is target:
                    go_on = partial(self._within_again, plan, state, failed)
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
        departure = Departure(self._outside, self._story.plan.owner, self._step)
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

    def _respond(self, arguments: Mapping[str, Value]) -> _Outcome:
        status, reason = arguments.get("status"), arguments.get("reason")
        if not isinstance(status, int) or not 100 <= status < 700:
            return HostError(f"{status} is no status code")
        text = reason if isinstance(reason, str) and reason else reason_phrase(status)
        self._step(f"responds {status} {text}")
        if status >= 300:
            try:
                more = read_fields(status, arguments)
            except (DressError, ParseError) as error:
                return HostError(str(error))
            return Refused(Code.PLAN_REFUSED, text, status, more)
        if status < 200:
            self._audience.responded(status, text)
        elif self._story.request.method != "INVITE":
            return Delivered(status, text)  # a call nobody could answer like that
        return None

    # Legs

    def _make_leg(self, target: Target, listener: Listener) -> CallLeg:
        if target.kind is Kind.PLAN:
            return PlanLeg(self.within, target, listener)
        return self._audience.call(target, listener, self._story)

    async def _follow(
        self, departure: Departure, target: Target, contact: SIPURI
    ) -> list[Target]:
        self._step(f"{target.uri} leads to {contact}")
        found = await redirect(target, contact, self._story.situation, self._lookup)
        return await departure.admit(found)

    async def within(self, target: Target) -> Execution:
        """
        Make the run of a callee's own dialplan.

        :raises Refused: if there is none that may run.
        """
        assert target.account is not None  # a dialplan is somebody's
        if self._story.hops <= 1:
            raise Refused(Code.HOPS)
        plan = await self._plans.of(target.account, Direction.IN)
        plan.check(self._story.request.method)
        return self._within(target, plan)

    async def _within_again(
        self, plan: Plan, state: RunState, failed: NotAnswered, target: Target
    ) -> ResumedRun:
        """
        Make a run of a callee's dialplan that another process has begun.
        """
        return ResumedRun(self._within(target, plan), state, failed)

    def _within(self, target: Target, plan: Plan) -> Execution:
        account, story = target.account, self._story
        assert account is not None  # likewise
        if plan.key in story.before or len(story.before) >= MAX_PLANS:
            raise Refused(Code.LOOP)
        sender = target.sender
        name = story.caller.name if target.sender_name is None else target.sender_name
        caller = Caller(user_of(target.uri), name, user_of(sender), sender.host)
        request = replace(
            story.request,
            caller=caller,
            direction=str(Direction.IN),
            owner=plan.owner,
            account=f"{account.username}@{account.domain}",
            plan=plan.name,
            uri=str(target.uri),
            time_zone=plan.time_zone,
        )
        inner = Story(
            account=account,
            plan=plan,
            direction=Direction.IN,
            caller=caller,
            sender=sender,
            network_id=story.network_id,
            hops=story.hops - 1,
            before=story.before | {plan.key},
            request=request,
        )
        execution = Execution(
            self._clock,
            self._plans,
            self._lookup_for,
            inner,
            self._budget,
            self._audience,
            self._functions,
            self._outside,
        )
        self._inner.add(target, plan, execution)
        return execution


def _nobody(omissions: Sequence[Omission]) -> NotAnswered:
    """
    Say what a caller is told whose dial leads to nobody: 404 if none of them is there.
    """
    status = min((each.status for each in omissions), default=480)
    if any(each.status != status for each in omissions):
        status = 480
    return NotAnswered(status, "There is nobody to call")
