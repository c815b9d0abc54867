"""
Hostile challenges and credentials, from the text to the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Claim,
    DigestClient,
    DigestServer,
    NonceKey,
    NonceSigner,
    Proof,
    ReplayWindow,
    Secret,
)
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.limits import MAX_FIELD

T = TypeVar("T")

NOW = 1_700_000_000.0
SECRET = Secret("101", "s3cret")

# Any text that a decoded header line can hold, and what the grammar is made of.
junk = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]),
    max_size=30,
)
names = st.sampled_from(
    [
        *(
            "username",
            "realm",
            "nonce",
            "uri",
            "response",
            "algorithm",
            "cnonce",
            "qop",
        ),
        *("nc", "opaque", "userhash", "stale", "username*", "charset", "domain"),
        *("rspauth", "nextnonce", "Realm", "x"),
    ]
)
nonces = NonceSigner([NonceKey(1, b"k" * 32)])
known_values = st.sampled_from(
    [
        *("a", "101", "true", "auth", "auth-int", "auth,auth-int", "00000001"),
        *("0", "ffffffff", "sip:a", "sip:", "tel:1", "", "-1", "UTF-8''%zz"),
        *(algorithm.value for algorithm in Algorithm),
        nonces.issue("a", NOW),
    ]
)
quotes = st.sampled_from(['"', '"', '"', "'", "", '"\\'])
pieces = st.builds(
    lambda name, equals, left, value, right: f"{name}{equals}{left}{value}{right}",
    names,
    st.sampled_from(["=", "=", "=", " = ", "", "=="]),
    quotes,
    known_values | junk,
    quotes,
)
untidy = st.lists(pieces | junk, max_size=10).flatmap(
    lambda parts: st.sampled_from([", ", ",", " ", ";", "\r\n "]).map(
        lambda separator: separator.join(parts)
    )
)


def usually(right: str) -> st.SearchStrategy[str]:
    """
    Draw a value that makes sense where it stands, or one that does not.
    """
    return st.just(right) | st.just(right) | known_values | junk


# Whole challenges and credentials, wrong in a place or two.
whole = st.fixed_dictionaries(
    {
        "realm": st.just("a"),
        "nonce": usually(nonces.issue("a", NOW)),
        "algorithm": st.sampled_from([algorithm.value for algorithm in Algorithm]),
        "qop": usually("auth") | st.just("auth-int"),
        "username": usually("101"),
        "uri": usually("sip:a"),
        "response": usually("0" * 32),
        "cnonce": usually("c"),
        "nc": usually("00000001"),
    },
    optional={
        "userhash": usually("true"),
        "opaque": junk,
        "stale": usually("true"),
        "rspauth": junk,
    },
).map(lambda pairs: ", ".join(f'{name}="{value}"' for name, value in pairs.items()))
lines = st.one_of(
    junk,
    untidy.map(lambda text: f"Digest {text}"),
    whole.map(lambda text: f"Digest {text}"),
    st.builds(
        lambda scheme, rest: scheme + rest,
        st.sampled_from(["digest ", "Digest", "Digest,", "Basic ", "é ", " "]),
        whole | untidy,
    ),
)


class AuthTests(SynchronousTestCase):
    @given(lines)
    def test_parse(self, line: str) -> None:
        """
        A value is read or refused with 400; what was read survives being written.
        """
        for value in (Challenge, Credentials, AuthenticationInfo):
            try:
                read = value.parse(line)
            except ParseError as error:
                self.assertEqual(error.status, 400)
            else:
                self.assertEqual(value.parse(str(read)), read)

    @given(st.lists(lines, max_size=3), lines)
    def test_server(self, texts: list[str], request_uri: str) -> None:
        """
        Whatever the credentials, there is a verdict, and it is never acceptance.
        """
        server = DigestServer(
            realm="a",
            nonces=nonces,
            window=ReplayWindow(),
            algorithms=tuple(Algorithm),
            qop=("auth", "auth-int"),
        )
        claim = server.read(read_all(Credentials.parse, texts))
        if not isinstance(claim, Claim):
            return
        for secret in (SECRET, None):
            for target in (request_uri, claim.uri):
                verdict = server.verify(
                    claim, secret, method="INVITE", request_uri=target, now=NOW
                )
                self.assertNotIsInstance(verdict, Accepted)
        server.authentication_info(claim, SECRET, next_at=NOW)

    @given(st.lists(lines, max_size=3), st.lists(lines, max_size=3), lines)
    def test_client(self, www: list[str], proxy: list[str], info: str) -> None:
        """
        Whatever the challenges, the client answers them or not, and what it sends can
        be read; a server that knows nothing proves nothing.
        """
        client = DigestClient(lambda realm: SECRET)
        attempt = client.attempt("INVITE", "sip:a")
        for _ in range(2):
            attempt.challenged(
                read_all(Challenge.parse, www), read_all(Challenge.parse, proxy)
            )
            for _field, credentials in attempt.authorize():
                # A challenge of 8 KiB may make an answer above the limit.
                if len(str(credentials)) <= MAX_FIELD:
                    self.assertEqual(Credentials.parse(str(credentials)), credentials)
        for known in read_all(AuthenticationInfo.parse, [info]):
            self.assertIsNot(attempt.verify(known), Proof.VALID)
        client.attempt("INVITE", "sip:a").authorize()


def read_all(parse: Callable[[str], T], texts: list[str]) -> list[T]:
    """
    Read what can be read.
    """
    values = []
    for text in texts:
        try:
            values.append(parse(text))
        except ParseError:
            continue
    return values


class LinearTests(SynchronousTestCase):
    """
    Reading costs no more than the length of the text.
    """

    SHAPES = {
        "one long value": lambda n: 'Digest realm="' + "a" * n + '"',
        "no end of quotes": lambda n: 'Digest realm="' + "a" * n,
        "backslashes": lambda n: 'Digest realm="' + "\\" * n,
        "apostrophes": lambda n: "Digest realm=" + "'" * n,
        "apostrophes and commas": lambda n: (
            "Digest " + ",".join(f"p{number:04}='a" for number in range(n // 9))
        ),
        "quotes": lambda n: "Digest realm=" + '"' * n,
        "commas": lambda n: "Digest " + "," * n,
        "commas and blanks": lambda n: "Digest " + ", " * (n // 2),
        "blanks": lambda n: "Digest" + " " * n,
        "blanks behind a value": lambda n: 'Digest realm="a"' + " " * n + "b",
        "a long name": lambda n: "Digest " + "a" * n,
        "equals signs": lambda n: "Digest a" + "=" * n,
        "many parameters": lambda n: (
            "Digest " + ",".join(f"p{number:04}=1" for number in range(n // 8))
        ),
        "one piece": lambda n: "Basic " + "a" * n + "=!",
    }

    def cost(self, text: str) -> float:
        """
        Return the least time that reading took.
        """
        times = []
        for _ in range(7):
            start = perf_counter()
            try:
                Credentials.parse(text)
            except ParseError:
                pass
            times.append(perf_counter() - start)
        return min(times)

    def test_linear(self) -> None:
        """
        Four times the text costs at most five times as much, and a part of a
        millisecond that clocks and caches take.
        """
        for shape, make in self.SHAPES.items():
            small, large = make(MAX_FIELD // 4 - 20), make(MAX_FIELD - 80)
            self.assertLessEqual(len(large), MAX_FIELD)
            allowed = 5 * self.cost(small) + 0.0002
            self.assertLessEqual(self.cost(large), allowed, shape)

    def test_beyond_the_limit(self) -> None:
        """
        A value of a megabyte costs nothing: it is not looked at.
        """
        for shape, make in self.SHAPES.items():
            text = make(1_000_000)
            self.assertRaises(ParseError, Credentials.parse, text)
            self.assertLess(self.cost(text), 0.0002, shape)
