"""
Tests for :mod:`sipsorcery.sip.digest.target`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest.target import any_target, same_aor, same_host


class TargetTests(SynchronousTestCase):
    #: uri, Request-URI, and whether it is the same AOR, the same host.
    PAIRS = (
        ("sip:bob@a.example", "sip:bob@a.example", True, True),
        ("sip:a.example", "sip:a.example:5060", True, True),
        ("sip:bob@A.example", "sip:bob@a.example;transport=tcp", True, True),
        ("sip:b%6Fb@a.example", "sip:bob@a.example", True, True),
        ("sip:bob@[2001:DB8::1]:5062", "sip:bob@[2001:db8::1]", True, True),
        ("sip:a.example", "sip:bob@a.example", False, True),
        ("sip:Bob@a.example", "sip:bob@a.example", False, True),
        ("sips:bob@a.example", "sip:bob@a.example", False, True),
        ("sip:bob@a.example", "sip:bob@b.example", False, False),
        ("sip:a.example", "tel:+1234", False, False),
        ("tel:+1-2-3", "tel:+123", True, True),
        ("/dir/index.html", "/dir/index.html", True, True),
        ("/dir/index.html", "sip:a.example", False, False),
        ("", "sip:a.example", False, False),
        ("sip:", "sip:a.example", False, False),
    )

    def test_policies(self) -> None:
        """
        What is spelled alike always matches; ports and parameters do not matter; user
        and host do, or the host alone; what cannot be read matches nothing else.
        """
        for uri, request_uri, aor, host in self.PAIRS:
            pair = (uri, request_uri)
            self.assertEqual(same_aor(uri, request_uri), aor, pair)
            self.assertEqual(same_aor(request_uri, uri), aor, pair)
            self.assertEqual(same_host(uri, request_uri), host, pair)
            self.assertEqual(same_host(request_uri, uri), host, pair)
            self.assertTrue(any_target(uri, request_uri))
