"""
For whom a function works: one run of a dialplan, and what it has done so far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sipsorcery.appserver.dial.resolution import Lookup, Situation
from sipsorcery.appserver.hosting.dress import Dress
from sipsorcery.appserver.plans.engine import HostError, PlanRequest, Value
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.store.directory import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """
    One run of a dialplan.

    :ivar account: the one that calls or is called.
    :ivar lookup: finds the things of the owner.
    :ivar note: writes a line to the owner's monitor.
    :ivar dress: what the dialplan wants said in what it dials.
    :ivar used: how often it has used what it may use a few times only.
    """

    account: Account
    plan: Plan
    request: PlanRequest
    situation: Situation
    lookup: Lookup
    note: Callable[[str], None]
    dress: Dress = field(default_factory=Dress)
    used: Counter[str] = field(default_factory=Counter)

    @property
    def owner(self) -> str:
        """
        The user whose dialplan it is.
        """
        return self.plan.owner

    def may_use(self, name: str, limit: int) -> bool:
        """
        Count a use of something that a run has *limit* times at most.
        """
        self.used[name] += 1
        return self.used[name] <= limit


#: What a function is given: its arguments by name, none that it does not declare.
Arguments: TypeAlias = Mapping[str, Value]
Given: TypeAlias = Value | HostError
HostFunction: TypeAlias = Callable[[Arguments], Awaitable[Given]]
#: Makes the functions of a run, by name.
Functions: TypeAlias = Callable[[Guest], Mapping[str, HostFunction]]


def no_functions(guest: Guest) -> Mapping[str, HostFunction]:
    """
    Offer nothing.
    """
    return {}
