"""
Calls that we make in the name of somebody, and not because an INVITE has come.

A transfer makes one for the party that is transferred, a call-back makes two. The
owner's dialplan decides where each goes, as it does for every call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from twisted.internet.defer import CancelledError, Deferred

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.calls.inquiry import Inquiry, LateAnswer
from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Errand, Listener
from sipsorcery.appserver.calls.recorded_leg import RecordedLeg
from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial.dial_string import MAX_LEGS
from sipsorcery.appserver.dial.dialling import Answered, Budget
from sipsorcery.appserver.dial.resolution import Lookup, Target
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.plans.engine import PlanRequest
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.plans import Plan, Plans
from sipsorcery.appserver.plans.story import Audience, Story
from sipsorcery.appserver.records.cdr_writer import CDRWriter, LegCDR
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.monitor.event import EventKind
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Session

# "SHOULD be 70" of a request that nobody has sent before (RFC 3261, 8.1.1.6).
_HOPS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    A call that is to be made.

    :ivar call: the identifier of the call of ours that it belongs to.
    :ivar account: who pays for it.
    :ivar plan: the dialplan that decides, if the owner has one of that name; if not,
        the one that decides about the account's own calls.
    :ivar sender: who calls, as the one who is called sees it.
    :ivar description: what is offered; None: nothing that SDP describes.
    :ivar late_answer: waits for the answer, where whoever is called is to offer.
    :ivar headers: lines to add to every INVITE.
    :ivar is_planned: whether that dialplan alone may decide.
    :ivar fields: what the dialplan sees as the header of a request.
    :ivar run: what the records of all its legs have in common.
    """

    call: str
    account: Account
    target: SIPURI
    plan: str
    sender: Address
    description: SessionDescription | None = None
    late_answer: LateAnswer | None = None
    headers: tuple[str, ...] = ()
    is_planned: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    run: str = field(default_factory=new_identifier)


#: Makes the leg to a target, not started.
MakeLeg: TypeAlias = Callable[[Target, Listener, Errand], CallLeg]
#: Hears a provisional response.
Told: TypeAlias = Callable[[int, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """
    What orders are carried out with.

    :ivar lookup_for: gives what finds the things of an account's owner.
    :ivar execution: makes a run of a dialplan.
    """

    plans: Plans
    events: Events
    lookup_for: Callable[[Account], Lookup]
    execution: Callable[[Story, Budget, Audience], Execution]
    make_leg: MakeLeg
    cdrs: CDRWriter


@dataclass(slots=True)
class Placing:
    """
    One order under way.

    :param told: hears how far it is.

    :ivar cdrs: the call detail records of those who have answered.
    """

    office: Office
    order: Order
    told: Told = lambda status, reason: None
    cdrs: dict[Session, LegCDR] = field(default_factory=dict, init=False)
    _execution: Execution | None = field(default=None, init=False)
    _running: Deferred[Answered | Delivered | Refused] | None = field(
        default=None, init=False
    )

    async def run(self) -> Answered:
        """
        Call until somebody answers.

        :raises Refused: if nobody does.
        """
        story = await self._story()
        self._execution = self.office.execution(story, Budget(MAX_LEGS), self)
        self._running = Deferred.fromCoroutine(self._execution.run())
        try:
            result = await self._running
        except CancelledError:
            raise Refused(Code.NO_CALL, "Request Terminated", 487) from None
        if isinstance(result, Refused):
            raise result
        assert isinstance(result, Answered)  # it is an INVITE that was sent
        return result

    def stop(self) -> None:
        """
        Give up: nobody waits for it any more.
        """
        if self._execution is not None:
            self._execution.stop()
        if self._running is not None:
            self._running.cancel()

    # What the run tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response of a leg.
        """
        if response.status > 100:
            self.told(response.status, response.reason)

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a provisional response that the dialplan has made up.
        """
        if status > 100:
            self.told(status, reason)

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what the dialplan does.
        """
        self.office.events.emit(
            EventKind.DIALPLAN_STEP,
            text,
            call=self.order.call,
            call_id="",
            owner=story.plan.owner,
            plan=story.plan.name,
        )

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """
        recorded = RecordedLeg(
            listener, lambda: self._begin(target, story), self.cdrs.__setitem__
        )
        order = self.order
        errand = Errand(
            call=order.call,
            owner=story.account.owner,
            name=story.caller.name,
            hops=story.hops - 1,
            inquiry=Inquiry(
                description=order.description, late_answer=order.late_answer
            ),
            headers=order.headers,
        )
        return recorded.of(self.office.make_leg(target, recorded, errand))

    # Inside

    def _begin(self, target: Target, story: Story) -> LegCDR:
        name = story.caller.name if target.sender_name is None else target.sender_name
        account, options = story.account, target.options
        return self.office.cdrs.begin(
            owner=account.owner,
            direction=Direction.REDIRECT if target.redirects else Direction.OUT,
            call_id="",  # it is not made yet
            destination=target.uri,
            caller=Address(target.sender, name or None),
            account=account.aor,
            account_code=options.account_code or account.account_code,
            dialplan=story.plan.name,
            dialplan_version=story.plan.version or None,
            run=self.order.run,
        )

    async def _story(self) -> Story:
        order, account = self.order, self.order.account
        plan = await self._plan()
        sender = order.sender.uri
        caller = Caller(
            user_of(order.target),
            order.sender.display_name or "",
            user_of(sender),
            sender.host if isinstance(sender, SIPURI) else "",
        )
        request = PlanRequest(
            caller=caller,
            direction=str(Direction.OUT),
            owner=plan.owner,
            account=f"{account.username}@{account.domain}",
            plan=plan.name,
            uri=str(order.target),
            fields=order.fields,
            time_zone=plan.time_zone,
            body=b"" if order.description is None else bytes(order.description),
        )
        return Story(
            account=account,
            plan=plan,
            direction=Direction.OUT,
            caller=caller,
            sender=sender if isinstance(sender, SIPURI) else None,
            network_id=account.network_id,
            hops=_HOPS,
            before=frozenset({plan.key}),
            request=request,
        )

    async def _plan(self) -> Plan:
        account, plans = self.order.account, self.office.plans
        try:
            return await plans.named(account.owner, self.order.plan)
        except Refused as refused:
            if refused.code is not Code.PLAN_MISSING or self.order.is_planned:
                raise
        called = await self.office.lookup_for(account).domain(self.order.target.host)
        return await plans.of(account, Direction.OUT, called)
