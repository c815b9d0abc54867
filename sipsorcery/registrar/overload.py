"""
Whether there is more to do than can be done in time.
"""

from __future__ import annotations

from sipsorcery.access.overload import come_back_later
from sipsorcery.registrar.errors import Refused

# Seconds that the reactor may be behind. By then a phone has sent its request twice,
# and from then on the work only grows.
_LAG = 1.0
# Requests that wait for a store or a password: two seconds of what we can do.
_WAITING = 12_000


class Load:
    """
    What a server has to do.

    :ivar waiting: requests that have been begun and not been answered.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._lag = 0.0

    def note_lag(self, lag: float) -> None:
        """
        Hear how many seconds too late the reactor has called.
        """
        self._lag = lag

    def facts(self) -> dict[str, str]:
        """
        Give what there is to do, for an event.
        """
        return {"lag": f"{self._lag:.2f}", "waiting": str(self.waiting)}

    def __str__(self) -> str:
        return f"{self._lag:.2f} s behind, {self.waiting} requests wait"

    def check(self) -> None:
        """
        See whether another request can be taken.

        :raises Refused: with 503.
        """
        if self._lag > _LAG or self.waiting >= _WAITING:
            raise overloaded()


def overloaded(text: str = "") -> Refused:
    """
    Make the refusal for somebody who may come back a little later.
    """
    return Refused(503, text, [come_back_later()])
