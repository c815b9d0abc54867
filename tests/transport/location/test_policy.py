"""
Tests for `sipsorcery.transport.location.policy`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.location.policy import TLSPolicy, TLSRule

DOMAIN, HOST = "example.com", "sip1.example.net"


class PolicyTests(SynchronousTestCase):
    """
    From a domain to what its servers have to prove.
    """

    def test_domain(self) -> None:
        """
        By default a server proves the domain of the URI, not what DNS made of it.
        """
        self.assertEqual(
            TLSPolicy().expectation(DOMAIN, HOST),
            Expectation(DOMAIN, TLSVerify.DOMAIN, wildcards=False),
        )

    def test_target(self) -> None:
        """
        It can be told to prove the host that DNS gave.
        """
        policy = TLSPolicy(TLSRule(TLSVerify.TARGET, wildcards=True))
        self.assertEqual(
            policy.expectation(DOMAIN, HOST),
            Expectation(HOST, TLSVerify.TARGET, wildcards=True),
        )

    def test_pins(self) -> None:
        """
        Under PIN and NONE the domain is what it is asked for by.
        """
        rule = TLSRule(TLSVerify.PIN, pins=frozenset({"00"}))
        self.assertEqual(
            rule.expectation(DOMAIN, HOST),
            Expectation(DOMAIN, TLSVerify.PIN, frozenset({"00"})),
        )
        self.assertEqual(
            TLSRule(TLSVerify.NONE).expectation(DOMAIN, HOST),
            Expectation(DOMAIN, TLSVerify.NONE),
        )

    def test_address(self) -> None:
        """
        A URI with an address asks for a certificate of that address; a rule without
        verification holds for addresses, too.
        """
        self.assertEqual(
            TLSPolicy().expectation("192.0.2.1", "192.0.2.1"),
            Expectation("192.0.2.1", TLSVerify.TARGET),
        )
        lax = TLSPolicy(exceptions={"192.0.2.1": TLSRule(TLSVerify.NONE)})
        self.assertEqual(
            lax.expectation("192.0.2.1", "192.0.2.1").verify, TLSVerify.NONE
        )

    def test_exceptions(self) -> None:
        """
        A domain's own rule is found without case; it does not hold for names below.
        """
        policy = TLSPolicy(exceptions={DOMAIN: TLSRule(TLSVerify.NONE)})
        self.assertEqual(
            policy.expectation("Example.COM.", HOST).verify, TLSVerify.NONE
        )
        below = policy.expectation(f"sip.{DOMAIN}", HOST)
        self.assertEqual(below.verify, TLSVerify.DOMAIN)
