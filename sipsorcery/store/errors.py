"""
The errors of the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipsorcery.store.live.record import Record


class StoreError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.store`; the text is a sentence.
    """


class StoreUnavailable(StoreError):
    """
    Says that the store is away, or too slow to wait for.

    Of a change, this leaves open whether it has been made.
    """


class StoreOverloaded(StoreError):
    """
    Says that too much waits for the store already; nothing was changed.

    A server answers 503 with Retry-After.
    """


class StoreInUse(StoreError):
    """
    Says that another process has the store, which only one can write.
    """


class StoreDamaged(StoreError):
    """
    Says that what lies on the disk cannot be used, and what can be done about it.
    """


class Conflict(StoreError):
    """
    Says that a record is not what the caller took it for; nothing was changed.

    :ivar current: the record as it is now; None if there is none.
    """

    def __init__(self, text: str, current: Record | None) -> None:
        super().__init__(text)
        self.current = current


class InvalidRecord(StoreError):
    """
    Says what is wrong with a record: our own code should not have made it so.
    """


class UnreadableRecord(StoreError):
    """
    Says that the data of a record has a form that this version cannot read.
    """


class Refused(StoreError):
    """
    Says which rule of the directory a change would break; nothing was changed.
    """


class NotFound(Refused):
    """
    Says what is not there, or not the caller's to see.
    """
