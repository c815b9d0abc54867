"""
A certificate for those who have none: signed by itself, made once and kept.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sipsorcery.transport.certificates import CertificateFiles

# Nobody renews it, and a phone that was told to accept it once should not ask again
# within its own life.
_LIFETIME = timedelta(days=10 * 365)
# A phone without a battery for its clock may be late when it starts.
_CLOCK_SKEW = timedelta(days=1)


def ensure(data_dir: Path, names: Iterable[str], now: datetime) -> CertificateFiles:
    """
    Find the certificate of a service, or make it.

    :param data_dir: the folder of the service, which is made too if need be.
    :param names: the SIP domains, host names and IP addresses that a new one holds.
    :param now: with its time zone.
    :raises OSError: if the files cannot be written.
    """
    folder = data_dir / "tls"
    files = CertificateFiles(folder / "self-signed.pem", folder / "self-signed.key")
    if not files.certificate.exists():
        for each in (data_dir, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(files, names, now)
    return files


def _make(files: CertificateFiles, names: Iterable[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, names, now)
    # The certificate comes last: where it is, its key is too.
    _write(
        files.key,
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    _write(files.certificate, certificate.public_bytes(Encoding.PEM))


def _certificate(
    key: ec.EllipticCurvePrivateKey, names: Iterable[str], now: datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sipsorcery")])
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    alternatives = [each for name_ in names for each in _alternatives(name_)]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        # Many phones take only the certificate of an authority as one to believe.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(dict.fromkeys(alternatives)), critical=False
        )
        .sign(key, hashes.SHA256())
    )


def _alternatives(name: str) -> list[x509.GeneralName]:
    """
    Write one name in each way that a client may look for it.
    """
    try:
        return [x509.IPAddress(ipaddress.ip_address(name))]
    except ValueError:
        # A client of RFC 5922 looks for the URI of the SIP domain, others for a host.
        return [x509.UniformResourceIdentifier(f"sip:{name}"), x509.DNSName(name)]


def _write(file: Path, content: bytes) -> None:
    """
    Write a file that nobody else can read at any moment.
    """
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
