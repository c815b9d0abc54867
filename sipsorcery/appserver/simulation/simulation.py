"""
One simulated call: the server's own run of a dialplan, in a world that is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from sipsorcery.appserver.calls.legs import CallLeg, Listener
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.core import host_of, user_of
from sipsorcery.appserver.dial.dial_arguments import dial_string_of
from sipsorcery.appserver.dial.dial_string import MAX_LEGS
from sipsorcery.appserver.dial.dialling import Answered, Budget
from sipsorcery.appserver.dial.resolution import Situation, Target, resolve
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.appserver.limits.allowance import Allowance
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.limits.tolls import ANYWHERE, TollPolicy
from sipsorcery.appserver.plans.engine import Engine, HostCall, PlanRequest
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.plans import Plan, Plans
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.plans.time_zone import find_zone
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.simulation.attempt import Attempt
from sipsorcery.appserver.simulation.backdrop import Backdrop
from sipsorcery.appserver.simulation.errors import SimulationError
from sipsorcery.appserver.simulation.functions import Kept, make_functions
from sipsorcery.appserver.simulation.journal import Journal, JournalledEngine
from sipsorcery.appserver.simulation.moment import read_moment
from sipsorcery.appserver.simulation.scene import Scene
from sipsorcery.appserver.simulation.scripted_leg import ScriptedLeg
from sipsorcery.appserver.simulation.trace import Answer, Email, Trace
from sipsorcery.appserver.simulation.world import World
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Language
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Session

# "SHOULD be 70" of a request that nobody has sent before (RFC 3261, 8.1.1.6).
_HOPS = 70
# What the dialplan says itself, and so need not be said once more beside it.
_KNOWN = ("dials ", "responds ", "says ", "nobody has answered")

#: Makes the engines, given what tells them the time.
MakeEngines = Callable[[Callable[[], float]], Mapping[Language, Engine]]


class Simulation:
    """
    Simulates one call.

    :param now: seconds since the epoch: when it is, if the world does not say.
    :raises WorldError: if the world has faults.
    """

    def __init__(
        self,
        attempt: Attempt,
        world: World,
        backdrop: Backdrop,
        make_engines: MakeEngines,
        now: float,
    ) -> None:
        self._attempt = attempt
        self._world = world = world.checked()
        self._backdrop = backdrop
        self._make_engines = make_engines
        self._wall = now
        self._clock = Clock()
        self._scene = Scene(
            world, backdrop, attempt.account, attempt.tried, self._clock.seconds
        )
        self._started = 0.0
        self._journal = Journal(self._elapsed, self._foresee)
        self._emails: list[Email] = []
        self._answering: frozenset[tuple[str, str]] = frozenset()

    async def run(self) -> Trace:
        """
        Simulate the call to its final answer.

        :raises WorldError: if the time of the world is none.
        :raises SimulationError: if it never comes.
        :raises StoreError: if what there is cannot be told.
        """
        owner = self._attempt.account.owner
        zone = find_zone(await self._scene.time_zone(owner))
        self._started = read_moment(self._world.at, zone, self._wall)
        self._clock.rightNow = self._started
        kept = Kept(self._backdrop, owner)
        kept.changed.update(
            {(owner, key): value for key, value in self._world.values.items()}
        )
        answer = await self._answer(kept)
        self._journal.close(self._answering if answer.status < 300 else ())
        return Trace(
            answer=answer,
            steps=self._journal.steps,
            emails=self._emails,
            values=kept.all(),
            started=self._started,
            lasted=self._elapsed(),
        )

    # What the run tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response of a leg, which the leg has told itself.
        """

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a provisional response of the dialplan, which is a step.
        """

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what the dialplan does.
        """
        if not text.startswith(_KNOWN):
            self._journal.note(story.plan.key, text)

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """
        behaviour = self._scene.behaviour_of(target.to, target.uri)

        def told(text: str) -> None:
            self._journal.note(story.plan.key, text)
            if behaviour.status < 300 and text.endswith(" answers"):
                self._answering = story.before

        return ScriptedLeg(self._clock, behaviour, target, listener, told)

    # Inside

    async def _answer(self, kept: Kept) -> Answer:
        engines = {
            language: JournalledEngine(engine, self._journal)
            for language, engine in self._make_engines(self._clock.seconds).items()
        }
        plans = Plans(cast(Configured, self._scene), engines)
        try:
            if self._attempt.account.disabled is not None:
                raise Refused(Code.ACCOUNT_DISABLED)
            plan = await self._plan(plans)
        except Refused as refused:
            return Answer(refused.status, refused.phrase)
        functions = make_functions(
            self._clock, self._world, self._scene, kept, self._emails
        )
        around = Surroundings(
            self._clock,
            plans,
            self._scene.lookup,
            Budget(MAX_LEGS),
            self,
            functions,
            cast(OutsideCalls, _Outside(self._scene)),
        )
        execution = Execution(around, self._story(plan))
        try:
            result = await self._pass_time(execution)
        except CancelledError:
            return Answer(487, "Request Terminated")  # the caller has hung up
        if isinstance(result, Answered):
            return Answer(200, "OK")
        return Answer(result.status, result.phrase)

    async def _plan(self, plans: Plans) -> Plan:
        attempt = self._attempt
        if attempt.plan:
            return await plans.named(attempt.account.owner, attempt.plan)
        host = host_of(attempt.to)
        called = await self._scene.domain(host) if host else None
        return await plans.of(attempt.account, attempt.direction, called)

    async def _pass_time(self, execution: Execution) -> Answered | Refused:
        """
        Let time pass whenever nothing is left to do.
        """
        running = Deferred.fromCoroutine(execution.run())
        if self._world.gives_up:
            self._clock.callLater(self._world.gives_up, _hang_up, execution, running)
        while not running.called:
            if self._backdrop.is_busy:
                await self._backdrop.rest()
                continue
            due = self._clock.getDelayedCalls()
            if not due:
                running.cancel()
                raise SimulationError("the dialplan waits for what never comes")
            first = min(each.getTime() for each in due)
            self._clock.advance(max(0.0, first - self._clock.seconds()))
        result = await running
        assert isinstance(result, Answered | Refused)  # it is a call that is simulated
        return result

    def _story(self, plan: Plan) -> Story:
        attempt, account = self._attempt, self._attempt.account
        uri = attempt.sender.uri
        sender = uri if isinstance(uri, SIPURI) else None
        caller = Caller(
            user_of(attempt.to),
            attempt.sender.display_name or "",
            user_of(uri),
            "" if sender is None else sender.host,
        )
        is_out = attempt.direction is Direction.OUT
        request = PlanRequest(
            caller=caller,
            direction=str(attempt.direction),
            owner=plan.owner,
            account=f"{account.username}@{account.domain}",
            plan=plan.name,
            uri=str(attempt.to),
            fields=(
                ("From", str(attempt.sender)),
                ("To", f"<{attempt.to}>"),
                ("Call-ID", "simulated"),
            ),
            time_zone=plan.time_zone,
        )
        return Story(
            account=account,
            plan=plan,
            direction=attempt.direction,
            caller=caller,
            sender=sender,
            network_id=account.network_id if is_out else "",
            hops=_HOPS,
            before=frozenset({plan.key}),
            request=request,
        )

    async def _foresee(self, request: PlanRequest, call: HostCall) -> tuple[str, ...]:
        """
        Tell whom a dial leads to, be they registered or not.
        """
        try:
            dial_string = dial_string_of(call.arguments)
        except DialStringError:
            return ()
        username, _, domain = request.account.rpartition("@")
        account = await self._scene.find(username, domain) or self._attempt.account
        resolved = await resolve(
            dial_string,
            Situation(request.caller, plan=(request.owner, request.plan)),
            self._scene.lookup(account, foresees=True),
        )
        targets = (str(each.to) for stage in resolved.stages for each in stage)
        return tuple(dict.fromkeys(targets))  # an account with two phones is one

    def _elapsed(self) -> float:
        return round(self._clock.seconds() - self._started, 3)


@dataclass(frozen=True, slots=True)
class _Outside:
    """
    Lets nobody call what they may not; there is no other call.
    """

    scene: Scene

    async def allowance(self, owner: str) -> Allowance:
        return await self.scene.allowance(owner) or _ANYTHING

    async def begin(
        self, owner: str, allowance: Allowance
    ) -> Callable[[], None] | None:
        return None

    def tell(self, owner: str, refused: Refused) -> None:
        pass


_ANYTHING = Allowance(tolls=TollPolicy(countries=frozenset({ANYWHERE}), premium=True))


def _hang_up(execution: Execution, running: Deferred[Answered | Refused]) -> None:
    execution.stop()
    running.cancel()
