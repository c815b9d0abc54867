"""
A share of the time of a server, for what it could leave undone.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

# What one thing counts for at most: a process that had to wait for others meanwhile has
# not worked.
_LONGEST = 50e-6


class Allowance:
    """
    Says whether there is time left for something, and takes account of what it took.

    When all is spent, there is none until half of the reserve has come back: so some
    calls are there as a whole, and others not at all.

    :param share: of all time, that may be spent.
    :param reserve: seconds of work that may come at once.
    """

    def __init__(
        self,
        share: float,
        reserve: float,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._share = share
        self._reserve = reserve
        self._clock = clock
        self._left = reserve
        self._since = clock()
        self._is_resting = False

    def begin(self) -> float | None:
        """
        Begin something, if there is time for it; give what `end` wants to know.
        """
        now = self._clock()
        self._left = min(self._reserve, self._left + (now - self._since) * self._share)
        self._since = now
        if self._is_resting:
            if self._left < self._reserve / 2:
                return None
            self._is_resting = False
        return now

    def end(self, began: float) -> None:
        """
        Take account of something that has been done.
        """
        self._left -= min(self._clock() - began, _LONGEST)
        self._is_resting = self._left <= 0
