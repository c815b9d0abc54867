"""
Tests for `sipsorcery.proxy.settings`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, parse
from sipsorcery.proxy.settings import (
    certificate_files,
    tls_policy,
    transport_settings,
)
from sipsorcery.transport.certificates import CertificateFiles
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.location.policy import TLSPolicy


class SettingsTests(SynchronousTestCase):
    """
    From the configuration to the transport layer.
    """

    def test_defaults(self) -> None:
        """
        The limits that are configured by default are those of the transport layer, and
        nobody is asked for a certificate.
        """
        settings = transport_settings(Config(), Config().proxy.listen, ())
        self.assertEqual(settings.limits, TransportLimits())
        self.assertEqual(settings.listen, Config().proxy.listen)
        self.assertIsNone(settings.tls.client_authorities)
        self.assertFalse(settings.tls.client_required)

    def test_everything(self) -> None:
        """
        Each key that concerns the transport layer reaches it.
        """
        config = parse(
            b"""
            [sip]
            tls_ca = "ca.pem"
            [proxy]
            tls_client_ca = "clients.pem"
            tls_client_required = true
            [limits]
            connections = 10
            connections_per_address = 9
            idle = 8
            handshake = 7
            """
        )
        certificates = [CertificateFiles(Path("a.pem"), Path("a.key"))]
        settings = transport_settings(config, (), certificates)
        self.assertEqual(settings.tls.authorities, Path("ca.pem"))
        self.assertEqual(settings.tls.client_authorities, Path("clients.pem"))
        self.assertTrue(settings.tls.client_required)
        self.assertEqual(settings.tls.certificates, tuple(certificates))
        limits = settings.limits
        self.assertEqual((limits.connections, limits.connections_per_address), (10, 9))
        self.assertEqual((limits.idle, limits.handshake), (8, 7))

    def test_certificates(self) -> None:
        """
        Each certificate goes with the key in the same place.
        """
        config = parse(b'[proxy]\ntls_certificate = ["a", "b"]\ntls_key = ["c", "d"]')
        self.assertEqual(
            certificate_files(config),
            (
                CertificateFiles(Path("a"), Path("c")),
                CertificateFiles(Path("b"), Path("d")),
            ),
        )
        self.assertEqual(certificate_files(Config()), ())

    def test_policy(self) -> None:
        """
        Servers prove what the configuration says of their domain; by default the
        domain itself, without wildcards.
        """
        self.assertEqual(tls_policy(Config()), TLSPolicy())
        pin = "ab" * 32
        policy = tls_policy(
            parse(
                f"""
                [sip]
                tls_verify = "target"
                tls_wildcards = true
                [[tls_target]]
                domain = "Pinned.example."
                tls_verify = "pin"
                tls_pins = ["{pin}"]
                [[tls_target]]
                domain = "lax.example"
                tls_verify = "none"
                tls_wildcards = true
                """.encode()
            )
        )
        for domain, expectation in (
            ("a.example", Expectation("host.b", TLSVerify.TARGET, wildcards=True)),
            (
                "PINNED.example",
                Expectation("PINNED.example", TLSVerify.PIN, frozenset({pin})),
            ),
            (
                "lax.example",
                Expectation("lax.example", TLSVerify.NONE, wildcards=True),
            ),
        ):
            self.assertEqual(policy.expectation(domain, "host.b"), expectation)
