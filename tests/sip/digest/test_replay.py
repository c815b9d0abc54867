"""
Tests for :mod:`sipsorcery.sip.digest.replay`.
"""

from __future__ import annotations

import tracemalloc

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest.replay import WIDTH, ReplayWindow

LIFETIME = 60.0


def use(
    window: ReplayWindow,
    nonce: str,
    nc: int | None,
    issued: float = 100.0,
    now: float | None = None,
) -> bool:
    """
    Use a nonce, by default at the time it was issued.
    """
    return window.admit(
        nonce,
        nc,
        issued=issued,
        expires=issued + LIFETIME,
        now=issued if now is None else now,
    )


class CountTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.window = ReplayWindow()

    def test_each_count_once(self) -> None:
        """
        A count is admitted once, the next one too, and neither again.
        """
        for nc in (1, 2):
            self.assertTrue(use(self.window, "a", nc))
        for nc in (1, 2):
            self.assertFalse(use(self.window, "a", nc))

    def test_nonces_apart(self) -> None:
        """
        Each nonce has a count of its own.
        """
        self.assertTrue(use(self.window, "a", 1))
        self.assertTrue(use(self.window, "b", 1))

    def test_out_of_order(self) -> None:
        """
        Requests that overtook each other on UDP are admitted, each once.
        """
        for nc in (1, 5, 3, 4, 2):
            self.assertTrue(use(self.window, "a", nc), nc)
        for nc in (1, 2, 3, 4, 5):
            self.assertFalse(use(self.window, "a", nc), nc)

    def test_width(self) -> None:
        """
        A count may lag behind the highest by less than the width of the window.
        """
        use(self.window, "a", 1000)
        self.assertFalse(use(self.window, "a", 1000 - WIDTH))
        self.assertTrue(use(self.window, "a", 1000 - WIDTH + 1))
        self.assertFalse(use(self.window, "a", 1000 - WIDTH + 1))

    def test_jump(self) -> None:
        """
        A count may jump as far as it likes; what it leaves behind is closed.
        """
        for nc in (1, 1 + WIDTH, 2**32 - 1):
            self.assertTrue(use(self.window, "a", nc), nc)
            self.assertFalse(use(self.window, "a", nc), nc)
        self.assertFalse(use(self.window, "a", 2))

    def test_jump_costs_nothing(self) -> None:
        """
        The largest jump does not shift a bitmap of 2**32 bits into memory.
        """
        use(self.window, "a", 1)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertTrue(use(self.window, "a", 2**32 - 1))
        _size, peak = tracemalloc.get_traced_memory()
        self.assertLess(peak, 100_000)

    def test_without_count(self) -> None:
        """
        A nonce that comes without a count is good for one request, and a count does
        not help it afterwards, not even the highest.
        """
        self.assertTrue(use(self.window, "a", None))
        for nc in (None, 1, 2**32 - 1):
            self.assertFalse(use(self.window, "a", nc), nc)

    def test_without_count_after_count(self) -> None:
        """
        Nor does a nonce become good without a count after it came with one.
        """
        self.assertTrue(use(self.window, "a", 1))
        self.assertFalse(use(self.window, "a", None))

    @given(st.lists(st.integers(1, 3 * WIDTH) | st.integers(1, 2**32 - 1)))
    def test_never_twice(self, counts: list[int]) -> None:
        """
        Whatever the order, no count is admitted twice, and the highest always is once.
        """
        window = ReplayWindow()
        admitted: list[int] = []
        for nc in counts:
            fresh = not admitted or nc > max(admitted)
            if use(window, "a", nc):
                admitted.append(nc)
            else:
                self.assertFalse(fresh, counts)
        self.assertEqual(len(admitted), len(set(admitted)), counts)


class BoundTests(SynchronousTestCase):
    def test_expired_go(self) -> None:
        """
        What has expired leaves the table when something new comes.
        """
        window = ReplayWindow()
        for number in range(50):
            use(window, f"old {number}", 1, issued=100.0)
        use(window, "new", 1, issued=100.0 + LIFETIME)
        self.assertEqual(len(window), 1)

    def test_capacity(self) -> None:
        """
        The table never grows above its capacity, and a fresh nonce always works.
        """
        window = ReplayWindow(capacity=10)
        for number in range(100):
            self.assertTrue(use(window, f"{number}", 1, issued=100.0 + number / 100))
            self.assertLessEqual(len(window), 10)

    def test_forgotten_counts_as_used(self) -> None:
        """
        A nonce that had to be forgotten is not admitted again, with any count.
        """
        window = ReplayWindow(capacity=2)
        for index, nonce in enumerate("abc"):
            use(window, nonce, 1, issued=100.0 + index)
        for nc in (1, 2, None):
            self.assertFalse(use(window, "a", nc, issued=100.0))

    def test_expired_count_as_used(self) -> None:
        """
        So is one that was forgotten because it had expired, when the clock goes back to
        before that.
        """
        window = ReplayWindow()
        use(window, "a", 1, issued=100.0)
        use(window, "b", 1, issued=150.0, now=100.0 + LIFETIME + 0.5)
        self.assertEqual(len(window), 1)
        for nc in (1, 2, None):
            self.assertFalse(use(window, "a", nc, now=100.0 + LIFETIME - 0.1))

    def test_older_than_forgotten_count_as_used(self) -> None:
        """
        So are all unknown nonces issued before it: one of them may be an even earlier
        one that was forgotten. Those in the table go on.
        """
        window = ReplayWindow(capacity=2)
        for index, nonce in enumerate("abc"):
            use(window, nonce, 1, issued=100.0 + index)
        self.assertFalse(use(window, "unused", 1, issued=99.0, now=102.0))
        self.assertTrue(use(window, "unused too", 1, issued=100.5, now=102.0))
        self.assertTrue(use(window, "c", 2, issued=102.0))

    def test_horizon(self) -> None:
        """
        Nonces issued before a given time, such as the start, count as used.
        """
        window = ReplayWindow(horizon=100.0)
        self.assertFalse(use(window, "a", 1, issued=100.0))
        self.assertTrue(use(window, "b", 1, issued=100.001))

    @given(
        st.lists(
            st.tuples(st.integers(0, 20), st.integers(1, 3), st.integers(20, 90)),
            max_size=100,
        ),
        st.integers(1, 5),
    )
    def test_never_twice_at_the_bound(
        self, uses: list[tuple[int, int, int]], capacity: int
    ) -> None:
        """
        However small the table, and whatever the clock does, no nonce and count are
        admitted twice.
        """
        window = ReplayWindow(capacity)
        admitted: set[tuple[int, int]] = set()
        for issued, nc, now in uses:
            if use(window, f"issued at {issued}", nc, issued=float(issued), now=now):
                self.assertNotIn((issued, nc), admitted)
                admitted.add((issued, nc))
            self.assertLessEqual(len(window), capacity)
