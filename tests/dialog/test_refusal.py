"""
Tests for :mod:`sipsorcery.dialog.refusal`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER, TO
from tests.dialog.messages import BOB_TAG, request


class RefusalTests(SynchronousTestCase):
    def test_response(self) -> None:
        """
        The response has the status with its usual phrase, and what is wrong.
        """
        made = Refusal(481, "no such thing").response(request("INFO", to_tag=BOB_TAG))
        self.assertEqual(
            made.start_line,
            "SIP/2.0 481 Call/Transaction Does Not Exist: no such thing",
        )
        self.assertEqual(made[TO].tag, BOB_TAG)

    def test_tag(self) -> None:
        """
        The tag goes into a To that has none.
        """
        self.assertEqual(Refusal(420).response(request(), "77")[TO].tag, "77")

    def test_text_of_the_peer(self) -> None:
        """
        What the peer has sent cannot break out of the phrase.
        """
        made = Refusal(400, "bad\r\nX-Evil: 1\x00").response(request())
        self.assertEqual(made.start_line, "SIP/2.0 400 Bad Request: badX-Evil: 1")

    def test_later(self) -> None:
        """
        A 500 that passes says when (RFC 3261, 14.2).
        """
        made = Refusal.later("a second INVITE", 7).response(request())
        self.assertEqual(made.status, 500)
        self.assertEqual(made[RETRY_AFTER].seconds, 7)

    def test_parse_error(self) -> None:
        """
        What breaks the grammar is refused with the status that goes with it.
        """
        self.assertEqual(Refusal.of(ParseError("no", status=416)), Refusal(416, "no"))
