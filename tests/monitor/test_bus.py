"""
Tests for `sipsorcery.monitor.bus`.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.bus import Bus, LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.testing.bus import RecordingBus
from tests.monitor import bus_contract


def event(
    kind: EventKind = EventKind.BINDING_ADDED, *, number: int = 0, server: str = "test"
) -> Event:
    """
    Make an event that can be told from others.
    """
    return Event(time=number, server=server, kind=kind)


class LocalBusContractTests(bus_contract.BusContract):
    """
    The contract, in one process.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        await super().setUp()
        self.clock = Clock()
        self.speaks = self.hears = LocalBus(self.clock)

    async def until(self, condition: Callable[[], object]) -> None:
        while self.clock.getDelayedCalls():
            self.clock.advance(0)
        self.assertTrue(condition())


class LocalBusTests(SynchronousTestCase):
    """
    The bus of one process.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.bus = LocalBus(self.clock, waiting=1000)
        self.received: list[Event] = []

    def turn(self) -> None:
        """
        Let the reactor go round until nothing is left to do at once.
        """
        self.clock.advance(0)

    def test_delivery_in_a_later_turn(self) -> None:
        """
        What is emitted is delivered in order, and not before the emitter is done.
        """
        self.bus.subscribe(self.received.append)
        emitted = [event(number=number) for number in range(3)]
        for each in emitted:
            self.bus.emit(each)
        self.assertEqual(self.received, [])
        self.turn()
        self.assertEqual(self.received, emitted)

    def test_idle(self) -> None:
        """
        When everything is delivered, no call is left waiting in the reactor.
        """
        self.bus.subscribe(self.received.append)
        self.bus.emit(event())
        self.turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_listens(self) -> None:
        """
        Without subscribers nothing is wanted, and what is emitted costs no turn.
        """
        self.assertFalse(any(map(self.bus.wants, EventKind)))
        self.bus.emit(event())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kinds(self) -> None:
        """
        A subscriber gets the kinds asked for alone, and others are not wanted.
        """
        wanted = {EventKind.FLOW_CLOSED}
        self.bus.subscribe(self.received.append, wanted)
        self.assertEqual(set(filter(self.bus.wants, EventKind)), wanted)
        self.bus.emit(event(EventKind.BINDING_ADDED))
        self.bus.emit(event(EventKind.FLOW_CLOSED))
        self.turn()
        self.assertEqual([each.kind for each in self.received], [*wanted])

    def test_all_kinds(self) -> None:
        """
        Who does not choose gets every kind.
        """
        self.bus.subscribe(self.received.append)
        for kind in EventKind:
            self.assertTrue(self.bus.wants(kind))
            self.bus.emit(event(kind))
        self.turn()
        self.assertEqual([each.kind for each in self.received], list(EventKind))

    def test_several(self) -> None:
        """
        Each subscriber gets the event; one that has stopped does not.
        """
        others: list[Event] = []
        self.bus.subscribe(self.received.append)
        other = self.bus.subscribe(others.append)
        self.bus.emit(event(number=1))
        self.turn()
        other.stop()
        self.bus.emit(event(number=2))
        self.turn()
        self.assertEqual([each.time for each in self.received], [1, 2])
        self.assertEqual([each.time for each in others], [1])

    def test_stop(self) -> None:
        """
        Who stops gets nothing more, not even what waits, and may do so twice.
        """
        subscription = self.bus.subscribe(self.received.append)
        self.bus.emit(event())
        subscription.stop()
        subscription.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.received, [])
        self.assertFalse(any(map(self.bus.wants, EventKind)))

    def test_stop_during_delivery(self) -> None:
        """
        A subscriber may stop while it is being told.
        """

        def once(one: Event) -> None:
            self.received.append(one)
            subscription.stop()

        subscription = self.bus.subscribe(once)
        self.bus.emit(event())
        self.bus.emit(event())
        self.turn()
        self.assertEqual(len(self.received), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_emit_during_delivery(self) -> None:
        """
        What a subscriber emits itself comes when it is done: no recursion.
        """
        steps: list[str] = []

        def answer(one: Event) -> None:
            steps.append(f"got {one.time}")
            if one.time < 3:
                self.bus.emit(event(number=int(one.time) + 1))
            steps.append("done")

        self.bus.subscribe(answer)
        self.bus.emit(event())
        self.turn()
        expected = [word for number in range(4) for word in (f"got {number}", "done")]
        self.assertEqual(steps, expected)

    def test_subscriber_that_fails(self) -> None:
        """
        An error in a subscriber is logged; it and the others get the next event.
        """

        def fail(one: Event) -> None:
            raise RuntimeError("no")

        self.bus.subscribe(fail)
        self.bus.subscribe(self.received.append)
        self.bus.emit(event(number=1))
        self.bus.emit(event(number=2))
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
        self.assertEqual([each.time for each in self.received], [1, 2])

    def test_slow_subscriber(self) -> None:
        """
        A full queue drops the oldest and counts them; other subscribers lose nothing.
        """
        subscription = self.bus.subscribe(self.received.append)
        other = self.bus.subscribe(self.received.append, {EventKind.BANNED})
        for number in range(1200):
            self.bus.emit(event(number=number))
        self.turn()
        self.assertEqual([each.time for each in self.received], list(range(200, 1200)))
        self.assertEqual((subscription.dropped, self.bus.dropped), (200, 200))
        self.assertEqual(other.dropped, 0)

    def test_short_turns(self) -> None:
        """
        A crowd of events does not keep the reactor from its other work.
        """
        self.bus.subscribe(self.received.append)
        for number in range(250):
            self.bus.emit(event(number=number))
        sizes = []
        self.clock.callLater(0, lambda: sizes.append(len(self.received)))
        self.turn()
        self.assertEqual(sizes, [100])
        self.assertEqual(len(self.received), 250)


class RecordingBusTests(SynchronousTestCase):
    """
    The double.
    """

    def test_records(self) -> None:
        """
        It wants everything and remembers everything.
        """
        recording = RecordingBus()
        bus: Bus = recording
        self.assertTrue(all(map(bus.wants, EventKind)))
        bus.emit(event(EventKind.BANNED))
        self.assertEqual(recording.kinds(), [EventKind.BANNED])
