"""
Tests for :mod:`sipsorcery.sip.digest.algorithm` and
:mod:`sipsorcery.sip.digest.secret`.
"""

from __future__ import annotations

from hashlib import md5

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest.algorithm import (
    Algorithm,
    compute_ha1,
    compute_response,
    compute_userhash,
)
from sipsorcery.sip.digest.secret import Secret


class AlgorithmTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        Each algorithm is known by its name in any case; what is absent is MD5.
        """
        for algorithm in Algorithm:
            for name in (algorithm.value, algorithm.value.upper()):
                self.assertIs(Algorithm.parse(name), algorithm)
        self.assertIs(Algorithm.parse(None), Algorithm.MD5)

    def test_unknown(self) -> None:
        """
        An unknown name, an empty one too, is no algorithm.
        """
        for name in ("", "MD5 ", "SHA-512", "AKAv1-MD5"):
            self.assertIsNone(Algorithm.parse(name))

    def test_base(self) -> None:
        """
        A -sess algorithm uses the hash function, and the stored HA1, of its base.
        """
        for algorithm in Algorithm:
            name = algorithm.value.removesuffix("-sess")
            self.assertEqual(algorithm.is_session, name != algorithm.value)
            self.assertEqual(algorithm.base, Algorithm(name))
            self.assertEqual(algorithm.hash("x"), algorithm.base.hash("x"))

    def test_hashes(self) -> None:
        """
        The hash functions are those of RFC 1321 and FIPS 180-4, here over "abc".
        """
        for algorithm, expected in (
            (Algorithm.MD5, "900150983cd24fb0d6963f7d28e17f72"),
            (
                Algorithm.SHA_256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Algorithm.SHA_512_256,
                "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            ),
        ):
            self.assertEqual(algorithm.hash("abc"), expected)
            self.assertEqual(algorithm.hash(b"abc"), expected)

    def test_octets_as_they_came(self) -> None:
        """
        Text that was no UTF-8 is hashed as the octets that came.
        """
        octets = b"J\xe4s\xf8n:realm:secret"
        name = b"J\xe4s\xf8n".decode("utf-8", "surrogateescape")
        self.assertEqual(
            compute_ha1(name, "realm", "secret", Algorithm.MD5),
            md5(octets, usedforsecurity=False).hexdigest(),
        )


class ResponseTests(SynchronousTestCase):
    """
    The parts of a response, each written out as RFC 7616, 3.4, composes it.
    """

    def h(self, text: str) -> str:
        """
        Return MD5 in hexadecimal, as the RFC's H().
        """
        return md5(text.encode(), usedforsecurity=False).hexdigest()

    def respond(self, algorithm: Algorithm, qop: str | None, body: bytes = b"") -> str:
        """
        Respond to a fixed challenge.
        """
        return compute_response(
            algorithm,
            self.h("bob:r:p"),
            method="INVITE",
            uri="sip:a",
            nonce="n",
            qop=qop,
            nc="00000001",
            cnonce="c",
            body=body,
        )

    def test_without_qop(self) -> None:
        """
        Without qop neither nc nor cnonce is hashed (RFC 2069).
        """
        self.assertEqual(
            self.respond(Algorithm.MD5, None),
            self.h(f"{self.h('bob:r:p')}:n:{self.h('INVITE:sip:a')}"),
        )

    def test_auth(self) -> None:
        """
        With qop=auth they are, and qop as spelled.
        """
        for qop in ("auth", "AUTH"):
            self.assertEqual(
                self.respond(Algorithm.MD5, qop),
                self.h(
                    f"{self.h('bob:r:p')}:n:00000001:c:{qop}:{self.h('INVITE:sip:a')}"
                ),
            )

    def test_auth_int(self) -> None:
        """
        With qop=auth-int the body is too, an empty one as the empty string (RFC 3261,
        22.4, 7), whatever the spelling of qop.
        """
        for body in (b"", b"v=0\r\n"):
            for qop in ("auth-int", "Auth-Int"):
                a2 = self.h(f"INVITE:sip:a:{self.h(body.decode())}")
                self.assertEqual(
                    self.respond(Algorithm.MD5, qop, body),
                    self.h(f"{self.h('bob:r:p')}:n:00000001:c:{qop}:{a2}"),
                )

    def test_session_key(self) -> None:
        """
        A -sess key is HA1 hashed with nonce and cnonce.
        """
        ha1 = self.h(f"{self.h('bob:r:p')}:n:c")
        self.assertEqual(
            self.respond(Algorithm.MD5_SESS, "auth"),
            self.h(f"{ha1}:n:00000001:c:auth:{self.h('INVITE:sip:a')}"),
        )

    def test_userhash(self) -> None:
        """
        The hash of a user name is over name and realm (RFC 7616, 3.4.4).
        """
        self.assertEqual(
            compute_userhash("bob", "r", Algorithm.MD5_SESS), self.h("bob:r")
        )

    def test_long_uri(self) -> None:
        """
        A URI that is too long for its hash to be kept is hashed like any other.
        """
        for length in (100, 10_000):
            uri = "sip:" + "a" * length
            response = compute_response(
                Algorithm.MD5, "0", method="REGISTER", uri=uri, nonce="n"
            )
            a2 = md5(f"REGISTER:{uri}".encode()).hexdigest()
            self.assertEqual(response, md5(f"0:n:{a2}".encode()).hexdigest())


class SecretTests(SynchronousTestCase):
    HA1 = compute_ha1("bob", "r", "p", Algorithm.SHA_256)

    def test_from_password(self) -> None:
        """
        A password makes an HA1 for every algorithm and realm.
        """
        secret = Secret("bob", "p")
        for algorithm in Algorithm:
            self.assertEqual(
                secret.ha1_for(algorithm, "r"), compute_ha1("bob", "r", "p", algorithm)
            )

    def test_from_stored_ha1(self) -> None:
        """
        Without the password there is an HA1 for what was stored, -sess included, and
        none for the rest.
        """
        secret = Secret("bob", ha1={Algorithm.SHA_256: self.HA1})
        self.assertEqual(secret.ha1_for(Algorithm.SHA_256, "r"), self.HA1)
        self.assertEqual(secret.ha1_for(Algorithm.SHA_256_SESS, "r"), self.HA1)
        self.assertIsNone(secret.ha1_for(Algorithm.MD5, "r"))

    def test_not_shown(self) -> None:
        """
        Neither password nor HA1 shows in a repr, which may end in a log.
        """
        shown = repr(Secret("bob", "hunter2", {Algorithm.SHA_256: self.HA1}))
        self.assertIn("bob", shown)
        self.assertNotIn("hunter2", shown)
        self.assertNotIn(self.HA1, shown)
