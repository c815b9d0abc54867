"""
The targets that failed lately. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.target import Target


class FailedTargets:
    """
    Remember a bounded number of targets, each for a bounded time.
    """

    def __init__(self, limits: LocationLimits) -> None:
        self._limits = limits
        self._until: dict[Target, float] = {}  # the one that failed first comes first

    def __len__(self) -> int:
        return len(self._until)

    def add(self, target: Target, now: float, period: float | None = None) -> None:
        """
        Note that a target has failed.

        :param period: for how many seconds it asks to be left alone.
        """
        limits = self._limits
        if period is None:
            period = limits.failed
        self._until.pop(target, None)
        while len(self._until) >= limits.failed_targets:
            del self._until[next(iter(self._until))]
        self._until[target] = now + min(period, limits.longest_failed)

    def sort(self, targets: Iterable[Target], now: float) -> list[Target]:
        """
        Put those that failed lately behind the others; they keep their order otherwise.
        """
        if not self._until:
            return list(targets)
        return sorted(targets, key=lambda target: self._has_failed(target, now))

    def _has_failed(self, target: Target, now: float) -> bool:
        until = self._until.get(target)
        if until is not None and until <= now:
            del self._until[target]
            return False
        return until is not None
