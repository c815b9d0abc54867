"""
Tests for `sipsorcery.transport.certificates`.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.certificates import (
    CertificateFiles,
    TLSContexts,
    TLSSettings,
)
from sipsorcery.transport.errors import CertificateError
from sipsorcery.transport.identity import dns_names
from tests.transport.authority import Authority
from tests.transport.certificates import KEY


def shake_hands(contexts: TLSContexts, name: bytes | None = None) -> tuple[str, ...]:
    """
    Let a client shake hands with these contexts; give the names that it is shown.
    """
    server = contexts.server_connection()
    server.set_accept_state()
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    client.set_connect_state()
    if name is not None:
        client.set_tlsext_host_name(name)
    for _ in range(3):
        for here, there in ((client, server), (server, client)):
            try:
                here.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                there.bio_write(here.bio_read(65536))
            except SSL.WantReadError:
                pass
    shown = client.get_peer_certificate(as_cryptography=True)
    assert isinstance(shown, x509.Certificate)
    return dns_names(shown)


class TLSContextsTests(SynchronousTestCase):
    """
    Loading certificates, choosing among them, replacing them.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.authority = Authority(self.folder)
        self.files = self.authority.issue("server", "old.example")

    def refuse(self, files: CertificateFiles) -> str:
        """
        Check that files are refused, and give the sentence.
        """
        settings = TLSSettings((files,))
        return str(self.assertRaises(CertificateError, TLSContexts, settings))

    def test_serves(self) -> None:
        """
        The certificate of the file is shown.
        """
        contexts = TLSContexts(TLSSettings((self.files,)))
        self.assertEqual(shake_hands(contexts), ("old.example",))

    def test_server_name(self) -> None:
        """
        Of several certificates the client gets that of the name it asks for, in
        whatever case; for another name, or none, the first.
        """
        other = self.authority.issue("other", "b.example", "*.c.example")
        contexts = TLSContexts(TLSSettings((self.files, other)))
        for asked, shown in (
            (b"b.example", "b.example"),
            (b"B.Example", "b.example"),
            (b"x.c.example", "b.example"),
            (b"x.y.c.example", "old.example"),
            (b"unknown.example", "old.example"),
            (None, "old.example"),
        ):
            self.assertEqual(shake_hands(contexts, asked)[0], shown)

    def test_missing_file(self) -> None:
        """
        The sentence names a file that is not there.
        """
        missing = CertificateFiles(self.folder / "none.pem", self.files.key)
        self.assertIn("none.pem: No such file", self.refuse(missing))

    def test_no_pem(self) -> None:
        """
        Files that hold something else are refused, in one sentence each.
        """
        certificate, key = self.files.certificate, self.files.key
        self.assertEqual(
            self.refuse(CertificateFiles(key, key)),
            f"{key} holds no certificate in PEM format",
        )
        self.assertEqual(
            self.refuse(CertificateFiles(certificate, certificate)),
            f"{certificate} holds no private key in PEM format",
        )
        certificate.write_text("not a certificate")
        self.assertIn("server.pem holds no certificate", self.refuse(self.files))

    def test_locked_key(self) -> None:
        """
        Nobody is there to type the password of a key.
        """
        locked = BestAvailableEncryption(b"secret")
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        self.files.key.write_bytes(pem)
        self.assertEqual(
            self.refuse(self.files),
            f"the key in {self.files.key} is locked by a password",
        )

    def test_mismatch(self) -> None:
        """
        A key that belongs to another certificate is refused.
        """
        other = self.authority.issue("other", "b.example")
        mixed = CertificateFiles(self.files.certificate, other.key)
        self.assertIn("is not the key", self.refuse(mixed))

    def test_bad_authorities(self) -> None:
        """
        So are authorities that are none, for either direction.
        """
        empty = self.folder / "empty.pem"
        empty.write_text("")
        for settings in (
            TLSSettings((self.files,), client_authorities=empty),
            TLSSettings(authorities=self.folder / "none.pem"),
        ):
            self.assertRaises(CertificateError, TLSContexts, settings)


class WatchTests(SynchronousTestCase):
    """
    Files that change.
    """

    def setUp(self) -> None:
        self.authority = Authority(Path(self.mktemp()))
        self.files = self.authority.issue("server", "old.example")
        self.contexts = TLSContexts(TLSSettings((self.files,), poll=10))
        self.clock = Clock()
        self.contexts.start(self.clock)

    def test_replaced(self) -> None:
        """
        New files serve new handshakes after the next look at them.
        """
        self.authority.issue("server", "new.example")
        self.assertEqual(shake_hands(self.contexts), ("old.example",))
        self.clock.advance(10)
        self.assertEqual(shake_hands(self.contexts), ("new.example",))
        self.assertEqual(shake_hands(self.contexts, b"new.example"), ("new.example",))

    def test_renamed(self) -> None:
        """
        A file that another takes the place of has changed, too.
        """
        other = self.authority.issue("other", "new.example")
        other.certificate.rename(self.files.certificate)
        other.key.rename(self.files.key)
        self.clock.advance(10)
        self.assertEqual(shake_hands(self.contexts), ("new.example",))

    def test_broken(self) -> None:
        """
        Files that cannot be used are reported; the old certificate goes on.
        """
        self.files.key.write_text("half a k")
        self.clock.advance(10)
        self.assertIn("server.key", str(self.contexts.failure))
        self.assertEqual(shake_hands(self.contexts), ("old.example",))
        self.files.certificate.unlink()
        self.clock.advance(10)
        self.assertIn("server.pem", str(self.contexts.failure))
        self.authority.issue("server", "new.example")
        self.clock.advance(10)
        self.assertIsNone(self.contexts.failure)
        self.assertEqual(shake_hands(self.contexts), ("new.example",))

    def test_one_of_two(self) -> None:
        """
        A new certificate whose key has not come yet waits for it.
        """
        key = self.files.key.read_bytes()
        self.authority.issue("server", "new.example")
        new_key = self.files.key.read_bytes()
        self.files.key.write_bytes(key)
        self.clock.advance(10)
        self.assertEqual(shake_hands(self.contexts), ("old.example",))
        self.files.key.write_bytes(new_key)
        self.clock.advance(10)
        self.assertEqual(shake_hands(self.contexts), ("new.example",))

    def test_a_handshake_under_way(self) -> None:
        """
        Whoever has begun ends with the certificate that was there.
        """
        begun = self.contexts.server_connection()
        context = begun.get_context()
        self.authority.issue("server", "new.example")
        self.clock.advance(10)
        self.assertIs(begun.get_context(), context)
        self.assertIsNot(self.contexts.server_connection().get_context(), context)

    def test_unchanged(self) -> None:
        """
        As long as nothing changes, nothing is loaded.
        """
        before = self.contexts.server_connection().get_context()
        self.clock.pump([10] * 5)
        self.assertIs(self.contexts.server_connection().get_context(), before)

    def test_stop(self) -> None:
        """
        Stopped, it leaves no timer.
        """
        self.contexts.stop()
        self.contexts.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
