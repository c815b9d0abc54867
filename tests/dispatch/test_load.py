"""
Tests for `sipsorcery.dispatch.load`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dispatch.load import CALLS_FIELD, Load, calls_told
from sipsorcery.sip.response import Response


class LoadTests(SynchronousTestCase):
    """
    The calls of one server.
    """

    def setUp(self) -> None:
        self.load = Load()

    def test_silent_about_it(self) -> None:
        """
        Of a server that tells nothing, the calls that are being set up count.
        """
        self.load.asked()
        self.load.offered()
        self.load.offered()
        self.load.settled()
        self.load.told(None)
        self.assertEqual(self.load.calls, 1)

    def test_told(self) -> None:
        """
        What a server tells counts, with what it was given since it was asked.
        """
        self.load.offered()
        self.load.settled()
        self.load.asked()
        self.load.offered()
        self.load.told(40)
        self.assertEqual(self.load.calls, 41)
        self.load.offered()
        self.assertEqual(self.load.calls, 42)

    def test_ended(self) -> None:
        """
        A call that has ended counts until the server tells that it has.
        """
        self.load.asked()
        self.load.told(40)
        self.load.asked()
        self.load.told(39)
        self.assertEqual(self.load.calls, 39)

    def test_lost(self) -> None:
        """
        Of a server that is down nothing is known any more.
        """
        self.load.asked()
        self.load.told(40)
        self.load.lost()
        self.assertEqual(self.load.calls, 0)

    def test_never_below_nothing(self) -> None:
        """
        What was given before we knew of the server does not make it owe us calls.
        """
        self.load.settled()
        self.assertEqual(self.load.calls, 0)

    def test_field(self) -> None:
        """
        Only a number of a usual length is one.
        """
        for text, told in (
            ("0", 0),
            ("123456789", 123456789),
            ("1234567890", None),
            ("-1", None),
            ("٣", None),
            ("", None),
        ):
            response = Response(420, "x", [(CALLS_FIELD, text)])
            self.assertEqual(calls_told(response), told, text)
        self.assertIsNone(calls_told(Response(420, "x", [])))
