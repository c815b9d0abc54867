"""
What a simulation needs of a service: its directory and its live state, to look at.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from sipsorcery.access.accounts import Accounts
from sipsorcery.appserver.simulation.attempt import Attempt
from sipsorcery.appserver.simulation.backdrop import ServiceBackdrop
from sipsorcery.appserver.simulation.engines import Engines
from sipsorcery.appserver.simulation.simulation import Simulation
from sipsorcery.appserver.simulation.trace import Trace
from sipsorcery.appserver.simulation.world import World
from sipsorcery.cli import tables
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session
from sipsorcery.store.directory import Account, Directory
from sipsorcery.store.directory.cdrs import Direction


@dataclass(frozen=True, slots=True)
class Stage:
    """
    Where calls are simulated.
    """

    directory: Directory
    backdrop: ServiceBackdrop
    engines: Engines

    async def simulate(self, attempt: Attempt, world: World) -> Trace:
        """
        Simulate a call.

        :raises AppServerError: if it cannot be simulated.
        """
        make, now = self.engines.make, time.time()
        return await Simulation(attempt, world, self.backdrop, make, now).run()

    async def account(
        self, owner: str, plan: str, direction: Direction, *candidates: str
    ) -> Account:
        """
        Find the account of a user that would make a call, or get it.

        :param candidates: who it may be, as people write it; else it is the first one
            that has the dialplan, else the first one.
        :raises Refused: if there is no such user, or no account.
        """
        if await self.directory.everyone.users.find(owner) is None:
            raise Refused(f"there is no user '{tables.printable(owner)}'")
        accounts = await self.directory.of(owner).accounts.all()
        if not accounts:
            raise Refused(f"'{tables.printable(owner)}' has no account to call with")
        for each in accounts:
            names = {each.aor.lower(), each.aor[4:].lower(), each.username.lower()}
            if any(one.lower() in names for one in candidates if one):
                return each
        return _with_plan(accounts, plan, direction)


@asynccontextmanager
async def open_stage(session: Session) -> AsyncIterator[Stage]:
    """
    Open the stores, beside a server that runs or without one.
    """
    config, reactor = session.config, session.reactor
    with ExitStack() as opened:
        engines = Engines(config.appserver.turn_seconds)
        opened.callback(engines.stop)
        async with session.live() as live, session.directory() as directory:
            accounts = Accounts(directory, config, reactor)
            backdrop = ServiceBackdrop(
                reactor, directory, accounts, live, config.limits
            )
            yield Stage(directory, backdrop, engines)


def _with_plan(accounts: Sequence[Account], plan: str, direction: Direction) -> Account:
    for each in accounts:
        name = (
            each.out_dialplan if direction is Direction.OUT else each.in_dialplan
        ) or ""
        if name.lower() == plan.lower():
            return each
    return accounts[0]
