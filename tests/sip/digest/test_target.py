"""
Tests for :mod:`sipsorcery.sip.digest.target`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest.target import any_target, same_aor, same_user


class TargetTests(SynchronousTestCase):
    #: uri, Request-URI, and whether it is the same user, the same AOR.
    PAIRS = (
        ("sip:bob@a.example", "sip:bob@a.example", True, True),
        ("sip:a.example", "sip:a.example:5060", True, True),
        ("sip:bob@A.example", "sip:bob@a.example;transport=tcp", True, True),
        ("sip:b%6Fb@a.example", "sip:bob@a.example", True, True),
        ("sip:bob@[2001:DB8::1]:5062", "sip:bob@[2001:db8::1]", True, True),
        # SIPp, in a REGISTER and in an INVITE; sipsak, sending to port 15710
        ("sip:127.0.0.1:5060", "sip:a.example", True, False),
        ("sip:127.0.0.1:5060", "sip:bob@a.example", True, False),
        ("sip:127.0.0.1:1571", "sip:127.0.0.1:15710", True, True),
        ("sip:bob@192.0.2.1", "sip:bob@a.example", True, False),
        ("sips:bob@a.example", "sip:bob@a.example", True, False),
        ("sip:bob@a.example", "sip:alice@a.example", False, False),
        ("sip:bob@a.example", "sip:a.example", False, False),
        ("sip:Bob@a.example", "sip:bob@a.example", False, False),
        ("sip:a.example", "tel:+1234", False, False),
        ("tel:+1-2-3", "tel:+123", True, True),
        ("/dir/index.html", "/dir/index.html", True, True),
        ("/dir/index.html", "sip:a.example", False, False),
        ("", "sip:a.example", False, False),
        ("sip:", "sip:a.example", False, False),
    )

    def test_policies(self) -> None:
        """
        What is spelled alike always matches; ports and parameters do not matter; the
        user does, or user and host; what cannot be read matches nothing else.
        """
        for uri, request_uri, user, aor in self.PAIRS:
            pair = (uri, request_uri)
            self.assertEqual(same_user(uri, request_uri), user, pair)
            self.assertEqual(same_aor(uri, request_uri), aor, pair)
            self.assertTrue(any_target(uri, request_uri))
