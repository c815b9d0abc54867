"""
What every bus promises, as tests.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import TestCase

from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind

STEP, TRACE, ENDED = (
    EventKind.DIALPLAN_STEP,
    EventKind.SIP_TRACE,
    EventKind.CALL_ENDED,
)


def event(number: int, kind: EventKind = STEP) -> Event:
    """
    Make an event that is known by its time.
    """
    return Event(
        time=number, server="proxy", kind=kind, owner="joe", detail={"call": "c"}
    )


class BusContract(TestCase):
    """
    The contract; a subclass opens the bus.

    :ivar speaks: the bus of who emits.
    :ivar hears: that of who subscribes, which may be another process's.
    """

    speaks: Bus
    hears: Bus

    async def until(self, condition: Callable[[], object]) -> None:
        """
        Let time pass until something is so.
        """
        raise NotImplementedError

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        """
        Open the bus.
        """
        self.heard: list[Event] = []

    async def listen(self, *kinds: EventKind) -> None:
        """
        Hear some kinds, and wait until who emits knows.
        """
        self.place = self.hears.subscribe(self.heard.append, kinds)
        await self.until(lambda: all(map(self.speaks.wants, kinds)))

    async def until_heard(self, *numbers: int) -> None:
        """
        Wait until as many events were heard, and check which.
        """
        await self.until(lambda: len(self.heard) >= len(numbers))
        self.assertEqual([each.time for each in self.heard], list(numbers))

    async def test_whole_and_in_order(self) -> None:
        """
        Events are delivered as they are, in the order in which they were emitted.
        """
        await self.listen(STEP)
        for number in range(100):
            self.speaks.emit(event(number))
        await self.until_heard(*range(100))
        self.assertEqual(self.heard[7], event(7))
        self.assertEqual(self.place.dropped, 0)

    async def test_never_at_once(self) -> None:
        """
        Who emits goes on first: nobody is called within ``emit``.
        """
        await self.listen(STEP)
        self.speaks.emit(event(1))
        self.assertEqual(self.heard, [])
        await self.until_heard(1)

    async def test_kinds(self) -> None:
        """
        Who wants some kinds gets no others; what nobody wants need not be built.
        """
        await self.listen(STEP, TRACE)
        self.assertFalse(self.speaks.wants(ENDED))
        for number, kind in enumerate((ENDED, STEP, ENDED, STEP)):
            self.speaks.emit(event(number, kind))
        await self.until_heard(1, 3)
        self.speaks.emit(event(4, TRACE))
        await self.until_heard(1, 3, 4)

    async def test_one_that_raises(self) -> None:
        """
        A subscriber that fails is told the next event all the same, and others, too.
        """

        def fail(event: Event) -> None:
            failed.append(event)
            raise ValueError("of the test")

        failed: list[Event] = []
        self.hears.subscribe(fail, {STEP})
        await self.listen(STEP)
        for number in (1, 2):
            self.speaks.emit(event(number))
        await self.until_heard(1, 2)
        await self.until(lambda: len(failed) == 2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    async def test_stop(self) -> None:
        """
        Who has stopped hears nothing more.
        """
        others: list[Event] = []
        self.hears.subscribe(others.append, {STEP})
        await self.listen(STEP)
        self.speaks.emit(event(1))
        await self.until_heard(1)
        self.place.stop()
        self.speaks.emit(event(2))
        await self.until(lambda: len(others) == 2)
        await self.until_heard(1)
