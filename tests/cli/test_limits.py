"""
Tests for `sipsorcery.cli.limits`.
"""

from __future__ import annotations

from tests.cli import CommandCase


class LimitsTests(CommandCase):
    """
    One user.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do("user", "add", "joe", "--password-stdin", given="12345678")

    def test_defaults(self) -> None:
        """
        Who has no limits of their own has those of the configuration.
        """
        limits = self.read("user", "limits", "joe")
        self.assertEqual(limits["outside_calls"], "10/60s")
        self.assertEqual(limits["outside_calls_at_once"], 4)
        self.assertEqual(limits["open_countries"], [])

    def test_change(self) -> None:
        """
        What is changed stays so, until it is to be as for the others again.
        """
        given = ("outside_calls=20/m", "outside_calls_at_once=9", "home_country=353")
        self.do("user", "limits", "joe", *given)
        self.do("user", "limits", "joe", 'open_countries=["44"]')
        limits = self.read("user", "limits", "joe")
        self.assertEqual(limits["outside_calls"], "20/m")
        self.assertEqual(limits["outside_calls_at_once"], 9)
        self.assertEqual(limits["open_countries"], ["44"])
        self.do("user", "limits", "joe", "outside_calls_at_once=")
        self.assertEqual(self.read("user", "limits", "joe")["outside_calls_at_once"], 4)

    def test_wrong(self) -> None:
        """
        What is no limit, or no value of one, changes nothing.
        """
        for given in ("colour=red", "outside_calls=often", "premium_numbers=yes", "x"):
            result = self.run_command("user", "limits", "joe", given)
            self.assertEqual(result.status, 1, given)
        self.refuse("user", "limits", "eve")
        self.assertEqual(self.read("user", "limits", "joe")["outside_calls"], "10/60s")
