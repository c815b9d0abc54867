"""
Tests for :mod:`sipsorcery.appserver.wizard.hours`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.errors import PatternError
from sipsorcery.appserver.wizard.hours import Hours

SUNDAY = datetime(2026, 11, 22, 11, 28, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 25, 11, 28, tzinfo=UTC)


class HoursTests(SynchronousTestCase):
    def test_vectors(self) -> None:
        """
        Days and hours match as they always have.
        """
        cases = [
            ("Tu", SUNDAY, False),
            ("Su", SUNDAY, True),
            ("MTuWThFSaSu;00:00-23:59", SUNDAY, True),
            ("MTuThFSaSu", WEDNESDAY, False),
            ("W;08:00-23:59", WEDNESDAY.replace(hour=7), False),
            ("W;08:00-17:00", WEDNESDAY.replace(hour=18), False),
            ("W;08:00-17:00", WEDNESDAY, True),
        ]
        for text, moment, expected in cases:
            self.assertEqual(Hours.parse(text).include(moment), expected, text)

    def test_ends(self) -> None:
        """
        The first and the last minute belong to the hours, to their last second.
        """
        hours = Hours.parse("W; 08:00 - 11:28")
        self.assertTrue(hours.include(WEDNESDAY.replace(second=59)))
        self.assertFalse(hours.include(WEDNESDAY.replace(minute=29)))
        self.assertTrue(hours.include(WEDNESDAY.replace(hour=8, minute=0)))
        self.assertFalse(hours.include(WEDNESDAY.replace(hour=7, minute=59)))

    def test_over_midnight(self) -> None:
        """
        Hours over midnight go on in the day after.
        """
        hours = Hours.parse("Sa;22:00-06:00")
        self.assertTrue(hours.include(datetime(2026, 11, 21, 23, 10, tzinfo=UTC)))
        self.assertTrue(hours.include(datetime(2026, 11, 22, 5, 0, tzinfo=UTC)))
        self.assertFalse(hours.include(datetime(2026, 11, 21, 5, 0, tzinfo=UTC)))
        self.assertFalse(hours.include(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)))

    def test_no_hours(self) -> None:
        """
        What is no such text, or could never match, is refused.
        """
        for text in ("", ";08:00-09:00", "Mo", "M;8:00-9:00", "M;08:00-24:00", "M;"):
            with self.assertRaises(PatternError, msg=text):
                Hours.parse(text)
