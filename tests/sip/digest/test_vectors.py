"""
The published digests and those of the original suite's tests, each one computed by
the client and verified by the server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import Challenge, Credentials
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Claim,
    DigestClient,
    DigestServer,
    ReplayWindow,
    Secret,
    Wrong,
    compute_ha1,
    compute_userhash,
)
from tests.vectors import vectors

#: Every response that the data holds, so that none is left out silently.
RESPONSES = [
    "RFC 2617 3.5",
    "RFC 7616 3.9.1 MD5",
    "RFC 7616 3.9.1 SHA-256",
    "RFC 7616 3.9.2 (erratum 4897), userhash",
    "sipsorcery KnownDigestTestObscureChars",
    "sipsorcery KnownDigestTestObscureChars2",
    "sipsorcery KnownRegisterDigestTest",
    "sipsorcery KnownRegisterDigestTest2",
    "sipsorcery KnownWWWAuthenticateDigestTest",
    "sipsorcery AuthenticateHeaderToStringTest",
    "sipsorcery KnownQOPUnitTest",
    "sipsorcery modern KnownMD5AndSHA256 (md5)",
    "sipsorcery modern KnownMD5AndSHA256 (sha256)",
]
HA1S = ["sipsorcery KnownHA1Digest"]

NOW = 1_700_000_000.0


@dataclass(frozen=True)
class KnownNonce:
    """
    Takes one nonce for its own, issued just now.
    """

    nonce: str

    def issue(self, realm: str, now: float) -> str:
        return self.nonce

    def issued_at(self, nonce: str, realm: str) -> float | None:
        return NOW if nonce == self.nonce else None


class Vector:
    """
    One entry of the data, from both ends of the line.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry
        self.algorithm = Algorithm(entry["algorithm"])
        self.userhash = "userhash" in entry

    def challenge(self) -> Challenge:
        """
        Make the challenge that led to the response.
        """
        pairs = [("realm", self.entry["realm"]), ("nonce", self.entry["nonce"])]
        pairs.append(("algorithm", self.entry["algorithm"]))
        if "qop" in self.entry:
            pairs.append(("qop", self.entry["qop"]))
        if self.userhash:
            pairs.append(("userhash", "true"))
        return Challenge(tuple(pairs))

    def answer(self) -> Credentials:
        """
        Answer the challenge as our client does it.
        """
        secret = Secret(self.entry["username"], self.entry["password"])
        client = DigestClient(
            lambda realm: secret, cnonce=lambda: str(self.entry.get("cnonce", ""))
        )
        attempt = client.attempt(self.entry["method"], self.entry["uri"])
        attempt.challenged(www=[self.challenge()])
        ((_field, credentials),) = attempt.authorize()
        return credentials

    def credentials(self) -> Credentials:
        """
        Write the credentials down from the data alone.
        """
        names = ("username", "realm", "nonce", "uri", "response", "algorithm")
        counted = ("cnonce", "qop", "nc") if "qop" in self.entry else ()
        pairs = {name: self.entry[name] for name in (*names, *counted)}
        if self.userhash:
            pairs |= {"username": self.entry["userhash"], "userhash": "true"}
        return Credentials(tuple(pairs.items()))

    def verify(self, ha1: str) -> object:
        """
        Verify those credentials as our server does it, from a stored HA1.
        """
        server = DigestServer(
            realm=self.entry["realm"],
            nonces=KnownNonce(self.entry["nonce"]),
            window=ReplayWindow(),
            algorithms=(self.algorithm,),
            userhash=self.userhash,
        )
        claim = server.read([self.credentials()])
        assert isinstance(claim, Claim), claim
        return server.verify(
            claim,
            Secret(self.entry["username"], ha1={self.algorithm: ha1}),
            method=self.entry["method"],
            request_uri=self.entry["uri"],
            now=NOW,
        )


class VectorTests(SynchronousTestCase):
    def setUp(self) -> None:
        path = vectors() / "digest" / "vectors.json"
        self.data = json.loads(path.read_text("utf-8"))
        self.vectors = [Vector(entry) for entry in self.data["responses"]]

    def test_none_left_out(self) -> None:
        """
        The data holds what these tests say they check, and nothing else.
        """
        self.assertEqual([v.entry["src"] for v in self.vectors], RESPONSES)
        self.assertEqual([entry["src"] for entry in self.data["ha1"]], HA1S)

    def test_ha1(self) -> None:
        """
        The known HA1 comes out.
        """
        for entry in self.data["ha1"]:
            ha1 = compute_ha1(
                entry["username"], entry["realm"], entry["password"], Algorithm.MD5
            )
            self.assertEqual(ha1, entry["ha1"], entry["src"])

    def test_client(self) -> None:
        """
        Our client sends the known response, with the known count and user hash.
        """
        for vector in self.vectors:
            sent, entry = vector.answer(), vector.entry
            self.assertEqual(sent.get("response"), entry["response"], entry["src"])
            self.assertEqual(sent.get("nc"), entry.get("nc"), entry["src"])
            self.assertEqual(
                sent.get("username"),
                entry.get("userhash", entry["username"]),
                entry["src"],
            )

    def test_server(self) -> None:
        """
        Our server accepts the known response, and refuses it with any other HA1.
        """
        for vector in self.vectors:
            entry = vector.entry
            ha1 = compute_ha1(
                entry["username"], entry["realm"], entry["password"], vector.algorithm
            )
            self.assertEqual(
                vector.verify(ha1), Accepted(entry["username"]), entry["src"]
            )
            self.assertEqual(vector.verify(ha1[::-1]), Wrong(), entry["src"])

    def test_userhash(self) -> None:
        """
        The known hash of a user name comes out.
        """
        hashed = [vector for vector in self.vectors if vector.userhash]
        self.assertEqual(len(hashed), 1)
        for vector in hashed:
            entry = vector.entry
            self.assertEqual(
                compute_userhash(entry["username"], entry["realm"], vector.algorithm),
                entry["userhash"],
            )
