"""
Tests for `sipsorcery.dispatch.health`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dispatch.health import Health, State


class HealthTests(SynchronousTestCase):
    """
    One server, from its first probe on.
    """

    def setUp(self) -> None:
        self.health = Health(100.0)

    def answer(self, now: float) -> bool:
        """
        Let it answer.
        """
        return self.health.answered(now, "200 OK", 0.001)

    def test_new(self) -> None:
        """
        A new one is up at its first answer.
        """
        self.assertIs(self.health.state, State.NEW)
        self.assertTrue(self.answer(101))
        self.assertIs(self.health.state, State.UP)
        self.assertEqual((self.health.since, self.health.why), (101, "200 OK"))
        self.assertFalse(self.answer(102))
        self.assertEqual(self.health.since, 101)

    def test_misses(self) -> None:
        """
        It is down after two probes in a row without an answer, and not before.
        """
        self.answer(101)
        self.assertFalse(self.health.missed(102, "no answer"))
        self.answer(103)
        self.assertFalse(self.health.missed(104, "no answer"))
        self.assertIs(self.health.state, State.UP)
        self.assertTrue(self.health.missed(105, "no answer"))
        self.assertIs(self.health.state, State.DOWN)
        self.assertFalse(self.health.missed(106, "no answer"))
        self.assertEqual(self.health.since, 105)

    def test_rank(self) -> None:
        """
        For a new call one that is up comes before one that nobody knows or that is
        busy; one that is silent for a moment comes last, and one never that was silent
        for longer, that says it cannot work, or where nobody listens.
        """
        self.assertEqual(self.health.rank(100), 1)
        self.answer(101)
        self.assertEqual(self.health.rank(101), 0)
        self.health.busy(102, "503", 0.001)
        self.assertEqual(self.health.rank(102), 1)
        for now in (103, 104):
            self.health.missed(now, "no answer")
        self.assertEqual(self.health.rank(105), 2)
        self.assertIsNone(self.health.rank(115))
        self.health.unwell(115, "500")
        self.assertIsNone(self.health.rank(105))
        self.health.refused(116, "refused")
        self.assertIsNone(self.health.rank(105))

    def test_back(self) -> None:
        """
        It is up again after two answers in a row.
        """
        self.answer(101)
        self.health.refused(102, "refused")
        self.assertFalse(self.answer(103))
        self.health.missed(104, "no answer")
        self.assertFalse(self.answer(105))
        self.assertTrue(self.answer(106))
        self.assertIs(self.health.state, State.UP)

    def test_refused(self) -> None:
        """
        A machine that says that nobody is there is believed at once.
        """
        self.answer(101)
        self.assertTrue(self.health.refused(102, "connection refused"))
        self.assertIs(self.health.state, State.DOWN)

    def test_unwell(self) -> None:
        """
        An answer that says it cannot work counts as none.
        """
        self.answer(101)
        self.health.unwell(102, "503 Service Unavailable")
        self.assertTrue(self.health.unwell(103, "503 Service Unavailable"))
        self.assertIs(self.health.state, State.DOWN)
        self.assertEqual(self.health.why, "503 Service Unavailable")
