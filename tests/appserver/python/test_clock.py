"""
Tests for :mod:`sipsorcery.appserver.python.clock`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.python.clock import tell_time

NOW = datetime(2026, 7, 4, 23, 10, tzinfo=UTC).timestamp()


class TimeTests(SynchronousTestCase):
    def test_local(self) -> None:
        """
        Without a zone it is what the owner's clock shows, summer time included.
        """
        told = tell_time("datetime.now", (None,), "Europe/Dublin", NOW)
        self.assertEqual(told, datetime(2026, 7, 5, 0, 10))  # noqa: DTZ001 - local
        told = tell_time("date.today", (), "Europe/Dublin", NOW)
        self.assertEqual(told, date(2026, 7, 5))

    def test_zone(self) -> None:
        """
        With a zone it is that of the zone.
        """
        zone = timezone(timedelta(hours=-5))
        told = tell_time("datetime.now", (zone,), "Europe/Dublin", NOW)
        self.assertEqual(told, datetime(2026, 7, 4, 18, 10, tzinfo=zone))

    def test_seconds(self) -> None:
        """
        Every clock in seconds shows those since the epoch.
        """
        for name in ("time.time", "time.monotonic"):
            self.assertEqual(tell_time("time.time", (name,), "UTC", NOW), NOW)

    def test_others(self) -> None:
        """
        Questions that are about something else stay unanswered.
        """
        for name in ("os.getenv", "Path.read_text", "os.urandom", "time.sleep"):
            self.assertIsNone(tell_time(name, ("x",), "UTC", NOW))
