"""
Timers for very many things: a wheel with one delayed call.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: How long a slot of the wheel is, in seconds: a sixteenth of T1.
SLOT = 1 / 32
# Of a slot; a clock that counts seconds since 1970 is that exact.
_ROUNDING = 1e-4


class Timed(Protocol):
    """
    Something that wants to be told the time.

    :ivar slot: where on the wheel it is; None: nowhere. Only the wheel changes it.
    """

    slot: int | None

    def timer_due(self, now: float) -> None:
        """
        Hear that the time has come. It is off the wheel, and may go back on it.
        """


class TimerWheel:
    """
    Wake things up at their times, or up to one `SLOT` later.

    A delayed call of the reactor takes some 450 bytes and 8 microseconds, in a heap that
    has to be kept in order; a place on the wheel 60 bytes and half a microsecond (see
    ``benchmarks/transactions.py``). A server that answers 10,000 requests a second
    keeps 320,000 transactions for the 32 seconds of Timer J.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._slots: dict[int, dict[Timed, None]] = {}
        self._order: list[int] = []  # a heap of the slots
        self._call: IDelayedCall | None = None
        self._due = math.inf  # the slot that _call is for
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def set(self, item: Timed, when: float | None) -> None:
        """
        Wake *item* at this time instead of any other; None: not at all.
        """
        slot = None if when is None else math.ceil(when / SLOT - _ROUNDING)
        if slot == item.slot:
            return
        self._take_off(item)
        if slot is not None:
            self._put_on(item, slot)
        if not self._count:
            self.clear()

    def clear(self) -> None:
        """
        Forget everything.
        """
        for items in self._slots.values():
            for item in items:
                item.slot = None
        self._slots.clear()
        self._order.clear()
        self._count = 0
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._due = math.inf

    def _put_on(self, item: Timed, slot: int) -> None:
        items = self._slots.get(slot)
        if items is None:
            items = self._slots[slot] = {}
            heappush(self._order, slot)
            self._call_in_time()
        items[item] = None
        item.slot = slot
        self._count += 1

    def _take_off(self, item: Timed) -> None:
        if item.slot is None:
            return
        items = self._slots.get(item.slot, {})
        items.pop(item, None)
        item.slot = None
        self._count -= 1

    def _call_in_time(self) -> None:
        """
        See to it that the delayed call is there for the first slot.
        """
        first = self._order[0]
        if first >= self._due:
            return
        if self._call is not None:
            self._call.cancel()
        self._due = first
        delay = max(0.0, first * SLOT - self._clock.seconds())
        self._call = self._clock.callLater(delay, self._turn)

    def _turn(self) -> None:
        self._call = None
        self._due = math.inf
        now = self._clock.seconds()
        last = math.floor(now / SLOT + _ROUNDING)
        now = max(now, last * SLOT)
        while self._order and self._order[0] <= last:
            items = self._slots.pop(heappop(self._order))
            self._count -= len(items)
            for item in items:
                item.slot = None
            for item in items:
                self._wake(item, now)
        if self._order:
            self._call_in_time()

    def _wake(self, item: Timed, now: float) -> None: ...
