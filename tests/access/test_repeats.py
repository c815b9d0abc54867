"""
Tests for `sipsorcery.access.repeats`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.repeats import Repeats
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request

UDP = Endpoint.parse("udp:192.0.2.1:5060")
TCP = Endpoint.parse("tcp:192.0.2.1:5060")


class RepeatsTests(SynchronousTestCase):
    """
    What is a repetition; the rest is shown with authentication.
    """

    def test_unreliable_only(self) -> None:
        """
        By a connection nothing is repeated, and nothing is remembered.
        """
        repeats, request = Repeats(), Request("OPTIONS", "sip:a.example")
        repeats.note(request, TCP, 0.0)
        self.assertFalse(repeats.include(request, TCP, 0.0))
        self.assertFalse(repeats.include(request, UDP, 0.0))
        repeats.note(request, UDP, 0.0)
        self.assertTrue(repeats.include(request, UDP, 31.9))
        self.assertFalse(repeats.include(request, TCP, 31.9))
        self.assertFalse(repeats.include(request, UDP, 32.0))

    def test_bound(self) -> None:
        """
        Of more than there is room for the oldest is forgotten.
        """
        repeats = Repeats(size=10)
        requests = [Request("OPTIONS", f"sip:{n}@a.example") for n in range(11)]
        for request in requests:
            repeats.note(request, UDP, 0.0)
        known = [repeats.include(request, UDP, 1.0) for request in requests]
        self.assertEqual(known, [False] + [True] * 10)
