"""
How long a dialplan may run. Pure.
"""

from __future__ import annotations

#: Seconds of a run in all, whatever it does: nobody holds a phone for longer.
MAX_SECONDS = 300.0
# Seconds that a dialplan itself takes; what it waits for others has limits of its own.
_OWN_SECONDS = 10.0


class RunningTime:
    """
    The time of one run.

    :param now: seconds of a clock that does not go back, as everywhere here.
    :param own: seconds that the dialplan itself may still take.
    """

    __slots__ = ("_begun", "_left")

    def __init__(self, now: float, own: float = _OWN_SECONDS) -> None:
        self._begun = now
        self._left = own

    def go_on(self, now: float, taken: float, own: float) -> None:
        """
        Go on with the time of a run that another process has begun.

        :param taken: seconds since then.
        """
        self._begun, self._left = now - taken, own

    @property
    def own(self) -> float:
        """
        The seconds that the dialplan itself may still take.
        """
        return self._left

    def taken(self, now: float) -> float:
        """
        Give the seconds since it has begun.
        """
        return now - self._begun

    def take(self, seconds: float) -> None:
        """
        Count time that the dialplan itself has taken.
        """
        self._left -= seconds

    def extend(self, seconds: float) -> None:
        """
        Let the dialplan itself take so much from now on, and what it had at first.
        """
        self._left = _OWN_SECONDS + min(max(seconds, 0.0), MAX_SECONDS)

    def left(self, now: float) -> float:
        """
        Give the seconds that are left in all; 0 if the dialplan has to end.
        """
        if self._left <= 0:
            return 0.0
        return max(0.0, self._begun + MAX_SECONDS - now)
