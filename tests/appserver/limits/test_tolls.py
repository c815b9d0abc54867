"""
Tests for :mod:`sipsorcery.appserver.limits.tolls`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.limits.tolls import ANYWHERE, TollPolicy

IRELAND = TollPolicy("353")
AMERICA = TollPolicy("1")


class TollTests(SynchronousTestCase):
    def test_at_home(self) -> None:
        """
        Numbers of one's own country are open, however they are written.
        """
        for number in ("01 234 5678", "+35312345678", "0035312345678", "112"):
            self.assertIsNone(IRELAND.judge(number), number)
        for number in ("5551234", "1-212-555-1234", "+12125551234"):
            self.assertIsNone(AMERICA.judge(number), number)

    def test_foreign(self) -> None:
        """
        Those of others are closed until they are opened.
        """
        for policy, number in (
            (IRELAND, "+442071234567"),
            (IRELAND, "00 44 (207) 1234567"),
            (IRELAND, "+44-207.1234567;phone-context=x"),
            (AMERICA, "011442071234567"),
            (TollPolicy(), "+35312345678"),
        ):
            self.assertEqual(policy.judge(number), "foreign", number)
        for countries in ({"44"}, {ANYWHERE}):
            policy = TollPolicy("353", frozenset(countries))
            self.assertIsNone(policy.judge("+442071234567"))

    def test_premium(self) -> None:
        """
        Numbers that pay whoever has them are closed, at home and where all is open.
        """
        everywhere = TollPolicy("353", frozenset({ANYWHERE}))
        for policy, number in (
            (IRELAND, "1550123456"),
            (IRELAND, "+3531550123456"),
            (AMERICA, "1-900-555-1234"),
            (AMERICA, "9005551234"),
            (TollPolicy("44"), "09061234567"),
            (everywhere, "+449061234567"),
            (everywhere, "+8821234567"),
            (everywhere, "00979123456"),
        ):
            self.assertEqual(policy.judge(number), "premium", number)
        self.assertIsNone(TollPolicy("44", premium=True).judge("09061234567"))
        self.assertEqual(
            TollPolicy("1", premium=True).judge("011449061234567"), "foreign"
        )

    def test_names(self) -> None:
        """
        Who is called by a name costs nothing.
        """
        for user in ("", "joe", "joe00", "0a", "12", "music-on-hold"):
            self.assertIsNone(TollPolicy().judge(user), user)

    @given(st.text(max_size=40))
    def test_any_text(self, user: str) -> None:
        """
        Nothing that a caller sends is an error.
        """
        self.assertIn(IRELAND.judge(user), (None, "foreign", "premium"))
