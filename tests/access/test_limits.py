"""
Tests for `sipsorcery.access.limits`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.limits import CallRate
from sipsorcery.config.values import Rate


class CallRateTests(SynchronousTestCase):
    """
    How many calls a user may begin.
    """

    def take(self, rate: CallRate, times: int, now: float, owner: str = "joe") -> int:
        """
        Begin calls at one moment; give how many there could be.
        """
        return sum(rate.take(owner, now) for _ in range(times))

    def test_rate(self) -> None:
        """
        Ten at a time, then one every six seconds; after a minute ten again, and never
        more.
        """
        rate = CallRate(Rate(10, 60.0))
        self.assertEqual(self.take(rate, 20, 0.0), 10)
        self.assertEqual(self.take(rate, 20, 5.9), 0)
        self.assertEqual(self.take(rate, 20, 6.1), 1)
        self.assertEqual(self.take(rate, 20, 1000.0), 10)

    def test_by_user(self) -> None:
        """
        Each user has their own.
        """
        rate = CallRate(Rate(1, 60.0))
        self.assertEqual(self.take(rate, 2, 0.0, "joe"), 1)
        self.assertEqual(self.take(rate, 2, 0.0, "eve"), 1)

    def test_no_rate(self) -> None:
        """
        Without a rate in the configuration there may be any number.
        """
        self.assertEqual(self.take(CallRate(None), 10_000, 0.0), 10_000)

    def test_other_rate(self) -> None:
        """
        With another rate nobody has all again, and nobody more than it allows.
        """
        rate = CallRate(Rate(10, 60.0))
        self.assertEqual(self.take(rate, 20, 0.0), 10)
        rate.rate = Rate(20, 60.0)
        self.assertEqual(self.take(rate, 20, 0.0), 0)
        self.assertEqual(self.take(rate, 20, 3.1), 1)
        rate.rate = Rate(2, 60.0)
        self.assertEqual(self.take(rate, 20, 1000.0), 2)

    def test_bound(self) -> None:
        """
        Of more users than there is room for, the one who called longest ago goes.
        """
        rate = CallRate(Rate(1, 60.0), size=2)
        self.assertTrue(rate.take("a", 0.0))
        self.assertTrue(rate.take("b", 0.0))
        self.assertFalse(rate.take("a", 0.0))
        self.assertTrue(rate.take("c", 0.0))
        self.assertFalse(rate.take("a", 0.0))
        self.assertTrue(rate.take("b", 0.0))
