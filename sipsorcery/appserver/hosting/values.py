"""
What dialplans keep from one call to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import HostError, Value
from sipsorcery.store.directory import Directory
from sipsorcery.store.directory.settings import Values

#: Times that a run reads, writes or lists: each asks a database that all share.
MAX_USES = 100
# Keys that are listed: as many as a list can have that a dialplan gets.
_LISTED = 1000


class ValueFunctions:
    """
    Keeps values for the dialplans of each owner.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {
            "db_read": partial(self._read, guest),
            "db_write": partial(self._write, guest),
            "db_delete": partial(self._delete, guest),
            "db_get_keys": partial(self._keys, guest),
        }

    async def _read(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        if (values := self._of(guest)) is None:
            return _TOO_OFTEN
        return await values.get(text(arguments, "key"))

    async def _write(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        if (values := self._of(guest)) is None:
            return _TOO_OFTEN
        await values.put(text(arguments, "key"), text(arguments, "value"))
        return None

    async def _delete(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        if (values := self._of(guest)) is None:
            return _TOO_OFTEN
        await values.remove(text(arguments, "key"))
        return None

    async def _keys(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        if (values := self._of(guest)) is None:
            return _TOO_OFTEN
        return (await values.keys())[:_LISTED]

    def _of(self, guest: Guest) -> Values | None:
        """
        Give the values of the owner; None if the run has had its share.
        """
        if not guest.may_use("db", MAX_USES):
            return None
        return self._directory.of(guest.owner).values


_TOO_OFTEN = HostError(f"a run uses what is kept {MAX_USES} times at most")
