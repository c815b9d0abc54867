"""
What every server answers to a command that has changed an account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sipsorcery.control import ControlError, Verb
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind


def of_account_changes(
    role: str, bus: Bus, clock: Callable[[], float] = time.time
) -> Mapping[str, Verb]:
    """
    Give the verb ``account_changed``, which tells the owner.

    :param clock: gives the seconds since the epoch.
    """

    def account_changed(aor: str, owner: str, removed: bool) -> None:
        if not isinstance(aor, str) or not isinstance(owner, str):
            raise ControlError("an account and its owner are texts")
        kind = EventKind.ACCOUNT_REMOVED if removed else EventKind.ACCOUNT_UPDATED
        done = "removed" if removed else "added or changed"
        bus.emit(
            Event(
                time=clock(),
                server=role,
                kind=kind,
                owner=owner,
                message=f"the account {aor} was {done}",
                detail={"aor": aor},
            )
        )

    return {"account_changed": account_changed}
