"""
A certificate authority of the tests, whose certificates are files.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from sipsorcery.transport.certificates import CertificateFiles
from tests.transport.certificates import KEY, certificate

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """
    Sign certificates, and keep them in a folder.

    :ivar file: the authority's own certificate.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(
        self, name: str, *identities: str, expired: bool = False
    ) -> CertificateFiles:
        """
        Make, or replace, the files of *name* by a new certificate.

        :param identities: host names or addresses.
        """
        made = self._ca.issue_cert(
            *identities,
            key_type=trustme.KeyType.ECDSA,
            not_after=PAST if expired else None,
        )
        path, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        path.write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))
        key.write_bytes(made.private_key_pem.bytes())
        return CertificateFiles(path, key)

    def issue_alone(self, name: str, *identities: str) -> CertificateFiles:
        """
        Make the files of a certificate that is signed by itself alone.
        """
        path, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        path.write_bytes(certificate(dns=identities).public_bytes(Encoding.PEM))
        key.write_bytes(
            KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return CertificateFiles(path, key)
