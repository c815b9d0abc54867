"""
Tests for `sipsorcery.appserver.records.retention`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.records.retention import Retention
from sipsorcery.store.errors import StoreUnavailable
from tests.appserver.established import KeptCDRs

NOW = 1_700_000_000.0
START = datetime.fromtimestamp(NOW, UTC)


class RecordingCDRs(KeptCDRs):
    """
    Notes what is to be removed, unless it is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[datetime] = []
        self.is_away = False

    def remove_before(self, time: datetime) -> Deferred[int]:
        """
        Note it.
        """
        self.asked.append(time)
        return fail(StoreUnavailable("away")) if self.is_away else succeed(3)


class RetentionTests(SynchronousTestCase):
    """
    Old records.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.cdrs = RecordingCDRs()

    def keep(self, days: float) -> Retention:
        """
        Keep records for some days.
        """
        kept = Retention(self.clock, self.cdrs, days, now=self.clock.seconds)
        kept.start()
        self.addCleanup(kept.stop)
        return kept

    def test_days(self) -> None:
        """
        What is older goes at the start, and every hour.
        """
        self.keep(30)
        self.assertEqual(self.cdrs.asked, [START - timedelta(days=30)])
        self.clock.advance(3600)
        self.assertEqual(
            self.cdrs.asked[1:], [START - timedelta(days=30) + timedelta(hours=1)]
        )

    def test_for_ever(self) -> None:
        """
        0 days are for ever.
        """
        self.keep(0)
        self.clock.advance(7200)
        self.assertEqual(self.cdrs.asked, [])

    def test_away(self) -> None:
        """
        A directory that is away is asked again an hour later.
        """
        self.cdrs.is_away = True
        self.keep(1)
        self.cdrs.is_away = False
        self.clock.advance(3600)
        self.assertEqual(len(self.cdrs.asked), 2)

    def test_stop(self) -> None:
        """
        A server that stops leaves no timer behind.
        """
        self.keep(1).stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
