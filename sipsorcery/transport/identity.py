"""
Which names a certificate proves, and whether they are the ones we asked for. Pure.

A SIP server proves that it serves the *domain* of a URI, not that it is the host that
DNS gave for it (:rfc:`5922`); so the usual check of a host name is one of four here.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from service_identity import CertificateError
from service_identity.hazmat import DNS_ID, DNSPattern

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.errors import TLSVerificationError

#: Names that an error sentence repeats; a certificate can hold hundreds.
_NAMES_SHOWN = 5


class TLSVerify(StrEnum):
    """
    Choose what a server's certificate has to prove.
    """

    DOMAIN = "domain"  # that it serves the SIP domain (RFC 5922)
    TARGET = "target"  # that it is the host, or the address, that we connect to
    PIN = "pin"  # that it is the one certificate, or key, that we know
    NONE = "none"  # nothing: encryption without knowing with whom


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    Say what the certificate of one server has to prove.

    Two targets share a connection only if they expect the same of it.

    :ivar name: the SIP domain, or the host name or address; for NONE and PIN it is
        only what we tell the server we look for (SNI).
    :ivar pins: SHA-256 fingerprints of certificates or of their public keys (SPKI), in
        hexadecimal, colons allowed; one of them has to match under PIN.
    :ivar wildcards: whether ``*.example.com`` stands for ``sip.example.com``, which
        :rfc:`5922#section-7.2` forbids.
    """

    name: str
    verify: TLSVerify = TLSVerify.DOMAIN
    pins: frozenset[str] = frozenset()
    wildcards: bool = False

    @property
    def server_name(self) -> str | None:
        """
        Give the name for SNI; None for an address, which may not be sent (RFC 6066).
        """
        return None if _is_address(self.name) else canonical(self.name) or None

    @property
    def needs_authority(self) -> bool:
        """
        Tell whether an authority that we trust has to have signed the certificate.
        """
        return self.verify in (TLSVerify.DOMAIN, TLSVerify.TARGET)

    def check(self, certificate: x509.Certificate) -> None:
        """
        Compare a certificate, whose chain has been verified, with what is expected.

        :raises TLSVerificationError: saying what was expected and what it holds.
        """
        held = self.names_in(certificate)
        match self.verify:
            case TLSVerify.NONE:
                met = True
            case TLSVerify.PIN:
                met = bool({_bare(pin) for pin in self.pins} & set(held))
            case TLSVerify.TARGET if _is_address(self.name):
                met = str(ipaddress.ip_address(self.name)) in held
            case TLSVerify.DOMAIN | TLSVerify.TARGET:
                met = matches(self.name, held, wildcards=self.wildcards)
        if not met:
            raise TLSVerificationError(self.contrast(certificate))

    def names_in(self, certificate: x509.Certificate) -> tuple[str, ...]:
        """
        List what the certificate holds of the kind that this expectation looks at.
        """
        match self.verify:
            case TLSVerify.PIN:
                return fingerprints(certificate)
            case TLSVerify.TARGET if _is_address(self.name):
                return addresses(certificate)
            case TLSVerify.TARGET:
                return dns_names(certificate)
            case TLSVerify.DOMAIN | TLSVerify.NONE:
                return sip_identities(certificate)

    def contrast(self, certificate: x509.Certificate) -> str:
        """
        Say what was expected and what the certificate holds instead.
        """
        held = self.names_in(certificate)
        shown = ", ".join(held[:_NAMES_SHOWN]) or "none"
        if len(held) > _NAMES_SHOWN:
            shown += f" and {len(held) - _NAMES_SHOWN} more"
        return f"expected {self}; the certificate holds: {shown}"

    def __str__(self) -> str:
        match self.verify:
            case TLSVerify.DOMAIN:
                return f"the SIP domain {self.name}"
            case TLSVerify.TARGET:
                kind = "address" if _is_address(self.name) else "host"
                return f"the {kind} {self.name}"
            case TLSVerify.PIN:
                return "one of the pinned fingerprints"
            case TLSVerify.NONE:
                return "any certificate"


def sip_identities(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    List the SIP domains that a certificate speaks for (:rfc:`5922#section-7.1`).

    They are the hosts of its ``sip:`` URIs without a user part; only where it has none
    of them, its DNS names. The common name is never looked at.
    """
    uris = _alternatives(certificate, x509.UniformResourceIdentifier)
    # "If the scheme of the URI is not 'sip', then the implementation MUST NOT accept
    # the value"; a URI with a user names a person, not a domain.
    hosts = tuple(filter(None, map(_domain_of, uris)))
    return hosts or dns_names(certificate)


def dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    List the DNS names among the alternative names of the subject.
    """
    return _alternatives(certificate, x509.DNSName)


def addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    List the IP addresses among the alternative names of the subject.
    """
    found = _extension(certificate)
    return tuple(map(str, found.get_values_for_type(x509.IPAddress))) if found else ()


def fingerprints(certificate: x509.Certificate) -> tuple[str, str]:
    """
    Give the SHA-256 of the certificate and of its public key, in hexadecimal.
    """
    key = certificate.public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return certificate.fingerprint(hashes.SHA256()).hex(), digest.finalize().hex()


def matches(name: str, held: tuple[str, ...], *, wildcards: bool = False) -> bool:
    """
    Tell whether one of the *held* names is *name*, whole and without case.

    :param wildcards: let ``*`` stand for one whole leftmost label (RFC 6125).
    """
    wanted = canonical(name)
    return any(
        canonical(one) == wanted or (wildcards and _covers(one, wanted)) for one in held
    )


def canonical(name: str) -> str:
    """
    Bring a host name into the spelling that names are compared in (A-labels).
    """
    name = name.rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _covers(pattern: str, name: str) -> bool:
    if not pattern.startswith("*.") or _is_address(name):
        return False
    try:
        return DNS_ID(name).verify(DNSPattern.from_bytes(pattern.encode("ascii")))
    except (CertificateError, ValueError):  # no pattern, or no name, of DNS
        return False


def _domain_of(uri: str) -> str | None:
    try:
        parsed = SIPURI.parse(uri)
    except ParseError:
        return None
    if parsed.scheme != "sip" or parsed.user is not None:
        return None
    return parsed.host


def _alternatives(
    certificate: x509.Certificate,
    kind: type[x509.DNSName] | type[x509.UniformResourceIdentifier],
) -> tuple[str, ...]:
    found = _extension(certificate)
    return tuple(found.get_values_for_type(kind)) if found else ()


def _extension(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None  # absent, or broken, which proves no more than none
    return extension.value


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bare(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()
