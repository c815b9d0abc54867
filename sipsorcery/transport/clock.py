"""
The clock of the reactor: one that nobody sets.

Twisted's reactors tell the time of the day. When an operator or NTP sets that forward,
every deadline seems to have passed: idle connections close, transactions time out; when
it is set back, all of them wait for so much longer. So a service lets its reactor count
by the monotonic clock, for itself and for all that is called later.

The seconds of such a reactor are no calendar. Whoever needs one asks `time.time`; note
that the access log of `twisted.web` takes its dates from the reactor by default.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.base import DelayedCall, ReactorBase


def make_monotonic(
    reactor: object, seconds: Callable[[], float] = time.monotonic
) -> None:
    """
    Let a reactor of Twisted count by a clock that never goes back and never jumps.

    Calls that wait already keep the time that they have left. Any other reactor, such
    as a `Clock` of a test, has its own idea of time and is left alone.

    :param seconds: the clock.
    """
    if not isinstance(reactor, ReactorBase) or reactor.seconds is seconds:
        return
    now = reactor.seconds()
    waiting = [(call, call.getTime() - now) for call in reactor.getDelayedCalls()]
    # All that it does with time goes by this attribute (callLater, timeout,
    # runUntilCurrent); there is no other way to give it a clock.
    reactor.seconds = seconds
    for call, left in waiting:
        assert isinstance(call, DelayedCall)
        call.seconds = seconds
        call.reset(max(0.0, left))
