"""
Tests for :mod:`sipsorcery.sip.response` and :mod:`sipsorcery.sip.status`.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import CALL_ID, CONTENT_LENGTH
from sipsorcery.sip.parser import parse
from sipsorcery.sip.response import Response
from sipsorcery.sip.status import REASON_PHRASES, reason_phrase
from tests.sip.samples import message


class StartLineTests(SynchronousTestCase):
    """
    Status lines.
    """

    def read(self, line: str) -> Response:
        """
        Read a response with this status line.
        """
        made = parse(message(line))
        assert isinstance(made, Response)
        return made

    def test_read(self) -> None:
        """
        A status and a reason phrase, which may be anything or nothing
        (RFC 3261, 7.2; RFC 4475, 3.1.1.12 and 3.1.1.13).
        """
        for reason in ("OK", "", "Not  here ", "= 2**3 \u0442\u044c", "200 OK"):
            made = self.read(f"SIP/2.0 200 {reason}")
            self.assertEqual((made.status, made.reason), (200, reason))

    def test_no_space(self) -> None:
        """
        Some devices leave out the blank where the phrase is empty.
        """
        made = self.read("SIP/2.0 180")
        self.assertEqual((made.status, made.reason), (180, ""))
        self.assertEqual(made.start_line, "SIP/2.0 180")

    def test_version_without_case(self) -> None:
        """
        ``sip/2.0`` is the same version (RFC 3261, 7.1).
        """
        self.assertEqual(self.read("sip/2.0 200 OK").status, 200)
        self.assertEqual(self.read("Sip/2.0 200 OK").status, 200)

    def test_broken(self) -> None:
        """
        Another version, a status that is none, blanks in the wrong number: 400, and no
        message to answer.
        """
        for line in (
            "SIP/2.0",
            "SIP/2.0 ",
            "SIP/2.0 20",
            "SIP/2.0 2000",
            "SIP/2.0 099 x",
            "SIP/2.0 700 x",
            "SIP/2.0 4294967301 x",
            "SIP/2.0 -99 x",
            "SIP/2.0 2xx x",
            "SIP/2.0  200 OK",
            "SIP/2.0\t200\tOK",
            "SIP/2.0 200\tOK",
            "SIP/3.0 200 OK",
            "SIP/2.0/UDP 200 OK",
            "16394SIP/2.0 200 OK",
        ):
            with self.assertRaises(ParseError, msg=line) as caught:
                parse(message(line, "Via: SIP/2.0/UDP a"))
            self.assertEqual(caught.exception.status, 400)
            self.assertIsNone(caught.exception.partial)

    def test_classes(self) -> None:
        """
        1xx is provisional, 2xx is success.
        """
        for status, provisional, success in (
            (100, True, False),
            (199, True, False),
            (200, False, True),
            (299, False, True),
            (300, False, False),
            (699, False, False),
        ):
            made = self.read(f"SIP/2.0 {status} x")
            self.assertEqual(
                (made.is_provisional, made.is_success), (provisional, success)
            )


class MakeTests(SynchronousTestCase):
    """
    Responses of our own.
    """

    def test_make(self) -> None:
        """
        A response has the usual phrase, its fields and a length.
        """
        made = Response(486, fields=[(CALL_ID, "1"), ("Warning", '399 a "b"')])
        self.assertEqual(
            made.to_bytes(),
            b'SIP/2.0 486 Busy Here\r\nCall-ID: 1\r\nWarning: 399 a "b"\r\n'
            b"Content-Length: 0\r\n\r\n",
        )
        self.assertEqual(parse(made.to_bytes()), made)
        self.assertEqual(Response(200, "").to_bytes()[:14], b"SIP/2.0 200 \r\n")

    def test_with_body(self) -> None:
        """
        A body comes with its length.
        """
        made = Response(200, body=b"abc")
        self.assertEqual(parse(made.to_bytes()).body, b"abc")

    def test_one_length(self) -> None:
        """
        A length among the fields is put right, whoever put it there.
        """
        wrong: list[tuple[Any, Any]] = [(CONTENT_LENGTH, 9), ("l", "9")]
        for field in wrong:
            fields = [(CALL_ID, "1"), field, ("X-Y", "z")]
            made = Response(200, fields=fields, body=b"abc")
            self.assertEqual(made.all(CONTENT_LENGTH), (3,))
            self.assertEqual(parse(made.to_bytes()).body, b"abc")

    def test_what_cannot_be_sent(self) -> None:
        """
        A status that is none, or a phrase that is more than a line, is refused.
        """
        for status in (0, 99, 700, -200):
            with self.assertRaises(LocalProtocolError):
                Response(status)
        for reason in ("a\r\nX: y", "a\nX: y", "a\r"):
            with self.assertRaises(LocalProtocolError):
                Response(200, reason)


class ReasonPhraseTests(SynchronousTestCase):
    """
    Reason phrases.
    """

    def test_every_phrase_is_sound(self) -> None:
        """
        Every phrase belongs to a status and can be sent.
        """
        for status, phrase in REASON_PHRASES.items():
            self.assertEqual(Response(status).reason, phrase)
            self.assertEqual(Response.phrase(status), phrase)

    def test_unknown(self) -> None:
        """
        An unknown status has the phrase of its class.
        """
        self.assertEqual(reason_phrase(299), "OK")
        self.assertEqual(reason_phrase(499), "Client Error")
        for status in range(100, 700):
            self.assertTrue(reason_phrase(status))
