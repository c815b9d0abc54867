"""
Digest authentication, client and server (:rfc:`7616`, :rfc:`8760`).

Pure: time is passed in, users are looked up elsewhere. ``docs/digest.rst`` tells how
both sides are used.
"""

from sipsorcery.sip.digest.algorithm import (
    Algorithm,
    compute_ha1,
    compute_response,
    compute_userhash,
)
from sipsorcery.sip.digest.claim import Claim
from sipsorcery.sip.digest.client import Attempt, Authorization, DigestClient, Proof
from sipsorcery.sip.digest.nonce import NonceKey, NonceSigner
from sipsorcery.sip.digest.replay import ReplayWindow
from sipsorcery.sip.digest.secret import Secret
from sipsorcery.sip.digest.server import DigestServer, Nonces
from sipsorcery.sip.digest.target import TargetPolicy, any_target, same_aor, same_user
from sipsorcery.sip.digest.verdict import (
    Accepted,
    Malformed,
    Misdirected,
    NoCredentials,
    Stale,
    Verdict,
    Wrong,
)

__all__ = [
    "Accepted",
    "Algorithm",
    "Attempt",
    "Authorization",
    "Claim",
    "DigestClient",
    "DigestServer",
    "Malformed",
    "Misdirected",
    "NoCredentials",
    "NonceKey",
    "NonceSigner",
    "Nonces",
    "Proof",
    "ReplayWindow",
    "Secret",
    "Stale",
    "TargetPolicy",
    "Verdict",
    "Wrong",
    "any_target",
    "compute_ha1",
    "compute_response",
    "compute_userhash",
    "same_aor",
    "same_user",
]
