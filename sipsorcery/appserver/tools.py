"""
What calls work with, once for each server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.admission import Admission
from sipsorcery.appserver.calls import Calls
from sipsorcery.appserver.cdr_writer import CDRWriter
from sipsorcery.appserver.claiming import Claims
from sipsorcery.appserver.connection import Connection, Connections
from sipsorcery.appserver.contacting import Contacts
from sipsorcery.appserver.dialling import Budget
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.execution import Audience, Execution, Story
from sipsorcery.appserver.legs import CallLeg, Errand, Listener
from sipsorcery.appserver.plans import Plans
from sipsorcery.appserver.records import Records
from sipsorcery.appserver.resolution import Lookup, Target
from sipsorcery.store.directory import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """
    What a call is made with.

    :ivar now: gives the seconds since the epoch.
    :ivar lookup_for: gives what finds the things of an account's owner.
    :ivar make_leg: makes a leg to a phone or server.
    :ivar make_bridge: makes what relays between the sessions of a call.
    :ivar connections: the established calls.
    :ivar records: stores them.
    :ivar contacts: makes the Contact that a caller reaches us by.
    """

    clock: IReactorTime
    now: Callable[[], float]
    calls: Calls
    admission: Admission
    claims: Claims
    plans: Plans
    events: Events
    lookup_for: Callable[[Account], Lookup]
    make_leg: Callable[[Target, Listener, Errand], CallLeg]
    make_bridge: Callable[[Connection], object]
    connections: Connections
    records: Records
    cdrs: CDRWriter
    contacts: Contacts

    def execution(self, story: Story, budget: Budget, audience: Audience) -> Execution:
        """
        Make a run of a dialplan.
        """
        return Execution(
            self.clock, self.plans, self.lookup_for, story, budget, audience
        )
