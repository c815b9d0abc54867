"""
Tests for :mod:`sipsorcery.appserver.plans.narrating`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.plans.engine import HostError
from sipsorcery.appserver.plans.narrating import asks, is_given


class NarratingTests(SynchronousTestCase):
    """
    Host calls in words.
    """

    def test_asked(self) -> None:
        """
        The owner reads what was asked, with its arguments.
        """
        self.assertEqual(asks("wait", {}), "asks wait")
        self.assertEqual(
            asks("enum", {"number": "+4420", "limit": 2}),
            "asks enum: number '+4420', limit 2",
        )

    def test_given(self) -> None:
        """
        And what came of it, or that it failed.
        """
        self.assertEqual(is_given("enum", None), "enum gives nothing")
        self.assertEqual(is_given("read", {"a": 1}), "read gives {a 1}")
        self.assertEqual(is_given("read", HostError("no")), "read fails: no")

    def test_secrets(self) -> None:
        """
        What opens something is not told, be it a value by itself or within a URL.
        """
        told = asks(
            "web_get", {"url": "https://joe:hunter2@x.test/", "token": "hunter2"}
        )
        self.assertEqual(told, "asks web_get: url 'https://***@x.test/', token ***")
        self.assertNotIn("hunter2", is_given("x", {"user": {"Password": "hunter2"}}))
        self.assertNotIn("hunter2", is_given("x", ["sip://joe:hunter2@x"]))

    @given(st.text(max_size=5000))
    def test_bounds(self, value: str) -> None:
        """
        However long the values are, a line stays short, and has no control character.
        """
        for line in (asks("f", {"a": value}), is_given("f", {"a": [value]})):
            self.assertLessEqual(len(line), 300)
            self.assertTrue(line.isprintable(), line)
