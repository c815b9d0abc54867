"""
Tests for `sipsorcery.transport.transactions.wheel`.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.transactions.wheel import SLOT, TimerWheel


class Item:
    """
    Something that notes when it was woken.
    """

    def __init__(self, then: Callable[[float], object] = lambda now: None) -> None:
        self.slot: int | None = None
        self.woken: list[float] = []
        self._then = then

    def timer_due(self, now: float) -> None:
        """
        Note the time.
        """
        self.woken.append(now)
        self._then(now)


class WheelTests(SynchronousTestCase):
    """
    Waking things up.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock)

    def advance_to(self, seconds: float) -> None:
        """
        Move the time on, in steps that no slot is shorter than.
        """
        while self.clock.seconds() < seconds:
            self.clock.advance(min(SLOT / 2, seconds - self.clock.seconds()))

    def test_on_time(self) -> None:
        """
        A time that begins a slot is met exactly; T1 is such a time.
        """
        item = Item()
        self.wheel.set(item, 0.5)
        self.advance_to(0.499)
        self.assertEqual(item.woken, [])
        self.advance_to(0.5)
        self.assertEqual(item.woken, [0.5])

    def test_other_times(self) -> None:
        """
        Any other is met at most one slot later, never earlier.
        """
        item = Item()
        self.wheel.set(item, 0.2)
        self.advance_to(1)
        (woken,) = item.woken
        self.assertTrue(0.2 <= woken <= 0.2 + SLOT, woken)

    @given(st.lists(st.floats(0, 40), max_size=20))
    def test_any_times(self, times: list[float]) -> None:
        """
        Many things are each woken once, at their times, and nothing is left.
        """
        self.setUp()
        items = [(when, Item()) for when in times]
        for when, item in items:
            self.wheel.set(item, when)
        self.assertEqual(len(self.clock.getDelayedCalls()), min(1, len(items)))
        for _ in range(int(41 / SLOT)):
            self.clock.advance(SLOT)
        for when, item in items:
            (woken,) = item.woken
            self.assertTrue(when - 0.001 <= woken <= when + 2 * SLOT, (when, woken))
        self.assert_empty()

    def assert_empty(self) -> None:
        """
        Check that nothing is left.
        """
        self.assertEqual(len(self.wheel), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_delayed_call(self) -> None:
        """
        However many things wait, there is one delayed call: for the first of them.
        """
        for when in (30.0, 20.0, 20.0, 10.0, 40.0):
            self.wheel.set(Item(), when)
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 10)
        self.assertEqual(len(self.wheel), 5)
        self.clock.advance(10)
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 20)
        self.assertEqual(len(self.wheel), 4)

    def test_move(self) -> None:
        """
        A thing waits for one time only: the last that was set.
        """
        item = Item()
        for when in (5.0, 1.0, 3.0):
            self.wheel.set(item, when)
        self.advance_to(2.5)
        self.assertEqual(item.woken, [])
        self.advance_to(6)
        self.assertEqual(item.woken, [3.0])

    def test_take_off(self) -> None:
        """
        A thing that is taken off is not woken, and leaves no delayed call behind.
        """
        item = Item()
        self.wheel.set(item, 1.0)
        self.wheel.set(item, None)
        self.assert_empty()
        self.wheel.set(item, None)
        self.advance_to(2)
        self.assertEqual(item.woken, [])

    def test_clear(self) -> None:
        """
        Everything can be taken off at once, and put on again.
        """
        item = Item()
        self.wheel.set(item, 1.0)
        self.wheel.set(Item(), 2.0)
        self.wheel.clear()
        self.assert_empty()
        self.wheel.set(item, 1.0)
        self.advance_to(3)
        self.assertEqual(item.woken, [1.0])

    def test_again(self) -> None:
        """
        A thing that is woken may go back on.
        """

        def again(now: float) -> None:
            if now < 2:
                self.wheel.set(item, now + 0.5)

        item = Item(again)
        self.wheel.set(item, 0.5)
        self.advance_to(5)
        self.assertEqual(item.woken, [0.5, 1.0, 1.5, 2.0])
        self.assert_empty()

    def test_always_due(self) -> None:
        """
        One that is always due is woken once a slot, and keeps nobody from the rest.
        """
        item = Item(lambda now: self.wheel.set(item, now))
        self.wheel.set(item, 0.0)
        self.clock.advance(0)
        self.assertEqual(len(item.woken), 1)
        self.advance_to(4 * SLOT)
        self.assertEqual(len(item.woken), 5)

    def test_others_are_taken_off_meanwhile(self) -> None:
        """
        One that is woken may take off another whose time has come as well.
        """
        other = Item()
        first = Item(lambda now: self.wheel.set(other, None))
        self.wheel.set(first, 1.0)
        self.wheel.set(other, 1.0)
        self.clock.advance(1)
        self.assertEqual((first.woken, other.woken), ([1.0], []))
        self.assert_empty()

    def test_others_are_moved_meanwhile(self) -> None:
        """
        It may also give the other one more time.
        """
        other = Item()
        first = Item(lambda now: self.wheel.set(other, now + 1))
        self.wheel.set(first, 1.0)
        self.wheel.set(other, 1.0)
        self.clock.advance(1)
        self.assertEqual(other.woken, [])
        self.clock.advance(1)
        self.assertEqual(other.woken, [2.0])
        self.assert_empty()

    def test_clear_meanwhile(self) -> None:
        """
        Everything may be taken off by one that is woken, and others put on.
        """
        late, later = Item(), Item()

        def begin_anew(now: float) -> None:
            self.wheel.clear()
            self.wheel.set(later, now + 1)

        self.wheel.set(Item(begin_anew), 1.0)
        self.wheel.set(late, 1.0)
        self.wheel.set(late, 2.0)
        self.clock.advance(1)
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 2)
        self.clock.advance(1)
        self.assertEqual((late.woken, later.woken), ([], [2.0]))
        self.assert_empty()

    def test_late_clock(self) -> None:
        """
        If the clock jumps, all that is due is woken, in its order.
        """
        order: list[str] = []
        self.wheel.set(Item(lambda now: order.append("second")), 2.0)
        self.wheel.set(Item(lambda now: order.append("first")), 1.0)
        self.clock.advance(100)
        self.assertEqual(order, ["first", "second"])
        self.assert_empty()

    def test_past(self) -> None:
        """
        What was due before it was put on is woken at once.
        """
        self.clock.advance(10)
        item = Item()
        self.wheel.set(item, 3.0)
        self.clock.advance(0)
        self.assertEqual(item.woken, [10.0])

    def test_failure(self) -> None:
        """
        If waking one fails that is logged, and the others have their turn.
        """

        def fail(now: float) -> None:
            raise ZeroDivisionError

        item = Item()
        self.wheel.set(Item(fail), 1.0)
        self.wheel.set(item, 1.0)
        self.clock.advance(1)
        self.assertEqual(item.woken, [1.0])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assert_empty()

    def test_real_time(self) -> None:
        """
        Seconds since 1970, which no float holds exactly, are good enough.
        """
        begin = 1_790_000_000.123456
        self.clock.rightNow = begin
        items = [Item() for _ in range(100)]
        for index, item in enumerate(items):
            self.wheel.set(item, begin + index / 100)
        for _ in range(40):
            self.clock.advance(SLOT)
        for index, item in enumerate(items):
            (woken,) = item.woken
            self.assertGreaterEqual(woken, begin + index / 100 - SLOT / 1000)
        self.assert_empty()
