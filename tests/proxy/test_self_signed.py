"""
Tests for `sipsorcery.proxy.self_signed`.
"""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy import self_signed
from sipsorcery.transport import identity
from sipsorcery.transport.certificates import (
    CertificateFiles,
    TLSContexts,
    TLSSettings,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class EnsureTests(SynchronousTestCase):
    """
    The certificate that a service makes for itself.
    """

    def setUp(self) -> None:
        self.data_dir = Path(self.mktemp()) / "data"

    def ensure(self, *names: str) -> CertificateFiles:
        """
        Find or make the certificate.
        """
        return self_signed.ensure(self.data_dir, names, NOW)

    def load(self, files: CertificateFiles) -> x509.Certificate:
        """
        Read the certificate.
        """
        return x509.load_pem_x509_certificate(files.certificate.read_bytes())

    def test_names(self) -> None:
        """
        It holds each name as a SIP domain and as a host, each address as such, once.
        """
        names = ("example.com", "localhost", "192.0.2.1", "::1", "localhost")
        certificate = self.load(self.ensure(*names))
        self.assertEqual(
            identity.sip_identities(certificate), ("example.com", "localhost")
        )
        self.assertEqual(identity.dns_names(certificate), ("example.com", "localhost"))
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        self.assertEqual(
            extension.value.get_values_for_type(x509.IPAddress),
            [IPv4Address("192.0.2.1"), IPv6Address("::1")],
        )

    def test_lifetime(self) -> None:
        """
        It is valid from a day ago, for clocks that are late, and for ten years.
        """
        certificate = self.load(self.ensure())
        self.assertEqual(certificate.not_valid_before_utc, NOW - timedelta(days=1))
        self.assertEqual(certificate.not_valid_after_utc, NOW + timedelta(days=3650))

    def test_nobody_else_can_read_it(self) -> None:
        """
        Folders and files are for their owner alone.
        """
        files = self.ensure("localhost")
        for path, mode in (
            (self.data_dir, 0o700),
            (files.key.parent, 0o700),
            (files.key, 0o600),
        ):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode, path)

    def test_made_once(self) -> None:
        """
        A later start finds it again, whatever names it would hold today.
        """
        first = self.ensure("localhost")
        content = first.certificate.read_bytes(), first.key.read_bytes()
        again = self.ensure("example.com")
        self.assertEqual(again, first)
        self.assertEqual(
            (again.certificate.read_bytes(), again.key.read_bytes()), content
        )

    def test_key_without_certificate(self) -> None:
        """
        A start that was cut short leaves a key at most; the next makes both.
        """
        files = self.ensure("localhost")
        files.certificate.unlink()
        self.ensure("localhost")
        # Raises unless both fit each other.
        TLSContexts(TLSSettings(certificates=(files,)))

    def test_unwritable(self) -> None:
        """
        Where no file can be made, the error names it.
        """
        self.data_dir.parent.mkdir()
        self.data_dir.write_text("a file, not a folder")
        error = self.assertRaises(OSError, self.ensure)
        self.assertIn(str(self.data_dir), str(error.filename))
