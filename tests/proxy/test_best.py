"""
Tests for `sipsorcery.proxy.best`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.best import best
from sipsorcery.sip import Response
from sipsorcery.sip.fields import PROXY_AUTHENTICATE, WWW_AUTHENTICATE


class BestTests(SynchronousTestCase):
    """
    RFC 3261, 16.7, steps 6 and 7.
    """

    def assert_best(self, expected: int, *statuses: int) -> None:
        """
        Check which of these statuses goes back, in whatever order they come.
        """
        for order in (statuses, statuses[::-1]):
            responses = [Response(status) for status in order]
            self.assertEqual(best(responses).status, expected, order)

    def test_choice(self) -> None:
        """
        A 6xx first, then the lowest class, and in it what can be acted upon.
        """
        self.assert_best(603, 404, 603, 302, 500)
        self.assert_best(302, 404, 302, 500)
        self.assert_best(404, 500, 404)
        self.assert_best(401, 404, 401, 486)
        self.assert_best(484, 404, 484)
        self.assert_best(500, 503, 500)
        self.assert_best(503, 503)

    def test_first_of_equals(self) -> None:
        """
        Of those that are as good the first one counts.
        """
        for statuses in ((486, 404), (404, 486)):
            responses = [Response(status) for status in statuses]
            self.assertEqual(best(responses).status, statuses[0])

    def test_all_challenges(self) -> None:
        """
        A challenge goes back with those of all branches, so that one new request can
        answer all; that of another failure counts for nothing.
        """
        responses = [
            Response(
                407, fields=[("Proxy-Authenticate", 'Digest realm="a",nonce="1"')]
            ),
            Response(401, fields=[("WWW-Authenticate", 'Digest realm="b",nonce="2"')]),
            Response(
                407, fields=[("Proxy-Authenticate", 'Digest realm="c",nonce="3"')]
            ),
            Response(404, fields=[("WWW-Authenticate", 'Digest realm="d",nonce="4"')]),
        ]
        response = best(responses)
        self.assertEqual(response.status, 407)
        self.assertEqual(len(response.all(PROXY_AUTHENTICATE)), 2)
        self.assertEqual(len(response.all(WWW_AUTHENTICATE)), 1)
