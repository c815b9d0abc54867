"""
How many calls a user may begin, so that a stolen password is worth little. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from sipsorcery.config.values import Rate

# Users that have called lately, in some 10 MB.
_KEPT = 65_536


@dataclass(slots=True)
class _Allowance:
    """
    What is left to somebody, and when that was counted.
    """

    left: float
    counted: float


class CallRate:
    """
    Lets each user begin so many calls in so much time.

    They come back one by one: with 10 in a minute one may make 10 at a time, and then
    one every six seconds. Times are seconds of one clock that does not go back.

    :param rate: None: any number.
    :param size: how many users are remembered; whoever is forgotten has all again.

    :ivar rate: may be another from now on: nobody has all again for that.
    """

    def __init__(self, rate: Rate | None, size: int = _KEPT) -> None:
        self.rate = rate
        self._size = size
        self._users: OrderedDict[str, _Allowance] = OrderedDict()

    def take(self, owner: str, now: float) -> bool:
        """
        Count a call, if there is one left to its user.
        """
        rate = self.rate
        if rate is None:
            return True
        user = self._users.get(owner)
        if user is None:
            user = self._users[owner] = _Allowance(rate.count, now)
            if len(self._users) > self._size:
                self._users.popitem(last=False)
        else:
            self._users.move_to_end(owner)
        passed = now - user.counted
        user.left = min(
            user.left + passed * rate.count / rate.period, float(rate.count)
        )
        user.counted = now
        if user.left < 1:
            return False
        user.left -= 1
        return True
