"""
Tests for :mod:`sipsorcery.appserver.refusals`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.refusals import USUAL, Code, Refused
from sipsorcery.sip.fields import REASON, WARNING
from sipsorcery.sip.response import Response


class RefusedTests(SynchronousTestCase):
    """
    What a caller is told.
    """

    def test_table(self) -> None:
        """
        Every code has a status that refuses a call, and a text.
        """
        self.assertEqual(set(USUAL), set(Code))
        for status, text in USUAL.values():
            self.assertTrue(400 <= status < 700)
            self.assertTrue(text.isascii() and text.isprintable())

    def test_fields(self) -> None:
        """
        The code stands in Reason and in Warning, whatever the text says.
        """
        refused = Refused(Code.PLAN_MISSING, 'no plan "home"')
        response = Response(refused.status, refused.phrase, refused.fields)
        reason, warning = response[REASON], response[WARNING]
        self.assertEqual((reason.protocol, reason.cause), ("SIP", 500))
        self.assertEqual(reason.text, "plan-missing")
        self.assertEqual(warning.code, 399)
        self.assertEqual(warning.text, 'plan-missing: no plan "home"')

    def test_every_code(self) -> None:
        """
        Whatever the reason is, a response says it in both fields, for programs.
        """
        for code in Code:
            refused = Refused(code)
            response = Response(refused.status, refused.phrase, refused.fields)
            self.assertEqual(response[REASON].cause, refused.status)
            self.assertEqual(response[REASON].text, code)
            self.assertEqual(response[WARNING].text, f"{code}: {refused.text}")

    def test_usual(self) -> None:
        """
        Who says nothing else gets the usual status and text.
        """
        refused = Refused(Code.NO_USER)
        self.assertEqual((refused.status, refused.phrase), (484, "No user specified"))
        self.assertEqual(Refused(Code.PLAN_REFUSED, "Go", 603).status, 603)

    def test_phrase(self) -> None:
        """
        A text of somebody else's becomes one line of no great length.
        """
        refused = Refused(Code.PLAN_REFUSED, "no\r\nVia: x" + "y" * 500)
        self.assertTrue(refused.phrase.startswith("noVia: xyyy"))
        self.assertEqual(len(refused.phrase), 128)
