"""
What calls work with, once for each server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.admission import Admission
from sipsorcery.appserver.calls import Calls
from sipsorcery.appserver.claiming import Claims
from sipsorcery.appserver.dialling import Budget
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.execution import Audience, Execution, Story
from sipsorcery.appserver.legs import CallLeg, Listener
from sipsorcery.appserver.plans import Plans
from sipsorcery.appserver.resolution import Lookup, Target
from sipsorcery.store.directory import Account
from sipsorcery.ua import ServerCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """
    What a call is made with.

    :ivar now: gives the seconds since the epoch.
    :ivar lookup_for: gives what finds the things of an account's owner.
    :ivar make_leg: makes a leg to a phone or server.
    """

    clock: IReactorTime
    now: Callable[[], float]
    calls: Calls
    admission: Admission
    claims: Claims
    plans: Plans
    events: Events
    lookup_for: Callable[[Account], Lookup]
    make_leg: Callable[[Target, Listener, str, ServerCall], CallLeg]

    def execution(self, story: Story, budget: Budget, audience: Audience) -> Execution:
        """
        Make a run of a dialplan.
        """
        return Execution(
            self.clock, self.plans, self.lookup_for, story, budget, audience
        )
