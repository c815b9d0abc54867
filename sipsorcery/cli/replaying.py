"""
Telling what a new version of a dialplan would do with the calls of the old one.
"""

from __future__ import annotations

import dataclasses

from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.simulation.attempt import Attempt
from sipsorcery.appserver.simulation.replay import (
    MAX_RECORDS,
    Difference,
    PastCall,
    compare,
    past_calls,
)
from sipsorcery.cli import tables
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session
from sipsorcery.cli.stage import Stage, open_stage
from sipsorcery.store.directory import Dialplan


async def replay(session: Session, new: Dialplan, count: int) -> None:
    """
    Make the last calls of a dialplan once more, and print what would differ.

    Each is simulated twice: by the version in force, and by the new one.

    :param new: has the tables of the version in force, whatever it says.
    :param count: how many calls.
    :raises Refused: if there is no version in force.
    """
    async with open_stage(session) as stage:
        old = await stage.backdrop.plan(new.owner, new.name)
        if old is None:
            raise Refused(
                f"'{tables.printable(new.owner)}' has no dialplan "
                f"'{tables.printable(new.name)}' whose calls could be made again"
            )
        new = dataclasses.replace(new, options=old.options)
        cdrs = stage.directory.of(new.owner).cdrs
        found = await cdrs.recent(dialplan=old.name, limit=count * MAX_RECORDS)
        calls = past_calls(found, count)
        differing = 0
        for call in calls:
            differences = await _differences(stage, call, old, new)
            differing += bool(differences)
            _show(call, differences)
    print(f"{differing} of {len(calls)} calls would differ")


async def _differences(
    stage: Stage, call: PastCall, old: Dialplan, new: Dialplan
) -> list[Difference]:
    username, _, domain = call.account.rpartition("@")
    account = await stage.backdrop.find(username, domain)
    if account is None:
        return []  # it is gone, and nobody calls it or by it any more
    try:
        traces = [
            await stage.simulate(
                Attempt.of(
                    account,
                    call.direction,
                    version.name,
                    to=call.to,
                    sender=call.sender,
                    tried=version,
                ),
                call.world,
            )
            for version in (old, new)
        ]
    except AppServerError as error:
        # A stranger's address may be one that nobody could dial.
        return [Difference("call", "as it was", f"cannot be made again: {error}")]
    return compare(*traces)


def _show(call: PastCall, differences: list[Difference]) -> None:
    if not differences:
        return
    began = call.began.astimezone()
    heading = f"{began:%Y-%m-%d %H:%M:%S} {call.sender} calls {call.to}"
    print(tables.printable(heading))
    for each in differences:
        text = f"{each.what}: {each.before} -> {each.after}"
        print(f"    {tables.printable(text)}")
