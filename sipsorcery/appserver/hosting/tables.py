"""
The tables that an owner has set up for their dialplans.

Those of one dialplan are its options; the setting ``lookup`` of the owner holds those
of all. Where both have a table, what the dialplan's own says counts, entry by entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import Value

#: The setting that holds the tables for all dialplans of an owner.
SETTING = "lookup"

# Functions by the table that each looks into: a mapping, or a list.
_MAPPINGS = {
    "lookup.speed_dial": ("speed_dials", "key"),
    "lookup.caller_name": ("caller_names", "number"),
    "lookup.enum": ("enum", "number"),
    "lookup.option": ("options", "name"),
}
_LISTS = {
    "lookup.excluded_prefixes": "excluded_prefixes",
    "lookup.allowed_countries": "allowed_countries",
    "lookup.enum_servers": "enum_servers",
}
# Entries of a list that a dialplan gets.
_LISTED = 1000


class TableFunctions:
    """
    Looks into the tables of owners.
    """

    def __init__(self, configured: Configured) -> None:
        self._configured = configured

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        tables = _Tables(guest, self._configured)
        return {
            **{
                name: partial(tables.find, table, argument)
                for name, (table, argument) in _MAPPINGS.items()
            },
            **{name: partial(tables.list, table) for name, table in _LISTS.items()},
        }


class _Tables:
    """
    The tables of one run; those for all dialplans are read when they are needed.
    """

    def __init__(self, guest: Guest, configured: Configured) -> None:
        self._guest = guest
        self._configured = configured
        self._shared: Mapping[str, Any] | None = None

    async def find(self, table: str, argument: str, arguments: Arguments) -> Value:
        """
        Give an entry of a mapping.
        """
        key = text(arguments, argument)
        for tables in (self._guest.plan.options, await self._all()):
            entries = tables.get(table)
            if isinstance(entries, Mapping) and key in entries:
                return _as_text(entries[key])
        return None

    async def list(self, table: str, arguments: Arguments) -> Value:
        """
        Give a list.
        """
        for tables in (self._guest.plan.options, await self._all()):
            entries = tables.get(table)
            if isinstance(entries, Sequence) and not isinstance(entries, str):
                return [str(each) for each in entries[:_LISTED]]
        return []

    async def _all(self) -> Mapping[str, Any]:
        if self._shared is None:
            found = await self._configured.setting(self._guest.owner, SETTING)
            self._shared = found if isinstance(found, Mapping) else {}
        return self._shared


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)
