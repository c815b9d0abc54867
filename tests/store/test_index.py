"""
Tests for `sipsorcery.store.live.index` and `sipsorcery.store.live.buckets`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.live.buckets import Buckets
from sipsorcery.store.live.index import Index
from sipsorcery.store.live.record import Record

# Few keys, owners and times, so that changes meet each other.
_KEYS = st.sampled_from(["a", "b", "c", "d"])
_TIMES = st.sampled_from([0.0, 0.5, 1.0, 1.75, 2.0, 30.0])
_RECORDS = st.builds(
    Record,
    kind=st.sampled_from(["binding", "call"]),
    key=_KEYS,
    data=st.just(b""),
    expiry=_TIMES,
    owner=st.sampled_from(["", "joe", "eve"]),
    due=st.none() | _TIMES,
)
_REMOVALS = st.tuples(st.sampled_from(["binding", "call"]), _KEYS)


class IndexTests(SynchronousTestCase):
    """
    The index, beside a dictionary that is searched from end to end.
    """

    @given(st.lists(_RECORDS | _REMOVALS, max_size=40), _TIMES, _TIMES)
    def test_like_a_dictionary(
        self,
        changes: list[Record | tuple[str, str]],
        until: float,
        now: float,
    ) -> None:
        """
        Whatever was put in and removed, all questions find what a search finds.
        """
        index, plain = Index(), dict[tuple[str, str], Record]()
        for change in changes:
            if isinstance(change, Record):
                index.put(change)
                plain[change.kind, change.key] = change
            else:
                index.remove(*change)
                plain.pop(change, None)
            self.check(index, plain, until, now)

    def check(
        self,
        index: Index,
        plain: dict[tuple[str, str], Record],
        until: float,
        now: float,
    ) -> None:
        """
        Ask both everything.
        """
        self.assertEqual(len(index), len(plain))
        for kind in ("binding", "call"):
            mine = {key: each for (of, key), each in plain.items() if of == kind}
            for key in "abcd":
                self.assertIs(index.get(kind, key), mine.get(key))
            self.assertEqual(sorted(index.keys(kind)), sorted(mine))
            for owner in ("joe", "eve"):
                self.assertEqual(
                    sorted(index.keys(kind, owner)),
                    sorted(key for key in mine if mine[key].owner == owner),
                )
            due = index.due(kind, until, now, 100)
            self.assertCountEqual(
                due,
                [
                    each
                    for each in mine.values()
                    if each.due is not None and each.due <= until and each.expiry > now
                ],
            )
            seconds = [int(each.due or 0) for each in due]
            self.assertEqual(seconds, sorted(seconds))
            expired = index.expired(kind, now, 100)
            self.assertCountEqual(
                expired, [each for each in mine.values() if each.expiry <= now]
            )
            self.assertEqual(index.due(kind, until, now, 1), due[:1])
            self.assertEqual(index.expired(kind, now, 2), expired[:2])


class BucketsTests(SynchronousTestCase):
    """
    What the index does not show of the buckets.
    """

    def test_seconds_go(self) -> None:
        """
        A second that has come and has no keys left takes no memory any more.
        """
        buckets = Buckets()
        for second in range(100):
            buckets.add("a", second)
            buckets.remove("a", second)
        buckets.add("a", 100)
        self.assertEqual(buckets.until(99, 10, lambda key: True), [])
        self.assertEqual(buckets.seconds, 1)
        self.assertEqual(buckets.until(100, 10, lambda key: True), ["a"])
        self.assertEqual(buckets.seconds, 1)
