"""
Tests for :mod:`sipsorcery.access.recent`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.recent import Recent


class RecentTests(SynchronousTestCase):
    """
    Tables of bounded size.
    """

    def test_forgets_the_oldest(self) -> None:
        """
        Beyond its size a table forgets what was noted first.
        """
        table: Recent[str, int] = Recent(2)
        for number, key in enumerate("abc"):
            table.note(key, number)
        self.assertEqual(table, {"b": 1, "c": 2})

    def test_noted_again(self) -> None:
        """
        What is noted again is the youngest, with its new value.
        """
        table: Recent[str, int] = Recent(2)
        for number, key in enumerate("abac"):
            table.note(key, number)
        self.assertEqual(table, {"a": 2, "c": 3})

    @given(st.integers(1, 300), st.lists(st.integers(0, 400), min_size=1, max_size=900))
    def test_bound(self, size: int, keys: list[int]) -> None:
        """
        There are never more entries than the size, and all but a share of 64 of the
        youngest are there.
        """
        table: Recent[int, int] = Recent(size)
        for number, key in enumerate(keys):
            table.note(key, number)
            self.assertLessEqual(len(table), size)
        youngest = list(dict.fromkeys(reversed(keys)))
        kept = youngest[: size - size // 64]
        self.assertEqual(list(table)[-len(kept) :], kept[::-1])
