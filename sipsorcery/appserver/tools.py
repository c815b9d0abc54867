"""
What calls work with, once for each server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.admission import Admission
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.calls import Calls
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.contacting import Contacts
from sipsorcery.appserver.calls.legs import CallLeg, Errand, Listener
from sipsorcery.appserver.calls.placing import Office
from sipsorcery.appserver.dial.dialling import Budget
from sipsorcery.appserver.dial.resolution import Lookup, Target
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.hosting.guest import Functions, no_functions
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.plans.story import Audience, Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.records.cdr_writer import CDRWriter
from sipsorcery.appserver.records.claiming import Claims
from sipsorcery.appserver.records.records import Records
from sipsorcery.appserver.records.ringing import RingingRecords
from sipsorcery.appserver.trace_owners import TraceOwners
from sipsorcery.store.directory import Account
from sipsorcery.ua import ServerCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """
    What a call is made with.

    :ivar now: gives the seconds since the epoch.
    :ivar owners: tell whose the traces of calls are.
    :ivar lookup_for: gives what finds the things of an account's owner.
    :ivar make_leg: makes a leg to a phone or server.
    :ivar make_bridge: makes what relays between the sessions of a call.
    :ivar public: our address as those outside see it; "": the one that we have.
    :ivar connections: the established calls.
    :ivar records: stores them.
    :ivar ringing: stores those that ring.
    :ivar contacts: makes the Contact that a caller reaches us by.
    :ivar outside: counts the calls that leave the service; None: nobody does.
    :ivar functions: what dialplans can ask for beside calls and responses.
    :ivar replace: puts a caller in the place of a party of another call; is given the
        leg that it becomes, and the user that it has proved to be of.
    """

    clock: IReactorTime
    now: Callable[[], float]
    calls: Calls
    admission: Admission
    claims: Claims
    plans: Plans
    events: Events
    owners: TraceOwners
    lookup_for: Callable[[Account], Lookup]
    make_leg: Callable[[Target, Listener, Errand], CallLeg]
    make_bridge: Callable[[Connection], Bridge]
    public: str = ""
    connections: Connections
    records: Records
    ringing: RingingRecords
    cdrs: CDRWriter
    contacts: Contacts
    replace: Callable[[ServerCall, Side, str], Awaitable[None]]
    functions: Functions = no_functions
    outside: OutsideCalls | None = None

    @property
    def office(self) -> Office:
        """
        What calls are made with that nobody has called us for.
        """
        return Office(
            plans=self.plans,
            events=self.events,
            lookup_for=self.lookup_for,
            execution=self.execution,
            make_leg=self.make_leg,
            cdrs=self.cdrs,
        )

    def execution(self, story: Story, budget: Budget, audience: Audience) -> Execution:
        """
        Make a run of a dialplan.
        """
        self.events.counters.runs += 1
        around = Surroundings(
            self.clock,
            self.plans,
            self.lookup_for,
            budget,
            audience,
            self.functions,
            self.outside,
        )
        return Execution(around, story)
