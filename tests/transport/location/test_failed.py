"""
Tests for `sipsorcery.transport.location.failed`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.transport.identity import Expectation
from sipsorcery.transport.location.failed import FailedTargets
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.target import Target

A, B, C = (Target(Endpoint.parse(f"udp:192.0.2.{n}:5060")) for n in (1, 2, 3))


class FailedTargetsTests(SynchronousTestCase):
    """
    Which come last, and for how long.
    """

    def setUp(self) -> None:
        self.failed = FailedTargets(LocationLimits(failed_targets=2))

    def test_last(self) -> None:
        """
        What failed goes to the end, and is never dropped; the order stays otherwise.
        """
        self.assertEqual(self.failed.sort([A, B, C], 0), [A, B, C])
        self.failed.add(A, 0)
        self.assertEqual(self.failed.sort([A, B, C], 1), [B, C, A])
        self.failed.add(B, 0)
        self.assertEqual(self.failed.sort([A, B, C], 1), [C, A, B])
        self.assertEqual(self.failed.sort([A, B], 1), [A, B])

    def test_period(self) -> None:
        """
        It is forgotten after 45 s, or after the time that it asked for, five minutes at
        most.
        """
        for period, end in ((None, 45), (2, 2), (0, 0), (86400, 300)):
            self.failed.add(A, 100, period)
            self.assertEqual(self.failed.sort([A, B], 100 + end - 0.1), [B, A])
            self.assertEqual(self.failed.sort([A, B], 100 + end), [A, B])
            self.assertEqual(len(self.failed), 0)

    def test_whole_target(self) -> None:
        """
        A server that cannot prove one domain may well prove another.
        """
        end = Endpoint.parse("tls:192.0.2.1:5061")
        one, other = (Target(end, Expectation(name)) for name in ("a", "b"))
        self.failed.add(one, 0)
        self.assertEqual(self.failed.sort([one, other], 1), [other, one])

    def test_bounded(self) -> None:
        """
        When too many have failed, the one that failed first is forgotten.
        """
        for each in (A, B, A, C):
            self.failed.add(each, 0)
        self.assertEqual(len(self.failed), 2)
        self.assertEqual(self.failed.sort([A, B, C], 1), [B, A, C])
        self.failed.add(C, 0)  # again: nobody has to go for it
        self.assertEqual(self.failed.sort([A, B, C], 1), [B, A, C])
