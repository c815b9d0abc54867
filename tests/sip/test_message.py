"""
Tests for reading with :mod:`sipsorcery.sip.message`.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    CALL_ID,
    CONTACT,
    CONTENT_LENGTH,
    CSEQ,
    EVENT,
    FROM,
    MAX_FORWARDS,
    ROUTE,
    SUPPORTED,
    TO,
    VIA,
    Field,
)
from sipsorcery.sip.parser import parse
from sipsorcery.sip.via import Via
from tests.sip.samples import message, request, request_bytes, response


class GetTests(SynchronousTestCase):
    """
    Reading fields.
    """

    def test_typed(self) -> None:
        """
        A field gives a value of its type, parsed once.
        """
        made = request()
        self.assertEqual(made.get(CSEQ), CSeq(314159, "OPTIONS"))
        self.assertIs(made.get(VIA), made.get(VIA))
        self.assertEqual(made[CALL_ID], "a84b4c76e66710@192.0.2.1")

    def test_absent(self) -> None:
        """
        What is absent is ``None``, no values, not in the message; to ask for it with
        brackets is an error that can be answered.
        """
        made = request()
        self.assertIs(made.get(ROUTE), None)
        self.assertIsNone(made.get("X-Foo"))
        self.assertEqual(made.all(ROUTE), ())
        self.assertEqual(made.all("X-Foo"), ())
        self.assertNotIn(ROUTE, made)
        self.assertNotIn("X-Foo", made)
        self.assertNotIn(7, made)
        with self.assertRaises(ParseError) as caught:
            _ = made[ROUTE]
        self.assertEqual(caught.exception.status, 400)
        self.assertIs(caught.exception.partial, made)

    def test_by_name(self) -> None:
        """
        A name, long or compact, in any case, gives the text of a line.
        """
        made = request("X-Foo:  a, b ;c", "x-foo: d", "k: a, b", "Supported:c")
        self.assertEqual(made.get("X-FOO"), "a, b ;c")
        self.assertEqual(made.all("x-Foo"), ("a, b ;c", "d"))
        self.assertEqual(made.get("Supported"), "a, b")
        self.assertEqual(made.all("K"), ("a, b", "c"))
        self.assertIn("k", made)

    def test_name_of_nothing(self) -> None:
        """
        A name that no field can have is our own mistake.
        """
        for name in ("", "a b", "a:", "a\r\n"):
            with self.assertRaises(LocalProtocolError):
                request().get(name)

    def test_first_of_many(self) -> None:
        """
        ``get`` gives the first of the first line; another, broken one, does not matter.
        """
        made = request("Route: <sip:a>, <sip:b", "Route: broken")
        self.assertRaises(ParseError, made.get, ROUTE)
        made = request("Route: <sip:a>, broken", "Route: broken")
        self.assertEqual(str(made[ROUTE]), "<sip:a>")
        self.assertRaises(ParseError, made.all, ROUTE)

    def test_all(self) -> None:
        """
        ``all`` gives the values of all lines, from the top down, whatever stands
        between them.
        """
        made = request("Route: <sip:a>,<sip:b>", "X-Y: z", "ROUTE:<sip:c>")
        self.assertEqual(
            [str(route) for route in made.all(ROUTE)], ["<sip:a>", "<sip:b>", "<sip:c>"]
        )

    def test_empty_list(self) -> None:
        """
        A list may be empty, which is not the same as absent; values may come in
        another line.
        """
        made = request("Supported:")
        self.assertIn(SUPPORTED, made)
        self.assertIs(made.get(SUPPORTED), None)
        self.assertEqual(made.all(SUPPORTED), ())
        made = request("Supported: ", "k: ,", "Supported: 100rel")
        self.assertEqual(made.get(SUPPORTED), "100rel")
        self.assertEqual(made.all(SUPPORTED), ("100rel",))

    def test_names_that_end_alike(self) -> None:
        """
        A name is found only where it is whole, and only at the front of a line.
        """
        made = request(
            "X-Route: <sip:a>",
            "Record-Route: <sip:b>",
            "Routes: <sip:c>",
            "Subject: Route: <sip:d>",
            "X-Y: z\r\n Route: <sip:e>",
            "R: <sip:f>",
        )
        self.assertNotIn(ROUTE, made)

    def test_broken_value(self) -> None:
        """
        A broken value is an error each time, which names the field and has the message;
        nothing else suffers.
        """
        made = request("Event: ;", "Max-Forwards: 70")
        for _ in range(2):
            with self.assertRaises(ParseError) as caught:
                made.get(EVENT)
            self.assertIs(caught.exception.partial, made)
            self.assertIn("Event", caught.exception.text)
        self.assertEqual(made.get(MAX_FORWARDS), 70)
        self.assertIn(EVENT, made)

    def test_folded(self) -> None:
        """
        Folds with blanks and tabs read as one space, at the front as nothing.
        """
        made = request(
            "X-A:\r\n\ta\r\n  b \r\n\t c", "Event:\r\n presence\r\n ;id=1\r\n "
        )
        self.assertEqual(made.get("X-A"), "a b c")
        self.assertEqual(str(made[EVENT]), "presence;id=1")

    def test_items(self) -> None:
        """
        Every line is there with its name as spelled, and its text.
        """
        made = parse(message("OPTIONS sip:a SIP/2.0", "V : x", "a:b\r\n c", "L:0"))
        self.assertEqual(made.items(), [("V", "x"), ("a", "b c"), ("L", "0")])

    def test_octets_beyond_utf8(self) -> None:
        """
        Octets that are no UTF-8 survive, in fields and start line.
        """
        data = (
            request_bytes()
            .replace(b"Alice", b"\xff\xfeAl\xc3\xa9")
            .replace(b"\r\nTo", b"\r\nX-Y: \x80\r\nTo")
        )
        made = parse(data + b"\0\xff")
        self.assertEqual(made[FROM].display_name, "\udcff\udcfeAl\u00e9")
        self.assertEqual(made.get("X-Y"), "\udc80")
        self.assertTrue(made.to_bytes().startswith(data[:-2]))

    def test_text(self) -> None:
        """
        A message has a start line, a head, a short description and a long one.
        """
        made = request("l: 2", body=b"\xff!")
        self.assertEqual(made.start_line, "OPTIONS sip:bob@example.net SIP/2.0")
        self.assertTrue(made.head.endswith("CSeq: 314159 OPTIONS\r\nl: 2\r\n"))
        self.assertEqual(repr(made), "<Request 'OPTIONS sip:bob@example.net SIP/2.0'>")
        self.assertTrue(str(made).endswith("\r\n\r\n\\xff!"))

    def test_equality(self) -> None:
        """
        Messages are equal if they are written alike; they change, so they have no hash.
        """
        self.assertEqual(request(), request())
        self.assertNotEqual(request(), request("X-Y: z"))
        self.assertNotEqual(request(), request_bytes())
        with self.assertRaises(TypeError):
            hash(request())


class CheckTests(SynchronousTestCase):
    """
    ``check``, which comes before an answer.
    """

    def refused(self, data: bytes, *fields: Field[Any]) -> ParseError:
        """
        Return the error of a message that can be parsed, but not checked.
        """
        made = parse(data)
        with self.assertRaises(ParseError) as caught:
            made.check(*fields)
        error: ParseError = caught.exception
        self.assertEqual(error.status, 400)
        self.assertIs(error.partial, made)
        return error

    def test_sound(self) -> None:
        """
        A sound request and a sound response pass.
        """
        request("Max-Forwards: 70").check(CONTACT)
        response().check(CONTACT)

    def test_missing(self) -> None:
        """
        Each mandatory field must be there: Via, From, To, Call-ID, CSeq. Without
        Max-Forwards clients of RFC 2543 are still served.
        """
        data = request_bytes()
        for name in (b"Via", b"From", b"To", b"Call-ID", b"CSeq"):
            lines = [
                line for line in data.split(b"\r\n") if not line.startswith(name + b":")
            ]
            error = self.refused(b"\r\n".join(lines))
            self.assertIn(name.decode(), error.text)
        parse(data.replace(b"Max-Forwards: 70\r\n", b"")).check()

    def test_broken(self) -> None:
        """
        Each must be sound, Max-Forwards and the Request-URI as well, and all Vias.
        """
        data = request_bytes()
        for old, new in (
            (b"Via: SIP/2.0/UDP", b"Via: UDP"),
            (b"From: ", b"From: <"),
            (b"To: <", b"To: "),
            (b"Call-ID: ", b"Call-ID: a b"),
            (b"CSeq: ", b"CSeq: -"),
            (b"Max-Forwards: 70", b"Max-Forwards: 256"),
            (b"sip:bob@example.net SIP", b"sip: SIP"),
            (b"sip:bob@example.net SIP", b"sip:bob@example.net?a=b SIP"),
            (b"\r\nMax", b"\r\nVia: broken\r\nMax"),
        ):
            self.assertIn(old, data)
            self.refused(data.replace(old, new, 1))

    def test_wanted_fields(self) -> None:
        """
        Those that the caller uses must be sound where they are.
        """
        data = request_bytes("Contact: <sip:a>", "Contact: <sip:b")
        parse(data).check()
        self.refused(data, CONTACT)

    def test_doubled(self) -> None:
        """
        What may not be doubled may not differ; the same twice does no harm.
        """
        for line in (
            "From: <sip:x>",
            "t: <sip:x>",
            "Event: a\r\no: b",
            "Expires: 1\r\nExpires: 2",
        ):
            self.refused(request_bytes(line))
        request("CSeq :  314159 OPTIONS", "Event: a", "o: a").check()
        request("Subject: a", "Subject: b", "Contact: <sip:a>", "m: <sip:b>").check()

    def test_method_mismatch(self) -> None:
        """
        The CSeq of a request names its method (RFC 3261, 8.1.1.5), with case.
        """
        self.refused(request_bytes().replace(b"314159 OPTIONS", b"314159 options"))

    def test_line_without_colon(self) -> None:
        """
        A line that is no field is a 400, where somebody looks.
        """
        for line in ("Foobar roobar", "Foobar", "X\0Y: z", ": z", "X Y: z"):
            self.refused(request_bytes(line))
            made = request(line)
            self.assertEqual(made[CSEQ].number, 314159)
            self.assertEqual(made.to_bytes().count(line.encode()), 1)

    def test_after_check(self) -> None:
        """
        What is read after a check is what was read before.
        """
        made = request("Route: <sip:a>,\r\n <sip:b>", "X-Y:  z ", "Supported:")
        before = [made.get("X-Y"), made.all(ROUTE), made.get(TO), made.all("supported")]
        made.check(ROUTE)
        after = [made.get("X-Y"), made.all(ROUTE), made.get(TO), made.all("supported")]
        self.assertEqual(after, before)
        made.prepend(VIA, Via("TCP", "a"))
        self.assertEqual([via.host for via in made.all(VIA)], ["a", "192.0.2.1"])


class BodyTests(SynchronousTestCase):
    """
    Bodies and Content-Length.
    """

    def test_set(self) -> None:
        """
        Setting the body sets the length, in the place and number that it has.
        """
        made = request("l: 2", "X-Y: z", "Content-Length : 2", body=b"ab")
        made.body = b"\0\r\n\r\n\xff"
        self.assertEqual(made.get(CONTENT_LENGTH), 6)
        self.assertTrue(
            made.to_bytes().endswith(
                b"\r\nContent-Length: 6\r\nX-Y: z\r\n\r\n\0\r\n\r\n\xff"
            )
        )
        self.assertEqual(parse(made.to_bytes()).body, made.body)

    def test_length_is_added(self) -> None:
        """
        A message without Content-Length leaves with one; it stays as it is itself.
        """
        made = request(body=b"abc")
        self.assertEqual(made.body, b"abc")
        self.assertTrue(made.to_bytes().endswith(b"\r\nContent-Length: 3\r\n\r\nabc"))
        self.assertNotIn(CONTENT_LENGTH, made)

    def test_length_that_was_removed(self) -> None:
        """
        So does one that lost it.
        """
        made = request("l: 3", body=b"abc")
        made.remove("content-length")
        self.assertEqual(made.to_bytes().count(b"Content-Length: 3\r\n"), 1)
