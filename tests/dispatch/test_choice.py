"""
Tests for `sipsorcery.dispatch.choice`.
"""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dispatch.choice import Candidate, by_calls, by_hash
from sipsorcery.endpoint import Endpoint

ONE, TWO, THREE = (
    Endpoint.parse(f"udp:127.0.0.1:{port}") for port in (5070, 5071, 5072)
)
EQUAL = [Candidate(each, 100) for each in (ONE, TWO, THREE)]
KEYS = [f"{number}@example.com" for number in range(3000)]


class HashTests(SynchronousTestCase):
    """
    The rendezvous of a key with servers.
    """

    def test_stays(self) -> None:
        """
        A key has one order, in whatever order the servers are told.
        """
        for key in KEYS[:50]:
            order = by_hash(EQUAL, key)
            self.assertEqual(sorted(order, key=str), [ONE, TWO, THREE])
            self.assertEqual(by_hash(reversed(EQUAL), key), order)

    def test_lost(self) -> None:
        """
        When a server goes, only its own keys move: each to what was its second.
        """
        moved = Counter[Endpoint]()
        for key in KEYS:
            before, after = by_hash(EQUAL, key), by_hash(EQUAL[1:], key)
            self.assertEqual(after, [each for each in before if each != ONE])
            if before[0] == ONE:
                moved[after[0]] += 1
        # They are spread over both that are left: with chance alone, 5 deviations off.
        self.assertLess(abs(moved[TWO] - moved[THREE]), 5 * sum(moved.values()) ** 0.5)

    def test_weights(self) -> None:
        """
        Each gets the share that its weight says.
        """
        servers = [Candidate(ONE, 100), Candidate(TWO, 50), Candidate(THREE, 50)]
        first = Counter(by_hash(servers, key)[0] for key in KEYS)
        for endpoint, share in ((ONE, 0.5), (TWO, 0.25), (THREE, 0.25)):
            self.assertLess(abs(first[endpoint] - share * len(KEYS)), 150)

    def test_odd_key(self) -> None:
        """
        A key may hold what is no UTF-8.
        """
        self.assertEqual(len(by_hash(EQUAL, "\udcff")), 3)


class CallsTests(SynchronousTestCase):
    """
    The fewest calls.
    """

    def test_fewest(self) -> None:
        """
        The one with the fewest comes first, for its weight.
        """
        servers = [
            Candidate(ONE, 100, calls=10),
            Candidate(TWO, 10, calls=2),
            Candidate(THREE, 100, calls=30),
        ]
        self.assertEqual(by_calls(servers, "x"), [ONE, TWO, THREE])

    def test_ties(self) -> None:
        """
        Among equals the key decides, so that all of them get some.
        """
        first = {by_calls(EQUAL, key)[0] for key in KEYS[:50]}
        self.assertEqual(first, {ONE, TWO, THREE})
