"""
Waiting for a reader, so that one who does not read costs nobody anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred


class Room:
    """
    Whether there is room for more output; those who write wait for it.

    :param reactor: has time.
    :param is_free: tells whether there is.
    """

    def __init__(self, reactor: Any, is_free: Callable[[], bool]) -> None:
        self._reactor = reactor
        self._is_free = is_free
        self._waiting: dict[Deferred[None], None] = {}

    def wait(self) -> Deferred[None]:
        """
        Give what fires, in a later turn, once there is room.
        """
        waiting: Deferred[None] = Deferred(lambda each: self._waiting.pop(each, None))
        self._waiting[waiting] = None
        self.changed()
        return waiting

    def changed(self) -> None:
        """
        Look whether there is room now.
        """
        if self._waiting and self._is_free():
            self._reactor.callLater(0, self._let)

    def _let(self) -> None:
        while self._waiting and self._is_free():
            waiting = next(iter(self._waiting))
            del self._waiting[waiting]
            waiting.callback(None)
