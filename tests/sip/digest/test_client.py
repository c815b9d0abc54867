"""
Tests for :mod:`sipsorcery.sip.digest.client` and its sessions.
"""

from __future__ import annotations

import itertools
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest import (
    Algorithm,
    Attempt,
    DigestClient,
    Proof,
    Secret,
    compute_ha1,
    compute_response,
    compute_userhash,
)
from sipsorcery.sip.digest.client import MAX_RETRIES
from sipsorcery.sip.digest.sessions import MAX_SESSIONS
from sipsorcery.sip.fields import AUTHORIZATION, PROXY_AUTHORIZATION

REALM = "provider.example"
URI = "sip:provider.example"
SECRET = Secret("bob", "p")


def challenge(nonce: str | None = "n1", **changes: str | None) -> Challenge:
    """
    Make a challenge, with changes; ``None`` removes a parameter.
    """
    parts: dict[str, str | None] = {
        "realm": REALM,
        "nonce": nonce,
        "algorithm": "MD5",
        "qop": "auth",
    }
    parts |= changes
    return Challenge(
        tuple((name, value) for name, value in parts.items() if value is not None)
    )


def make_client(**secrets: Secret) -> DigestClient:
    """
    Make a client that knows REALM, and numbers its client nonces.
    """
    numbers = itertools.count(1)
    return DigestClient({REALM: SECRET, **secrets}.get, lambda: f"c{next(numbers)}")


def only(attempt: Attempt) -> Credentials:
    """
    Send an attempt that should have one pair of credentials.
    """
    ((_field, credentials),) = attempt.authorize()
    return credentials


def expected(**changes: Any) -> str:
    """
    Compute the response of the first answer to the first challenge, with changes.
    """
    parts: dict[str, Any] = {
        "method": "REGISTER",
        "uri": URI,
        "nonce": "n1",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "c1",
    }
    parts |= changes
    ha1 = compute_ha1("bob", REALM, "p", Algorithm.MD5)
    return compute_response(Algorithm.MD5, ha1, **parts)


