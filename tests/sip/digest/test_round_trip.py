"""
The client and the server of :mod:`sipsorcery.sip.digest` with each other, through the
text of the header fields.
"""

from __future__ import annotations

from itertools import product

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Attempt,
    Claim,
    DigestClient,
    DigestServer,
    NonceKey,
    NonceSigner,
    Proof,
    ReplayWindow,
    Secret,
    Stale,
    Verdict,
    Wrong,
    compute_ha1,
    compute_userhash,
)

NOW = 1_700_000_000.0
REALM = 'a "realm", with all \\ sorts'
URI = "sip:bob@example.test"
BODY = b"v=0\r\n"

# What a header field can carry.
text = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20
)
offers = [("auth",), ("auth-int",), ("auth", "auth-int"), ()]


def make_server(algorithm: Algorithm, qop: tuple[str, ...] = ("auth",)) -> DigestServer:
    """
    Make a server that offers one algorithm.
    """
    return DigestServer(
        realm=REALM,
        nonces=NonceSigner([NonceKey(1, b"k" * 32)]),
        window=ReplayWindow(),
        algorithms=(algorithm,),
        qop=qop,
    )


def store(username: str, password: str) -> Secret:
    """
    Store what a server keeps of a user.
    """
    bases = {algorithm.base for algorithm in Algorithm}
    return Secret(
        username, ha1={a: compute_ha1(username, REALM, password, a) for a in bases}
    )


class Call:
    """
    One request that goes to the server and back until it is content.
    """

    def __init__(self, server: DigestServer, client: DigestClient) -> None:
        self.server = server
        self.client = client
        self.claim: Claim | None = None
        self.attempt: Attempt | None = None

    def send(self, secret: Secret | None, now: float = NOW) -> list[Verdict]:
        """
        Send the request and its retries; return what the server made of each.
        """
        self.attempt = self.client.attempt("INVITE", URI, BODY)
        verdicts: list[Verdict] = []
        while True:
            verdict = self.receive(secret, now)
            verdicts.append(verdict)
            if isinstance(verdict, Accepted):
                return verdicts
            challenges = self.server.challenge(now, stale=verdict == Stale())
            lines = [str(challenge) for challenge in challenges]
            if not self.attempt.challenged(www=map(Challenge.parse, lines)):
                return verdicts

    def receive(self, secret: Secret | None, now: float) -> Verdict:
        """
        Let the server judge what the client sends.
        """
        assert self.attempt is not None
        lines = [str(value) for _field, value in self.attempt.authorize()]
        claim = self.server.read(map(Credentials.parse, lines))
        if not isinstance(claim, Claim):
            return claim
        self.claim = claim
        return self.server.verify(
            claim, secret, method="INVITE", request_uri=URI, body=BODY, now=now
        )


class RoundTripTests(SynchronousTestCase):
    USER = store("bob", "s3cret")

    def call(self, server: DigestServer, password: str = "s3cret") -> Call:
        """
        Make a call by a client with a password.
        """
        secret = Secret("bob", password)
        return Call(server, DigestClient(lambda realm: secret))

    def names(self, verdicts: list[Verdict]) -> list[str]:
        """
        Name the verdicts.
        """
        return [type(verdict).__name__ for verdict in verdicts]

    def test_all(self) -> None:
        """
        Every algorithm with every offer of qop ends in acceptance after one challenge,
        with proof by the server; the next request needs no challenge.
        """
        for algorithm, qop in product(Algorithm, offers):
            if algorithm.is_session and not qop:
                continue  # not allowed: see test_server
            call = self.call(make_server(algorithm, qop))
            case = f"{algorithm} {qop}"
            self.assertEqual(
                self.names(call.send(self.USER)), ["NoCredentials", "Accepted"], case
            )
            assert call.claim is not None
            assert call.attempt is not None
            info = call.server.authentication_info(call.claim, self.USER, b"answer")
            info = AuthenticationInfo.parse(str(info))
            self.assertIs(call.attempt.verify(info, b"answer"), Proof.VALID, case)
            if qop:
                self.assertEqual(self.names(call.send(self.USER)), ["Accepted"], case)

    def test_all_wrong(self) -> None:
        """
        With a wrong password, or an unknown user, each ends after one try.
        """
        for algorithm, secret in product(Algorithm, (self.USER, None)):
            call = self.call(make_server(algorithm), "wrong")
            self.assertEqual(
                self.names(call.send(secret)), ["NoCredentials", "Wrong"], algorithm
            )

    def test_stale(self) -> None:
        """
        A request after the lifetime is accepted after one stale challenge.
        """
        call = self.call(make_server(Algorithm.SHA_256))
        call.send(self.USER)
        self.assertEqual(
            self.names(call.send(self.USER, NOW + 3600)), ["Stale", "Accepted"]
        )

    def test_stale_with_wrong_password(self) -> None:
        """
        If the password was changed meanwhile, it is wrong and not stale.
        """
        call = self.call(make_server(Algorithm.MD5))
        call.send(self.USER)
        changed = store("bob", "another")
        self.assertEqual(self.names(call.send(changed, NOW + 3600)), ["Wrong", "Wrong"])

    def test_next_nonce(self) -> None:
        """
        With a next nonce a client that asks less often than the lifetime needs no
        second challenge.
        """
        call = self.call(make_server(Algorithm.MD5))
        call.send(self.USER)
        assert call.claim is not None
        assert call.attempt is not None
        info = call.server.authentication_info(
            call.claim, self.USER, next_at=NOW + 3600
        )
        self.assertIs(call.attempt.verify(info), Proof.VALID)
        self.assertEqual(self.names(call.send(self.USER, NOW + 3600)), ["Accepted"])

    def test_full_window(self) -> None:
        """
        A client whose nonce had to be forgotten is challenged once more, and then
        accepted.
        """
        server = make_server(Algorithm.MD5)
        small = DigestServer(
            realm=REALM, nonces=server.nonces, window=ReplayWindow(capacity=1)
        )
        first, second = self.call(small), self.call(small)
        first.send(self.USER, NOW)
        second.send(self.USER, NOW + 1)
        self.assertEqual(
            self.names(first.send(self.USER, NOW + 2)), ["Stale", "Accepted"]
        )

    def test_userhash(self) -> None:
        """
        A hidden user name is found by its hash, of the base algorithm for -sess too.
        """
        for algorithm in Algorithm:
            server = make_server(algorithm)
            hiding = DigestServer(
                realm=REALM,
                nonces=server.nonces,
                window=ReplayWindow(),
                algorithms=(algorithm,),
                userhash=True,
            )
            call = self.call(hiding)
            self.assertEqual(call.send(self.USER)[-1], Accepted("bob"))
            assert call.claim is not None
            self.assertIsNone(call.claim.username)
            self.assertEqual(
                call.claim.userhash, compute_userhash("bob", REALM, algorithm.base)
            )

    @given(text, text, st.sampled_from(Algorithm))
    def test_any_text(self, username: str, password: str, algorithm: Algorithm) -> None:
        """
        Whatever name and password, the right one is accepted and another is not.
        """
        server = make_server(algorithm)
        client = DigestClient(lambda realm: Secret(username, password))
        stored = store(username, password)
        self.assertEqual(Call(server, client).send(stored)[-1], Accepted(username))
        other = store(username, password + "x")
        self.assertEqual(Call(server, client).send(other)[-1], Wrong())
