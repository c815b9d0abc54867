"""
Who is logged in, and how many may be.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.seats import Caps, Seat, Seats
from sipsorcery.monitor.filter.filter import Viewer

_CAPS = Caps(
    sessions=4,
    of_user=2,
    of_source=3,
    strangers=3,
    strangers_of=2,
    idle=10.0,
    longest=100.0,
)


class SeatsTests(SynchronousTestCase):
    """
    A console with few seats.
    """

    def setUp(self) -> None:
        self.seats = Seats(_CAPS)

    def take(self, user: str, host: str = "192.0.2.1", now: float = 0.0) -> Seat:
        """
        Let somebody in.
        """
        return self.seats.take(user, host, now, lambda text: None)

    def test_strangers(self) -> None:
        """
        Of those who have yet to log in there are so many, of a source and in all.
        """
        self.assertTrue(self.seats.admit("192.0.2.1"))
        self.assertTrue(self.seats.admit("192.0.2.1"))
        self.assertFalse(self.seats.admit("192.0.2.1"))
        self.assertTrue(self.seats.admit("192.0.2.2"))
        self.assertFalse(self.seats.admit("192.0.2.3"))
        self.seats.forget("192.0.2.1")
        self.assertTrue(self.seats.admit("192.0.2.3"))

    def test_network_of_strangers(self) -> None:
        """
        A network of IPv6 is one source.
        """
        for host in ("2001:db8::1", "2001:db8::2"):
            self.assertTrue(self.seats.admit(host))
        self.assertFalse(self.seats.admit("2001:db8::3"))

    def test_of_user(self) -> None:
        """
        A user has so many sessions, wherever they come from.
        """
        first = self.take("joe", "192.0.2.1")
        self.take("joe", "192.0.2.2")
        self.assertIn("of joe", self.seats.is_full("joe", "192.0.2.3"))
        self.assertEqual(self.seats.is_full("ann", "192.0.2.3"), "")
        self.seats.leave(first)
        self.assertEqual(self.seats.is_full("joe", "192.0.2.3"), "")

    def test_of_source(self) -> None:
        """
        So many come from one address, and so many in all.
        """
        for user in ("a", "b", "c"):
            self.take(user)
        self.assertIn("from 192.0.2.1", self.seats.is_full("d", "192.0.2.1"))
        self.take("d", "192.0.2.2")
        self.assertEqual(self.seats.is_full("e", "192.0.2.3"), "too many sessions")

    def test_idle(self) -> None:
        """
        Who leaves the prompt alone has to go; who watches something does not.
        """
        idle, busy = self.take("joe"), self.take("ann")
        busy.doing = "tail"
        idle.touched = 1.0
        self.assertEqual(self.seats.overdue(10.9), [])
        self.assertEqual([seat for seat, _ in self.seats.overdue(11.0)], [idle])

    def test_longest(self) -> None:
        """
        No session lasts for ever.
        """
        busy = self.take("ann")
        busy.doing = "tail"
        self.assertEqual([seat for seat, _ in self.seats.overdue(100.0)], [busy])

    def test_history(self) -> None:
        """
        What a user has typed is there when they come again, and for nobody else.
        """
        seat = self.take("joe")
        seat.history.add("calls")
        self.seats.leave(seat)
        self.assertEqual(len(self.take("joe").history), 1)
        self.assertEqual(len(self.take("ann").history), 0)

    def test_viewer(self) -> None:
        """
        Who looks as another is no administrator meanwhile.
        """
        seat = self.seats.take("root", "::1", 0.0, lambda text: None, is_admin=True)
        self.assertEqual(seat.viewer, Viewer("root", is_admin=True))
        seat.seen_as = "joe"
        self.assertEqual(seat.viewer, Viewer("joe"))
