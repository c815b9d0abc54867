"""
Keys in the order of a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import islice


class Buckets:
    """
    Keys by the second of their time, each once.

    A second stays in memory, without keys, until it has come: so there are at most as
    many as there are seconds from now to the last time.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, set[str]] = {}
        self._seconds: list[int] = []  # a heap of the keys of _buckets

    @property
    def seconds(self) -> int:
        """
        The number of seconds in memory.
        """
        return len(self._buckets)

    def add(self, key: str, time: float) -> None:
        """
        Put a key in.
        """
        second = int(time)
        bucket = self._buckets.get(second)
        if bucket is None:
            self._buckets[second] = {key}
            heapq.heappush(self._seconds, second)
        else:
            bucket.add(key)

    def remove(self, key: str, time: float) -> None:
        """
        Take a key out that was put in with *time*.
        """
        self._buckets[int(time)].remove(key)

    def until(
        self, time: float, limit: int, accept: Callable[[str], bool]
    ) -> list[str]:
        """
        Give keys of the second of *time* and those before, the earliest second first.

        They stay where they are.

        :param limit: of them.
        :param accept: tells whether a key counts.
        """
        found: list[str] = []
        visited: list[int] = []
        while len(found) < limit and self._seconds and self._seconds[0] <= time:
            second = heapq.heappop(self._seconds)
            bucket = self._buckets[second]
            if bucket:
                visited.append(second)
                found += islice(filter(accept, bucket), limit - len(found))
            else:
                del self._buckets[second]
        for second in visited:
            heapq.heappush(self._seconds, second)
        return found
