"""
Tests for `sipsorcery.monitor.claims`.
"""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.claims import Claims, Unclaimed, names_of
from sipsorcery.monitor.event import Event
from tests.monitor.test_window import known, step, trace


def by_origin(origin: str, owner: str) -> Event:
    """
    Make what a server says of a request that it sends.
    """
    return msgspec.structs.replace(known("", owner), detail={"origin": origin})


class ClaimsTests(SynchronousTestCase):
    """
    Who has claimed what.
    """

    def owner(self, claims: Claims, event: Event) -> str:
        """
        Tell whose a trace is.
        """
        return claims.owner_of(names_of(event))

    def test_branch_has_its_origin(self) -> None:
        """
        A claim of a branch is one of the origin that a trace has shown it to have,
        before or after.
        """
        claims = Claims()
        claims.learn(trace(1, "b", "o"))
        claims.learn(known("b", "joe"))
        self.assertEqual(self.owner(claims, trace(2, origin="o")), "joe")
        claims.learn(known("c", "ann"))
        claims.learn(trace(3, "c", "p"))
        self.assertEqual(self.owner(claims, trace(4, origin="p")), "ann")

    def test_first_one_counts(self) -> None:
        """
        What is somebody's is nobody else's later, and who claims it gets nothing.
        """
        claims = Claims()
        self.assertEqual(claims.learn(known("b", "joe")), [("branch", "b")])
        self.assertEqual(claims.learn(known("b", "eve")), [])
        self.assertEqual(self.owner(claims, trace(1, "b")), "joe")

    def test_branch_is_no_origin(self) -> None:
        """
        Whoever claims a branch that reads like another's origin gets nothing of it.
        """
        claims = Claims()
        claims.learn(known("o", "eve"))
        self.assertEqual(self.owner(claims, trace(1, "b", "o")), "")

    def test_nothing_is_claimed(self) -> None:
        """
        A claim without an owner or without a name is none.
        """
        claims = Claims()
        self.assertEqual(claims.learn(known("b", "")), [])
        self.assertEqual(claims.learn(known("", "eve")), [])
        self.assertEqual(claims.learn(step(1)), [])

    def test_bounded(self) -> None:
        """
        Only the last claims are remembered.
        """
        claims = Claims(limit=2)
        for number in range(4):
            claims.learn(trace(number, f"b{number}", f"o{number}"))
            claims.learn(by_origin(f"o{number}", "joe"))
        owners = [self.owner(claims, trace(0, origin=f"o{n}")) for n in range(4)]
        self.assertEqual((owners[0], owners[3]), ("", "joe"))


class UnclaimedTests(SynchronousTestCase):
    """
    Traces that wait for their owner.
    """

    def released(self, unclaimed: Unclaimed, event: Event) -> list[float]:
        """
        Give the times of what gets its owner by an event.
        """
        return [each.time for each in unclaimed.settle(event)[1]]

    def test_whole_transaction(self) -> None:
        """
        A claim releases all that hangs together by branches and origins, in order.
        """
        unclaimed = Unclaimed()
        for event in (trace(1, "", "o"), trace(2, "b", "o"), trace(3, "b"), trace(4)):
            self.assertEqual(unclaimed.settle(event), (event, []))
        self.assertEqual(self.released(unclaimed, by_origin("o", "joe")), [1, 2, 3])
        self.assertEqual(self.released(unclaimed, by_origin("o", "joe")), [])

    def test_owned_already(self) -> None:
        """
        A trace that has an owner does not wait.
        """
        unclaimed = Unclaimed()
        unclaimed.settle(msgspec.structs.replace(trace(1, "b"), owner="ann"))
        self.assertEqual(self.released(unclaimed, known("b", "joe")), [])

    def test_bounded(self) -> None:
        """
        Of too many traces, or too large ones, the oldest go.
        """
        by_number, by_size = Unclaimed(limit=2), Unclaimed(size=2 * len(b"OPTIONS"))
        for unclaimed in (by_number, by_size):
            for number in range(5):
                unclaimed.settle(trace(number, "b"))
            self.assertEqual(self.released(unclaimed, known("b", "joe")), [3, 4])

    @given(
        st.lists(
            st.one_of(
                st.builds(
                    trace,
                    st.just(0),
                    st.sampled_from(("", "a", "b", "c")),
                    st.sampled_from(("", "o", "p")),
                ),
                st.builds(
                    known, st.sampled_from("abc"), st.sampled_from(("joe", "ann"))
                ),
                st.builds(
                    by_origin, st.sampled_from("op"), st.sampled_from(("joe", "ann"))
                ),
            ),
            max_size=30,
        )
    )
    def test_each_once(self, events: list[Event]) -> None:
        """
        Whatever comes in whatever order, a trace is given to one owner at most, once.
        """
        unclaimed = Unclaimed(limit=10)
        given_out: list[float] = []
        for number, event in enumerate(events):
            now, late = unclaimed.settle(msgspec.structs.replace(event, time=number))
            given_out += [each.time for each in late]
            given_out += [now.time] if now.trace is not None and now.owner else []
        self.assertEqual(len(given_out), len(set(given_out)))