class AnswerTests(SynchronousTestCase):
    """
    What is sent for one challenge.
    """

    def answer(self, *challenges: Challenge, body: bytes = b"") -> Credentials:
        """
        Answer challenges of a server.
        """
        attempt = make_client().attempt("REGISTER", URI, body)
        self.assertEqual(attempt.authorize(), ())
        self.assertTrue(attempt.challenged(www=challenges))
        return only(attempt)

    def test_field_text(self) -> None:
        """
        The credentials are written as RFC 3261, 25.1, has them.
        """
        self.assertEqual(
            str(self.answer(challenge(opaque="o"))),
            'Digest username="bob", realm="provider.example", nonce="n1", '
            f'uri="sip:provider.example", response="{expected()}", algorithm=MD5, '
            'cnonce="c1", opaque="o", qop=auth, nc=00000001',
        )

    def test_without_qop(self) -> None:
        """
        Without an offer of qop there is none in the answer, nor what depends on it.
        """
        credentials = self.answer(challenge(qop=None))
        self.assertEqual(credentials.get("response"), expected(qop=None))
        for name in ("qop", "nc", "cnonce"):
            self.assertIsNone(credentials.get(name), name)

    def test_qop_choice(self) -> None:
        """
        Of an offer auth is chosen in whatever place, and auth-int if need be.
        """
        body = b"v=0\r\n"
        for offer, qop in (
            ("auth-int,auth", "auth"),
            ("token,AUTH", "auth"),
            ("auth-int", "auth-int"),
        ):
            credentials = self.answer(challenge(qop=offer), body=body)
            self.assertEqual(credentials.get("qop"), qop, offer)
            self.assertEqual(
                credentials.get("response"), expected(qop=qop, body=body), offer
            )

    def test_algorithm_as_spelled(self) -> None:
        """
        The algorithm is repeated as it came, or left out as it was.
        """
        for algorithm in ("md5", None):
            credentials = self.answer(challenge(algorithm=algorithm))
            self.assertEqual(credentials.get("algorithm"), algorithm)
            self.assertEqual(credentials.get("response"), expected())

    def test_opaque(self) -> None:
        """
        What is opaque comes back unchanged, an empty one too, and none for none.
        """
        for opaque in ('a"b\\c', "", None):
            credentials = self.answer(challenge(opaque=opaque))
            self.assertEqual(credentials.get("opaque"), opaque)

    def test_userhash(self) -> None:
        """
        Where the server can look it up, the user name is hidden.
        """
        credentials = self.answer(challenge(userhash="true"))
        self.assertEqual(
            credentials.get("username"), compute_userhash("bob", REALM, Algorithm.MD5)
        )
        self.assertEqual(credentials.get("userhash"), "true")
        self.assertEqual(credentials.get("response"), expected())

    def test_topmost_supported(self) -> None:
        """
        Of several challenges for a realm the topmost that we can answer is answered,
        and that one only (RFC 8760, 2.4).
        """
        credentials = self.answer(
            Challenge((("realm", REALM),), scheme="Negotiate"),
            challenge("a", algorithm="AKAv1-MD5"),
            challenge("b", qop="auth-conf"),
            challenge("c", algorithm="MD5-sess", qop=None),
            challenge(""),
            challenge("d", algorithm="sha-256"),
            challenge("e", algorithm="MD5"),
        )
        self.assertEqual(credentials.get("nonce"), "d")
        self.assertEqual(credentials.get("algorithm"), "sha-256")

    def test_topmost_with_a_secret(self) -> None:
        """
        An algorithm for which no HA1 is stored is passed over.
        """
        ha1 = compute_ha1("bob", REALM, "p", Algorithm.MD5)
        secret = Secret("bob", ha1={Algorithm.MD5: ha1})
        attempt = DigestClient({REALM: secret}.get, lambda: "c1").attempt(
            "REGISTER", URI
        )
        attempt.challenged(www=[challenge("a", algorithm="SHA-256"), challenge("n1")])
        self.assertEqual(only(attempt).get("response"), expected())

    def test_random_cnonce(self) -> None:
        """
        Client nonces are random by default.
        """
        cnonces = set()
        for _ in range(2):
            attempt = DigestClient({REALM: SECRET}.get).attempt("REGISTER", URI)
            attempt.challenged(www=[challenge()])
            cnonces.add(only(attempt).get("cnonce"))
        self.assertEqual(len(cnonces), 2)


class WhomTests(SynchronousTestCase):
    """
    Whom we answer, and in which field.
    """

    def test_server_and_proxy(self) -> None:
        """
        A server is answered in Authorization, a proxy in Proxy-Authorization, though
        both have the same realm.
        """
        attempt = make_client().attempt("INVITE", URI)
        self.assertTrue(attempt.challenged([challenge("a")], [challenge("b")]))
        self.assertEqual(
            [(field, value.get("nonce")) for field, value in attempt.authorize()],
            [(AUTHORIZATION, "a"), (PROXY_AUTHORIZATION, "b")],
        )

    def test_several_realms(self) -> None:
        """
        Challenges of several realms, as a forking proxy collects them, are all
        answered (RFC 3261, 22.3).
        """
        client = make_client(other=Secret("alice", "q"))
        attempt = client.attempt("INVITE", URI)
        attempt.challenged(proxy=[challenge("a"), challenge("b", realm="other")])
        self.assertEqual(
            [value.get("username") for _field, value in attempt.authorize()],
            ["bob", "alice"],
        )

    def test_strangers(self) -> None:
        """
        A realm that we hold no secret for gets no answer, or a callee could collect
        digests of our password (CVE-2021-41158).
        """
        client = make_client()
        stranger = challenge(realm="evil.example")
        for www, proxy in (([stranger], []), ([], [stranger]), ([], [])):
            attempt = client.attempt("INVITE", URI)
            self.assertFalse(attempt.challenged(www, proxy))
            self.assertEqual(attempt.authorize(), ())

    def test_stranger_among_friends(self) -> None:
        """
        Beside a realm of ours, a stranger still gets nothing.
        """
        attempt = make_client().attempt("INVITE", URI)
        attempt.challenged([challenge(realm="evil.example"), challenge("n1")])
        self.assertEqual(only(attempt).realm, REALM)

    def test_nothing_to_answer(self) -> None:
        """
        A challenge without realm, nonce or anything known is left alone.
        """
        attempt = make_client().attempt("INVITE", URI)
        for odd in (
            challenge(realm=None),
            challenge(nonce=None),
            challenge(qop="auth-conf"),
            Challenge.parse(f'Basic realm="{REALM}"'),
        ):
            self.assertFalse(attempt.challenged([odd]), odd)
        self.assertEqual(attempt.authorize(), ())


