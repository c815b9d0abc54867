"""
Tests for `sipsorcery.transport.identity`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.errors import TLSVerificationError
from sipsorcery.transport.identity import (
    Expectation,
    TLSVerify,
    canonical,
    fingerprints,
    matches,
    sip_identities,
)
from tests.transport.certificates import certificate


class SIPIdentitiesTests(SynchronousTestCase):
    """
    RFC 5922, section 7.1.
    """

    def test_sip_uris_come_first(self) -> None:
        """
        DNS names are identities if and only if there is no sip URI.
        """
        both = certificate(uris=("sip:example.com",), dns=("sip1.example.com",))
        self.assertEqual(sip_identities(both), ("example.com",))

    def test_dns_names_without_uri(self) -> None:
        """
        Without any sip URI each DNS name is an identity.
        """
        held = certificate(dns=("example.com", "example.net"))
        self.assertEqual(sip_identities(held), ("example.com", "example.net"))

    def test_other_schemes_are_no_identity(self) -> None:
        """
        A URI whose scheme is not sip, not even sips, must not be accepted.
        """
        held = certificate(uris=("sips:example.com", "https://example.com", "im:a@b"))
        self.assertEqual(sip_identities(held), ())

    def test_scheme_has_no_case(self) -> None:
        """
        URI schemes are compared without case.
        """
        self.assertEqual(
            sip_identities(certificate(uris=("SIP:example.com",))), ("example.com",)
        )

    def test_user_part_names_a_person(self) -> None:
        """
        A sip URI with a user part must not be accepted as a domain.
        """
        held = certificate(uris=("sip:alice@example.com",), dns=("example.com",))
        self.assertEqual(sip_identities(held), ("example.com",))
        only = certificate(uris=("sip:alice@example.com",))
        self.assertEqual(sip_identities(only), ())

    def test_parameters_are_left_out(self) -> None:
        """
        Only the host of the URI is compared, no port and no parameter.
        """
        held = certificate(uris=("sip:example.com:5061;transport=tls",))
        self.assertEqual(sip_identities(held), ("example.com",))

    def test_no_alternative_names(self) -> None:
        """
        The common name is never an identity.
        """
        self.assertEqual(sip_identities(certificate(common_name="example.com")), ())

    def test_unreadable_uri(self) -> None:
        """
        A URI that cannot be read proves nothing and hurts nothing.
        """
        held = certificate(uris=("sip:", "no uri at all"), dns=("example.com",))
        self.assertEqual(sip_identities(held), ("example.com",))


class MatchesTests(SynchronousTestCase):
    """
    RFC 5922, section 7.2.
    """

    def test_case_and_final_dot(self) -> None:
        """
        Names are compared without case; the root's dot does not count.
        """
        self.assertTrue(matches("Example.COM.", ("example.com",)))

    def test_suffixes_do_not_match(self) -> None:
        """
        Names are compared whole.
        """
        self.assertFalse(matches("sip.example.com", ("example.com",)))
        self.assertFalse(matches("example.com", ("sip.example.com",)))

    def test_wildcards_are_forbidden(self) -> None:
        """
        No form of wildcard matches, unless it was asked for.
        """
        self.assertFalse(matches("sip.example.com", ("*.example.com",)))
        self.assertFalse(matches("sip.example.com", (".example.com",)))

    def test_wildcards_allowed(self) -> None:
        """
        Allowed, a wildcard is one whole leftmost label and nothing more.
        """

        def covered(name: str, pattern: str) -> bool:
            return matches(name, (pattern,), wildcards=True)

        self.assertTrue(covered("sip.example.com", "*.example.com"))
        self.assertFalse(covered("a.b.example.com", "*.example.com"))
        self.assertFalse(covered("example.com", "*.example.com"))
        self.assertFalse(covered("example.com", "*.com"))
        self.assertFalse(covered("sip1.example.com", "sip*.example.com"))
        self.assertFalse(covered("192.0.2.1", "*.0.2.1"))

    def test_international_names(self) -> None:
        """
        A name in its own script is compared in the spelling of DNS.
        """
        self.assertTrue(matches("bücher.example", ("xn--bcher-kva.example",)))
        self.assertEqual(canonical("\u00ad" * 3), "\u00ad" * 3)


class ExpectationTests(SynchronousTestCase):
    """
    What one certificate must prove, for each way to verify.
    """

    def refuse(self, expectation: Expectation, **names: tuple[str, ...]) -> str:
        """
        Check that a certificate of these *names* is refused, and return the sentence.
        """
        held = certificate(**names)  # type: ignore[arg-type]  # "common_name" is a str
        error = self.assertRaises(TLSVerificationError, expectation.check, held)
        return str(error)

    def test_domain(self) -> None:
        """
        By default the certificate has to speak for the SIP domain.
        """
        Expectation("example.com").check(certificate(uris=("sip:example.com",)))
        self.assertEqual(
            self.refuse(Expectation("example.com"), dns=("sip.example.net", "b.test")),
            "expected the SIP domain example.com; "
            "the certificate holds: sip.example.net, b.test",
        )

    def test_domain_is_not_the_host(self) -> None:
        """
        A sip URI for another domain hides a DNS name that would have matched.
        """
        self.refuse(
            Expectation("example.com"),
            uris=("sip:example.net",),
            dns=("example.com",),
        )

    def test_no_name_at_all(self) -> None:
        """
        The sentence says so where a certificate has no name; it cuts a long list.
        """
        self.assertIn("holds: none", self.refuse(Expectation("example.com")))
        many = tuple(f"{n}.example.com" for n in range(9))
        self.assertIn(
            "4.example.com and 4 more", self.refuse(Expectation("a.test"), dns=many)
        )

    def test_target_host(self) -> None:
        """
        Under "target" the DNS names count, whatever the sip URIs say.
        """
        held = certificate(uris=("sip:example.net",), dns=("sip1.example.com",))
        Expectation("sip1.example.com", TLSVerify.TARGET).check(held)
        self.assertIn(
            "expected the host sip2.example.com",
            self.refuse(
                Expectation("sip2.example.com", TLSVerify.TARGET),
                dns=("sip1.example.com",),
            ),
        )

    def test_target_address(self) -> None:
        """
        Under "target" an IP address has to be among the certificate's own addresses.
        """
        for spelled, held in (
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8::0:1", "2001:db8::1"),
        ):
            Expectation(spelled, TLSVerify.TARGET).check(certificate(addresses=(held,)))
        self.assertIn(
            "expected the address 192.0.2.1",
            self.refuse(
                Expectation("192.0.2.1", TLSVerify.TARGET),
                addresses=("192.0.2.2",),
            ),
        )
        self.refuse(Expectation("192.0.2.1", TLSVerify.TARGET), dns=("192.0.2.1",))

    def test_pin(self) -> None:
        """
        A pin is the fingerprint of the certificate or of its public key.
        """
        held = certificate(dns=("any.example",))
        for pin in fingerprints(held):
            Expectation("", TLSVerify.PIN, frozenset({pin})).check(held)
        whole = fingerprints(held)[0].upper()
        colons = ":".join(whole[i : i + 2] for i in range(0, 64, 2))
        Expectation("", TLSVerify.PIN, frozenset({"00", colons})).check(held)

    def test_other_pin(self) -> None:
        """
        Another certificate than the pinned one is refused, and so is no pin at all.
        """
        for pins in (frozenset({"00" * 32}), frozenset[str]()):
            text = self.refuse(Expectation("", TLSVerify.PIN, pins), dns=("a.example",))
            self.assertIn("pinned", text)

    def test_none(self) -> None:
        """
        Under "none" any certificate will do.
        """
        Expectation("example.com", TLSVerify.NONE).check(certificate())

    def test_server_name(self) -> None:
        """
        SNI names the domain in the spelling of DNS, and never an address.
        """
        self.assertEqual(Expectation("Example.com.").server_name, "example.com")
        self.assertIsNone(Expectation("192.0.2.1").server_name)
        self.assertIsNone(Expectation("2001:db8::1").server_name)

    def test_needs_authority(self) -> None:
        """
        A pin, or no check, takes the place of an authority's signature.
        """
        needed = [v for v in TLSVerify if Expectation("a", v).needs_authority]
        self.assertEqual(needed, [TLSVerify.DOMAIN, TLSVerify.TARGET])
