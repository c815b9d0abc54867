"""
Tests for :mod:`sipsorcery.access.overload`.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.overload import LagMeter


class LagMeterTests(SynchronousTestCase):
    """
    How far a reactor is behind.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.heard: list[float] = []
        self.meter = LagMeter(self.clock, self.heard.append)
        self.meter.start()
        self.clock.advance(0)

    def look(self, *lags: float) -> float:
        """
        Let it look so many seconds too late each time; give what it says then.
        """
        for lag in lags:
            self.clock.advance(0.25 + lag)
        return self.heard[-1]

    def test_on_time(self) -> None:
        """
        A reactor that is on time is not behind; it is looked at four times a second.
        """
        self.clock.pump([0.01] * 201)
        self.assertEqual(len(self.heard), 8)
        self.assertLess(max(self.heard), 0.02)

    def test_moment(self) -> None:
        """
        One or two late looks are no lag: a machine may stand still for a moment.
        """
        self.assertEqual(self.look(0, 0, 0, 5), 0)
        self.assertEqual(self.look(5), 0)
        self.assertEqual(self.look(0, 5, 5), 0)

    def test_stays(self) -> None:
        """
        A reactor that is late at three looks in a row is behind by the least of them,
        until it is on time again.
        """
        self.assertAlmostEqual(self.look(0.75, 2, 1), 0.75)
        self.assertAlmostEqual(self.look(3), 1)
        self.assertEqual(self.look(0), 0)

    def test_start(self) -> None:
        """
        What it has seen before it was stopped counts no more.
        """
        self.look(1, 1)
        self.meter.stop()
        self.meter.start()
        self.clock.advance(0)
        self.assertEqual(self.look(1), 0)
        self.meter.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