class RetryTests(SynchronousTestCase):
    """
    When to send once more, and when to give up.
    """

    def setUp(self) -> None:
        self.client = make_client()
        self.attempt = self.client.attempt("REGISTER", URI)

    def answer(self, *challenges: Challenge) -> bool:
        """
        Take in challenges and send, if that is worth it.
        """
        again = self.attempt.challenged(www=challenges)
        if again:
            self.attempt.authorize()
        return again

    def test_wrong_secret(self) -> None:
        """
        An answer that is refused is not tried again, with a new nonce or the same (RFC
        3261, 22.1).
        """
        for second in ("n1", "n2"):
            self.attempt = self.client.attempt("REGISTER", URI)
            self.assertTrue(self.answer(challenge("n1")))
            self.assertFalse(self.answer(challenge(second)))

    def test_wrong_secret_is_not_remembered(self) -> None:
        """
        After that the next request goes out without credentials.
        """
        self.answer(challenge("n1"))
        self.answer(challenge("n2"))
        self.assertEqual(self.client.attempt("REGISTER", URI).authorize(), ())

    def test_stale(self) -> None:
        """
        A stale nonce is retried once with the new one, and not for ever.
        """
        self.assertTrue(self.answer(challenge("n1")))
        self.assertTrue(self.answer(challenge("n2", stale="true")))
        self.assertFalse(self.answer(challenge("n3", stale="true")))

    def test_remembered_nonce(self) -> None:
        """
        A remembered nonce may be refused without stale, as many servers do it.
        """
        self.answer(challenge("n1"))
        self.attempt = self.client.attempt("REGISTER", URI)
        self.assertEqual(only(self.attempt).get("nonce"), "n1")
        self.assertTrue(self.answer(challenge("n2")))
        self.assertFalse(self.answer(challenge("n3")))

    def test_remembered_nonce_refused_for_itself(self) -> None:
        """
        But not if the server asks with the very nonce again: then the secret is wrong.
        """
        self.answer(challenge("n1"))
        self.attempt = self.client.attempt("REGISTER", URI)
        self.attempt.authorize()
        self.assertFalse(self.answer(challenge("n1")))

    def test_remembered_nonce_stale_for_its_count(self) -> None:
        """
        A server that calls the very nonce stale only minds its count: the next may do.
        """
        self.answer(challenge("n1"))
        self.attempt = self.client.attempt("REGISTER", URI)
        self.attempt.authorize()
        self.assertTrue(self.answer(challenge("n1", stale="true")))
        counts = [credentials.get("nc") for _field, credentials in self.attempt.sent]
        self.assertEqual(counts, ["00000003"])

    def test_one_after_the_other(self) -> None:
        """
        A proxy and then the server may ask: the proxy's credentials stay in, with the
        next count.
        """
        attempt = self.client.attempt("INVITE", URI)
        self.assertTrue(attempt.challenged(proxy=[challenge("p")]))
        attempt.authorize()
        self.assertTrue(attempt.challenged(www=[challenge("w")]))
        self.assertEqual(
            [(v.get("nonce"), v.get("nc")) for _field, v in attempt.authorize()],
            [("p", "00000002"), ("w", "00000001")],
        )

    def test_no_end_of_realms(self) -> None:
        """
        Whoever asks in the name of ever other realms is answered so many times only,
        though we hold a secret for all, and is not remembered without bound.
        """
        client = DigestClient(lambda realm: SECRET)
        attempt = client.attempt("INVITE", URI)
        batches = [
            [challenge(realm=f"{batch}.{number}") for number in range(20)]
            for batch in range(MAX_RETRIES + 1)
        ]
        self.assertEqual(
            [attempt.challenged(batch) for batch in batches],
            [True] * MAX_RETRIES + [False],
        )
        self.assertEqual(len(client.attempt("INVITE", URI).authorize()), MAX_SESSIONS)


