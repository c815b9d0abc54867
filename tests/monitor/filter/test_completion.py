"""
Tests for `sipsorcery.monitor.filter.completion`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.filter.completion import complete
from sipsorcery.monitor.filter.keywords import KEYWORDS, VALUES


class CompletionTests(SynchronousTestCase):
    """
    What may stand next.
    """

    def test_completion(self) -> None:
        """
        A keyword, one of its values, and what joins two terms take turns.
        """
        for text, expected in (
            ("ev", ("event",)),
            ("event dial", ("dialplan_step",)),
            ("event * ", ("and", "or")),
            ("event * a", ("and",)),
            ("event * and not (ser", ("server",)),
            ("direction in or dir", ("direction",)),
            ("EVENT FU", ("full",)),
            ("callid x", ()),
            ("nonsense ", ("not", *sorted(KEYWORDS))),
        ):
            self.assertEqual(complete(text), expected, text)

    def test_nothing_typed(self) -> None:
        """
        At the start any keyword may stand; after one, any of its values.
        """
        self.assertEqual(complete(""), ("not", *sorted(KEYWORDS)))
        self.assertEqual(complete("server "), VALUES["server"])
