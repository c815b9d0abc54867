"""
Tests for `sipsorcery.monitor.masking`: what servers say in words. Messages of SIP are
in the tests of the proxy's traces.
"""

from __future__ import annotations

from time import process_time

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.masking import mask_text


class MaskTextTests(SynchronousTestCase):
    """
    Words of servers, and of dialplans.
    """

    def test_masked(self) -> None:
        """
        The password of a URI, a token and a proof become unreadable; the rest stays.
        """
        for text, expected in (
            ("dials sip:joe:secret@example.com", "dials sip:joe:***@example.com"),
            ("gets https://me:p4ss@h/x?a=b:c", "gets https://me:***@h/x?a=b:c"),
            ("Authorization: Basic am9lOnNlY3JldA==", "Authorization: Basic ***"),
            ("with bearer abc.def-123456", "with bearer ***"),
            (f'response="{"0f" * 16}", uri="x"', 'response="***", uri="x"'),
            (
                f"SIPS:a:b@c and RESPONSE = {'a' * 64}",
                "SIPS:a:***@c and RESPONSE = ***",
            ),
        ):
            self.assertEqual(mask_text(text), expected)

    def test_left(self) -> None:
        """
        What holds no secret stays as it is.
        """
        for text in (
            "sip:101@192.0.2.1:5060 is at <sip:101@192.0.2.1:33000>",
            "dials 100@example.com",
            "a basic plan",
            "https://example.com:8443/a@b",
            "response=486",
            "mailto:joe:x@y",
            "",
        ):
            self.assertEqual(mask_text(text), text)

    def test_hostile(self) -> None:
        """
        A text that nearly matches everywhere takes no time.
        """
        started = process_time()
        for text in ("sip:a:" * 10_000, "sip:" + "a" * 60_000, "basic " * 10_000):
            mask_text(text)
        self.assertLess(process_time() - started, 5)
