"""
What all runs of dialplans of one call have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.dial.dialling import Budget
from sipsorcery.appserver.dial.resolution import Lookup
from sipsorcery.appserver.hosting.guest import Functions, no_functions
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.plans.story import Audience
from sipsorcery.store.directory import Account


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What a run works with.

    :ivar lookup_for: gives what finds the things of an account's owner.
    :ivar budget: of the whole call.
    :ivar functions: what a dialplan can ask for beside calls and responses.
    :ivar outside: counts the calls that leave the service; None: nobody does.
    """

    clock: IReactorTime
    plans: Plans
    lookup_for: Callable[[Account], Lookup]
    budget: Budget
    audience: Audience
    functions: Functions = no_functions
    outside: OutsideCalls | None = None
