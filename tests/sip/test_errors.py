"""
Tests for :mod:`sipsorcery.sip.errors`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import (
    EXCERPT,
    LocalProtocolError,
    ParseError,
    SIPError,
    excerpt,
)
from tests.sip.samples import request


class ErrorTests(SynchronousTestCase):
    """
    What errors say.
    """

    def test_parse_error(self) -> None:
        """
        A parse error has a text, a status to answer, and what could be read; 400 and
        nothing if it is not told.
        """
        error = ParseError("bad thing")
        self.assertEqual((error.text, str(error)), ("bad thing", "bad thing"))
        self.assertEqual((error.status, error.partial), (400, None))
        made = request()
        error = ParseError("too large", status=513, partial=made)
        self.assertEqual(error.status, 513)
        self.assertIs(error.partial, made)

    def test_one_base(self) -> None:
        """
        All errors of the room have one base, and can be told apart.
        """
        self.assertIsInstance(ParseError("x"), SIPError)
        self.assertIsInstance(LocalProtocolError("x"), SIPError)
        self.assertNotIsInstance(LocalProtocolError("x"), ParseError)

    def test_excerpt(self) -> None:
        """
        An offending value is repeated in short, in one line, without characters that
        would write on a terminal.
        """
        self.assertEqual(excerpt("a\r\n\x1b"), r"'a\r\n\x1b'")
        self.assertEqual(excerpt(b"\xff"), r"b'\xff'")
        short = "x" * (EXCERPT - 2)
        self.assertEqual(excerpt(short), f"'{short}'")
        cut = excerpt("x" * 60_000)
        self.assertEqual(len(cut), EXCERPT)
        self.assertTrue(cut.endswith("x..."))
