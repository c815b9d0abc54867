"""
The calls of an owner that are going on, in whichever process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.store.dialogues import DIALOGUES, Dialogue
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.live import LiveReader

# Calls that are listed: many more than anybody has.
_LISTED = 100


class CurrentFunctions:
    """
    Tells of established calls.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self, live: LiveReader, clock: Callable[[], float] = time.time
    ) -> None:
        self._live = live
        self._clock = clock

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {
            "get_current_call_count": partial(self._count, guest),
            "get_current_calls": partial(self._list, guest),
        }

    async def _count(self, guest: Guest, arguments: Arguments) -> Value:
        return await self._live.count(DIALOGUES.name, guest.owner)

    async def _list(self, guest: Guest, arguments: Arguments) -> Value:
        found: list[Value] = []
        async for record in self._live.scan(DIALOGUES.name, guest.owner):
            found.append(self._describe(DIALOGUES.read(record)))
            if len(found) >= _LISTED:
                break
        return found

    def _describe(self, dialogue: Dialogue) -> Mapping[str, Value]:
        is_in = dialogue.direction is Direction.IN
        caller, callee = dialogue.legs
        return {
            "id": dialogue.id,
            "remote": _uri((caller if is_in else callee).dialog.remote),
            "destination": _uri(caller.dialog.local),
            "direction": "in" if is_in else "out",
            "seconds": max(0, int(self._clock() - dialogue.answered)),
        }


def _uri(address: str) -> str:
    try:
        return str(Address.parse(address).uri)
    except ParseError:
        return address
