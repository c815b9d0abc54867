"""
Tests for `sipsorcery.tap.collecting`.
"""

from __future__ import annotations

import gc
import weakref

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.tap.collecting import collect_rarely


class Node:
    """
    Something that can hold itself.
    """

    def __init__(self) -> None:
        self.itself = self


class CollectingTests(SynchronousTestCase):
    """
    The collector of a server.
    """

    def setUp(self) -> None:
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)

    def test_old_objects_are_left_alone(self) -> None:
        """
        What is there at the start is not walked over again.
        """
        collect_rarely()
        self.assertGreater(gc.get_freeze_count(), 10_000)

    def test_requests_come_and_go_unseen(self) -> None:
        """
        A busy moment, with all that is under way in it, starts no collection.
        """
        collect_rarely()
        before = [each["collections"] for each in gc.get_stats()]
        for _ in range(10):
            _ = [[number] for number in range(30_000)]
        self.assertEqual([each["collections"] for each in gc.get_stats()], before)

    def test_garbage_goes(self) -> None:
        """
        What holds itself goes all the same, sooner or later.
        """
        collect_rarely()
        node = Node()
        gone = weakref.ref(node)
        del node
        _ = [[number] for number in range(60_000)]
        self.assertIsNone(gone())
