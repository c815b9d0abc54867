"""
When to send something through the NAT of which phone. Pure.

The times are kept in memory and not with the bindings, which say who needs it: to store
one more change for every datagram would cost more than all registrations do. After a
restart they are drawn anew, within one interval.
"""

from __future__ import annotations

import random

from sipsorcery.store.bindings import Bindings
from sipsorcery.store.live.buckets import Buckets

# They come a little early, each time by another tenth: what was sent together at first
# is so spread out.
_EARLIEST = 0.9


class KeepAlives:
    """
    Knows which addresses-of-record are due.

    :param interval: seconds from one to the next; 0: nobody is ever due.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._dues: dict[str, float] = {}
        self._buckets = Buckets()

    def __len__(self) -> int:
        return len(self._dues)

    def change(self, interval: float) -> None:
        """
        Let it be another interval, for each after the next time.
        """
        self._interval = interval
        if not interval:
            self._dues, self._buckets = {}, Buckets()

    def note(self, aor: str, bindings: Bindings, now: float) -> None:
        """
        Take it up with bindings that are stored; there may be none.

        :param now: seconds on any clock, always the same.
        """
        needs = bool(self._interval) and any(each.keeps_alive for each in bindings)
        if needs == (aor in self._dues):
            return
        if needs:
            # Just heard of, or just started: it is due within the interval.
            self._put(aor, now + self._interval * random.random())
        else:
            self._buckets.remove(aor, self._dues.pop(aor))

    def take(self, now: float, limit: int) -> list[str]:
        """
        Give those that are due, and put each off until the next time.

        :param limit: of them; the others wait.
        """
        taken = self._buckets.until(now, limit, lambda aor: self._dues[aor] <= now)
        for aor in taken:
            self._buckets.remove(aor, self._dues[aor])
            self._put(aor, now + self._interval * random.uniform(_EARLIEST, 1))
        return taken

    def _put(self, aor: str, due: float) -> None:
        self._dues[aor] = due
        self._buckets.add(aor, due)
