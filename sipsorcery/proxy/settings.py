"""
What the configuration says to the transport layer of the proxy.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.config import Config
from sipsorcery.endpoint import ListenAddress
from sipsorcery.transport.certificates import CertificateFiles, TLSSettings
from sipsorcery.transport.identity import TLSVerify, canonical
from sipsorcery.transport.layer import TransportSettings
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.location.policy import TLSPolicy, TLSRule


def certificate_files(config: Config) -> tuple[CertificateFiles, ...]:
    """
    Pair the certificates of the configuration with their keys; there may be none.
    """
    proxy = config.proxy
    return tuple(map(CertificateFiles, proxy.tls_certificate, proxy.tls_key))


def transport_settings(
    config: Config,
    listen: Sequence[ListenAddress],
    certificates: Sequence[CertificateFiles],
) -> TransportSettings:
    """
    Put together what the transport layer has to know.

    :param certificates: those to show, be they of the configuration or not.
    """
    return TransportSettings(
        listen=tuple(listen),
        tls=TLSSettings(
            certificates=tuple(certificates),
            client_authorities=config.proxy.tls_client_ca,
            client_required=config.proxy.tls_client_required,
            authorities=config.sip.tls_ca,
        ),
        limits=transport_limits(config),
    )


def transport_limits(config: Config) -> TransportLimits:
    """
    Give what connections may take.
    """
    limits = config.limits
    return TransportLimits(
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        idle=limits.idle,
        handshake=limits.handshake,
    )


def tls_policy(config: Config) -> TLSPolicy:
    """
    Put together what servers have to prove that we connect to by TLS.
    """
    sip = config.sip
    return TLSPolicy(
        default=TLSRule(TLSVerify(sip.tls_verify), sip.tls_wildcards),
        exceptions={
            canonical(one.domain): TLSRule(
                TLSVerify(one.tls_verify), one.tls_wildcards, frozenset(one.tls_pins)
            )
            for one in config.tls_target
        },
    )
