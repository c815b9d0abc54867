"""
What a run of a dialplan is about, and who hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from sipsorcery.appserver.calls.legs import CallLeg, Listener
from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial.resolution import Situation, Target
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.plans.engine import PlanRequest
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Session

#: Dialplans of callees that a call passes here, one behind the other: what a company
#: has whose departments forward to each other, several times over.
MAX_PLANS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    What a dialplan decides about.

    :ivar account: whose dialplan it is: the one that calls or is called.
    :ivar sender: the URI of From.
    :ivar name: the display name of From.
    :ivar before: the dialplans that run for this call already, this one among them.
    :ivar hops: how many more it may take, by proxies and dialplans.
    :ivar request: what engines are told of the INVITE.
    """

    account: Account
    plan: Plan
    direction: Direction
    caller: Caller
    sender: SIPURI | None
    network_id: str
    hops: int
    before: frozenset[tuple[str, str]]
    request: PlanRequest

    @property
    def situation(self) -> Situation:
        """
        What resolving a dial string needs of it.
        """
        return Situation(self.caller, self.sender, self.network_id, self.plan.key)


class Audience(Protocol):
    """
    Hears how far a run has come, and makes the legs to phones.
    """

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response of a leg.
        """

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a provisional response that the dialplan has made up.
        """

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what the dialplan does, in a sentence for its owner.
        """

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """


def within(story: Story, target: Target, plan: Plan) -> Story:
    """
    Tell the story of a call for the dialplan of a callee.

    :raises Refused: if that runs for this call already, or too many do.
    """
    account = target.account
    assert account is not None  # a dialplan is somebody's
    if plan.key in story.before or len(story.before) >= MAX_PLANS:
        raise Refused(Code.LOOP)
    sender = target.sender
    name = story.caller.name if target.sender_name is None else target.sender_name
    caller = Caller(user_of(target.uri), name, user_of(sender), sender.host)
    return Story(
        account=account,
        plan=plan,
        direction=Direction.IN,
        caller=caller,
        sender=sender,
        network_id=story.network_id,
        hops=story.hops - 1,
        before=story.before | {plan.key},
        request=replace(
            story.request,
            caller=caller,
            direction=str(Direction.IN),
            owner=plan.owner,
            account=f"{account.username}@{account.domain}",
            plan=plan.name,
            uri=str(target.uri),
            time_zone=plan.time_zone,
        ),
    )
