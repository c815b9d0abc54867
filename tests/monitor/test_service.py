"""
Tests for `sipsorcery.monitor.service`, and the view that it has.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config
from sipsorcery.config.tree import Monitor, Server
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.errors import FilterError, NoSuchCall, WindowUnavailable
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.service import MonitorService
from sipsorcery.monitor.window import Query
from sipsorcery.store.errors import StoreInUse
from sipsorcery.testing.threads import SteppedThreads
from tests.monitor.test_window import ADMIN, known, own, step, trace

_T = TypeVar("_T")


class Monitored(SynchronousTestCase):
    """
    A monitor with a bus.
    """

    def setUp(self) -> None:
        """
        Start one.
        """
        self.clock = Clock()
        self.bus = LocalBus(self.clock)
        self.folder = Path(self.mktemp())
        self.monitor = self.start()

    def start(self) -> MonitorService:
        """
        Start a monitor on the folder.
        """
        config = Config(
            server=Server(data_dir=self.folder), monitor=Monitor(count=5000)
        )
        monitor = MonitorService(
            self.clock,
            config,
            self.bus,
            threads=SteppedThreads(waits=False),
            clock=lambda: 100.0,
        )
        monitor.startService()
        self.addCleanup(self.stop, monitor)
        return monitor

    def stop(self, monitor: MonitorService) -> None:
        """
        Stop it, once.
        """
        if monitor.running:
            stopped = monitor.stopService()
            self.clock.pump([0] * 300)
            self.successResultOf(stopped)

    def emit(self, *events: Event) -> None:
        """
        Emit events, and let them arrive.
        """
        for event in events:
            self.bus.emit(event)
        self.clock.pump([0] * (len(events) // 100 + 2))

    def done(self, work: Awaitable[_T]) -> _T:
        """
        Give the result of something that does not have to wait.
        """

        async def run() -> _T:
            return await work

        return self.successResultOf(Deferred.fromCoroutine(run()))

    def times(self, wanted: Filter, query: Query | None = None) -> list[float]:
        """
        Give the times of what somebody finds in the window.
        """
        page = self.done(self.monitor.view.read(wanted, query=query))
        return [event.time for event in page.events]


class MonitorServiceTests(Monitored):
    """
    What is kept.
    """

    def test_what_was_emitted_is_found(self) -> None:
        """
        Whoever reads finds all that has been emitted before, written or not.
        """
        self.emit(step(1), step(2, "ann"))
        self.assertEqual(self.times(own("joe")), [1])
        self.emit(step(3))
        self.assertEqual(self.times(ADMIN), [1, 2, 3])
        self.assertEqual(self.done(self.monitor.view.end(own("joe"))), 2)

    def test_restart(self) -> None:
        """
        The window survives a restart, with what was emitted during the shutdown.
        """
        self.emit(*map(step, range(1000)))
        stopped = self.monitor.stopService()
        self.assertNoResult(stopped)
        for number in range(1000, 1500):
            self.bus.emit(step(number))
        self.clock.pump([0] * 20)
        self.successResultOf(stopped)
        self.monitor = self.start()
        page = self.done(self.monitor.view.read(own("joe"), 1400, limit=1000))
        self.assertEqual(
            [e.time for e in page.events], [*map(float, range(1400, 1500))]
        )

    def test_one_process(self) -> None:
        """
        A second process on the same window is refused.
        """
        with self.assertRaises(StoreInUse):
            self.start()

    def test_traces_can_be_left(self) -> None:
        """
        Without traces nobody builds any; other events go on, and none is lost.
        """
        self.assertTrue(self.bus.wants(EventKind.SIP_TRACE))
        self.monitor.trace(False)
        self.assertFalse(self.bus.wants(EventKind.SIP_TRACE))
        self.assertFalse(self.bus.wants(EventKind.OWNER_KNOWN))
        self.emit(step(1), trace(2))
        self.monitor.trace(True)
        self.emit(trace(3))
        self.assertEqual(self.times(ADMIN), [1, 3])
        self.assertTrue(self.monitor.is_tracing)

    def test_octets_that_are_no_text(self) -> None:
        """
        What a stranger sends that is no UTF-8 neither ends the window nor is lost.
        """
        hostile = msgspec.structs.replace(
            step(1), call_id="a\udcff", message="\udc80", detail={"\udcfe": "\udcff"}
        )
        self.emit(hostile, step(2))
        page = self.done(self.monitor.view.read(own("joe")))
        self.assertEqual([e.time for e in page.events], [1, 2])
        self.assertEqual(page.events[0].call_id, r"a\udcff")
        reading = self.monitor.view.read(own("joe"), query=Query(call_id="\udcff"))
        failure = self.failureResultOf(Deferred.fromCoroutine(reading))
        failure.trap(WindowUnavailable)


class BrokenDiskTests(Monitored):
    """
    What the disk does to nobody but the window.
    """

    def test_file_that_cannot_be_made(self) -> None:
        """
        While the file cannot be opened, events are served live; they are kept when it
        can be again.
        """
        self.stop(self.monitor)
        file = self.folder / "events.db"
        file.unlink(missing_ok=True)
        file.mkdir()
        self.monitor = self.start()
        following = self.monitor.view.follow(own("joe"), lambda: None)
        self.emit(step(1))
        self.clock.advance(1)
        self.assertEqual(following.take(), (0, [step(1)]))
        reading = Deferred.fromCoroutine(self.monitor.view.read(own("joe")))
        self.failureResultOf(reading, WindowUnavailable)
        file.rmdir()
        self.clock.advance(60)
        self.assertEqual(self.times(own("joe")), [1])
        self.assertEqual(self.monitor.dropped, 0)

    def test_bounded(self) -> None:
        """
        What waits for a disk is bounded, and what does not fit is counted.
        """
        self.stop(self.monitor)
        file = self.folder / "events.db"
        file.unlink(missing_ok=True)
        file.mkdir()
        self.monitor = self.start()
        for first in range(0, 12_000, 1000):
            self.emit(*map(step, range(first, first + 1000)))
        self.clock.advance(1)
        self.assertEqual(self.monitor.dropped, 2000)
        file.rmdir()
        self.clock.advance(60)
        self.clock.pump([0] * 30)
        page = self.done(self.monitor.view.read(ADMIN))
        self.assertEqual(page.events[0].time, 7000)  # of those the window holds 5000

    def test_damaged_file(self) -> None:
        """
        A file that is no database is set aside, and a new one takes its place.
        """
        self.stop(self.monitor)
        file = self.folder / "events.db"
        file.write_bytes(b"rubbish " * 1000)
        self.monitor = self.start()
        self.emit(step(1))
        self.clock.advance(1)
        self.clock.advance(60)
        self.assertEqual(self.times(own("joe")), [1])
        self.assertEqual((self.folder / "events.db.damaged").stat().st_size, 8000)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_end_while_the_disk_fails(self) -> None:
        """
        A disk that fails does not keep a process from its end.
        """
        self.stop(self.monitor)
        (self.folder / "events.db").unlink(missing_ok=True)
        (self.folder / "events.db").mkdir()
        self.monitor = self.start()
        self.emit(step(1))
        self.stop(self.monitor)
        self.assertEqual(self.monitor.dropped, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FiguresTests(Monitored):
    """
    What is counted.
    """

    def figures(self) -> dict[str, object]:
        """
        Give the figures, but for those of its tables.
        """
        figures = self.monitor.figures()
        return {each.name: each.value for each in figures if not each.labels}

    def test_figures(self) -> None:
        """
        Events that came, wait and were lost, and those who look, are counted.
        """
        following = self.monitor.view.follow(own("joe"), lambda: None)
        self.emit(step(1), step(2))
        figures = self.figures()
        self.assertEqual(
            figures,
            {
                "events_heard": 2,
                "events_waiting": 2,
                "events_not_kept": 0,
                "readers": 1,
            },
        )
        following.stop()
        self.clock.advance(1)
        figures = self.figures()
        self.assertEqual((figures["events_waiting"], figures["readers"]), (0, 0))


class FollowingTests(Monitored):
    """
    Those who follow live.
    """

    def test_wake(self) -> None:
        """
        Whoever follows is woken once, in a later turn, until all is taken; and then
        again.
        """
        woken: list[int] = []
        following = self.monitor.view.follow(own("joe"), lambda: woken.append(1))
        self.emit(step(1), step(2), step(3, "ann"))
        self.assertEqual(len(woken), 1)
        self.assertEqual(following.take(1), (0, [step(1)]))
        self.emit(step(4))
        self.assertEqual(len(woken), 1)
        self.assertEqual(following.take(), (0, [step(2), step(4)]))
        self.emit(step(5))
        self.assertEqual(len(woken), 2)
        following.stop()
        self.emit(step(6))
        self.assertEqual(len(woken), 2)

    def test_stop_before_waking(self) -> None:
        """
        Whoever has stopped is not woken any more; one who fails harms nobody.
        """
        woken: list[str] = []

        def fail() -> None:
            woken.append("fail")
            third.stop()
            raise ValueError("it is broken")

        view = self.monitor.view
        view.follow(own("joe"), fail)
        view.follow(own("joe"), lambda: woken.append("second"))
        third = view.follow(own("joe"), lambda: woken.append("third"))
        self.emit(step(1))
        self.assertEqual(woken, ["fail", "second"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_late_claim(self) -> None:
        """
        Traces whose owner is known later go to that one's live readers then, in order,
        of both sides of the proxy; administrators have had them.
        """
        joe = self.monitor.view.follow(own("joe"), lambda: None)
        ann = self.monitor.view.follow(own("ann"), lambda: None)
        root = self.monitor.view.follow(ADMIN, lambda: None)
        self.emit(trace(1, origin="o"), trace(2, "b", "o"), trace(3, "x"))
        self.assertEqual(joe.take(), (0, []))
        self.emit(known("b", "joe"), trace(4, "b", "o"), trace(5, origin="o"))
        _, events = joe.take()
        self.assertEqual([each.time for each in events], [1, 2, 4, 5])
        self.assertEqual({each.owner for each in events}, {"joe"})
        self.assertEqual([each.time for each in root.take()[1]], [1, 2, 3, 4, 5])
        self.assertEqual(ann.take(), (0, []))

    def test_live_is_as_kept(self) -> None:
        """
        Who follows sees what who reads later finds.
        """
        joe = self.monitor.view.follow(own("joe"), lambda: None)
        sent = msgspec.structs.replace(known("", "joe"), detail={"origin": "p"})
        self.emit(trace(1, "b", "o"), sent, trace(2, "c", "p"), known("b", "joe"))
        self.emit(step(3), trace(4, "d", "p"))
        live = [each.time for each in joe.take()[1]]
        self.assertEqual(sorted(live), sorted(self.times(own("joe"))))
        self.assertEqual(live, [2, 1, 3, 4])


class CallTests(Monitored):
    """
    All that there is of one call.
    """

    def setUp(self) -> None:
        """
        Have a call of two legs, and another.
        """
        super().setUp()
        self.emit(
            of_call(1, "leg1", "", EventKind.SIP_TRACE),
            of_call(2, "leg1", "call1", EventKind.CALL_STARTED),
            of_call(3, "leg2", "call1", EventKind.LEG_STARTED),
            of_call(5, "leg1", "call1", EventKind.CALL_ENDED),
            of_call(4, "leg2", "", EventKind.SIP_TRACE),
            of_call(6, "leg3", "call2", EventKind.CALL_STARTED),
            of_call(7, "leg2", "", EventKind.SIP_TRACE, owner="eve"),
        )

    def test_by_any_name(self) -> None:
        """
        A call is found by our identifier and by the Call-ID of any leg, all of it, in
        the order of time.
        """
        for name in ("call1", "leg1", "leg2"):
            story = self.done(self.monitor.view.call(Viewer("joe"), name))
            self.assertEqual([e.time for e in story.events], [1, 2, 3, 4, 5], name)
            self.assertEqual(story.calls, ("call1",))
            self.assertEqual(story.call_ids, ("leg1", "leg2"))
            self.assertFalse(story.is_cut)

    def test_each_their_own(self) -> None:
        """
        Nobody gets at another's call, also not by using its Call-ID.
        """
        story = self.done(self.monitor.view.call(Viewer("eve"), "leg2"))
        self.assertEqual([e.time for e in story.events], [7])
        for viewer, name in ((Viewer("ann"), "call1"), (Viewer("eve"), "call1")):
            finding = Deferred.fromCoroutine(self.monitor.view.call(viewer, name))
            self.failureResultOf(finding, NoSuchCall)
        story = self.done(self.monitor.view.call(Viewer("r", is_admin=True), "leg1"))
        self.assertEqual([e.time for e in story.events], [1, 2, 3, 4, 5, 7])

    def test_bounded(self) -> None:
        """
        A call without end is cut.
        """
        for first in range(0, 3000, 500):
            self.emit(
                *(
                    of_call(n, "long", "", EventKind.SIP_TRACE)
                    for n in range(first, first + 500)
                )
            )
        story = self.done(self.monitor.view.call(Viewer("joe"), "long"))
        self.assertTrue(story.is_cut)
        self.assertEqual(len(story.events), 2000)


def of_call(
    number: int, call_id: str, dialogue: str, kind: EventKind, owner: str = "joe"
) -> Event:
    """
    Make an event of a call.
    """
    return Event(
        time=number,
        server="appserver",
        kind=kind,
        owner=owner,
        call_id=call_id,
        dialogue=dialogue,
    )


# What people type, and what they should not.
_TERMS = st.sampled_from(
    (
        *("event *", "event full", "event 53", "server 11", "user *", "user joe"),
        *("callid c1", "regex joe", 'regex ".*"', "direction sent", "event trouble"),
        *("ipaddr *", "since 1h", "basetype machine"),
    )
)
_FILTERS = st.recursive(
    _TERMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(" ".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=5,
)
_OWNERS = st.sampled_from(("joe", "ann", "", "JOE", "joe'--", "%"))
_EVENTS = st.one_of(
    st.builds(step, st.integers(0, 90), _OWNERS, st.sampled_from(("c1", "joe"))),
    st.builds(
        trace, st.integers(0, 90), st.sampled_from("ab"), st.sampled_from(("", "o"))
    ),
    st.builds(known, st.sampled_from("abo"), _OWNERS),
)


class IsolationTests(Monitored):
    """
    What no filter does.
    """

    @given(_FILTERS, st.lists(_EVENTS, max_size=20), st.sampled_from(("joe", "", "%")))
    def test_no_filter_reaches_what_is_anothers(
        self, text: str, events: list[Event], user: str
    ) -> None:
        """
        Whatever a user asks for, live, in the window or by a call: it is theirs.
        """
        try:
            wanted = Filter.parse(text, Viewer(user), now=100)
        except FilterError:
            return
        view = self.monitor.view
        following = view.follow(wanted, lambda: None)
        self.emit(*events)
        page = self.done(view.read(wanted, limit=1000))
        live = following.take(1000)[1]
        following.stop()
        self.assertLessEqual({each.owner for each in (*live, *page.events)}, {user})
        if not user:
            self.assertEqual((live, page.events), ([], ()))
