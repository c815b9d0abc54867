"""
Certificates for the tests, of every kind that the code has to tell apart.
"""

from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY = ec.generate_private_key(ec.SECP256R1())
EPOCH = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def certificate(
    *,
    common_name: str = "unused.example",
    uris: tuple[str, ...] = (),
    dns: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
) -> x509.Certificate:
    """
    Make a self-signed certificate that holds these alternative names.
    """
    names: list[x509.GeneralName] = [
        *map(x509.UniformResourceIdentifier, uris),
        *map(x509.DNSName, dns),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses),
    ]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(EPOCH)
        .not_valid_after(EPOCH + datetime.timedelta(days=36500))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return builder.sign(KEY, hashes.SHA256())
