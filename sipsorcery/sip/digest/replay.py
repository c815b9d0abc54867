"""
The memory of which nonce was used how often, so that nothing is accepted twice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

#: How far behind the highest count a request may arrive. UDP swaps a few requests
#: and one client has a few under way at once; IPsec lives with the same figure.
WIDTH = 64

#: How many nonces are remembered: twice what 500 first registrations a second need
#: for a lifetime of 60 s, in about 20 MB.
CAPACITY = 65_536

_ALL = (1 << WIDTH) - 1
#: Above every count of eight hexadecimal digits: nothing follows it.
_SPENT = 2**32


@dataclass(slots=True)
class _Uses:
    issued: float
    expires: float
    highest: int
    bitmap: int = 1  # bit n: the count highest - n was used

    def admit(self, nc: int) -> bool:
        ahead = nc - self.highest
        if ahead > 0:
            # Never shift by what a peer may choose freely: 2**32 bits are 512 MB.
            kept = self.bitmap << ahead if ahead < WIDTH else 0
            self.bitmap = (kept | 1) & _ALL
            self.highest = nc
            return True
        mark = 1 << -ahead if -ahead < WIDTH else 0
        if not mark or self.bitmap & mark:
            return False
        self.bitmap |= mark
        return True


class ReplayWindow:
    """
    Admit each use of a nonce once (:rfc:`7616#section-3.4.5`).

    Only nonces that came with the right response reach it, so strangers cannot fill
    it. A nonce is forgotten when it has expired or, at *capacity*, when it has been in
    the table longest; and with it every nonce issued up to the same time that is not in
    the table: those count as used. A client with a forgotten nonce is challenged once
    more; nothing is ever admitted twice, even if the clock is set back.

    :param horizon: nonces issued up to this time (seconds since the epoch) count as
        used. Give the time of the start to refuse what an earlier process may have
        admitted; each client then pays with one more challenge.
    """

    def __init__(self, capacity: int = CAPACITY, horizon: float = 0.0) -> None:
        self._capacity = capacity
        self._horizon = horizon
        # A plain dict would walk over all that was taken from its front.
        self._nonces: OrderedDict[str, _Uses] = OrderedDict()

    def __len__(self) -> int:
        return len(self._nonces)

    def admit(
        self, nonce: str, nc: int | None, *, issued: float, expires: float, now: float
    ) -> bool:
        """
        Tell whether this is the first use of *nonce* with the count *nc*.

        :param nc: ``None`` where the credentials have none: such a nonce is good for
            one request.
        :param expires: from when on its use is refused for its age anyhow.
        """
        uses = self._nonces.get(nonce)
        if uses is not None:
            return nc is not None and uses.admit(nc)
        if issued <= self._horizon:
            return False
        self._make_room(now)
        if nc is None:
            self._nonces[nonce] = _Uses(issued, expires, _SPENT, _ALL)
        else:
            self._nonces[nonce] = _Uses(issued, expires, nc)
        return True

    def _make_room(self, now: float) -> None:
        # In the order of first use, which is that of expiry but for a lifetime at
        # most: what stays behind a younger one goes with it.
        while self._nonces:
            uses = next(iter(self._nonces.values()))
            if now < uses.expires and len(self._nonces) < self._capacity:
                break
            # Also of one that has expired: a clock that is set back would revive it.
            self._horizon = max(self._horizon, uses.issued)
            self._nonces.popitem(last=False)
