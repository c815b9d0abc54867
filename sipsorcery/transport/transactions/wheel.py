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

    A delayed call of the reactor takes 450 bytes, and 6 microseconds in a heap that has
    to be kept in order; a place on the wheel takes 60 bytes and less than one
    microsecond (``benchmarks/transactions.py``). A server that answers 10,000 requests
    a second keeps 320,000 transactions for the 32 seconds of Timer J.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._slots: dict[int, dict[Timed, None]] = {}
        self._order: list[int] = []  # a heap of the slots
        self._first_free = -math.inf  # where things can be put while the wheel turns
        self._count = 0
        self._call: IDelayedCall | None = None
        self._call_slot = math.inf

    def __len__(self) -> int:
        return self._count

    def set(self, item: Timed, when: float | None) -> None:
        """
        Wake *item* at this time instead of any other; None: not at all.
        """
        slot = None if when is None else self._slot_of(when)
        if slot == item.slot:
            return
        if item.slot is not None:
            del self._slots[item.slot][item]
            self._count -= 1
        item.slot = slot
        if slot is not None:
            self._put(item, slot)
        elif not self._count:
            self.clear()

    def clear(self) -> None:
        """
        Forget everything.
        """
        for items in self._slots.values():
            for item in items:
                item.slot = None
            items.clear()
        self._slots.clear()
        self._order.clear()
        self._count = 0
        self._cancel_call()

    def _slot_of(self, when: float) -> int:
        slot = math.ceil(when / SLOT - _ROUNDING)
        return slot if slot >= self._first_free else int(self._first_free)

    def _put(self, item: Timed, slot: int) -> None:
        items = self._slots.get(slot)
        if items is None:
            items = self._slots[slot] = {}
            heappush(self._order, slot)
            self._call_in_time()
        items[item] = None
        self._count += 1

    def _call_in_time(self) -> None:
        """
        See to it that there is a delayed call for the first slot.
        """
        first = self._order[0]
        if first >= self._call_slot:
            return
        self._cancel_call()
        delay = max(0.0, first * SLOT - self._clock.seconds())
        self._call = self._clock.callLater(delay, self._turn)
        self._call_slot = first

    def _cancel_call(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._call = None
        self._call_slot = math.inf

    def _turn(self) -> None:
        self._call = None
        self._call_slot = -math.inf  # none is needed before the end
        now = self._clock.seconds()
        last = math.floor(now / SLOT + _ROUNDING)
        # Whoever goes back on the wheel does so behind what is being woken: else
        # something that is always due would keep us here for ever.
        self._first_free = last + 1
        while self._order and self._order[0] <= last:
            slot = heappop(self._order)
            self._wake_all(slot, max(now, slot * SLOT))
            self._slots.pop(slot, None)
        self._first_free = -math.inf
        self._cancel_call()
        if self._count:
            self._call_in_time()
        else:
            self.clear()

    def _wake_all(self, slot: int, now: float) -> None:
        items = self._slots[slot]
        for item in list(items):
            if item.slot != slot:
                continue  # another one has taken it off
            del items[item]
            item.slot = None
            self._count -= 1
            try:
                item.timer_due(now)
            except Exception:
                self._log.failure("Failed on a timer of {item}", item=item)
