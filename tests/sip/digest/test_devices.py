"""
What real clients sent for challenges of ours, as captured on the wire.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import Credentials
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Claim,
    DigestServer,
    NonceKey,
    NonceSigner,
    ReplayWindow,
    Secret,
    Stale,
    compute_ha1,
)

REALM = "example.test"

#: Client, Request-URI of its REGISTER, and its Authorization. All had the password
#: "s3cret", an empty body, and a nonce signed with the key below.
CAPTURES = (
    (
        "SIPp 3.6.1, qop=auth",
        "sip:example.test",
        'Digest username="101", realm="example.test", cnonce="6b8b4567", nc=00000001, '
        'qop=auth, uri="sip:127.0.0.1:15701", '
        'nonce="AQAAAaIESxrnIzbyoEsORVlUzbBfrIZsmYzyiYidIbgf", '
        'response="b7183d8e9578eff41894b1be256e07e6", algorithm=MD5',
    ),
    (
        "SIPp 3.6.1, no qop",
        "sip:example.test",
        'Digest username="101", realm="example.test", uri="sip:127.0.0.1:15702", '
        'nonce="AQAAAaIESyLfg6Lw2rTsTLn2F7A4a8i4GdtEjKWz2Pt7", '
        'response="eb45896408954bdc601747ad7cb6f835", algorithm=MD5',
    ),
    (
        "SIPp 3.6.1, qop=auth-int",
        "sip:example.test",
        'Digest username="101", realm="example.test", cnonce="6b8b4567", nc=00000001, '
        'qop=auth-int, uri="sip:127.0.0.1:15703", '
        'nonce="AQAAAaIESyrAPCZYXSjvyb0WBjyhZQCg6F8yczRtIhAS", '
        'response="6c6ea173e947e891914022dc705de9f9", algorithm=MD5',
    ),
    (
        "sipsak 0.9.8.1",
        "sip:127.0.0.1:15710",
        'Digest username="101", uri="sip:127.0.0.1:1571", algorithm=MD5, '
        'realm="example.test", nonce="AQAAAaIESOAkA18Uv56t_7wzzDBO7JsKWir9poW0Xf-2", '
        'qop=auth, nc=00000001, cnonce="2dd21c48", '
        'response="1a437a18ddcdeb67bd8939268daa6c16"',
    ),
    (
        "baresip 1.0.0",
        "sip:example.test",
        'Digest username="101", realm="example.test", '
        'nonce="AQAAAaIESz6CBuUsvdNaeT8wUnv3mg4nM8mEYW2qfFqd", '
        'uri="sip:example.test", response="ac0b1fe1c7bc309f31a4eeedb4c93e36", '
        'cnonce="dd380dae1edfb443", qop=auth, nc=00000001',
    ),
)


class DeviceTests(SynchronousTestCase):
    def test_captures(self) -> None:
        """
        Each is accepted, and once only.
        """
        server = DigestServer(
            realm=REALM,
            nonces=NonceSigner([NonceKey(1, b"k" * 32)]),
            window=ReplayWindow(),
            qop=("auth", "auth-int"),
        )
        ha1 = compute_ha1("101", REALM, "s3cret", Algorithm.MD5)
        secret = Secret("101", ha1={Algorithm.MD5: ha1})
        for client, request_uri, text in CAPTURES:
            claim = server.read([Credentials.parse(text)])
            assert isinstance(claim, Claim), client
            issued = server.nonces.issued_at(claim.nonce, REALM)
            assert issued is not None, client
            for expected in (Accepted("101"), Stale()):
                verdict = server.verify(
                    claim,
                    secret,
                    method="REGISTER",
                    request_uri=request_uri,
                    now=issued + 0.01,
                )
                self.assertEqual(verdict, expected, client)
