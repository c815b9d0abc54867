"""
Try dialplans: what would happen to a call.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.plans.checking import find_faults
from sipsorcery.appserver.simulation.attempt import Attempt
from sipsorcery.appserver.simulation.backdrop import Void
from sipsorcery.appserver.simulation.engines import Engines
from sipsorcery.appserver.simulation.simulation import Simulation
from sipsorcery.appserver.simulation.trace import Trace
from sipsorcery.appserver.simulation.world import World
from sipsorcery.store.directory import Account, Dialplan, Language
from sipsorcery.store.directory.cdrs import Direction

_T = TypeVar("_T")

_EPOCH = datetime.fromtimestamp(0, UTC)


def simulate(
    plan: str,
    *,
    to: str,
    caller: str = "",
    direction: str = "out",
    account: str = "100@example.com",
    owner: str = "me",
    name: str = "main",
    kind: str = "python",
    world: World = World(),  # noqa: B008 - frozen
) -> Trace:
    """
    Tell what a dialplan would do with a call.

    It needs no reactor and no network, and no time passes.

    :param plan: the text of the dialplan.
    :param to: whom the caller has dialled: a number, ``user@host``, or a URI.
    :param caller: likewise who calls, or a whole From; "": the account, and where the
        account is called, somebody anonymous.
    :param direction: ``out`` for a call of the account, ``in`` for a call to it.
    :param account: ``user@domain``; the domain is served.
    :param owner: the user whose account and dialplan it is.
    :param name: of the dialplan.
    :param kind: ``python``, ``lines`` or ``wizard``.
    :param world: what there is beside, and what everybody does.
    :raises PlanErrors: if the dialplan has faults, as when it is saved.
    :raises WorldError: if the world has.
    """
    language = Language(kind)
    if faults := _faults(language, plan):
        raise PlanErrors(faults)
    username, _, domain = account.removeprefix("sip:").rpartition("@")
    its = Account(
        owner=owner,
        username=username,
        domain=domain.lower(),
        created=_EPOCH,
        updated=_EPOCH,
    )
    tried = Dialplan(
        owner=owner,
        name=name,
        kind=language,
        script=plan,
        created=_EPOCH,
        updated=_EPOCH,
    )
    attempt = Attempt.of(
        its, Direction(direction), name, to=to, sender=caller, tried=tried
    )
    simulation = Simulation(attempt, world, Void(), _engines().make, time.time())
    return _result(simulation.run())


@cache
def _engines() -> Engines:
    """
    Make the engines of this process.
    """
    engines = Engines()
    atexit.register(engines.stop)
    return engines


# A test file tries the same dialplan with many calls, and a few others beside.
@lru_cache(maxsize=32)
def _faults(kind: Language, plan: str) -> Sequence[tuple[int, str]]:
    return find_faults(kind, plan)


def _result(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """
    Run what never waits for anything that is real.
    """
    results: list[Any] = []
    running = Deferred.fromCoroutine(coroutine)
    running.addCallback(results.append)
    errors: list[Any] = []
    running.addErrback(errors.append)
    if errors:
        errors[0].raiseException()
    result: _T = results[0]
    return result