class CountTests(SynchronousTestCase):
    """
    What is remembered from one request to the next.
    """

    def setUp(self) -> None:
        self.client = make_client()

    def register(self, *challenges: Challenge) -> list[tuple[Any, ...]]:
        """
        Send a request, answer challenges if there are any; return what was sent last.
        """
        attempt = self.client.attempt("REGISTER", URI)
        attempt.authorize()
        if challenges and attempt.challenged(www=challenges):
            attempt.authorize()
        names = ("nonce", "nc", "cnonce")
        return [tuple(map(v.get, names)) for _field, v in attempt.sent]

    def test_count(self) -> None:
        """
        Requests after the first need no challenge: they count the nonce.
        """
        self.assertEqual(self.register(challenge()), [("n1", "00000001", "c1")])
        self.assertEqual(self.register(), [("n1", "00000002", "c1")])
        self.assertEqual(self.register(), [("n1", "00000003", "c1")])

    def test_new_nonce(self) -> None:
        """
        A new nonce is counted from one, with a new client nonce.
        """
        self.register(challenge())
        self.assertEqual(
            self.register(challenge("n2", stale="true")), [("n2", "00000001", "c2")]
        )

    def test_nonce_of_many_challenges(self) -> None:
        """
        Where a server challenges with one nonce for some time, its count goes on.
        """
        one, two = (self.client.attempt("REGISTER", URI) for _ in range(2))
        for attempt in (one, two):
            self.assertTrue(attempt.challenged(www=[challenge("n1")]))
        counts = [only(attempt).get("nc") for attempt in (one, two)]
        self.assertEqual(counts, ["00000001", "00000002"])

    def test_without_qop(self) -> None:
        """
        A nonce without qop has no count, so it serves one request only.
        """
        self.assertEqual(self.register(challenge(qop=None)), [("n1", None, None)])
        self.assertEqual(self.register(), [])

    def test_forget(self) -> None:
        """
        A client that is told to forget waits for a challenge.
        """
        self.register(challenge())
        self.client.forget()
        self.assertEqual(self.register(), [])

    def test_sent(self) -> None:
        """
        What was sent can be had again without counting, for the ACK.
        """
        attempt = self.client.attempt("INVITE", URI)
        attempt.challenged(www=[challenge()])
        sent = attempt.authorize()
        self.assertEqual(attempt.sent, sent)
        self.assertEqual(attempt.sent, sent)
        self.assertEqual(only(attempt).get("nc"), "00000002")


