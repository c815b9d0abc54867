"""
Tests for :mod:`sipsorcery.appserver.limits.allowance`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.options import NO_OPTIONS
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.appserver.limits.allowance import Allowance, read_own
from sipsorcery.config.tree import Limits
from sipsorcery.config.values import Rate
from sipsorcery.sip.uri import SIPURI


def target(
    user: str = "1", kind: Kind = Kind.PROVIDER, limit: int | None = None
) -> Target:
    """
    Make a target.
    """
    uri = SIPURI("sip", user, "example.net")
    options = replace(NO_OPTIONS, max_duration=limit)
    return Target(kind, uri, uri, uri, options)


class AllowanceTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """
        Without a word about it: ten calls a minute, four at once, an hour each, and
        neither foreign nor premium numbers.
        """
        allowance = Allowance.of(Limits())
        self.assertEqual(allowance.rate, Rate(10, 60))
        self.assertEqual((allowance.at_once, allowance.seconds), (4, 3600))
        self.assertEqual(allowance.judge(target("0044207")), "foreign")
        self.assertEqual(allowance.judge(target("+882123456")), "premium")
        self.assertIsNone(allowance.judge(target("018881234")))

    def test_inside(self) -> None:
        """
        Who is here costs nothing, whatever their name looks like.
        """
        allowance = Allowance.of(Limits())
        for kind in (Kind.CONTACT, Kind.PLAN):
            inside = target("0044207", kind)
            self.assertIsNone(allowance.judge(inside))
            self.assertIs(allowance.limit(inside), inside)
        self.assertEqual(allowance.judge(target("0044207", Kind.ANYBODY)), "foreign")

    def test_duration(self) -> None:
        """
        A call outside ends after an hour, or earlier if its leg says so.
        """
        allowance = Allowance.of(Limits())
        for given, held in ((None, 3600), (60, 60), (7200, 3600)):
            limited = allowance.limit(target(limit=given))
            self.assertEqual(limited.options.max_duration, held)
        free = Allowance.of(Limits(), {"outside_call_seconds": 0})
        self.assertIsNone(free.limit(target()).options.max_duration)

    def test_own(self) -> None:
        """
        What a user has of their own goes before, key by key.
        """
        own = {
            "outside_calls": "",
            "outside_calls_at_once": 9,
            "home_country": 353,
            "open_countries": ["44"],
        }
        allowance = Allowance.of(Limits(), own)
        self.assertIsNone(allowance.rate)
        self.assertEqual((allowance.at_once, allowance.seconds), (9, 3600))
        self.assertIsNone(allowance.judge(target("+44207123")))
        self.assertIsNone(allowance.judge(target("+35318881234")))
        self.assertEqual(allowance.judge(target("+1212")), "foreign")

    def test_wrong(self) -> None:
        """
        What is no limit, or no value of one, is refused.
        """
        for own in (
            {"colour": 1},
            {"outside_calls": "often"},
            {"outside_calls": 7},
            {"outside_calls_at_once": -1},
            {"outside_call_seconds": True},
            {"home_country": "IE"},
            {"open_countries": "44"},
            {"premium_numbers": "yes"},
            ["premium_numbers"],
        ):
            with self.assertRaises(ValueError):
                read_own(own)
