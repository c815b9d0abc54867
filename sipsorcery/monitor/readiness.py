"""
What a process waits for before it can do its work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

#: Says what is wrong; None: nothing.
Check: TypeAlias = Callable[[], Awaitable[str | None]]

# Seconds that a check may take, and for which what it has said holds: whoever asks more
# often gets the same again.
_PATIENCE, _FRESH = 2.0, 1.0


class Readiness:
    """
    Tells what a process waits for before it can do its work.

    :param clock: the reactor, or what has its time.
    """

    _log = Logger()

    def __init__(self, clock: Any, checks: Mapping[str, Check]) -> None:
        self._clock = clock
        self._checks = checks
        self._said: Sequence[str] = ()
        self._until: float | None = None  # None: nothing was found out yet
        self._waiting: list[Deferred[Sequence[str]]] = []
        self._asks = False

    async def problems(self) -> Sequence[str]:
        """
        Find out what is wrong; none: it is ready.
        """
        if self._until is not None and self._clock.seconds() < self._until:
            return self._said
        if self._asks:
            waiting: Deferred[Sequence[str]] = Deferred()
            self._waiting.append(waiting)
            return await waiting
        self._asks = True
        asked = [
            Deferred.fromCoroutine(self._ask(*each)) for each in self._checks.items()
        ]
        found = await gatherResults(asked)
        self._said = [each for each in found if each]
        self._until = self._clock.seconds() + _FRESH
        self._asks = False
        others, self._waiting = self._waiting, []
        for other in others:
            other.callback(self._said)
        return self._said

    async def _ask(self, name: str, check: Check) -> str:
        async def run() -> str | None:
            return await check()

        asking: Deferred[str | None] = Deferred.fromCoroutine(run())
        asking.addTimeout(_PATIENCE, self._clock, lambda *_: "does not answer")
        try:
            problem = await asking
        except Exception as error:
            problem = str(error) or type(error).__name__
        return f"{name}: {problem}" if problem else ""