class ProofTests(SynchronousTestCase):
    """
    Whether the server proved itself, and its next nonce.
    """

    def setUp(self) -> None:
        self.client = make_client()

    def send(self, **changes: str) -> Attempt:
        """
        Send a request that is answered 2xx after one challenge.
        """
        attempt = self.client.attempt("REGISTER", URI)
        attempt.challenged(www=[challenge(**changes)])
        attempt.authorize()
        return attempt

    def test_valid(self) -> None:
        """
        The right rspauth proves the server, in capitals too, with or without the
        parameters it repeats.
        """
        rspauth = expected(method="")
        for text in (
            f'rspauth="{rspauth}", qop=auth, cnonce="c1", nc=00000001',
            f'rspauth="{rspauth.upper()}"',
        ):
            self.client = make_client()
            info = AuthenticationInfo.parse(text)
            self.assertIs(self.send().verify(info), Proof.VALID, text)

    def test_body(self) -> None:
        """
        With auth-int the proof covers the body of the response.
        """
        rspauth = expected(method="", qop="auth-int", body=b"ok")
        info = AuthenticationInfo((("rspauth", rspauth),))
        attempt = self.send(qop="auth-int")
        self.assertIs(attempt.verify(info, b"ok"), Proof.VALID)
        self.assertIs(attempt.verify(info, b"ko"), Proof.INVALID)

    def test_invalid(self) -> None:
        """
        A wrong rspauth, the request's own response for one, or a repeated parameter
        that is not the request's proves that something is wrong.
        """
        rspauth = expected(method="")
        for text in (
            'rspauth=""',
            f'rspauth="{expected()}"',
            f'rspauth="{rspauth}", cnonce="c2"',
            f'rspauth="{rspauth}", nc=00000002',
        ):
            self.client = make_client()
            info = AuthenticationInfo.parse(text)
            self.assertIs(self.send().verify(info), Proof.INVALID, text)

    def test_absent(self) -> None:
        """
        Without rspauth nothing is shown.
        """
        info = AuthenticationInfo.parse("qop=auth")
        self.assertIs(self.send().verify(info), Proof.ABSENT)

    def test_proxy(self) -> None:
        """
        A proxy proves itself in a field of its own, and cannot do so for the server.
        """
        attempt = self.client.attempt("REGISTER", URI)
        attempt.challenged(proxy=[challenge()])
        attempt.authorize()
        info = AuthenticationInfo((("rspauth", expected(method="")),))
        self.assertIs(attempt.verify(info, proxy=True), Proof.VALID)
        self.assertIs(attempt.verify(info), Proof.INVALID)

    def test_next_nonce(self) -> None:
        """
        The next request uses the next nonce, counted from one.
        """
        self.send().verify(AuthenticationInfo.parse('nextnonce="n2"'))
        sent = only(self.client.attempt("REGISTER", URI))
        self.assertEqual(
            [sent.get(name) for name in ("nonce", "nc", "cnonce")],
            ["n2", "00000001", "c2"],
        )

    def test_next_nonce_without_proof(self) -> None:
        """
        A server that fails to prove itself does not choose our next nonce.
        """
        info = AuthenticationInfo.parse('nextnonce="n2", rspauth="00"')
        self.send().verify(info)
        sent = only(self.client.attempt("REGISTER", URI))
        self.assertEqual(sent.get("nonce"), "n1")

    def test_next_nonce_of_whom(self) -> None:
        """
        Where two realms were answered and none is proven, a next nonce is for neither.
        """
        client = make_client(other=SECRET)
        attempt = client.attempt("REGISTER", URI)
        attempt.challenged(www=[challenge("n1"), challenge("o1", realm="other")])
        attempt.authorize()
        attempt.verify(AuthenticationInfo.parse('nextnonce="n2"'))
        sent = client.attempt("REGISTER", URI).authorize()
        self.assertEqual([value.get("nonce") for _f, value in sent], ["n1", "o1"])

    def test_late_next_nonce(self) -> None:
        """
        A next nonce that arrives after a newer challenge is passed over.
        """
        late = self.send()
        self.send(nonce="n3")
        late.verify(AuthenticationInfo.parse('nextnonce="n2"'))
        sent = only(self.client.attempt("REGISTER", URI))
        self.assertEqual((sent.get("nonce"), sent.get("nc")), ("n3", "00000002"))

    def test_next_nonce_for_session(self) -> None:
        """
        A -sess key is bound to its nonce, so the count of that goes on.
        """
        attempt = self.send(algorithm="MD5-sess")
        attempt.verify(AuthenticationInfo.parse('nextnonce="n2"'))
        sent = only(self.client.attempt("REGISTER", URI))
        self.assertEqual((sent.get("nonce"), sent.get("nc")), ("n1", "00000002"))
