"""
Tests for `sipsorcery.transport.location.addresses`.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.location.addresses import by_preference, rotate


class PreferenceTests(SynchronousTestCase):
    """
    RFC 6724, section 6; most cases are like the examples in its section 10.2.
    """

    def check(self, *pairs: tuple[str, str | None]) -> None:
        """
        Check that destinations come in this order, however they are given.

        :param pairs: destinations with the source address that leads there.
        """
        wanted = [destination for destination, _ in pairs]
        source_address = dict(pairs).__getitem__
        self.assertEqual(by_preference(wanted, source_address), wanted)
        self.assertEqual(by_preference(wanted[::-1], source_address), wanted)

    def test_unusable(self) -> None:
        """
        Rule 1: what no address of ours leads to comes last.
        """
        self.check(("198.51.100.1", "198.51.100.2"), ("2001:db8::1", None))

    def test_scope(self) -> None:
        """
        Rule 2: a global address needs a global source.
        """
        self.check(
            ("2001:db8:1::1", "2001:db8:1::2"), ("198.51.100.121", "169.254.13.78")
        )
        self.check(("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "fe80::1"))

    def test_label(self) -> None:
        """
        Rule 5: who has only a unique local or a 6to4 address reaches others better by
        IPv4.
        """
        self.check(("198.51.100.1", "10.0.0.1"), ("2001:db8::1", "fd00::1"))
        self.check(
            ("2002:c633:6401::1", "2002:c633:6401::2"),
            ("2001:db8:1::1", "2002:c633:6401::2"),
        )

    def test_precedence(self) -> None:
        """
        Rule 6: IPv6 before IPv4, that before Teredo and unique local addresses.
        """
        self.check(
            ("::1", "::1"),
            ("2001:db8:1::1", "2001:db8:1::2"),
            ("10.1.2.3", "10.1.2.4"),
            ("2002:c633:6401::1", "2002:c633:6401::2"),
            ("2001::1", "2001::2"),
            ("fd00::1", "fd00::2"),
        )

    def test_smaller_scope(self) -> None:
        """
        Rule 8: the nearer of two that are alike otherwise.
        """
        self.check(("169.254.1.1", "169.254.1.2"), ("10.1.2.3", "10.1.2.4"))

    def test_order_unchanged(self) -> None:
        """
        Rule 10: otherwise the order stays.
        """
        several = ["192.0.2.3", "192.0.2.1", "192.0.2.2"]
        self.assertEqual(by_preference(several, lambda _: "192.0.2.9"), several)

    def test_single(self) -> None:
        """
        The system is not asked about what has no rival.
        """

        def source_address(remote: str) -> str | None:
            raise AssertionError(remote)

        self.assertEqual(by_preference(["192.0.2.1"], source_address), ["192.0.2.1"])
        self.assertEqual(by_preference([], source_address), [])


class RotateTests(SynchronousTestCase):
    """
    Where to begin.
    """

    def test_everyone_begins(self) -> None:
        """
        Each address is the first one for its share of all chances.
        """
        three = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        chances = iter((0.1, 0.5, 1 - 2**-53))
        begun = [rotate(three, lambda: next(chances))[0] for _ in three]
        self.assertEqual(begun, three)
        self.assertEqual(rotate([], random.random), [])

    @given(st.lists(st.ip_addresses(v=4).map(str)), st.floats(0, 1, exclude_max=True))
    def test_same_chance_same_order(self, addresses: list[str], number: float) -> None:
        """
        Each address is there once; the order does not depend on the one they came in.
        """
        rotated = rotate(addresses, lambda: number)
        self.assertCountEqual(rotated, set(addresses))
        self.assertEqual(rotate(addresses[::-1], lambda: number), rotated)
