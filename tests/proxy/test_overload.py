"""
Tests for `sipsorcery.proxy.overload`.
"""

from __future__ import annotations

from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.fields import RETRY_AFTER
from tests.proxy.world import ProxyWorld

BOB = "sip:bob@example.com"


class LoadTests(ProxyWorld):
    """
    A reactor that is late.
    """

    def setUp(self) -> None:
        super().setUp()
        self.load.start()
        self.addCleanup(self.load.stop)

    def fall_behind(self, seconds: float) -> None:
        """
        Let the reactor do something else, again and again.
        """
        for _ in range(3):
            self.stand_still(seconds)

    def stand_still(self, seconds: float) -> None:
        """
        Let the reactor do something else for a while.
        """
        self.network.advance(0.1)
        self.machine.advance(0.15 + seconds)  # in one step

    def test_on_time(self) -> None:
        """
        A reactor that is on time, or a little late, serves everybody.
        """
        self.network.advance(10)
        self.a.send(self.a.make("MESSAGE", BOB))
        self.fall_behind(0.3)
        self.a.send(self.a.make("MESSAGE", BOB, branch="2"))
        self.assertEqual(self.a.statuses(), [404, 404])

    def test_moment(self) -> None:
        """
        One that stood still for a moment, and was on time before, does at once what has
        waited.
        """
        self.network.advance(10)
        self.stand_still(3)
        self.a.send(self.a.make("MESSAGE", BOB))
        self.assertEqual(self.a.statuses(), [404])
        self.assertEqual(self.bus.events, [])

    def test_behind(self) -> None:
        """
        One that is behind refuses what is new, 503, and says when to come back: each
        another time.
        """
        self.fall_behind(0.5)
        for number in range(50):
            self.a.send(self.a.make("MESSAGE", BOB, branch=str(number)))
        responses = list(self.a.inbox)
        self.assertEqual({getattr(each, "status", 0) for each in responses}, {503})
        times = {each[RETRY_AFTER].seconds for each in responses}
        self.assertGreater(len(times), 5)
        self.assertTrue(all(5 <= each <= 30 for each in times))
        kinds = [each.kind for each in self.bus.events]
        self.assertEqual(kinds, [EventKind.OVERLOAD])

    def test_what_goes_on(self) -> None:
        """
        What belongs to something under way, or comes from a role, is served all the
        same; and everybody, as soon as it has caught up.
        """
        self.fall_behind(0.5)
        for method, to_tag in (("BYE", ""), ("INFO", "t"), ("CANCEL", "")):
            self.a.send(self.a.make(method, BOB, branch=method, to_tag=to_tag))
        self.assertNotIn(503, self.a.statuses())
        self.role.send(self.role.make("MESSAGE", BOB), "10.0.0.1", 5059)
        self.assertEqual(self.role.statuses(), [404])
        self.network.advance(1)
        self.a.send(self.a.make("MESSAGE", BOB, branch="later"))
        self.assertEqual(self.a.statuses(), [404])

    def test_reports(self) -> None:
        """
        It is reported once a minute.
        """
        for _ in range(45):
            self.fall_behind(0.75)
            self.a.send(self.a.make("MESSAGE", BOB))
        self.assertEqual(len(self.bus.events), 3)
