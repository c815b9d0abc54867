"""
Tests for :mod:`sipsorcery.sip.parser` and :mod:`sipsorcery.sip.scanner`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import scanner
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, SUBJECT, VIA
from sipsorcery.sip.limits import MAX_FIELD, MAX_FIELDS, MAX_MESSAGE
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from tests.sip.samples import message, request, request_bytes, response

OPTIONS = request_bytes("Content-Length: 0")


class ParseTests(SynchronousTestCase):
    """
    One datagram.
    """

    def refused(self, data: bytes, status: int = 400) -> ParseError:
        """
        Return the error that *data* is refused with.
        """
        with self.assertRaises(ParseError) as caught:
            parse(data)
        error: ParseError = caught.exception
        self.assertEqual(error.status, status)
        return error

    def test_kinds(self) -> None:
        """
        What begins with the version is a response, all else a request.
        """
        self.assertIsInstance(parse(OPTIONS), Request)
        self.assertIsInstance(parse(response().to_bytes()), Response)
        self.assertIsInstance(parse(message("SIP sip:a SIP/2.0")), Request)

    def test_leading_empty_lines(self) -> None:
        """
        Empty lines in front are passed over (RFC 3261, 7.5).
        """
        for front in (b"\r\n", b"\r\n\r\n\r\n", b"\n\n"):
            self.assertEqual(parse(front + OPTIONS).to_bytes(), OPTIONS)

    def test_missing_blank_line(self) -> None:
        """
        Old devices leave out the blank line, or even the last line end.
        """
        for data in (OPTIONS[:-2], OPTIONS[:-4], OPTIONS[:-1]):
            self.assertEqual(parse(data).to_bytes(), OPTIONS)

    def test_nothing(self) -> None:
        """
        Nothing is no message.
        """
        for data in (b"", b"\r\n", b"\r\n\r\n", b" ", b"\0", b"\r", b" \r\n\r\n"):
            self.assertIsNone(error_response(self.refused(data)))

    def test_body(self) -> None:
        """
        The body ends where Content-Length says; the rest of the datagram is dropped
        (RFC 3261, 18.3).
        """
        made = parse(request_bytes("Content-Length: 3", body=b"abcdef"))
        self.assertEqual(made.body, b"abc")
        self.assertEqual(made.to_bytes()[-3:], b"abc")
        self.assertEqual(parse(request_bytes("l: 0", body=b"abc")).body, b"")

    def test_body_without_length(self) -> None:
        """
        Without Content-Length the body is all that follows (RFC 3261, 18.3).
        """
        self.assertEqual(parse(request_bytes(body=b"abc\r\n\r\n")).body, b"abc\r\n\r\n")

    def test_short_body(self) -> None:
        """
        A body that is too short is a 400 which can be answered; Sinologic has sent an
        INVITE that declares 232 bytes and has none.
        """
        for length, body in ((232, b""), (4, b"abc"), (2**31 - 1, b"x")):
            data = request_bytes(f"Content-Length: {length}", body=body)
            answer = error_response(self.refused(data))
            assert answer is not None
            self.assertEqual(answer[CALL_ID], request()[CALL_ID])

    def test_bad_length(self) -> None:
        """
        A length that is none, or two that differ, are a 400; the same twice is not.
        """
        for field in (
            "Content-Length: -1",
            "Content-Length: 1 1",
            "Content-Length:",
            "Content-Length: 0x1",
            "Content-Length: 2147483648",
            "l: 1\r\nContent-Length: 0",
            "l: 1\r\nl: 01",
        ):
            self.refused(request_bytes(field, body=b"x"))
        data = request_bytes("Content-Length: 1", "L : 1", body=b"x")
        self.assertEqual(parse(data).to_bytes(), data)

    def test_limits(self) -> None:
        """
        200 fields of 8 KiB and 64 KiB in all are the most: 513 beyond, with the
        request, so that it can be answered.
        """
        fields = len(OPTIONS.split(b"\r\n")) - 3
        spare = MAX_FIELDS - fields + 1
        longest = "X-Y: " + "z" * (MAX_FIELD - 5)
        parse(request_bytes(*["a:b"] * spare))
        parse(request_bytes(longest))
        parse(request_bytes("X-Y:" + "\r\n " * 100))
        for data in (
            request_bytes(*["a:b"] * (spare + 1)),
            request_bytes(longest + "z"),
            request_bytes("X-Y:" + "\r\n z" * 2500),
            request_bytes(body=b"x" * MAX_MESSAGE),
        ):
            error = self.refused(data, status=513)
            answer = error_response(error)
            assert answer is not None
            self.assertEqual(answer[CSEQ], request()[CSEQ])

    def test_largest_message(self) -> None:
        """
        A datagram of 65,535 bytes is accepted, with a length and without.
        """
        room = MAX_MESSAGE - len(request_bytes())
        data = request_bytes(body=b"x" * room)
        self.assertEqual(len(data), MAX_MESSAGE)
        self.assertEqual(len(parse(data).body), room)
        room = MAX_MESSAGE - len(request_bytes("l: 65000"))
        data = request_bytes(f"l: {room}", body=b"x" * room)
        self.assertEqual(len(data), MAX_MESSAGE)
        self.assertEqual(len(parse(data).body), room)

    def test_long_request_line(self) -> None:
        """
        A Request-URI may be as long as a field, and no longer.
        """
        uri = "sip:" + "a" * (MAX_FIELD - len("OPTIONS sip: SIP/2.0"))
        parse(message(f"OPTIONS {uri} SIP/2.0"))
        self.refused(message(f"OPTIONS {uri}a SIP/2.0"), status=513)

    @given(st.binary(max_size=80))
    def test_any_octets(self, data: bytes) -> None:
        """
        Whatever is written as body comes back.
        """
        made = request()
        made.body = data
        self.assertEqual(parse(made.to_bytes()).body, data)

    @given(st.binary(max_size=60))
    def test_octets_of_a_field(self, data: bytes) -> None:
        """
        A field keeps its octets, whatever they are.
        """
        data = data.translate(None, b"\r\n")
        whole = request_bytes("X-Y: #", "l: 0").replace(b"#", data)
        self.assertEqual(parse(whole).to_bytes(), whole)


class LineEndTests(SynchronousTestCase):
    """
    Ends of lines.
    """

    def test_bare_lf(self) -> None:
        """
        A bare LF ends a line, and two of them the header section; what is written has
        CRLF everywhere.
        """
        data = request_bytes("Subject: a", "l: 3", body=b"x\ny")
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.replace(b"\r\n", b"\n")
        for odd in (
            lines + b"\n\n" + body,
            lines + b"\n\r\n" + body,
            head + b"\n\r\n" + body,
            head + b"\r\n\n" + body,
            b"\n" + lines + b"\n\n" + body,
        ):
            self.assertEqual(parse(odd).to_bytes(), data)

    def test_cr_and_space(self) -> None:
        """
        CR and SP end a line: some user agents could not get CRLF right.
        """
        data = request_bytes("Subject: a", "l: 0")
        odd = data.replace(b"\r\nTo", b"\r To").replace(b"\r\nSubject", b"\r Subject")
        made = parse(odd)
        self.assertEqual(made.to_bytes(), data)
        self.assertEqual(made.get(SUBJECT), "a")

    def test_bare_cr(self) -> None:
        """
        Any other CR is a 400: who knows what the next server makes of it.
        """
        for line in (
            "Subject: a\rb",
            "Subject: \r\r",
            "\rSubject: a",
            "Subject: a\r\tb",
        ):
            with self.assertRaises(ParseError) as caught:
                parse(request_bytes(line))
            self.assertEqual(caught.exception.status, 400)

    def test_first_blank_line_counts(self) -> None:
        """
        The header section ends at the first blank line, whichever ends of line make it.
        """
        data = request_bytes("X-Y: z", body=b"Subject: a\r\n\r\nb")
        made = parse(data)
        self.assertNotIn(SUBJECT, made)
        self.assertEqual(made.body, b"Subject: a\r\n\r\nb")
        made = parse(data.replace(b"z\r\n\r\n", b"z\n\n"))
        self.assertNotIn(SUBJECT, made)
        self.assertEqual(made.body, b"Subject: a\r\n\r\nb")

    def test_folds(self) -> None:
        """
        A line that begins with a blank or tab belongs to the one above; also behind a
        bare LF.
        """
        for end in ("\r\n", "\n"):
            for blank in (" ", "\t", " \t "):
                made = request(f"Subject: a{end}{blank}b{end}{blank}c")
                self.assertEqual(made.get(SUBJECT), "a b c")

    def test_line_of_blanks(self) -> None:
        """
        A line of nothing but blanks is a fold, not the end of the header section.
        """
        made = request("Subject: a\r\n  \r\n b", "l: 0")
        self.assertEqual((made.get(SUBJECT) or "").split(), ["a", "b"])
        made.check()


class BareCRTests(SynchronousTestCase):
    """
    A bare CR is refused, and the refusal reaches who sent it.
    """

    def test_answer(self) -> None:
        """
        The answer copies what could be read round the bare CR.
        """
        for text in ("a\rb", "a\r\tb", "a\r"):
            data = request_bytes(f"Subject: {text}")
            with self.assertRaises(ParseError) as caught:
                parse(data)
            answer = error_response(caught.exception)
            assert answer is not None, text
            self.assertEqual(answer.status, 400)
            for name in ("Via", "From", "Call-ID", "CSeq"):
                self.assertEqual(answer.get(name), request().get(name))

    def test_version_in_other_letters(self) -> None:
        """
        A letter that is an S to Unicode only is none to SIP.
        """
        for data in ("OPTIONS sip:d \u017fIP/2.0", "\u017fIP/2.0 200 OK"):
            with self.assertRaises(ParseError):
                parse(f"{data}\r\n\r\n".encode())


class ScannerTests(SynchronousTestCase):
    """
    What the scanner promises.
    """

    @given(
        st.lists(
            st.sampled_from(
                [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"a", b"V", b"\xff", b"\0"]
            ),
            max_size=30,
        ).map(b"".join)
    )
    def test_head(self, data: bytes) -> None:
        """
        In a head every line ends with CRLF, no CR or LF stands anywhere else, and no
        line is empty.
        """
        try:
            head = scanner.read_head(scanner.split_datagram(b"start" + data)[0])
        except ParseError:
            return
        self.assertTrue(head.startswith("start"))
        self.assertTrue(head.endswith("\r\n"))
        rest = head.replace("\r\n", "")
        self.assertNotIn("\r", rest)
        self.assertNotIn("\n", rest)
        self.assertNotIn("\r\n\r\n", head)

    def test_index(self) -> None:
        """
        The index has the texts of every line by the key of its name.
        """
        head = "x\r\nv: 1\r\nVIA :2\r\n 3\r\nX-Y:\r\n"
        self.assertEqual(scanner.index_fields(head), {"via": ["1", "2 3"], "x-y": [""]})

    def test_lazy_and_whole_agree(self) -> None:
        """
        Reading one field finds what reading all of them finds.
        """
        made = request("v : a\r\n\tb ", "f:\r\n c", "X: From: d", "From : e")
        lazy = [made.all("Via"), made.all("From"), made.get("f")]
        with self.assertRaises(ParseError):
            made.check()
        self.assertEqual([made.all("Via"), made.all("From"), made.get("f")], lazy)
        for field in (VIA, FROM):
            self.assertIn(field, made)
