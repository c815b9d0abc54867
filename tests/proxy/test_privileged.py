"""
Tests for `sipsorcery.proxy.privileged`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import Request
from tests.proxy.flows import (
    FROM_A,
    FROM_S1,
    OUTGOING,
    TO_INSIDE,
    TO_PROVIDER,
    make_request,
    route,
)

ASSERTED = "P-Asserted-Identity: <sip:boss@example.com>"
PREFERRED = "P-Preferred-Identity: <sip:boss@example.com>"
FROM_TRUNK = replace(FROM_A, is_trunk=True)
TO_TRUNK = replace(TO_PROVIDER, is_trunk=True)
URI = "sip:bob@192.0.2.80"


class IdentityTests(SynchronousTestCase):
    """
    RFC 3325: who is believed, and who gets to know.
    """

    def test_claims(self) -> None:
        """
        A stranger's identity is no more than a claim, and goes, in every spelling; what
        a role or a trunk asserts stays.
        """
        for line in (
            ASSERTED,
            PREFERRED,
            "p-asserted-identity : <tel:112>",
            "P-ASSERTED-IDENTITY:\r\n <tel:112>",
        ):
            for arrival, stays in (
                (FROM_A, False),
                (FROM_TRUNK, True),
                (FROM_S1, True),
            ):
                request = route(make_request("INVITE", URI, line, line), arrival)
                found = request.request.head.lower().count("identity")
                self.assertEqual(found, 2 if stays else 0, (line, arrival))

    def test_trunk_claims_no_more(self) -> None:
        """
        What is between the proxy and its roles is no trunk's to say.
        """
        lines = (ASSERTED, "Proxy-ReceivedFrom: udp:127.0.0.1:1")
        request = route(make_request("INVITE", URI, *lines), FROM_TRUNK).request
        self.assertNotIn("Proxy-ReceivedFrom", request)

    def leaving(self, *lines: str) -> list[Request]:
        """
        Let the application server call a stranger, a trunk and a role.
        """
        return [
            OUTGOING.prepare(
                route(make_request("INVITE", URI, ASSERTED, *lines), FROM_S1), where
            )
            for where in (TO_PROVIDER, TO_TRUNK, TO_INSIDE)
        ]

    def test_privacy(self) -> None:
        """
        Who asks for it stays unknown to those outside the trust domain (section 7); so
        does whoever asks for something that cannot be read.
        """
        for line in ("Privacy: id", "Privacy: header;ID;critical", "Privacy: ;;@"):
            stranger, trunk, role = self.leaving(line)
            self.assertNotIn("P-Asserted-Identity", stranger, line)
            self.assertIn("P-Asserted-Identity", trunk)
            self.assertIn("P-Asserted-Identity", role)

    def test_no_privacy(self) -> None:
        """
        Who does not ask is named.
        """
        for lines in ((), ("Privacy: none",), ("Privacy: header",)):
            for request in self.leaving(*lines):
                self.assertIn("P-Asserted-Identity", request)
