"""
Tests for `sipsorcery.monitor.window`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.window import Bounds, Query, Window

HERE = Endpoint.parse("udp:192.0.2.1:5060")
ADMIN = Filter.parse("event full or event *", Viewer("root", is_admin=True), now=0)


def own(user: str, text: str = "event full or event *") -> Filter:
    """
    Give a filter of a user.
    """
    return Filter.parse(text, Viewer(user), now=0)


def step(number: int, owner: str = "joe", call_id: str = "c1") -> Event:
    """
    Make an event at that time.
    """
    return Event(
        time=number,
        server="appserver",
        kind=EventKind.DIALPLAN_STEP,
        owner=owner,
        call_id=call_id,
    )


def trace(number: int, branch: str = "", origin: str = "") -> Event:
    """
    Make a trace of which the proxy does not know whose it is.
    """
    return Event(
        time=number,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        detail={"origin": origin} if origin else {},
        trace=Trace(b"OPTIONS", Direction.SENT, HERE, HERE, branch),
    )


def known(branch: str, owner: str) -> Event:
    """
    Make what a role says of a branch.
    """
    return Event(
        time=0,
        server="registrar",
        kind=EventKind.OWNER_KNOWN,
        owner=owner,
        detail={"branch": branch},
    )


class WindowTests(SynchronousTestCase):
    """
    Events that are kept.
    """

    def open(self, path: Path | str = ":memory:", **bounds: float) -> Window:
        """
        Open a window, and close it after the test.
        """
        known = {"count": 1000, "size": 1_000_000, "age": 1000.0, **bounds}
        window = Window(
            path, Bounds(int(known["count"]), int(known["size"]), known["age"])
        )
        self.addCleanup(window.close)
        return window

    def times(
        self, window: Window, wanted: Filter, query: Query | None = None
    ) -> list[float]:
        """
        Give the times of all that somebody finds.
        """
        return [event.time for event in window.read(wanted, query=query).events]

    def test_each_their_own(self) -> None:
        """
        A user finds what is theirs, an administrator everything, a filter narrows it.
        """
        window = self.open()
        window.append([step(1), step(2, "ann"), trace(3)], now=3)
        self.assertEqual(self.times(window, own("joe")), [1])
        self.assertEqual(self.times(window, own("ann")), [2])
        self.assertEqual(self.times(window, own("ann", "event full")), [])
        self.assertEqual(self.times(window, ADMIN), [1, 2, 3])

    def test_queries(self) -> None:
        """
        Calls, kinds and times narrow what is found.
        """
        window = self.open()
        window.append([step(1), step(2, call_id="c2"), trace(3)], now=3)
        kinds = (EventKind.SIP_TRACE,)
        for query, expected in (
            (Query(call_id="c2"), [2]),
            (Query(kinds=kinds), [3]),
            (Query(since=2), [2, 3]),
            (Query(until=2), [1]),
            (Query(call_id="c1", kinds=kinds), []),
        ):
            self.assertEqual(self.times(window, ADMIN, query), expected, query)

    def test_cursor(self) -> None:
        """
        A reader goes on where they were, also after a restart.
        """
        path = Path(self.mktemp())
        window = Window(path)
        window.append([step(n) for n in range(5)], now=5)
        page = window.read(own("joe"), limit=2)
        self.assertEqual([e.time for e in page.events], [0, 1])
        self.assertFalse(page.is_last)
        window.close()
        again = self.open(path)
        page = again.read(own("joe"), page.cursor)
        self.assertEqual([e.time for e in page.events], [2, 3, 4])
        self.assertTrue(page.is_last)
        self.assertEqual(again.read(own("joe"), page.cursor).events, ())

    def test_missed(self) -> None:
        """
        A reader is told how many of their events have gone meanwhile, and of nobody's.
        """
        window = self.open(count=4)
        window.append([step(0), step(0, "ann")], now=0)
        joe, all_ = window.end(own("joe")), window.end(ADMIN)
        window.append([step(n, "ann") for n in range(1, 4)], now=4)
        window.append([step(n) for n in range(4, 10)], now=10)
        page = window.read(own("joe"), joe)
        self.assertEqual(
            ([e.time for e in page.events], page.missed), ([6, 7, 8, 9], 2)
        )
        self.assertEqual(window.read(ADMIN, all_).missed, 5)
        self.assertEqual(window.read(own("joe")).missed, 0)

    def test_bounds(self) -> None:
        """
        Count, bytes and age each bound the window, and the oldest go first.
        """
        for bounds in ({"count": 3}, {"size": 300}, {"age": 3.0}):
            window = self.open(**bounds)
            window.append([step(n) for n in range(1500)], now=1500)
            times = self.times(window, ADMIN)
            self.assertEqual(times, [float(1500 - n) for n in range(len(times), 0, -1)])
            self.assertIn(len(times), (2, 3), bounds)

    def test_bounds_after_a_restart(self) -> None:
        """
        What was in the window before counts.
        """
        path = Path(self.mktemp())
        window = Window(path)
        window.append([step(n) for n in range(5)], now=5)
        window.close()
        again = self.open(path, count=2)
        again.append([step(5)], now=5)
        self.assertEqual(self.times(again, ADMIN), [4, 5])

    def test_owner_known_later(self) -> None:
        """
        The traces of a branch, of both sides of the proxy, go to whose they are, after
        what that user has read; those that come later too.
        """
        window = self.open()
        window.append([trace(1, origin="o"), trace(2, "b", "o"), trace(3, "x")], now=3)
        window.append([step(4)], now=4)
        page = window.read(own("joe"))
        self.assertEqual([e.time for e in page.events], [4])
        window.append([known("b", "joe"), trace(5, "b"), trace(6, origin="o")], now=6)
        page = window.read(own("joe"), page.cursor)
        self.assertEqual([e.time for e in page.events], [1, 2, 5, 6])
        self.assertEqual({e.owner for e in page.events}, {"joe"})

    def test_owner_known_before(self) -> None:
        """
        Traces of a transaction whose owner was told before they came are theirs, by the
        branch of the proxy or by the origin that a server inside has named; the first
        who was told stays the owner.
        """
        window = self.open()
        sent = msgspec.structs.replace(known("", "ann"), detail={"origin": "o"})
        again = msgspec.structs.replace(sent, owner="eve")
        window.append([known("b", "joe"), sent, again], now=1)
        window.append([trace(1, "b"), trace(2, "c", "o"), trace(3, "d", "p")], now=3)
        self.assertEqual([each.time for each in window.read(own("joe")).events], [1])
        self.assertEqual([each.time for each in window.read(own("ann")).events], [2])
        self.assertEqual(window.read(own("eve")).events, ())

    def test_owner_of_origin(self) -> None:
        """
        A claim by origin gives the traces that are here already as well.
        """
        window = self.open()
        claim = msgspec.structs.replace(known("", "ann"), detail={"origin": "o"})
        window.append([trace(1, "", "o"), trace(2, "c", "o"), trace(3), claim], now=3)
        self.assertEqual([each.time for each in window.read(own("ann")).events], [1, 2])

    def test_owner_does_not_change(self) -> None:
        """
        Traces that are somebody's do not become another's, and no branch names none.
        """
        window = self.open()
        window.append([trace(1, "b"), trace(2), known("b", "joe")], now=2)
        window.append([known("b", "eve"), known("", "eve")], now=2)
        self.assertEqual(self.times(window, own("joe")), [1])
        self.assertEqual(self.times(window, own("eve")), [])

    def test_cursor_of_another_window(self) -> None:
        """
        A cursor from beyond the end begins again instead of waiting for ever.
        """
        window = self.open()
        window.append([step(1)], now=1)
        page = window.read(own("joe"), 99)
        self.assertEqual((len(page.events), page.missed, page.cursor), (1, 0, 1))
