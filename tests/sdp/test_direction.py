"""
Tests for :mod:`sipsorcery.sdp.direction`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.direction import DIRECTIONS, Direction

SENDRECV, SENDONLY, RECVONLY, INACTIVE = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)


class DirectionTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        Each direction writes itself as the attribute that states it.
        """
        self.assertEqual(
            {str(direction): direction for direction in DIRECTIONS.values()}, DIRECTIONS
        )
        self.assertEqual(len(DIRECTIONS), 4)

    def test_sends_and_receives(self) -> None:
        """
        Each is one of four answers to two questions.
        """
        self.assertEqual(
            [
                (direction.sends, direction.receives)
                for direction in (SENDRECV, SENDONLY, RECVONLY, INACTIVE)
            ],
            [(True, True), (True, False), (False, True), (False, False)],
        )

    def test_reversed(self) -> None:
        """
        What one side sends the other receives.
        """
        self.assertEqual(
            [
                direction.reversed
                for direction in (SENDRECV, SENDONLY, RECVONLY, INACTIVE)
            ],
            [SENDRECV, RECVONLY, SENDONLY, INACTIVE],
        )

    def test_two_wishes(self) -> None:
        """
        Two wishes meet in what both allow.
        """
        self.assertIs(SENDRECV & RECVONLY, RECVONLY)
        self.assertIs(SENDONLY & RECVONLY, INACTIVE)
