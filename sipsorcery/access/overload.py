"""
What every server does that has more to do than it can do in time.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sipsorcery.sip.fields import RETRY_AFTER, Field
from sipsorcery.sip.parameterised import Seconds

# Seconds from one look at the lag to the next.
_INTERVAL = 0.25
# Looks in a row that have to show a lag: one late look is a moment in which the whole
# machine stood still, and what has waited meanwhile is done at once.
_LOOKS = 3
# Seconds after which somebody who was refused may come back, spread so that they do not
# all come at once.
_RETRY_AFTER = (5, 30)


class LagMeter:
    """
    Measures how far the reactor stays behind.

    :param heard: is told after each look by how many seconds it was at least in the
        last few ones, 0 or more.
    """

    def __init__(self, clock: IReactorTime, heard: Callable[[float], None]) -> None:
        self._clock = clock
        self._heard = heard
        self._next: IDelayedCall | None = None  # None: it does not measure
        self._lags = _no_lags()

    def start(self) -> None:
        """
        Measure as soon as the reactor runs: what else is started takes its time.
        """
        self._lags = _no_lags()
        self._next = self._clock.callLater(0, self._wait)

    def stop(self) -> None:
        """
        Measure no more.
        """
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self) -> None:
        due = self._clock.seconds() + _INTERVAL
        self._next = self._clock.callLater(_INTERVAL, self._look, due)

    def _look(self, due: float) -> None:
        self._lags.append(max(0.0, self._clock.seconds() - due))
        self._heard(min(self._lags))
        self._wait()


def _no_lags() -> deque[float]:
    return deque([0.0] * _LOOKS, maxlen=_LOOKS)


def come_back_later() -> tuple[Field[Any], Seconds]:
    """
    Make the field that says to somebody who is refused when to come back.
    """
    return RETRY_AFTER, Seconds(random.randint(*_RETRY_AFTER))
