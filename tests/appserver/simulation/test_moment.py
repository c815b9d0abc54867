"""
Tests for :mod:`sipsorcery.appserver.simulation.moment`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.appserver.simulation.moment import read_moment

DUBLIN = ZoneInfo("Europe/Dublin")
#: A Wednesday in winter, where Dublin has the time of UTC.
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


class MomentTests(SynchronousTestCase):
    def read(self, text: str, zone: ZoneInfo = DUBLIN) -> str:
        """
        Read a moment; give it in UTC.
        """
        moment = datetime.fromtimestamp(read_moment(text, zone, NOW), UTC)
        return moment.strftime("%Y-%m-%d %H:%M")

    def test_now(self) -> None:
        """
        Nothing is now.
        """
        self.assertEqual(read_moment(" ", DUBLIN, NOW), NOW)

    def test_day_of_week(self) -> None:
        """
        A day of the week is today, or the next such day, on the clock of the zone.
        """
        self.assertEqual(self.read("Sat 23:10"), "2026-11-28 23:10")
        self.assertEqual(self.read("wed 8:00"), "2026-11-25 08:00")
        self.assertEqual(self.read("Tuesday 08:00"), "2026-12-01 08:00")
        self.assertEqual(self.read("23:10"), "2026-11-25 23:10")
        tokyo = ZoneInfo("Asia/Tokyo")
        self.assertEqual(self.read("Sat 08:00", tokyo), "2026-11-27 23:00")

    def test_date(self) -> None:
        """
        A date is on the clock of the zone, summer time included, unless it has its own.
        """
        self.assertEqual(self.read("2026-07-01 10:00"), "2026-07-01 09:00")
        self.assertEqual(self.read("2026-07-01T10:00+09:00"), "2026-07-01 01:00")

    def test_faults(self) -> None:
        """
        Anything else is an error.
        """
        for text in ("soon", "25:00", "12:60", "Xyz 10:00", "2026-13-01 10:00"):
            self.assertRaises(WorldError, read_moment, text, DUBLIN, NOW)
