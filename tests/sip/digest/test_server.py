"""
Tests for :mod:`sipsorcery.sip.digest.server` and :mod:`sipsorcery.sip.digest.claim`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import Credentials
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Claim,
    DigestServer,
    Malformed,
    Misdirected,
    NoCredentials,
    NonceKey,
    NonceSigner,
    ReplayWindow,
    Secret,
    Stale,
    Wrong,
    any_target,
    compute_ha1,
    compute_response,
    compute_userhash,
)
from sipsorcery.sip.errors import LocalProtocolError

NOW = 1_700_000_000.0
REALM = "example.test"
URI = "sip:example.test"
HA1 = {
    algorithm: compute_ha1("101", REALM, "s3cret", algorithm)
    for algorithm in (Algorithm.MD5, Algorithm.SHA_256)
}
SECRET = Secret("101", ha1=HA1)


def make_server(**options: Any) -> DigestServer:
    """
    Make a server with a key and a window of its own.
    """
    nonces = NonceSigner([NonceKey(1, b"k" * 32)])
    return DigestServer(realm=REALM, nonces=nonces, window=ReplayWindow(), **options)


def make_credentials(nonce: str, /, **changes: str | None) -> Credentials:
    """
    Make credentials that are right, then spoil them: ``None`` removes a parameter.

    The response goes with the changes, unless it is one of them.
    """
    parts: dict[str, str | None] = {
        "username": "101",
        "realm": REALM,
        "nonce": nonce,
        "uri": URI,
        "response": None,
        "algorithm": "MD5",
        "cnonce": "c",
        "qop": "auth",
        "nc": "00000001",
    }
    parts |= {"response": respond({**parts, **changes})} | changes
    return Credentials(
        tuple((name, value) for name, value in parts.items() if value is not None)
    )


def respond(parts: dict[str, str | None]) -> str:
    """
    Compute the response that goes with the parameters.
    """
    algorithm = Algorithm.parse(parts["algorithm"])
    if algorithm is None or algorithm.base not in HA1:
        return "0"
    return compute_response(
        algorithm,
        HA1[algorithm.base],
        method="REGISTER",
        uri=parts["uri"] or "",
        nonce=parts["nonce"] or "",
        qop=parts["qop"],
        nc=parts["nc"] or "",
        cnonce=parts["cnonce"] or "",
    )


def judge(
    server: DigestServer,
    *credentials: Credentials,
    secret: Secret | None = SECRET,
    now: float = NOW,
    **request: Any,
) -> object:
    """
    Read and verify the credentials of a REGISTER.
    """
    claim = server.read(credentials)
    if not isinstance(claim, Claim):
        return claim
    request = {"method": "REGISTER", "request_uri": URI} | request
    return server.verify(claim, secret, now=now, **request)


class ChallengeTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """
        By default a challenge has just what every client understands, realm first.
        """
        (challenge,) = make_server().challenge(NOW)
        self.assertRegex(
            str(challenge),
            r'\ADigest realm="example\.test", nonce="[\w-]{44}", algorithm=MD5, '
            r'qop="auth"\Z',
        )

    def test_stale(self) -> None:
        """
        A stale challenge says so, with a new nonce.
        """
        server = make_server()
        (first,), (second,) = server.challenge(NOW), server.challenge(NOW, stale=True)
        self.assertFalse(first.stale)
        self.assertTrue(second.stale)
        self.assertNotEqual(first.nonce, second.nonce)

    def test_several(self) -> None:
        """
        Several algorithms make as many challenges, most preferred on top (RFC 8760,
        2.3).
        """
        server = make_server(
            algorithms=(Algorithm.SHA_512_256, Algorithm.SHA_256, Algorithm.MD5)
        )
        challenges = server.challenge(NOW)
        self.assertEqual(
            [challenge.get("algorithm") for challenge in challenges],
            ["SHA-512-256", "SHA-256", "MD5"],
        )
        self.assertEqual({challenge.realm for challenge in challenges}, {REALM})

    def test_everything(self) -> None:
        """
        Both values of qop, userhash and charset can be offered.
        """
        server = make_server(qop=("auth-int", "auth"), userhash=True, charset=True)
        (challenge,) = server.challenge(NOW)
        self.assertEqual(challenge.qop, ("auth-int", "auth"))
        self.assertTrue(challenge.flag("userhash"))
        self.assertEqual(challenge.get("charset"), "UTF-8")

    def test_without_qop(self) -> None:
        """
        An empty offer of qop makes a challenge as before RFC 2617.
        """
        (challenge,) = make_server(qop=()).challenge(NOW)
        self.assertIsNone(challenge.get("qop"))

    def test_bad_policies(self) -> None:
        """
        No algorithm, an unknown qop, and -sess without qop are refused at once.
        """
        for options in (
            {"algorithms": ()},
            {"qop": ("auth", "auth-conf")},
            {"algorithms": (Algorithm.MD5_SESS,), "qop": ()},
        ):
            with self.assertRaises(LocalProtocolError):
                make_server(**options)


class VerifyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = make_server()
        self.nonce = self.server.challenge(NOW)[0].nonce or ""

    def judge(self, now: float = NOW, **changes: str | None) -> object:
        """
        Judge credentials for the nonce of this test.
        """
        return judge(self.server, make_credentials(self.nonce, **changes), now=now)

    def test_accepted(self) -> None:
        """
        The right response for a fresh nonce is accepted, under the account's name.
        """
        self.assertEqual(self.judge(), Accepted("101"))

    def test_spellings(self) -> None:
        """
        A response in capitals, a short nc, qop in capitals and a lower-case algorithm
        are accepted as well; all but the first are hashed as spelled.
        """
        response = make_credentials(self.nonce).get("response") or ""
        self.assertEqual(self.judge(response=response.upper()), Accepted("101"))
        self.assertEqual(self.judge(nc="2", algorithm="md5"), Accepted("101"))
        self.assertEqual(self.judge(nc="3", qop="AUTH"), Accepted("101"))
        self.assertEqual(self.judge(nc="0000000A", algorithm=None), Accepted("101"))

    def test_wrong(self) -> None:
        """
        Any other response is wrong, of whatever length and alphabet.
        """
        for response in ("0" * 32, "0", "ä" * 32, "\udcff", "0" * 4000):
            self.assertEqual(self.judge(response=response), Wrong(), response)

    def test_wrong_whatever_the_nonce(self) -> None:
        """
        A wrong response stays wrong with an old nonce: stale is for those who know
        the password.
        """
        self.assertEqual(self.judge(now=NOW + 1000, response="0" * 32), Wrong())

    def test_everything_is_bound(self) -> None:
        """
        The response is for this method, uri, nonce, cnonce and nc alone.
        """
        right = make_credentials(self.nonce)
        for name, value in (
            ("cnonce", "d"),
            ("nc", "00000002"),
            ("nonce", self.server.challenge(NOW)[0].nonce or ""),
        ):
            pairs = dict(right.parameters) | {name: value}
            changed = Credentials(tuple(pairs.items()))
            self.assertEqual(judge(self.server, changed), Wrong(), name)
        self.assertEqual(judge(self.server, right, method="INVITE"), Wrong())
        self.assertEqual(judge(self.server, right), Accepted("101"))

    def test_unknown_user(self) -> None:
        """
        An unknown user, and one without an HA1 for the algorithm, are as wrong as a
        wrong password.
        """
        credentials = make_credentials(self.nonce)
        for secret in (None, Secret("101", ha1={Algorithm.SHA_256: "0" * 64})):
            self.assertEqual(judge(self.server, credentials, secret=secret), Wrong())

    def test_unknown_user_with_the_stand_in(self) -> None:
        """
        Who knows the HA1 that stands in for nobody's does not get in either.
        """
        credentials = make_credentials(
            self.nonce,
            response=compute_response(
                Algorithm.MD5,
                Algorithm.MD5.hash("nobody"),
                method="REGISTER",
                uri=URI,
                nonce=self.nonce,
                qop="auth",
                nc="00000001",
                cnonce="c",
            ),
        )
        self.assertEqual(judge(self.server, credentials, secret=None), Wrong())

    def test_expired(self) -> None:
        """
        A nonce is good for its lifetime, then stale.
        """
        self.assertEqual(self.judge(now=NOW + 59.999, nc="1"), Accepted("101"))
        self.assertEqual(self.judge(now=NOW + 60, nc="2"), Stale())

    def test_clock_ahead(self) -> None:
        """
        A nonce from the near future comes from a process whose clock is ahead; one
        from further away is stale.
        """
        self.assertEqual(self.judge(now=NOW - 5, nc="1"), Accepted("101"))
        self.assertEqual(self.judge(now=NOW - 61, nc="2"), Stale())

    def test_lifetime(self) -> None:
        """
        The lifetime is a matter of policy.
        """
        self.server = replace(self.server, lifetime=5.0)
        self.assertEqual(self.judge(now=NOW + 6), Stale())

    def test_foreign_nonce(self) -> None:
        """
        The right response for a nonce that is not ours is stale: its sender knows the
        password, say from before our keys were changed.
        """
        other = NonceSigner([NonceKey(1, b"x" * 32)]).issue(REALM, NOW)
        for nonce in (other, "1c8192c9", "n" * 44):
            self.assertEqual(
                judge(self.server, make_credentials(nonce)), Stale(), nonce
            )

    def test_peer(self) -> None:
        """
        A nonce for one peer is of no use to another, nor one for all to a peer.
        """
        nonce = self.server.challenge(NOW, peer="192.0.2.1")[0].nonce or ""
        for count, peer in (("1", ""), ("2", "192.0.2.2"), ("3", "192.0.2.1")):
            credentials = make_credentials(nonce, nc=count)
            claim = self.server.read([credentials])
            assert isinstance(claim, Claim)
            is_right = peer == "192.0.2.1"
            self.assertEqual(self.server.is_fresh(claim, NOW, peer=peer), is_right)
            self.assertEqual(
                judge(self.server, credentials, peer=peer),
                Accepted("101") if is_right else Stale(),
            )
        self.assertEqual(
            judge(self.server, make_credentials(self.nonce), peer="192.0.2.1"), Stale()
        )

    def test_fresh(self) -> None:
        """
        Whether a nonce is ours and young shows without looking at the response.
        """
        foreign = NonceSigner([NonceKey(1, b"x" * 32)]).issue(REALM, NOW)
        for nonce, later, expected in (
            (self.nonce, 59.9, True),
            (self.nonce, 60, False),
            (foreign, 0, False),
            ("n" * 44, 0, False),
        ):
            claim = self.server.read([make_credentials(nonce, response="0" * 32)])
            assert isinstance(claim, Claim)
            self.assertIs(self.server.is_fresh(claim, NOW + later), expected)

    def test_replay(self) -> None:
        """
        The same request a second time is stale, and the next count is not.
        """
        self.assertEqual(self.judge(), Accepted("101"))
        self.assertEqual(self.judge(), Stale())
        self.assertEqual(self.judge(nc="00000002"), Accepted("101"))

    def test_replay_at_the_end(self) -> None:
        """
        Nor is it accepted again at the moment that its nonce expires and another comes
        into the window, or when the clock is set back after that.
        """
        self.assertEqual(self.judge(), Accepted("101"))
        for later, back in ((60.0, 60.0), (60.5, 59.9)):
            other = self.server.challenge(NOW + 30)[0].nonce or ""
            judge(self.server, make_credentials(other), now=NOW + later)
            self.assertEqual(self.judge(now=NOW + back), Stale(), back)

    def test_wrong_responses_leave_no_trace(self) -> None:
        """
        A wrong response neither uses up a nonce nor fills the table.
        """
        for _ in range(10):
            self.judge(response="0" * 32)
        self.assertEqual(len(self.server.window), 0)
        self.assertEqual(self.judge(), Accepted("101"))

    def test_without_qop(self) -> None:
        """
        A client of before RFC 2617 is served, once for each nonce.
        """
        old = make_credentials(self.nonce, qop=None, nc=None, cnonce=None)
        self.assertEqual(judge(self.server, old), Accepted("101"))
        self.assertEqual(judge(self.server, old), Stale())
        self.assertEqual(self.judge(), Stale())

    def test_target(self) -> None:
        """
        Credentials for another callee are misdirected, unless the policy says
        otherwise; hosts, ports and parameters do not matter by default.
        """
        uri = "sip:102@example.test"
        credentials = make_credentials(self.nonce, uri=uri)
        for request_uri in ("sip:+900@example.test", URI, "tel:+900"):
            self.assertEqual(
                judge(self.server, credentials, request_uri=request_uri),
                Misdirected(uri),
                request_uri,
            )
        anywhere = replace(self.server, accepts=any_target)
        self.assertEqual(
            judge(anywhere, credentials, request_uri="sip:+900@example.test"),
            Accepted("101"),
        )
        credentials = make_credentials(self.nonce, uri=uri, nc="00000002")
        self.assertEqual(
            judge(self.server, credentials, request_uri="sip:102@192.0.2.1:5062;x=y"),
            Accepted("101"),
        )

    def test_target_before_response(self) -> None:
        """
        Misdirected credentials use nothing up, and their response is not looked at.
        """
        credentials = make_credentials(self.nonce, uri="sip:102@example.test")
        for secret in (SECRET, None):
            verdict = judge(self.server, credentials, secret=secret)
            self.assertEqual(verdict, Misdirected("sip:102@example.test"))
        self.assertEqual(len(self.server.window), 0)

    def test_replaced_policy_shares_nonces(self) -> None:
        """
        A server with another offer, for some User-Agents, knows the same nonces and
        what was used of them.
        """
        other = replace(self.server, algorithms=(Algorithm.SHA_256,))
        self.assertEqual(self.judge(), Accepted("101"))
        credentials = make_credentials(self.nonce, algorithm="SHA-256")
        self.assertEqual(judge(other, credentials), Stale())
        credentials = make_credentials(self.nonce, algorithm="SHA-256", nc="00000002")
        self.assertEqual(judge(other, credentials), Accepted("101"))


class ReadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = make_server()
        self.nonce = self.server.challenge(NOW)[0].nonce or ""

    def read(self, **changes: str | None) -> object:
        """
        Read credentials with changes.
        """
        return self.server.read([make_credentials(self.nonce, **changes)])

    def test_claim(self) -> None:
        """
        A claim tells what to look up and how.
        """
        claim = self.read()
        assert isinstance(claim, Claim)
        self.assertEqual((claim.username, claim.userhash), ("101", None))
        self.assertIs(claim.algorithm, Algorithm.MD5)
        self.assertEqual(claim.nonce_count, 1)

    def test_none(self) -> None:
        """
        No fields, another realm, another scheme (RFC 4475, regaut01), no realm at all:
        no credentials, and a challenge is due.
        """
        self.assertEqual(self.server.read([]), NoCredentials())
        self.assertEqual(self.read(realm="example.org"), NoCredentials())
        self.assertEqual(self.read(realm=None), NoCredentials())
        for text in (
            "NoOneKnowsThisScheme opaque-data=here",
            "Basic MTAxOnMzY3JldA==",
            f'Basic realm="{REALM}", username="101"',
        ):
            credentials = Credentials.parse(text)
            self.assertEqual(self.server.read([credentials]), NoCredentials(), text)

    def test_algorithm_not_on_offer(self) -> None:
        """
        An algorithm that was not offered, or that nobody knows, is no credentials.
        """
        for algorithm in ("SHA-256", "MD5-sess", "AKAv1-MD5", ""):
            self.assertEqual(self.read(algorithm=algorithm), NoCredentials(), algorithm)

    def test_ims_first_register(self) -> None:
        """
        IMS phones ask for a challenge with an empty nonce and response (3GPP TS
        24.229, 5.1.1.2), which is no failed attempt.
        """
        self.assertEqual(self.read(nonce="", response=""), NoCredentials())

    def test_realm_among_several(self) -> None:
        """
        Of several fields the one for our realm counts, in whatever place.
        """
        others = [
            make_credentials(self.nonce, realm="example.org", username="bob"),
            Credentials.parse("Basic MTAxOnMzY3JldA=="),
        ]
        ours = make_credentials(self.nonce)
        for fields in ([ours, *others], [*others, ours]):
            claim = self.server.read(fields)
            assert isinstance(claim, Claim)
            self.assertEqual(claim.username, "101")

    def test_one_attempt_a_request(self) -> None:
        """
        Of several credentials for our realm only the first is tried.
        """
        guess = make_credentials(self.nonce, response="0" * 32)
        right = make_credentials(self.nonce)
        self.assertEqual(judge(self.server, guess, right), Wrong())

    def test_supported_among_several(self) -> None:
        """
        A client that answered several challenges is served by the one that we offer.
        """
        sha = make_credentials(self.nonce, algorithm="SHA-256")
        md5 = make_credentials(self.nonce)
        self.assertEqual(judge(self.server, sha, md5), Accepted("101"))

    def test_missing(self) -> None:
        """
        Without username, nonce, uri or response, and with qop without nc or cnonce,
        the credentials are malformed.
        """
        for name in ("username", "nonce", "uri", "response", "nc", "cnonce"):
            malformed = self.read(**{name: None})
            assert isinstance(malformed, Malformed), name
            self.assertIn(name, malformed.reason)

    def test_counts(self) -> None:
        """
        A count has one to eight hexadecimal digits, and the first is one.
        """
        for nc in (
            "",
            "0",
            "00000000",
            "000000001",
            "g",
            "-1",
            "+1",
            "1 ",
            "\uff11",
            "0x1",
        ):
            self.assertIsInstance(self.read(nc=nc), Malformed, nc)

    def test_qop_not_on_offer(self) -> None:
        """
        A qop that was not offered is malformed.
        """
        for qop in ("auth-int", "auth-conf", "", "auth,auth-int"):
            self.assertIsInstance(self.read(qop=qop), Malformed, qop)

    def test_integrity_wanted(self) -> None:
        """
        Where only auth-int is offered, neither auth nor nothing will do.
        """
        self.server = replace(self.server, qop=("auth-int",))
        for qop in ("auth", None):
            self.assertIsInstance(self.read(qop=qop), Malformed, qop)
        self.assertIsInstance(self.read(qop="auth-int"), Claim)

    def test_session_without_qop(self) -> None:
        """
        A -sess key needs a cnonce, and that needs qop (RFC 3261, 22.4, 8).
        """
        self.server = replace(self.server, algorithms=(Algorithm.MD5_SESS,))
        self.assertIsInstance(self.read(algorithm="MD5-sess", qop=None), Malformed)
        self.assertIsInstance(self.read(algorithm="MD5-sess"), Claim)

    def test_userhash(self) -> None:
        """
        A hashed user name is told apart from a plain one, and written in lower case.
        """
        userhash = compute_userhash("101", REALM, Algorithm.MD5)
        claim = self.read(username=userhash.upper(), userhash="true")
        assert isinstance(claim, Claim)
        self.assertEqual((claim.username, claim.userhash), (None, userhash))

    def test_extended_username(self) -> None:
        """
        username* carries what a quoted string cannot (RFC 7616, 3.4; RFC 5987).
        """
        for text in ("UTF-8''J%C3%A4s%C3%B8n%20Doe", "utf-8'en'J%c3%a4s%c3%b8n%20Doe"):
            claim = self.read(username=None, **{"username*": text})
            assert isinstance(claim, Claim), text
            self.assertEqual(claim.username, "Jäsøn Doe")

    def test_bad_names(self) -> None:
        """
        Two forms of the name at once, a bad extended one, and one that is no UTF-8 and
        thus no account's are malformed.
        """
        for changes in (
            {"username*": "UTF-8''a"},
            {"username": None, "username*": "a"},
            {"username": None, "username*": "ISO-8859-1''a"},
            {"username": None, "username*": "UTF-8''%ff"},
            {"username": None, "username*": "UTF-8''a%0d%0ab"},
            {"username": None, "username*": "UTF-8''a", "userhash": "true"},
            {"username": "J\udce4s\udcf8n"},
        ):
            self.assertIsInstance(self.read(**changes), Malformed, changes)

    def test_reasons_keep_secrets(self) -> None:
        """
        No reason repeats more than a count.
        """
        for changes in ({"nc": "zz"}, {"uri": None}, {"username": "\udcff"}):
            malformed = self.read(**changes)
            assert isinstance(malformed, Malformed)
            for secret in (self.nonce, make_credentials(self.nonce).get("response")):
                self.assertNotIn(str(secret), malformed.reason)


class AuthenticationInfoTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = make_server()
        self.nonce = self.server.challenge(NOW)[0].nonce or ""

    def claim(self, **changes: str | None) -> Claim:
        """
        Read credentials that are right.
        """
        claim = self.server.read([make_credentials(self.nonce, **changes)])
        assert isinstance(claim, Claim)
        return claim

    def test_proof(self) -> None:
        """
        The proof is a response with an empty method, and what it depends on is
        repeated from the request (RFC 7616, 3.5).
        """
        info = self.server.authentication_info(self.claim(), SECRET)
        expected = compute_response(
            Algorithm.MD5,
            HA1[Algorithm.MD5],
            method="",
            uri=URI,
            nonce=self.nonce,
            qop="auth",
            nc="00000001",
            cnonce="c",
        )
        self.assertEqual(
            str(info), f'rspauth="{expected}", qop=auth, cnonce="c", nc=00000001'
        )

    def test_without_qop(self) -> None:
        """
        Without qop there is only rspauth.
        """
        claim = self.claim(qop=None, nc=None, cnonce=None)
        info = self.server.authentication_info(claim, SECRET)
        self.assertEqual([name for name, _value in info.parameters], ["rspauth"])

    def test_next_nonce(self) -> None:
        """
        With a time there is a next nonce, good from that time on.
        """
        info = self.server.authentication_info(self.claim(), SECRET, next_at=NOW + 100)
        credentials = make_credentials(info.get("nextnonce") or "")
        self.assertEqual(
            judge(self.server, credentials, now=NOW + 159), Accepted("101")
        )

    def test_no_next_nonce_for_session(self) -> None:
        """
        A -sess client keeps its nonce, to which its key is bound.
        """
        self.server = replace(self.server, algorithms=(Algorithm.MD5_SESS,))
        claim = self.claim(algorithm="MD5-sess")
        info = self.server.authentication_info(claim, SECRET, next_at=NOW)
        self.assertIsNone(info.get("nextnonce"))

    def test_without_secret(self) -> None:
        """
        Nobody asks for a proof where there is nothing to prove it with.
        """
        with self.assertRaises(LocalProtocolError):
            self.server.authentication_info(self.claim(), Secret("101"))
