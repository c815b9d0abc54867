"""
Tests for `sipsorcery.transport.location.srv`.
"""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Transport
from sipsorcery.transport.location.records import SRV
from sipsorcery.transport.location.srv import arrange, is_withheld, srv_name

WORD = st.integers(0, 65535)
RECORDS = st.lists(
    st.builds(
        SRV,
        st.integers(0, 3),
        st.one_of(st.integers(0, 3), WORD),
        st.integers(1, 65535),
        st.sampled_from([f"{letter}.example.com" for letter in "abcdefgh"]),
    ),
    max_size=20,
)


def servers(*weights: int) -> list[SRV]:
    """
    Make servers of one priority, called by their weights.
    """
    return [SRV(0, weight, 5060, f"{weight}.example.com") for weight in weights]


def firsts(records: list[SRV], rounds: int) -> Counter[int]:
    """
    Count which weights come first.
    """
    chance = random.Random(3263).random
    return Counter(arrange(records, chance)[0].weight for _ in range(rounds))


class ArrangeTests(SynchronousTestCase):
    """
    The order of RFC 2782.
    """

    def test_priority(self) -> None:
        """
        "A client MUST attempt to contact the target host with the lowest-numbered
        priority it can reach", whatever the weights.
        """
        low, high = SRV(1, 0, 5060, "low"), SRV(2, 65535, 5060, "high")
        for seed in range(100):
            chance = random.Random(seed).random
            self.assertEqual(arrange([high, low], chance), [low, high])

    def test_share_of_the_first_place(self) -> None:
        """
        "Larger weights SHOULD be given a proportionately higher probability of being
        selected": with 1, 3 and 6 of 10, within four standard deviations.
        """
        rounds = 20_000
        counted = firsts(servers(10, 30, 60), rounds)
        for weight in (10, 30, 60):
            share = weight / 100
            deviation = (share * (1 - share) * rounds) ** 0.5
            # The number is drawn from 0 to the sum, inclusive, which moves the shares
            # by less than one in a hundred.
            self.assertLess(
                abs(counted[weight] - share * rounds), 4 * deviation + rounds / 100
            )

    def test_share_of_the_second_place(self) -> None:
        """
        When one has been drawn, the others are drawn by what they weigh among
        themselves.
        """
        chance = random.Random(2782).random
        orders = Counter(
            tuple(one.weight for one in arrange(servers(10, 30, 60), chance))
            for _ in range(20_000)
        )
        self.assertEqual(len(orders), 6)
        after_60 = orders[60, 30, 10] / (orders[60, 30, 10] + orders[60, 10, 30])
        self.assertLess(abs(after_60 - 0.75), 0.03)

    def test_weight_zero(self) -> None:
        """
        "In the presence of records containing weights greater than 0, records with
        weight 0 should have a very small chance of being selected", but they have one.
        """
        counted = firsts(servers(0, 99), 20_000)
        self.assertLess(abs(counted[0] - 200), 60)

    def test_equal_weights(self) -> None:
        """
        Servers of the same weight, be it 0 or 1, get the same share.
        """
        for weight in (0, 1, 65535):
            pair = [SRV(0, weight, 5060, name) for name in ("a", "b")]
            chance = random.Random(1).random
            counted = Counter(arrange(pair, chance)[0].target for _ in range(2000))
            self.assertLess(abs(counted["a"] - 1000), 100, weight)

    def test_inclusive(self) -> None:
        """
        The number goes up to the sum, inclusive, so that weight 1 beside 0 is drawn
        every other time.
        """
        counted = firsts(servers(0, 1), 2000)
        self.assertLess(abs(counted[1] - 1000), 100)

    def test_unusable(self) -> None:
        """
        A record that names no server, or no port, is no target; a doubled one is one.
        """
        good = SRV(1, 1, 5060, "a")
        records = [SRV(0, 0, 0, ""), SRV(0, 0, 0, "b"), good, good]
        self.assertEqual(arrange(records, random.random), [good])

    @given(RECORDS, st.randoms(use_true_random=False))
    def test_every_record_once(self, records: list[SRV], source: random.Random) -> None:
        """
        Each record is there once, and priorities never fall.
        """
        arranged = arrange(records, source.random)
        self.assertCountEqual(arranged, set(records))
        priorities = [one.priority for one in arranged]
        self.assertEqual(priorities, sorted(priorities))

    @given(RECORDS, st.integers(), st.randoms(use_true_random=False))
    def test_same_chance_same_order(
        self, records: list[SRV], seed: int, source: random.Random
    ) -> None:
        """
        "The stateless proxy MUST define a deterministic order": the same seed gives the
        same one, in whatever order the records came.
        """
        arranged = arrange(records, random.Random(seed).random)
        source.shuffle(records)
        self.assertEqual(arrange(records, random.Random(seed).random), arranged)

    @given(RECORDS, st.sampled_from([0.0, 0.5, 1 - 2**-53]))
    def test_ends_of_chance(self, records: list[SRV], number: float) -> None:
        """
        The lowest and the highest random numbers choose a record, too.
        """
        self.assertCountEqual(arrange(records, lambda: number), set(records))


class NameTests(SynchronousTestCase):
    """
    Names and refusals.
    """

    def test_names(self) -> None:
        """
        TLS has "_sips._tcp" (RFC 3263, 4.2), not "_sips._tls"; a WebSocket has none.
        """
        names = {one: srv_name(one, "example.com") for one in Transport}
        self.assertEqual(
            names,
            {
                Transport.UDP: "_sip._udp.example.com",
                Transport.TCP: "_sip._tcp.example.com",
                Transport.TLS: "_sips._tcp.example.com",
                Transport.WS: None,
                Transport.WSS: None,
            },
        )

    def test_withheld(self) -> None:
        """
        "A Target of '.' means that the service is decidedly not available".
        """
        none = SRV(0, 0, 0, "")
        self.assertTrue(is_withheld([none]))
        self.assertFalse(is_withheld([]))
        self.assertFalse(is_withheld([none, SRV(0, 0, 5060, "a")]))
