"""
Tests for :mod:`sipsorcery.appserver.outside.numbers`.
"""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver
from twisted.names.error import DNSServerError
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.outside.enum import ENUMError
from sipsorcery.appserver.outside.numbers import look_up
from tests.transport.location.zones import Zones

ZONE = r"""
4.3.2.1.4.4.e164.example NAPTR 10 10 u E2U+email !^.*$!mailto:a@example.com! -
4.3.2.1.4.4.e164.example NAPTR 10 20 u E2U+sip !^\+44(.*)$!sip:\1@example.com! -
1.4.4.e164.example A 192.0.2.1
"""


class LookUpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.zones = Zones(ZONE)

    def look_up(self, text: str) -> Deferred[str | None]:
        """
        Look a number up.
        """
        return Deferred.fromCoroutine(look_up(cast(IResolver, self.zones), text))

    def test_found(self) -> None:
        """
        The SIP service of a number becomes its URI.
        """
        uri = self.successResultOf(self.look_up("+441234.e164.example"))
        self.assertEqual(uri, "sip:1234@example.com")

    def test_none(self) -> None:
        """
        A number that nobody has registered, or without such a service, has none.
        """
        for text in ("4499.e164.example", "441.e164.example"):
            self.assertIsNone(self.successResultOf(self.look_up(text)))

    def test_no_answer(self) -> None:
        """
        That DNS fails is told, and that it is no number.
        """
        self.failureResultOf(self.look_up("nonsense"), ENUMError)
        self.zones.fail(DNSServerError())
        self.failureResultOf(self.look_up("441234.e164.example"), ENUMError)
