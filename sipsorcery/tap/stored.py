"""
What a process tells of its stores.
"""

from __future__ import annotations

from collections.abc import Mapping

from sipsorcery.monitor.readiness import Check
from sipsorcery.store.bindings import BINDINGS
from sipsorcery.store.claims import CLAIMS
from sipsorcery.store.dialogues import ALIASES, DIALOGUES
from sipsorcery.store.errors import StoreError
from sipsorcery.store.outside_calls import BEGUN_CALLS, OUTSIDE_CALLS
from sipsorcery.store.ringing import RINGING
from sipsorcery.store.servers import SERVERS
from sipsorcery.tap.stores import Stores

# One that nobody has (RFC 2606): what counts is that there is an answer.
_NOBODY = "ready.invalid"

_KINDS = (
    *(BINDINGS, DIALOGUES, ALIASES, RINGING, CLAIMS),
    *(OUTSIDE_CALLS, BEGUN_CALLS, SERVERS),
)


class Stored:
    """
    Asks the stores whether they answer, and what is in them.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def checks(self) -> Mapping[str, Check]:
        """
        Give what has to be so before the process is ready.
        """
        return {"directory": self._directory, "live state": self._live}

    async def tables(self) -> dict[str, int]:
        """
        Count the live records, those of all servers.

        While the store is away whoever looks sees which are missing.
        """
        tables: dict[str, int] = {}
        try:
            for kind in _KINDS:
                entries = await self._stores.reader.count(kind.name)
                tables[f"{kind.name.replace('-', '_')}_records"] = entries
        except StoreError:
            pass
        return tables

    async def _directory(self) -> str | None:
        await self._stores.directory.everyone.domains.find(_NOBODY)
        return None

    async def _live(self) -> str | None:
        await self._stores.reader.get(BINDINGS.name, _NOBODY)
        return None
