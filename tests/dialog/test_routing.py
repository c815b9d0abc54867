"""
Tests for :mod:`sipsorcery.dialog.routing`; most of it is tested by what a dialog does.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.routing import needs_sips, request_uri
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import parse_uri
from tests.dialog.messages import request


class SecureContactTests(SynchronousTestCase):
    def test_needs_sips(self) -> None:
        """
        "If the request [...] contained a SIPS URI in the Request-URI or in the top
        Record-Route header field value, if there was any, or the Contact header field
        if there was no Record-Route header field, the Contact header field in the
        response MUST be a SIPS URI" (RFC 3261, 12.1.1).
        """
        plain, secure = "<sip:p.example.com;lr>", "<sips:p.example.com;lr>"
        for uri, routes, contact, needed in (
            ("sip:b@example.net", (), "<sip:a@example.com>", False),
            ("sips:b@example.net", (), "<sip:a@example.com>", True),
            ("sip:b@example.net", (), "<sips:a@example.com>", True),
            ("sip:b@example.net", (secure, plain), "<sip:a@example.com>", True),
            ("sip:b@example.net", (plain, secure), "<sips:a@example.com>", False),
            ("sip:b@example.net", (), None, False),
        ):
            lines = [f"Record-Route: {route}" for route in routes]
            invite = request("INVITE", *lines, uri=uri, contact=contact)
            self.assertIs(needs_sips(invite), needed, (uri, routes, contact))

    def test_broken(self) -> None:
        """
        A request that cannot be read says nothing about it.
        """
        self.assertRaises(ParseError, needs_sips, request(contact="*"))


class RequestURITests(SynchronousTestCase):
    def test_other_schemes(self) -> None:
        """
        A URI of another scheme stays as it is.
        """
        uri = parse_uri("tel:+1-555;phone-context=x;method=y")
        self.assertEqual(request_uri(uri), uri)
