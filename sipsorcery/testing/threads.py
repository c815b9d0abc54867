"""
Threads without threads: what would run in one runs when the test says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

_T = TypeVar("_T")


class SteppedThreads:
    """
    Gathers calls, and makes them in the order they came.

    :param waits: whether calls wait for `step`; if not, each is made at once.
    """

    def __init__(self, *, waits: bool = True) -> None:
        self.waits = waits
        self.calls: list[Callable[[], None]] = []
        self.is_running = False

    def start(self) -> None:
        """
        Begin to take work.
        """
        self.is_running = True

    def stop(self) -> None:
        """
        Finish what was begun.
        """
        self.step(len(self.calls))
        self.is_running = False

    def run(self, work: Callable[..., _T], *arguments: Any) -> Deferred[_T]:
        """
        Make the call now or later.
        """
        assert self.is_running
        result: Deferred[_T] = Deferred()

        def call() -> None:
            maybeDeferred(work, *arguments).chainDeferred(result)

        self.calls.append(call)
        if not self.waits:
            self.step()
        return result

    def step(self, count: int = 1) -> None:
        """
        Make the next *count* calls.
        """
        for _ in range(count):
            self.calls.pop(0)()
