"""
Tests for `sipsorcery.transaction.timers`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transaction.timers import Timers


class TimersTests(SynchronousTestCase):
    """
    Table 4 of RFC 3261, and RFC 6026.
    """

    def test_defaults(self) -> None:
        """
        Each timer has its default.
        """
        timers = Timers()
        self.assertEqual((timers.t1, timers.t2, timers.t4), (0.5, 4, 5))
        expected = dict.fromkeys("aeg", 0.5)
        expected |= dict.fromkeys("bfhjlm", 32.0) | dict.fromkeys("ik", 5.0)
        expected |= {"d": 32.0}
        for letter, seconds in expected.items():
            self.assertEqual(getattr(timers, f"timer_{letter}"), seconds, letter)

    def test_other_t1(self) -> None:
        """
        What depends on T1 follows it; Timer D, which depends on the peer's, does not.
        """
        timers = Timers(t1=1.0)
        self.assertEqual((timers.timer_a, timers.timer_b), (1, 64))
        self.assertEqual((timers.timer_d, timers.timer_k), (32, 5))

    def test_first_100_to_another_request(self) -> None:
        """
        Timer E is reset to T2 after 0.5, 1 and 2 seconds (RFC 4320, 4.1).
        """
        self.assertEqual(Timers().trying_non_invite, 3.5)
        self.assertEqual(Timers(t1=1.0, t2=8.0).trying_non_invite, 7)
