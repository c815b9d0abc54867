"""
How the console asks the servers, be they in its process or in others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sipsorcery.console.errors import Refused
from sipsorcery.console.servers import Listing
from sipsorcery.control import ControlError, ask
from sipsorcery.control.naming import instances, servers
from sipsorcery.control.several import Answers, ask_all
from sipsorcery.store.bindings import BINDINGS
from sipsorcery.store.live import LiveReader

# Registrations in one answer: whoever has more asks for those of a user.
_MAX_ROWS = 10_000


class ControlledServers:
    """
    Asks the servers on their control sockets, and the live state.

    :param reactor: has sockets and time.
    :param data_dir: in which the sockets are.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        reactor: Any,
        data_dir: Path,
        reader: LiveReader,
        clock: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._data_dir = data_dir
        self._reader = reader
        self._clock = clock

    async def calls(self) -> Listing:
        """
        Give the calls of every application server.
        """
        answers = await self._ask_all("appserver", "calls")
        rows = [row for answer in answers.given.values() for row in answer]
        return Listing(rows, answers.complaint)

    async def hang_up(self, call: str) -> bool:
        """
        End a call, wherever it is.
        """
        answers = await self._ask_all("appserver", "hangup", call=call)
        if any(answers.given.values()):
            return True
        if answers.missing:
            raise Refused(answers.complaint)
        return False

    async def registrations(self, owner: str | None) -> list[dict[str, Any]]:
        """
        Give where phones are.
        """
        now = self._clock()
        rows: list[dict[str, Any]] = []
        async for record in self._reader.scan(BINDINGS.name, owner):
            rows += [
                {
                    "aor": record.key,
                    "contact": binding.contact,
                    "expires": max(0, math.ceil(binding.expiry - now)),
                    "received": binding.received,
                    "user_agent": binding.user_agent,
                    "owner": record.owner,
                }
                for binding in BINDINGS.read(record).current(now)
            ]
            if len(rows) >= _MAX_ROWS:
                break
        return rows

    async def status(self) -> Listing:
        """
        Give what each server that runs tells of itself.
        """
        names = servers(self._data_dir)
        answers = await ask_all(self._reactor, self._data_dir, names, "status")
        return Listing(list(answers.given.values()), answers.complaint)

    async def bans(self) -> list[dict[str, Any]]:
        """
        Give who is banned at the proxy.
        """
        found: list[dict[str, Any]] = await self._ask("proxy", "bans")
        return found

    async def ban(self, address: str, seconds: float | None) -> str:
        """
        Ban an address at the proxy.
        """
        source = await self._ask("proxy", "ban", address=address, seconds=seconds)
        if source is None:
            raise Refused(f"{address} is in limits.allow and never banned")
        return str(source)

    async def unban(self, address: str) -> bool:
        """
        Lift a ban at the proxy.
        """
        return bool(await self._ask("proxy", "unban", address=address))

    async def dispatch(self) -> list[dict[str, Any]]:
        """
        Give where the proxy sends calls.
        """
        found: list[dict[str, Any]] = await self._ask("proxy", "dispatch")
        return found

    async def workers(self) -> list[dict[str, Any]]:
        """
        Give what the watchtower does.
        """
        found: list[dict[str, Any]] = await self._ask("watchtower", "workers")
        return found

    async def _ask(self, role: str, verb: str, **arguments: Any) -> Any:
        try:
            return await ask(self._reactor, self._data_dir, role, verb, **arguments)
        except ControlError as error:
            raise Refused(str(error)) from error

    async def _ask_all(self, role: str, verb: str, **arguments: Any) -> Answers:
        names = instances(self._data_dir, role)
        return await ask_all(self._reactor, self._data_dir, names, verb, **arguments)
