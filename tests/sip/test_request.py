"""
Tests for :mod:`sipsorcery.sip.request`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    CALL_ID,
    CONTACT,
    CONTENT_LENGTH,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    SUBJECT,
    TIMESTAMP,
    TO,
    VIA,
)
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.uri import SIPURI, OtherURI, TelURI, parse_uri
from sipsorcery.sip.via import Via
from tests.sip.samples import message, request, request_bytes, response
from tests.sip.test_address import addresses
from tests.sip.test_cseq import methods
from tests.sip.test_parameters import texts
from tests.sip.test_uri import uris
from tests.sip.test_via import vias


class StartLineTests(SynchronousTestCase):
    """
    Request lines.
    """

    def test_read(self) -> None:
        """
        Method and Request-URI, as spelled (RFC 3261, 7.1).
        """
        made = parse(message("INVITE SIP:Bob@Example.NET;lr SIP/2.0"))
        assert isinstance(made, Request)
        self.assertEqual(made.method, "INVITE")
        self.assertEqual(made.request_uri, "SIP:Bob@Example.NET;lr")
        self.assertEqual(made.uri, parse_uri("sip:Bob@Example.NET;lr"))

    def test_methods(self) -> None:
        """
        Any token is a method, also one that we do not know; case counts.
        """
        for method in ("SERVICE", "invite", "100rel", "!x", "RE%47"):
            made = parse(message(f"{method} sip:a SIP/2.0"))
            assert isinstance(made, Request)
            self.assertEqual(made.method, method)

    def test_schemes(self) -> None:
        """
        Any URI can be asked for; whether it is one we serve is for others to say.
        """
        for text, kind in (
            ("tel:+1-201", TelURI),
            ("urn:service:sos", OtherURI),
            ("sips:a", SIPURI),
        ):
            self.assertIsInstance(request_of(text).uri, kind)

    def test_broken_uri(self) -> None:
        """
        A broken URI is an error to whoever looks at it.
        """
        for text in ("<sip:a>", "sip:", "a", "*", "sip:a:99999"):
            made = request_of(text)
            with self.assertRaises(ParseError) as caught:
                _ = made.uri
            self.assertEqual(caught.exception.status, 400)
            self.assertIs(caught.exception.partial, made)

    def test_version_without_case(self) -> None:
        """
        ``sip/2.0`` is the same version (RFC 3261, 7.1).
        """
        self.assertIsInstance(parse(message("OPTIONS sip:a sip/2.0")), Request)

    def test_other_versions(self) -> None:
        """
        Any other version is a 505, which can be answered.
        """
        for version in ("SIP/1.0", "SIP/2.1", "SIP/3.0", "SIP/20.0", "sip/7.0"):
            error = self.refused(f"OPTIONS sip:a {version}")
            self.assertEqual(error.status, 505)
            self.assertEqual(error_response(error), None)

    def test_broken(self) -> None:
        """
        Blanks in the wrong places or number, tabs, missing parts and other protocols
        are a 400.
        """
        for line in (
            "OPTIONS",
            "OPTIONS sip:a",
            "OPTIONS  sip:a SIP/2.0",
            "OPTIONS sip:a  SIP/2.0",
            "OPTIONS sip:a SIP/2.0 ",
            " OPTIONS sip:a SIP/2.0",
            "OPTIONS\tsip:a\tSIP/2.0",
            "OPTIONS sip:a; lr SIP/2.0",
            "OPTIONS sip:a b@c SIP/2.0",
            "OPT(IONS sip:a SIP/2.0",
            "OPTIONS sip:a SIP/2.00",
            "OPTIONS sip:a SIP/2",
            "OPTIONS sip:a SIP 2.0",
            "GET / HTTP/1.1",
            "\u00e9 sip:a SIP/2.0",
        ):
            self.assertIn(self.refused(line).status, (400, 505), line)

    def test_blank_in_host(self) -> None:
        """
        The PA168S registers at domains such as ``Blue Face``.
        """
        made = request_of("sip:Blue Face")
        assert isinstance(made.uri, SIPURI)
        self.assertEqual(made.uri.host, "Blue Face")
        made = request_of("sip:303@Blue Face 2:5070;lr")
        self.assertEqual(str(made.uri), "sip:303@Blue Face 2:5070;lr")

    def refused(self, line: str) -> ParseError:
        """
        Return the error of a request with this start line.
        """
        with self.assertRaises(ParseError) as caught:
            parse(message(line, "l: 0"))
        error: ParseError = caught.exception
        return error


def request_of(uri: str) -> Request:
    """
    Make a request for *uri*, however broken.
    """
    made = parse(message(f"OPTIONS {uri} SIP/2.0"))
    assert isinstance(made, Request)
    return made


class MakeTests(SynchronousTestCase):
    """
    Requests of our own.
    """

    def test_make(self) -> None:
        """
        Fields are written in the order given, by constant or by name.
        """
        made = Request(
            "MESSAGE",
            SIPURI.parse("sip:bob@example.net"),
            [(MAX_FORWARDS, 70), ("X-Foo", "a"), ("k", "b"), (VIA, Via("UDP", "a"))],
            b"hi",
        )
        self.assertEqual(
            made.to_bytes(),
            b"MESSAGE sip:bob@example.net SIP/2.0\r\nMax-Forwards: 70\r\nX-Foo: a\r\n"
            b"Supported: b\r\nVia: SIP/2.0/UDP a\r\nContent-Length: 2\r\n\r\nhi",
        )

    def test_what_cannot_be_sent(self) -> None:
        """
        A start line or field that would be read as something else is refused.
        """
        for method, uri in (
            ("", "sip:a"),
            ("A B", "sip:a"),
            ("SIP/2.0", "sip:a"),
            ("A", ""),
            ("A", "sip:a b"),
            ("A", "sip:a\r\nX: y"),
            ("A\r\nX: y", "sip:a"),
        ):
            with self.assertRaises(LocalProtocolError):
                Request(method, uri)
        with self.assertRaises(LocalProtocolError):
            Request("A", "sip:a", [("X-Y", "a\r\nX-Evil: b")])
        with self.assertRaises(LocalProtocolError):
            Request("A", "sip:\ud800").to_bytes()

    def test_set_uri(self) -> None:
        """
        A new Request-URI changes the request line and nothing else.
        """
        made = request("X-Y:  z", "l: 2", body=b"hi")
        made.uri = parse_uri("tel:+1-201")
        self.assertEqual(made.request_uri, "tel:+1-201")
        expected = request("X-Y:  z", "l: 2", body=b"hi").to_bytes()
        expected = expected.replace(b"sip:bob@example.net SIP", b"tel:+1-201 SIP")
        self.assertEqual(made.to_bytes(), expected)
        self.assertEqual(parse(made.to_bytes()), made)

    def test_set_bad_uri(self) -> None:
        """
        A URI that would break the request line is refused.
        """
        made = request()
        for uri in (OtherURI("urn", "a b"), SIPURI("sip", "a\r\n", "b")):
            with self.assertRaises(LocalProtocolError):
                made.uri = uri
        self.assertEqual(made, request())

    @given(
        methods,
        uris,
        st.lists(vias, min_size=1, max_size=3),
        addresses,
        addresses,
        st.integers(0, 2**31 - 1),
        texts,
        st.binary(max_size=40),
    )
    def test_round_trip(
        self,
        method: str,
        uri: SIPURI,
        route: list[Via],
        sender: Address,
        recipient: Address,
        number: int,
        subject: str,
        body: bytes,
    ) -> None:
        """
        What is written is read again, every value of it.
        """
        made = Request(
            method,
            uri,
            [
                *((VIA, via) for via in route),
                (FROM, sender),
                (TO, recipient),
                (CALL_ID, "1@a"),
                (CSEQ, CSeq(number, method)),
                (CONTACT, recipient),
                (SUBJECT, subject),
            ],
            body,
        )
        again = parse(made.to_bytes())
        assert isinstance(again, Request)
        self.assertEqual(again, parse(again.to_bytes()))
        self.assertEqual((again.method, again.uri, again.body), (method, uri, body))
        self.assertEqual(list(again.all(VIA)), route)
        self.assertEqual((again[FROM], again[TO]), (sender, recipient))
        self.assertEqual(again[CSEQ], CSeq(number, method))
        self.assertEqual(again[SUBJECT], subject.strip(" \t"))
        if not uri.headers:
            again.check(CONTACT, SUBJECT)


class RespondTests(SynchronousTestCase):
    """
    Responses to requests (RFC 3261, 8.2.6).
    """

    def test_copied_fields(self) -> None:
        """
        Via, From, To, Call-ID and CSeq are copied as they are spelled, all Vias in
        their order, and nothing else.
        """
        made = parse(
            message(
                "OPTIONS sip:a SIP/2.0",
                "cseq :  1\t OPTIONS",
                "v:SIP/2.0/UDP a,\r\n SIP/2.0/UDP b",
                "X-Y: z",
                "T: <sip:t>",
                "i:1",
                "f: <sip:f>;tag=2",
                "Via: SIP/2.0/UDP c",
                "Timestamp: 54",
                "Record-Route: <sip:r;lr>",
                "l: 2",
                body=b"hi",
            )
        )
        assert isinstance(made, Request)
        self.assertEqual(
            made.respond(404).to_bytes(),
            b"SIP/2.0 404 Not Found\r\nv:SIP/2.0/UDP a,\r\n SIP/2.0/UDP b\r\n"
            b"Via: SIP/2.0/UDP c\r\nf: <sip:f>;tag=2\r\nT: <sip:t>\r\ni:1\r\n"
            b"cseq :  1\t OPTIONS\r\nContent-Length: 0\r\n\r\n",
        )

    def test_own_fields(self) -> None:
        """
        A reason, fields and a body may be given.
        """
        answer = request().respond(200, "Fine", [("Allow", "A, B")], b"hi", to_tag="9")
        self.assertEqual((answer.status, answer.reason), (200, "Fine"))
        self.assertEqual(answer.get("Allow"), "A, B")
        self.assertEqual((answer.body, answer[CONTENT_LENGTH]), (b"hi", 2))
        self.assertEqual(answer[TO].tag, "9")
        answer.check()

    def test_timestamp(self) -> None:
        """
        Only a 100 repeats the Timestamp (RFC 3261, 8.2.6.1).
        """
        made = request("Timestamp:  54.2 ")
        self.assertEqual(made.respond(100)[TIMESTAMP].sent, "54.2")
        self.assertNotIn(TIMESTAMP, made.respond(180))
        self.assertNotIn(TIMESTAMP, request().respond(100))

    def test_to_tag(self) -> None:
        """
        A tag goes into a To that has none, as a parameter of the field, however the
        field is spelled; what looks like a tag elsewhere is none.
        """
        for text in (
            "<sip:bob@example.net>",
            "sip:bob@example.net",
            "sip:bob@example.net;x=y  ",
            "<sip:bob@example.net;tag=1>",
            '"a;tag=1" <sip:bob@example.net>',
            '"a\\";tag=1" <sip:bob@example.net>;not-tag=1',
            "<sip:bob@example.net>\r\n ;x=y\r\n ",
            "\r\n Bob <sip:bob@example.net>",
        ):
            made = self.to(text)
            answer = made.respond(200, to_tag="new")
            self.assertEqual(parse(answer.to_bytes())[TO].tag, "new", text)
            self.assertEqual(answer[TO].uri, made[TO].uri)
            self.assertEqual(answer[TO].display_name, made[TO].display_name)
            self.assertIsNone(made[TO].tag)

    def test_tag_that_is_there(self) -> None:
        """
        A tag that is there stays.
        """
        for text in (
            "<sip:bob@example.net>;tag=old",
            "sip:bob@example.net;x;TAG = old",
            "<sip:bob@example.net>\r\n ;\r\n tag=old",
        ):
            self.assertEqual(self.to(text).respond(200, to_tag="new")[TO].tag, "old")

    def test_to_that_cannot_be_read(self) -> None:
        """
        A broken To is copied as it is; a missing one is left out.
        """
        answer = self.to('"Mr. J. User <sip:a>').respond(400, to_tag="1")
        self.assertIn('To: "Mr. J. User <sip:a>\r\n', answer.head)
        made = request()
        made.remove(TO)
        self.assertNotIn(TO, made.respond(400, to_tag="1"))

    def to(self, text: str) -> Request:
        """
        Make a request with this To.
        """
        made = parse(request_bytes().replace(b"<sip:bob@example.net>", text.encode()))
        assert isinstance(made, Request)
        return made

    def test_doubled_fields(self) -> None:
        """
        Of what may come once the first is copied, so that the answer is sound.
        """
        made = request("From: <sip:x>;tag=x", "t: <sip:x>", "i: x", "CSeq: 9 X")
        answer = made.respond(400, to_tag="1")
        answer.check()
        self.assertEqual(answer[FROM], request()[FROM])


class ToTagTests(SynchronousTestCase):
    """
    The tag that a server gives.
    """

    def test_no_token(self) -> None:
        """
        What is no token could end the line, and is refused.
        """
        for tag in ("a\r\nX: y", "a;b", "a\0", "", "a b"):
            with self.assertRaises(LocalProtocolError, msg=tag):
                request().respond(200, to_tag=tag)


class ErrorResponseTests(SynchronousTestCase):
    """
    Answers to requests that could not be read.
    """

    def answer(self, data: bytes) -> object:
        """
        Answer what parse or check refuses.
        """
        try:
            parse(data).check()
        except ParseError as error:
            return error_response(error, to_tag="1")
        raise AssertionError("not refused")

    def test_answer(self) -> None:
        """
        The status is the error's, the reason says what is wrong, the rest is copied.
        """
        answer = self.answer(request_bytes("l: x"))
        assert answer is not None
        data = str(answer)
        self.assertTrue(
            data.startswith(
                "SIP/2.0 400 Bad Request: Content-Length: Content-Length is no number: "
                "'x'\r\nVia: "
            ),
            data,
        )
        self.assertIn("\r\nTo: <sip:bob@example.net>;tag=1\r\n", data)

    def test_broken_start_line(self) -> None:
        """
        Fields can be copied though the start line is broken.
        """
        data = request_bytes().replace(b"OPTIONS sip", b"OPTIONS  sip", 1)
        self.assertIn("Call-ID: a84b4c76e66710", str(self.answer(data)))

    def test_reason_is_one_line(self) -> None:
        """
        Whatever stands in the broken value, the reason phrase is one line of
        characters that can be printed.
        """
        for value in (b"\x00\x1b[2J", b"\xff\xfe", b"\xe2\x80\xa8x", b"y" * 5000):
            data = request_bytes().replace(b"314159 OPTIONS", value)
            answer = self.answer(data)
            line = str(answer).partition("\r\n")[0]
            self.assertTrue(line.isprintable(), line)
            self.assertLess(len(line), 200)

    def test_no_answer(self) -> None:
        """
        Nobody answers an ACK, a response, what looks like a response, or what has no
        Via.
        """
        ack = request_bytes(method="ACK").replace(b"CSeq: ", b"CSeq: x")
        odd = response().to_bytes().replace(b"CSeq: ", b"CSeq: x")
        glued = b"16394" + response().to_bytes()
        anonymous = request_bytes().replace(b"Via", b"X-Via")
        for data in (ack, odd, glued, b"SIP/2.0 20 OK\r\n\r\n", anonymous, b"", b"x"):
            self.assertIsNone(self.answer(data), data)

    def test_broken_ack(self) -> None:
        """
        An ACK is not answered either if its start line is what is broken.
        """
        data = request_bytes(method="ACK").replace(b"ACK sip", b"ACK  sip", 1)
        self.assertIsNone(self.answer(data))
