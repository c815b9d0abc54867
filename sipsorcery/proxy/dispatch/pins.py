"""
Which server has a call that is being set up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from sipsorcery.endpoint import Endpoint

# Seconds that a call may take until it is established: a proxy lets it ring for three
# minutes (Timer C), and somebody may take a moment over the password before.
_LIFETIME = 200.0
# Calls that are remembered: a hundred new ones a second, 5 MB. Of those before, the
# choice itself mostly gives the same server.
_LIMIT = 20_000
# Those that are looked at for their age with each new one: more than one, so that it
# ends.
_SWEPT = 2


class Pins:
    """
    Remembers where calls were sent, by their Call-ID.

    So an INVITE that comes again with credentials, and the CANCEL of a caller whose
    relay is gone, go to the same server, whoever else has come or has fewer calls.

    :param seconds: gives the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._pins: OrderedDict[str, tuple[Endpoint, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pins)

    def find(self, call_id: str) -> Endpoint | None:
        """
        Give the server that got a call last; None: nobody knows of one.
        """
        pin = self._pins.get(call_id)
        if pin is None or pin[1] <= self._seconds():
            return None
        return pin[0]

    def put(self, call_id: str, server: Endpoint) -> None:
        """
        Note who gets a call.
        """
        now = self._seconds()
        self._pins.pop(call_id, None)
        for _ in range(_SWEPT):
            oldest = next(iter(self._pins.values()), None)
            if oldest is None or (oldest[1] > now and len(self._pins) < _LIMIT):
                break
            self._pins.popitem(last=False)
        self._pins[call_id] = server, now + _LIFETIME
