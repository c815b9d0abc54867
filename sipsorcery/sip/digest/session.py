"""
What a client keeps for a nonce: the challenge it answers and how often it did so.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest.algorithm import (
    Algorithm,
    compute_response,
    compute_userhash,
    encode,
)
from sipsorcery.sip.digest.secret import Secret


@dataclass(slots=True)
class Session:
    """
    One challenge that we can answer, and the count of the answers.

    :ivar ha1: for *algorithm* without ``-sess``.
    :ivar qop: what we chose of the offer; ``None`` if there was none.
    :ivar cnonce: one for the nonce's whole life, since a ``-sess`` key depends on it.
    """

    challenge: Challenge
    algorithm: Algorithm
    realm: str
    nonce: str
    username: str
    ha1: str
    qop: str | None
    cnonce: str
    nc: int = 0

    @classmethod
    def begin(
        cls, challenge: Challenge, secret: Secret, make_cnonce: Callable[[], str]
    ) -> Self | None:
        """
        Start to answer a challenge; ``None`` if that is not in our power.
        """
        realm, nonce = challenge.realm, challenge.nonce
        algorithm = Algorithm.parse(challenge.get("algorithm"))
        if not challenge.is_digest or realm is None or not nonce or algorithm is None:
            return None
        ha1 = secret.ha1_for(algorithm, realm)
        if ha1 is None or not _knows_qop(challenge, algorithm):
            return None
        return cls(
            challenge,
            algorithm,
            realm,
            nonce,
            secret.username,
            ha1,
            _choose_qop(challenge),
            make_cnonce(),
        )

    def is_same(self, other: Session) -> bool:
        """
        Tell whether both answer the same nonce in the same way, as one count.
        """
        return (self.nonce, self.algorithm, self.ha1, self.qop) == (
            other.nonce,
            other.algorithm,
            other.ha1,
            other.qop,
        )

    def answer(self, method: str, uri: str, body: bytes) -> Credentials:
        """
        Make the credentials for one request, and count it.
        """
        self.nc += 1
        nc = f"{self.nc:08x}"
        hashed = self.challenge.flag("userhash")
        parameters = (
            ("username", self._userhash() if hashed else self.username),
            ("realm", self.realm),
            ("nonce", self.nonce),
            ("uri", uri),
            ("response", self._respond(method, uri, body, nc)),
            ("algorithm", self.challenge.get("algorithm")),
            ("cnonce", self.cnonce if self.qop else None),
            ("opaque", self.challenge.get("opaque")),
            ("qop", self.qop),
            ("nc", nc if self.qop else None),
            ("userhash", "true" if hashed else None),
        )
        return Credentials(
            tuple((name, value) for name, value in parameters if value is not None)
        )

    def proves(self, info: AuthenticationInfo, sent: Credentials, body: bytes) -> bool:
        """
        Tell whether rspauth shows that the server knows our secret too.

        :param sent: the credentials of the request that is answered.
        :param body: of the response.
        """
        # RFC 7616 (3.5): both MUST be those of the request.
        for name in ("cnonce", "nc"):
            if info.get(name) not in (None, sent.get(name)):
                return False
        uri, nc = sent.get("uri") or "", sent.get("nc") or ""
        expected = self._respond("", uri, body, nc)
        rspauth = (info.get("rspauth") or "").lower()
        return hmac.compare_digest(encode(expected), encode(rspauth))

    def renewed(self, nonce: str, make_cnonce: Callable[[], str]) -> Session:
        """
        Return the session that goes on with *nonce*, from a nextnonce parameter.
        """
        return replace(self, nonce=nonce, cnonce=make_cnonce(), nc=0)

    def _userhash(self) -> str:
        return compute_userhash(self.username, self.realm, self.algorithm)

    def _respond(self, method: str, uri: str, body: bytes, nc: str) -> str:
        return compute_response(
            self.algorithm,
            self.ha1,
            method=method,
            uri=uri,
            nonce=self.nonce,
            qop=self.qop,
            nc=nc,
            cnonce=self.cnonce,
            body=body,
        )


def _knows_qop(challenge: Challenge, algorithm: Algorithm) -> bool:
    if not challenge.qop:
        # RFC 3261 (22.4, 8): -sess needs a cnonce, and that needs qop.
        return not algorithm.is_session
    return _choose_qop(challenge) is not None


def _choose_qop(challenge: Challenge) -> str | None:
    # "auth" first: gateways on the way change bodies, which "auth-int" does not bear.
    for qop in ("auth", "auth-int"):
        if qop in challenge.qop:
            return qop
    return None
