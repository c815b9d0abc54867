"""
Tests for `sipsorcery.monitor.readers`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.readers import Reader, Readers


def step(number: int, owner: str = "joe") -> Event:
    """
    Make an event at that time.
    """
    return Event(
        time=number, server="appserver", kind=EventKind.DIALPLAN_STEP, owner=owner
    )


def reader(user: str, text: str = "", *, admin: bool = False) -> Reader:
    """
    Make a reader with room for three events.
    """
    return Reader(Filter.parse(text, Viewer(user, admin), now=0), waiting=3)


class ReadersTests(SynchronousTestCase):
    """
    Those who follow.
    """

    def test_whom_an_event_reaches(self) -> None:
        """
        An event reaches each reader of its owner who wants it, and administrators.
        """
        joe, picky, ann = reader("joe"), reader("joe", "event trouble"), reader("ann")
        root, nobody = reader("root", admin=True), reader("")
        readers = Readers()
        for each in (joe, picky, ann, root, nobody):
            readers.add(each)
        for event in (step(1), step(2, "")):
            readers.offer(event)
        for each, times in ((joe, [1]), (picky, []), (ann, []), (nobody, [])):
            self.assertEqual([event.time for event in each.take()[1]], times)
        self.assertEqual([event.time for event in root.take()[1]], [1, 2])

    def test_slow_reader(self) -> None:
        """
        A slow reader loses the oldest, is told how many, and costs nobody else any.
        """
        slow, quick = reader("joe"), reader("joe")
        readers = Readers()
        readers.add(slow)
        readers.add(quick)
        seen = []
        for number in range(5):
            readers.offer(step(number))
            seen += quick.take()[1]
        self.assertEqual([event.time for event in seen], [0, 1, 2, 3, 4])
        self.assertEqual(slow.take(2), (2, [step(2), step(3)]))
        self.assertEqual(slow.take(), (0, [step(4)]))

    def test_remove(self) -> None:
        """
        Whoever leaves is given nothing more; the others of that user stay.
        """
        first, second, root = reader("joe"), reader("joe"), reader("r", admin=True)
        readers = Readers()
        for each in (first, second, root):
            readers.add(each)
        readers.remove(first)
        readers.remove(first)
        readers.remove(root)
        readers.offer(step(1))
        self.assertEqual([len(r.take()[1]) for r in (first, second, root)], [0, 1, 0])
