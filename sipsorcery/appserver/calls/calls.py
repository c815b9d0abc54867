"""
Every call that is in progress here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipsorcery.appserver.calls.call import Call

# Calls at a time: as many as the dialogs of the user agent allow for, two each.
_LIMIT = 50_000


class Calls:
    """
    The calls of one server, by their identifiers.

    :ivar limit: how many there may be.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self.limit = limit
        self._calls: dict[str, Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls.values()))

    @property
    def is_full(self) -> bool:
        """
        Whether there is no room for another one.
        """
        return len(self._calls) >= self.limit

    def add(self, call: Call) -> None:
        """
        Take a call up.
        """
        self._calls[call.id] = call

    def remove(self, call: Call) -> None:
        """
        Forget a call that is over.
        """
        self._calls.pop(call.id, None)

    def find(self, id: str) -> Call | None:
        """
        Give a call by its identifier.
        """
        return self._calls.get(id)

    def of(self, owner: str) -> Iterator[Call]:
        """
        Give the calls of a user.
        """
        return (call for call in self if call.chronicle.owner == owner)
