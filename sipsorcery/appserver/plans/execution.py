"""
Running a dialplan: what it asks of the host is done, one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from sipsorcery.appserver.calls.legs import Delivered
from sipsorcery.appserver.dial.dial_arguments import seconds_of
from sipsorcery.appserver.dial.dialling import Answered, NotAnswered
from sipsorcery.appserver.dial.response_arguments import read_fields
from sipsorcery.appserver.errors import (
    AppServerError,
    DressError,
    EngineOverloaded,
    SnapshotError,
)
from sipsorcery.appserver.hosting.guest import Guest
from sipsorcery.appserver.plans.dials import Again, Dials
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
from sipsorcery.appserver.plans.narrating import asks, is_given
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.plans.running_time import RunningTime
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.status import reason_phrase
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.errors import StoreError

# What the engines say of a run that has come to its end by itself.
_ENDS = {480: Code.PLAN_ENDED, 500: Code.PLAN_FAILED}

#: What a run comes to.
_Ended: TypeAlias = Answered | Delivered | Refused | Again
#: What a host call comes to: a value to go on with, or the end of the run.
_Outcome: TypeAlias = Value | HostError | _Ended
HostFunction: TypeAlias = Callable[[Mapping[str, Value]], Awaitable[_Outcome]]


class Execution:
    """
    One run of a dialplan.
    """

    def __init__(self, around: Surroundings, story: Story) -> None:
        self._clock = around.clock
        self._story = story
        self._audience = around.audience
        self._functions = around.functions
        self._legs = around.budget
        # None of what it makes leads back here: so that a run goes when it is over, and
        # nobody has to find a cycle.
        self._step = partial(around.audience.stepped, story)
        self._time = RunningTime(self._clock.seconds())
        self._guest = Guest(
            account=story.account,
            plan=story.plan,
            request=story.request,
            situation=story.situation,
            lookup=around.lookup_for(story.account),
            note=self._step,
        )
        make_run = partial(Execution, around)
        self._dials = Dials(around, story, self._guest, self._time, make_run)
        self._others: Mapping[str, HostFunction] | None = None
        self._waiting: Run | None = None  # for a dial
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
        return self._dials.leases

    @property
    def state(self) -> RunState | None:
        """
        What another process needs to go on with it, as it waits for its last dial.

        None: it has not come to one, or cannot go on elsewhere.
        """
        run, guest, dials = self._waiting, self._guest, self._dials
        dumped = run.dump() if isinstance(run, LastingRun) else None
        if dumped is None:
            return self._last_state
        self._last_state = RunState(
            run=dumped,
            taken=self._time.taken(self._clock.seconds()),
            own=self._time.own,
            legs=self._legs.left,
            used=dict(guest.used),
            fields=dict(guest.dress.fields),
            from_parts=guest.dress.from_parts,
            content=guest.dress.content,
            may_run_again=dials.may_run_again,
            redirect="" if dials.redirect is None else str(dials.redirect),
            inner=dials.dump(),
        )
        return self._last_state

    def stop(self) -> None:
        """
        End the dial that is under way; nobody wants an answer any more.
        """
        self._dials.stop()

    # The run

    async def _conclude(
        self, running: Awaitable[_Ended]
    ) -> Answered | Delivered | Refused:
        try:
            result = await running
            if isinstance(result, Again):
                result = await self._begin(self._redirected())
        except StoreError:
            return Refused(Code.STORE_AWAY)
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
        assert not isinstance(result, Again)  # once is enough
        return result

    def _redirected(self) -> PlanRequest:
        where = self._dials.redirect
        uri = "" if where is None else str(where)
        return replace(self._story.request, redirect_uri=uri)

    async def _begin(self, request: PlanRequest) -> _Ended:
        plan, begun = self._story.plan, self._clock.seconds()
        run, step = await plan.engine.start(plan.script, request)
        return await self._go_on(run, step, begun)

    async def _resume(self, state: RunState, failed: NotAnswered) -> _Ended:
        engine, begun = self._story.plan.engine, self._clock.seconds()
        self._time.go_on(begun, state.taken, state.own)
        if not self._time.left(begun):
            return Refused(Code.PLAN_TIME)
        guest, dials = self._guest, self._dials
        dials.may_run_again = state.may_run_again
        guest.used.update(state.used)
        guest.dress.fields.update(state.fields)
        guest.dress.from_parts = state.from_parts
        guest.dress.content = state.content
        if state.redirect:
            dials.redirect = SIPURI.parse(state.redirect)
        if not isinstance(engine, LastingEngine):
            raise SnapshotError("its engine keeps nothing")
        run = engine.restore(state.run, self._redirected())
        self._last_state, self._waiting = state, run
        value = await dials.resume(state.inner, failed)
        self._waiting = None
        if isinstance(value, Answered | Delivered | Refused | Again):
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
            if isinstance(value, Answered | Delivered | Refused | Again):
                return value
            begun = self._clock.seconds()
            step = await run.resume(value)

    async def _host(self, name: str, arguments: Mapping[str, Value]) -> _Outcome:
        match name:
            case "dial":
                return await self._dials.dial(arguments)
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
        if not isinstance(value, Answered | Delivered | Refused | Again):
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
        failed, code = self._dials.failed, self._dials.code
        if failed is not None and (failed.status, failed.reason) == (status, reason):
            if status < 400:
                # Where it leads the dialplan has not said, and alone it is of no use.
                return Refused(code, reason, 480)
            return Refused(code, reason, status, failed.fields)
        code = _ENDS.get(status, Code.PLAN_REFUSED)
        return Refused(code, reason or reason_phrase(status), status)

    # What a dialplan can ask for

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
