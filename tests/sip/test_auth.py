"""
Tests for :mod:`sipsorcery.sip.auth`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.grammar import TOKEN
from sipsorcery.sip.limits import MAX_FIELD

names = st.from_regex(TOKEN.replace("++", "{1,12}"), fullmatch=True).map(str.lower)
# What a header line can carry: no line ends, and surrogates only for octets that are
# not UTF-8.
values = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]),
    max_size=20,
)
known = st.sampled_from(["realm", "nonce", "qop", "stale", "algorithm", "nc", "uri"])
parameters = st.dictionaries(names | known, values, max_size=6).map(
    lambda pairs: tuple(pairs.items())
)
schemes = st.from_regex(TOKEN.replace("++", "{1,12}"), fullmatch=True)
token68 = st.from_regex(r"[A-Za-z0-9\-._~+/]{1,20}={0,2}", fullmatch=True)


class ReadTests(SynchronousTestCase):
    """
    What is read of the fields as devices spell them.
    """

    def test_challenge(self) -> None:
        """
        The example of RFC 3261, 20.44, is read parameter by parameter.
        """
        challenge = Challenge.parse(
            'Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", '
            'nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, '
            "algorithm=MD5"
        )
        self.assertTrue(challenge.is_digest)
        self.assertEqual(challenge.realm, "atlanta.com")
        self.assertEqual(challenge.nonce, "f84f1cec41e6cbe5aea9c8e88d359")
        self.assertEqual(challenge.qop, ("auth",))
        self.assertEqual(challenge.get("opaque"), "")
        self.assertFalse(challenge.stale)
        self.assertEqual(challenge.get("algorithm"), "MD5")
        self.assertIsNone(challenge.get("userhash"))

    def test_names_and_scheme_in_any_case(self) -> None:
        """
        The scheme, parameter names and ``true`` are case-insensitive.
        """
        challenge = Challenge.parse('DIGEST Realm="A", NONCE="b", Stale=TRUE')
        self.assertTrue(challenge.is_digest)
        self.assertEqual((challenge.realm, challenge.nonce), ("A", "b"))
        self.assertTrue(challenge.stale)

    def test_qop_lists(self) -> None:
        """
        A quoted qop list is read in either order, with blanks or without, in any case.
        """
        for text, expected in (
            ("auth,auth-int", ("auth", "auth-int")),
            ("auth-int,auth", ("auth-int", "auth")),
            ("auth , auth-int", ("auth", "auth-int")),
            ("AUTH", ("auth",)),
            ("", ()),
        ):
            challenge = Challenge.parse(f'Digest realm="a", qop="{text}", nonce="b"')
            self.assertEqual(challenge.qop, expected, text)
            self.assertEqual(challenge.nonce, "b", text)

    def test_commas_inside_quotes(self) -> None:
        """
        A comma inside quotes ends no parameter: a realm may hold one.
        """
        challenge = Challenge.parse('Digest realm="Bar, Baz and sons",nonce="a,b"')
        self.assertEqual(challenge.realm, "Bar, Baz and sons")
        self.assertEqual(challenge.nonce, "a,b")

    def test_quoted_pairs(self) -> None:
        """
        A backslash in a quoted string takes the next character as it is.
        """
        challenge = Challenge.parse(r'Digest realm="the \"best\" \\ realm", nonce="1"')
        self.assertEqual(challenge.realm, r'the "best" \ realm')
        self.assertEqual(challenge.nonce, "1")

    def test_apostrophes(self) -> None:
        """
        Ekiga puts values in apostrophes, commas and double quotes inside included.
        """
        credentials = Credentials.parse(
            "Digest username='tom', realm='sip, \"the\" realm', nonce='a==',"
            "uri='sip:host;x=y', algorithm=md5, response='00'"
        )
        self.assertEqual(credentials.get("username"), "tom")
        self.assertEqual(credentials.realm, 'sip, "the" realm')
        self.assertEqual(credentials.get("nonce"), "a==")
        self.assertEqual(credentials.get("uri"), "sip:host;x=y")
        self.assertEqual(credentials.get("response"), "00")

    def test_apostrophe_in_token(self) -> None:
        """
        An apostrophe that no other one ends is part of a token, as the RFC has it.
        """
        credentials = Credentials.parse("Digest username='tom, realm=o'hara")
        self.assertEqual(credentials.get("username"), "'tom")
        self.assertEqual(credentials.realm, "o'hara")

    def test_bare_values(self) -> None:
        """
        A value without the quotes it should have ends at a comma or blank; base64
        padding and the parameters of a URI belong to it.
        """
        credentials = Credentials.parse(
            "Digest username=100 ,realm=asterisk, nonce=MTIz/+==, "
            "uri=sip:host:5060;transport=tcp, response=ab"
        )
        self.assertEqual(credentials.get("username"), "100")
        self.assertEqual(credentials.get("nonce"), "MTIz/+==")
        self.assertEqual(credentials.get("uri"), "sip:host:5060;transport=tcp")

    def test_quoted_where_bare_is_right(self) -> None:
        """
        Quotes around qop, algorithm and nc in credentials, as many devices send, do
        no harm.
        """
        credentials = Credentials.parse(
            'Digest realm="a", qop="auth", nc="00000001", algorithm="MD5"'
        )
        self.assertEqual(credentials.get("qop"), "auth")
        self.assertEqual(credentials.get("nc"), "00000001")
        self.assertEqual(credentials.get("algorithm"), "MD5")

    def test_blanks_anywhere(self) -> None:
        """
        Blanks, tabs and what is left of folds may stand around ``=`` and ``,``.
        """
        challenge = Challenge.parse(
            ' Digest \t realm\t= "a" ,\r\n nonce =\r\n\t"b" , stale = true '
        )
        self.assertEqual((challenge.realm, challenge.nonce), ("a", "b"))
        self.assertTrue(challenge.stale)

    def test_empty_elements(self) -> None:
        """
        Commas with nothing between them are passed over (RFC 7230, 7).
        """
        challenge = Challenge.parse('Digest ,realm="a",, nonce="b", ,')
        self.assertEqual(challenge.parameters, (("realm", "a"), ("nonce", "b")))

    def test_other_schemes(self) -> None:
        """
        The parameters of an unknown scheme are read too, as RFC 4475 (regaut01) has it.
        """
        credentials = Credentials.parse("NoOneKnowsThisScheme opaque-data=here")
        self.assertFalse(credentials.is_digest)
        self.assertEqual(credentials.parameters, (("opaque-data", "here"),))

    def test_token68(self) -> None:
        """
        Basic and Bearer carry one piece instead of parameters.
        """
        credentials = Credentials.parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        self.assertEqual(credentials.token, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        self.assertEqual(credentials.parameters, ())
        self.assertEqual(str(credentials), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")

    def test_scheme_alone(self) -> None:
        """
        A scheme may stand alone (RFC 7235, 2.1).
        """
        challenge = Challenge.parse("Negotiate")
        self.assertEqual((challenge.scheme, challenge.parameters), ("Negotiate", ()))
        self.assertEqual(str(challenge), "Negotiate")

    def test_authentication_info(self) -> None:
        """
        Authentication-Info has parameters and no scheme.
        """
        info = AuthenticationInfo.parse(
            'nextnonce="47364c23432d2e131a5fb210812c", qop=auth, nc=00000001'
        )
        self.assertEqual(info.get("nextnonce"), "47364c23432d2e131a5fb210812c")
        self.assertEqual(info.get("qop"), "auth")
        self.assertIsNone(info.get("rspauth"))


class RefuseTests(SynchronousTestCase):
    """
    What breaks the grammar is a ParseError with 400, whatever it is.
    """

    BROKEN = (
        "",
        " ",
        '"Digest" realm="a"',
        "Digest realm, nonce=b",
        'Digest realm="a" nonce="b"',
        'Digest realm="a',
        'Digest realm="a\\"',
        'Digest realm="a"b',
        "Digest realm=, nonce=b",
        'Digest ="a", x=1',
        'Digest re alm="a"',
        'Digest realm="a\r\nVia: b"',
        'Digest realm="a\0"',
        'Digest realm="a", qop=auth"',
        "Digest realm=a; nonce=b c",
    )

    def test_broken(self) -> None:
        """
        Each of these is refused, as a challenge and as credentials.
        """
        for text in self.BROKEN:
            for value in (Challenge, Credentials):
                error = self.assertRaises(ParseError, value.parse, text)
                self.assertEqual(error.status, 400)

    def test_doubled_parameter(self) -> None:
        """
        A parameter given twice, in any case, is refused: two readers could each take
        another one.
        """
        with self.assertRaises(ParseError) as caught:
            Credentials.parse('Digest username="a", Username="b"')
        self.assertIn("username", caught.exception.text)

    def test_empty_authentication_info(self) -> None:
        """
        Authentication-Info has at least one parameter.
        """
        for text in ("", " , "):
            with self.assertRaises(ParseError):
                AuthenticationInfo.parse(text)

    def test_too_long(self) -> None:
        """
        A value above the limit of a field line is refused unread, with a short error.
        """
        for size in (MAX_FIELD, 1_000_000):
            for text in ('Digest realm="' + "a" * size + '"', "Basic " + "a" * size):
                with self.assertRaises(ParseError) as caught:
                    Credentials.parse(text)
                self.assertLess(len(str(caught.exception)), 100)

    def test_longest(self) -> None:
        """
        A value of just the limit is read.
        """
        realm = "a" * (MAX_FIELD - len('Digest realm=""'))
        self.assertEqual(Challenge.parse(f'Digest realm="{realm}"').realm, realm)

    def test_errors_keep_secrets(self) -> None:
        """
        No error repeats a value, which may be a password in Basic or a response.
        """
        for text in ("Basic c2VjcmV0 c2VjcmV0", 'Digest response="secret" secret'):
            with self.assertRaises(ParseError) as caught:
                Credentials.parse(text)
            self.assertNotIn("secret", str(caught.exception))
            self.assertNotIn("c2VjcmV0", str(caught.exception))


class WriteTests(SynchronousTestCase):
    """
    What is written is what RFC 3261, section 25.1, asks for.
    """

    def test_challenge(self) -> None:
        """
        In a challenge stale, algorithm, userhash and charset are bare, all else is
        quoted, qop too.
        """
        challenge = Challenge(
            (
                ("realm", "a.example"),
                ("nonce", "b"),
                ("opaque", "o"),
                ("stale", "true"),
                ("algorithm", "SHA-256"),
                ("qop", "auth,auth-int"),
                ("userhash", "true"),
                ("charset", "UTF-8"),
            )
        )
        self.assertEqual(
            str(challenge),
            'Digest realm="a.example", nonce="b", opaque="o", stale=true, '
            'algorithm=SHA-256, qop="auth,auth-int", userhash=true, charset=UTF-8',
        )

    def test_credentials(self) -> None:
        """
        In credentials algorithm, qop, nc and userhash are bare, all else is quoted.
        """
        credentials = Credentials(
            (
                ("username", "bob"),
                ("realm", "a"),
                ("uri", "sip:a"),
                ("response", "00"),
                ("algorithm", "MD5"),
                ("cnonce", "c"),
                ("qop", "auth"),
                ("nc", "00000001"),
                ("userhash", "true"),
            )
        )
        self.assertEqual(
            str(credentials),
            'Digest username="bob", realm="a", uri="sip:a", response="00", '
            'algorithm=MD5, cnonce="c", qop=auth, nc=00000001, userhash=true',
        )

    def test_authentication_info(self) -> None:
        """
        In Authentication-Info qop and nc are bare, all else is quoted.
        """
        info = AuthenticationInfo(
            (("rspauth", "00"), ("qop", "auth"), ("cnonce", "c"), ("nc", "00000001"))
        )
        self.assertEqual(str(info), 'rspauth="00", qop=auth, cnonce="c", nc=00000001')

    def test_no_token_is_quoted(self) -> None:
        """
        What should be bare but is no token is quoted all the same, so that it cannot
        become something else.
        """
        for value in ("", "a, realm=b", "'a'", "ä"):
            challenge = Challenge((("algorithm", value),))
            self.assertEqual(Challenge.parse(str(challenge)), challenge)

    def test_line_breaks_refused(self) -> None:
        """
        A value that would end the header line is our own fault.
        """
        for value in ("a\r\nVia: b", "a\nb", "a\0"):
            with self.assertRaises(LocalProtocolError):
                Credentials((("username", value),))

    def test_bad_shapes_refused(self) -> None:
        """
        So are doubled or odd names, an odd scheme, and parameters beside a token.
        """
        for make in (
            lambda: Challenge((("realm", "a"), ("realm", "b"))),
            lambda: Challenge((("Realm", "a"),)),
            lambda: Challenge((("re alm", "a"),)),
            lambda: Challenge(scheme="Di gest"),
            lambda: Challenge((("realm", "a"),), token="b"),
            lambda: Challenge(token="a b"),
        ):
            with self.assertRaises(LocalProtocolError):
                make()


class RoundTripTests(SynchronousTestCase):
    """
    ``parse(str(x)) == x`` for every value.
    """

    @given(schemes, parameters)
    def test_parameters(self, scheme: str, pairs: tuple[tuple[str, str], ...]) -> None:
        """
        Parameters survive, in order, whatever their values.
        """
        for value in (
            Challenge(pairs, scheme=scheme),
            Credentials(pairs, scheme=scheme),
        ):
            self.assertEqual(type(value).parse(str(value)), value)

    @given(schemes, token68)
    def test_token(self, scheme: str, token: str) -> None:
        """
        So does a single piece.
        """
        credentials = Credentials(scheme=scheme, token=token)
        self.assertEqual(Credentials.parse(str(credentials)), credentials)

    @given(parameters.filter(bool))
    def test_info(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """
        So does Authentication-Info.
        """
        info = AuthenticationInfo(pairs)
        self.assertEqual(AuthenticationInfo.parse(str(info)), info)
