"""
The server's side of Digest: challenge, read, verify, and prove itself in turn.

Looking a user up may take a while and is not done here: it happens between
:meth:`DigestServer.read` and :meth:`DigestServer.verify`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest.algorithm import Algorithm, compute_response, encode
from sipsorcery.sip.digest.claim import Claim
from sipsorcery.sip.digest.replay import ReplayWindow
from sipsorcery.sip.digest.target import TargetPolicy, same_user
from sipsorcery.sip.digest.verdict import (
    Accepted,
    Malformed,
    Misdirected,
    NoCredentials,
    Stale,
    Wrong,
)
from sipsorcery.sip.errors import LocalProtocolError, ParseError

#: Stands in for the HA1 of a user we do not know, so that refusing one takes as long
#: as refusing a wrong password. Its value does not matter: it never lets anybody in.
_NOBODY = {algorithm: algorithm.hash("nobody") for algorithm in Algorithm}


class HoldsHA1(Protocol):
    """
    What is known of a user: a :class:`~sipsorcery.sip.digest.secret.Secret`.
    """

    @property
    def username(self) -> str:
        """
        The name of the user.
        """

    def ha1_for(self, algorithm: Algorithm, realm: str) -> str | None:
        """
        Return HA1 for *algorithm*; ``None`` if there is none.
        """


class Nonces(Protocol):
    """
    What issues nonces: a :class:`~sipsorcery.sip.digest.nonce.NonceSigner`.
    """

    def issue(self, realm: str, now: float) -> str:
        """
        Return a new nonce.
        """

    def issued_at(self, nonce: str, realm: str) -> float | None:
        """
        Return when a nonce was issued (seconds since the epoch), or ``None``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestServer:
    """
    One realm that asks for credentials. Immutable, but for its *window*.

    Where a rule wants other algorithms, say for a User-Agent,
    :func:`dataclasses.replace` makes a server that shares nonces and window.

    :ivar algorithms: what is offered and accepted, most preferred first
        (:rfc:`8760#section-2.3`).
    :ivar qop: what is offered; empty for a challenge in the form of :rfc:`2069`.
        Clients that answer without qop are served as long as ``auth`` is on offer.
    :ivar lifetime: seconds until a nonce is stale, 60 as in FreeSWITCH: long enough to
        answer a challenge, short enough to keep the replay window small.
    :ivar userhash: let clients hide user names; needs a look-up by hash.
    :ivar charset: say that names and passwords are UTF-8, as all of SIP is.
    :ivar accepts: which ``uri`` may go with which Request-URI.
    """

    realm: str
    nonces: Nonces
    window: ReplayWindow
    algorithms: tuple[Algorithm, ...] = (Algorithm.MD5,)
    qop: tuple[str, ...] = ("auth",)
    lifetime: float = 60.0
    userhash: bool = False
    charset: bool = False
    accepts: TargetPolicy = same_user

    def __post_init__(self) -> None:
        if not self.algorithms or not {"auth", "auth-int"}.issuperset(self.qop):
            raise LocalProtocolError(f"nothing sensible to offer for {self.realm}")
        if not self.qop and any(a.is_session for a in self.algorithms):
            # Their key needs a cnonce, and that needs qop (RFC 3261, 22.4, 8).
            raise LocalProtocolError(f"-sess algorithm without qop for {self.realm}")

    def challenge(
        self, now: float, *, stale: bool = False, peer: str = ""
    ) -> tuple[Challenge, ...]:
        """
        Return the challenges of one 401 or 407, each for a field line of its own.

        :param now: seconds since the epoch.
        :param stale: say that only the nonce was wrong, not the password.
        :param peer: whom the nonce is for, such as an IP address; nobody else can use
            it, and whoever uses it has received our answer.
        """
        nonce = self.nonces.issue(self._space(peer), now)
        return tuple(
            self._challenge(algorithm, nonce, stale) for algorithm in self.algorithms
        )

    def _challenge(self, algorithm: Algorithm, nonce: str, stale: bool) -> Challenge:
        # As plain as it can be: old phones trip over what they do not know.
        parameters = (
            ("realm", self.realm),
            ("nonce", nonce),
            ("stale", "true" if stale else ""),
            ("algorithm", algorithm.value),
            ("qop", ",".join(self.qop)),
            ("userhash", "true" if self.userhash else ""),
            ("charset", "UTF-8" if self.charset else ""),
        )
        return Challenge(tuple(pair for pair in parameters if pair[1]))

    def read(
        self, credentials: Iterable[Credentials]
    ) -> Claim | NoCredentials | Malformed:
        """
        Find the credentials for this realm among those of one request.

        Only the first that fit are looked at: one request is one attempt.
        """
        for candidate in credentials:
            values = dict(candidate.parameters)
            algorithm = Algorithm.parse(values.get("algorithm"))
            if (
                candidate.is_digest
                and self._is_ours(values)
                and algorithm in self.algorithms
            ):
                return self._read(values, algorithm)
        return NoCredentials()

    def _is_ours(self, values: Mapping[str, str]) -> bool:
        # IMS phones register with an empty nonce and response at first, which only
        # asks for a challenge (3GPP TS 24.229, 5.1.1.2).
        return (
            values.get("realm") == self.realm
            and values.get("nonce") != ""
            and values.get("response") != ""
        )

    def _read(
        self, values: Mapping[str, str], algorithm: Algorithm
    ) -> Claim | Malformed:
        try:
            claim = Claim.read(values, algorithm)
        except ParseError as error:
            return Malformed(error.text)
        if not self._offered(claim.qop):
            return Malformed("digest credentials with a qop that was not on offer")
        return claim

    def _offered(self, qop: str | None) -> bool:
        if qop is None:
            # RFC 3261 (22.4, 8) has servers live with clients of before RFC 2617.
            return not self.qop or "auth" in self.qop
        return qop.lower() in self.qop

    def is_fresh(self, claim: Claim, now: float, *, peer: str = "") -> bool:
        """
        Tell whether the nonce of a claim is one of ours, and young enough.

        Where it is not, nothing else has to be looked at: the answer is a challenge
        with ``stale=true``, which tells nobody whether the response was right.
        """
        return self._issued_at(claim, now, peer) is not None

    def verify(
        self,
        claim: Claim,
        secret: HoldsHA1 | None,
        *,
        method: str,
        request_uri: str,
        body: bytes = b"",
        now: float,
        peer: str = "",
    ) -> Accepted | Stale | Wrong | Misdirected:
        """
        Judge a claim against what is stored of the user, and count its nonce as used.

        Not for ACK and CANCEL, which repeat the INVITE's credentials or have none
        (:rfc:`3261#section-22.1`).

        :param secret: ``None`` if there is no such user: the work is the same.
        :param now: seconds since the epoch.
        :param peer: as for `challenge`.
        """
        if not self.accepts(claim.uri, request_uri):
            return Misdirected(claim.uri)
        ha1 = secret.ha1_for(claim.algorithm, self.realm) if secret else None
        expected = _respond(claim, ha1 or _NOBODY[claim.algorithm], method, body)
        right = hmac.compare_digest(encode(expected), encode(claim.response))
        if secret is None or ha1 is None or not right:
            return Wrong()
        admitted = self._admit(claim, now, peer)
        return Accepted(secret.username) if admitted else Stale()

    def _space(self, peer: str) -> str:
        # Neither a realm nor an address has a line end.
        return f"{self.realm}\n{peer}" if peer else self.realm

    def _issued_at(self, claim: Claim, now: float, peer: str) -> float | None:
        issued = self.nonces.issued_at(claim.nonce, self._space(peer))
        # One from the future comes from a process whose clock is ahead of ours.
        if issued is None or abs(now - issued) >= self.lifetime:
            return None
        return issued

    def _admit(self, claim: Claim, now: float, peer: str) -> bool:
        issued = self._issued_at(claim, now, peer)
        if issued is None:
            return False
        expires = issued + self.lifetime
        return self.window.admit(
            claim.nonce, claim.nonce_count, issued=issued, expires=expires, now=now
        )

    def authentication_info(
        self,
        claim: Claim,
        secret: HoldsHA1,
        body: bytes = b"",
        *,
        next_at: float | None = None,
        peer: str = "",
    ) -> AuthenticationInfo:
        """
        Return the proof that we know the secret too, for a 2xx after acceptance.

        :param body: of the response.
        :param next_at: the time (seconds since the epoch), to give the client its next
            nonce along. A ``-sess`` client gets none: its key stays bound to the first.
        :param peer: as for `challenge`.
        """
        ha1 = secret.ha1_for(claim.algorithm, self.realm)
        if ha1 is None:
            raise LocalProtocolError(f"no HA1 for {claim.algorithm.value}")
        parameters = [("rspauth", _respond(claim, ha1, "", body))]
        if next_at is not None and not claim.algorithm.is_session:
            nonce = self.nonces.issue(self._space(peer), next_at)
            parameters.insert(0, ("nextnonce", nonce))
        if claim.qop is not None:
            parameters += [
                ("qop", claim.qop),
                ("cnonce", claim.cnonce),
                ("nc", claim.nc),
            ]
        return AuthenticationInfo(tuple(parameters))


def _respond(claim: Claim, ha1: str, method: str, body: bytes) -> str:
    return compute_response(
        claim.algorithm,
        ha1,
        method=method,
        uri=claim.uri,
        nonce=claim.nonce,
        qop=claim.qop,
        nc=claim.nc,
        cnonce=claim.cnonce,
        body=body,
    )
