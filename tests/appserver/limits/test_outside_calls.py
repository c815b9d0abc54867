"""
Tests for :mod:`sipsorcery.appserver.limits.outside_calls` and
:mod:`sipsorcery.appserver.dial.departure`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from twisted.internet.defer import Deferred

from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.dial.departure import Departure
from sipsorcery.appserver.dial.dialling import Answered, NotAnswered
from sipsorcery.appserver.dial.resolution import Kind
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.config.tree import Limits
from sipsorcery.config.values import Rate
from sipsorcery.monitor.event import EventKind
from sipsorcery.store.directory.settings import LIMITS
from sipsorcery.store.errors import Refused as StoreRefused
from sipsorcery.store.live import LocalStore
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.threads import SteppedThreads
from sipsorcery.ua import Session
from tests.appserver.limits.test_allowance import target
from tests.store.directory.cases import DirectoryCase


class FakeSession:
    """
    A session whose end the test decides.
    """

    def __init__(self) -> None:
        self.ending: Deferred[object] = Deferred()

    def ended(self) -> Deferred[object]:
        """
        Wait for the end.
        """
        return self.ending


class OutsideCase(DirectoryCase):
    """
    Two processes with one live state; two calls at once, five within a minute.
    """

    def setUp(self) -> None:
        super().setUp()
        self.live = LocalStore(
            self.reactor,
            Path(self.mktemp()),
            threads=SteppedThreads(waits=False),
            clock=self.reactor.seconds,
        )
        self.live.start()
        self.addCleanup(lambda: self.do(self.live.stop()))
        self.bus = RecordingBus()
        self.one, self.other = self.process(), self.process()
        self.notes: list[str] = []

    def process(self) -> OutsideCalls:
        """
        Make what one process counts with.
        """
        calls = OutsideCalls(
            self.reactor,
            self.live,
            Configured(self.directory, self.reactor),
            Limits(outside_calls=Rate(5, 60), outside_calls_at_once=2),
            Events(self.bus, self.reactor.seconds),
            self.reactor.seconds,
        )
        calls.start()
        self.addCleanup(calls.stop)
        return calls

    def call(self, calls: OutsideCalls, owner: str = "joe") -> Callable[[], None]:
        """
        Begin a call, which is let out; give what ends it.
        """
        allowance = self.do(calls.allowance(owner))
        return self.do(calls.begin(owner, allowance))

    def assert_refused(self, calls: OutsideCalls, code: Code) -> None:
        """
        Check that joe can have no call more, and that he is told why.
        """
        allowance = self.do(calls.allowance("joe"))
        begun = self.begin(calls.begin("joe", allowance))
        self.assertIs(self.failureResultOf(begun, Refused).value.code, code)
        event = self.bus.events[-1]
        self.assertIs(event.kind, EventKind.LIMIT_REACHED)
        self.assertEqual((event.owner, event.detail["code"]), ("joe", code))


class CountingTests(OutsideCase):
    def test_at_once(self) -> None:
        """
        Both processes count the same calls; one that ends makes room; others have
        theirs.
        """
        end = self.call(self.one)
        self.call(self.other)
        self.assert_refused(self.one, Code.OUTSIDE_AT_ONCE)
        self.assert_refused(self.other, Code.OUTSIDE_AT_ONCE)
        self.call(self.one, "eve")
        end()
        self.call(self.other)

    def test_rate(self) -> None:
        """
        The sixth call within a minute is refused, in whichever process; what was
        refused does not count.
        """
        for calls in (self.one, self.other, self.one, self.other, self.one):
            self.call(calls)()
        for _ in range(3):
            self.assert_refused(self.other, Code.OUTSIDE_RATE)
        self.reactor.advance(61)
        self.call(self.other)

    def test_lease(self) -> None:
        """
        A call that goes on counts for as long as its process says so; of a process
        that is gone it counts for two minutes.
        """
        self.call(self.one)
        self.call(self.other)
        self.other._renewing.stop()
        self.addCleanup(self.other.start)
        for _ in range(5):
            self.reactor.advance(40)
        self.call(self.one)
        self.assert_refused(self.one, Code.OUTSIDE_AT_ONCE)

    def test_own_limits(self) -> None:
        """
        An administrator gives a user other limits, the user does not.
        """
        limits = {"outside_calls_at_once": 3}
        reason = self.refuse(StoreRefused, self.joe.settings.put(LIMITS, limits))
        self.assertIn("administrator", reason)
        as_admin = self.directory.of("joe", as_admin=True).settings
        self.do(as_admin.put(LIMITS, limits))
        for _ in range(3):
            self.call(self.one)
        self.assert_refused(self.one, Code.OUTSIDE_AT_ONCE)

    def test_damaged_limits(self) -> None:
        """
        Limits that cannot be read leave the usual ones.
        """
        as_admin = self.directory.of("joe", as_admin=True).settings
        self.do(as_admin.put(LIMITS, {"outside_calls_at_once": "many"}))
        self.assertEqual(self.do(self.one.allowance("joe")).at_once, 2)


class DepartureTests(OutsideCase):
    def depart(self) -> Departure:
        """
        Begin a dial of joe.
        """
        return Departure(self.one, "joe", self.notes.append)

    def test_closed(self) -> None:
        """
        A closed number is left out, and the others are called.
        """
        departure = self.depart()
        targets = [target("0044207"), target("017"), target("7", Kind.CONTACT)]
        self.assertEqual(
            [each.uri.user for each in self.do(departure.admit(targets))], ["017", "7"]
        )
        assert departure.refused is not None
        self.assertIs(departure.refused.code, Code.TOLL)
        self.assertIn("Foreign numbers are closed: open_countries", self.notes[0])
        self.assertIs(self.bus.events[-1].kind, EventKind.LIMIT_REACHED)

    def test_one_dial_counts_once(self) -> None:
        """
        A dial is one call, however many legs and stages it has.
        """
        departure = self.depart()
        for _ in range(3):
            self.do(departure.admit([target("017"), target("018")]))
        self.call(self.other)
        self.assert_refused(self.other, Code.OUTSIDE_AT_ONCE)

    def test_inside(self) -> None:
        """
        Calls that stay here are not counted; with too many outside they go on.
        """
        for _ in range(9):
            self.do(self.depart().admit([target(kind=Kind.CONTACT)]))
        self.call(self.one)
        self.call(self.one)
        departure = self.depart()
        both = [target("017"), target("7", Kind.CONTACT)]
        (left,) = self.do(departure.admit(both))
        self.assertIs(left.kind, Kind.CONTACT)
        assert departure.refused is not None
        self.assertIs(departure.refused.code, Code.OUTSIDE_AT_ONCE)

    def test_settled(self) -> None:
        """
        A call counts until its end if somebody outside has answered, and else until
        the end of the dial.
        """
        session = FakeSession()
        answered = Answered(cast(Session, session), target())
        here = Answered(cast(Session, session), target(kind=Kind.CONTACT))
        self.call(self.other)
        for result in (NotAnswered(486, "Busy Here"), here):
            departure = self.depart()
            self.do(departure.admit([target()]))
            departure.settle(result)
            self.call(self.other)()  # there is room
        self.reactor.advance(61)
        departure = self.depart()
        self.do(departure.admit([target()]))
        departure.settle(answered)
        self.reactor.advance(100)
        self.assert_refused(self.one, Code.OUTSIDE_AT_ONCE)
        session.ending.callback(None)
        self.call(self.one)
