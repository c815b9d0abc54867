"""
Tests for `sipsorcery.appserver.bridge`: what passes between the legs of a call.
"""

from __future__ import annotations

from sipsorcery.sdp import Direction
from tests.appserver.bridged import BridgedCase


class EstablishedTests(BridgedCase):
    """
    A call that both phones have agreed on.
    """

    def test_descriptions(self) -> None:
        """
        Each is told what the other has said, under an o= line of our own for each leg.
        """
        caller, callee = self.pair()
        ids = set()
        for one, other in ((caller, callee), (callee, caller)):
            assert one.remote is not None
            assert other.local is not None
            self.assertEqual(one.remote.with_origin(other.local.origin), other.local)
            ids |= {one.remote.origin.session_id, other.local.origin.session_id}
        self.assertEqual(len(ids), 4)
        self.hang_up(caller)

    def test_hold_and_resume(self) -> None:
        """
        A hold of either reaches the other, its answer comes back, and versions rise.
        """
        caller, callee = self.pair()
        for one, other in ((caller, callee), (callee, caller)):
            assert other.remote is not None
            before = other.remote.origin.version
            self.run_through(one.hold())
            self.assertTrue(other.is_held)
            assert one.remote is not None
            self.assertIs(one.remote.media[0].direction, Direction.RECVONLY)
            self.assertEqual(other.remote.origin.version, before + 1)
            self.run_through(one.resume())
            self.assertFalse(other.is_held)
            self.assertEqual(other.remote.origin.version, before + 2)
        self.hang_up(callee)
