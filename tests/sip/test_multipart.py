"""
Tests for :mod:`sipsorcery.sip.multipart`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import CONTENT_DISPOSITION, CONTENT_TYPE
from sipsorcery.sip.multipart import (
    MAX_DEPTH,
    MAX_PARTS,
    Part,
    parse_multipart,
    write_multipart,
)
from sipsorcery.sip.parameterised import MediaType, Parameterised
from sipsorcery.sip.parser import parse
from tests.sip.samples import request
from tests.vectors import vectors

MIXED = MediaType.parse("multipart/mixed;boundary=b")
TEXT = MediaType.parse("text/plain")
SDP = MediaType.parse("application/sdp")


def bodies(body: bytes, content_type: MediaType = MIXED) -> list[bytes]:
    """
    Return the bodies of all parts.
    """
    return [part.body for part in parse_multipart(content_type, body)]


class ReadTests(SynchronousTestCase):
    """
    Reading multipart bodies.
    """

    def test_torture_message(self) -> None:
        """
        The binary body of RFC 4475, 3.1.1.11: a text, and a signature whose octets,
        with a bare LF among them, stay as they are.
        """
        data = (vectors() / "rfc4475" / "mpart01.dat").read_bytes()
        message = parse(data)
        text, signature = parse_multipart(message[CONTENT_TYPE], message.body)
        self.assertEqual(text.content_type, TEXT)
        self.assertEqual(text.body, b"Hello")
        self.assertEqual(text.get("Content-Transfer-Encoding"), "binary")
        self.assertEqual(str(signature.content_type), "application/octet-stream")
        start = data.index(b"0\x82\x01R")
        end = data.index(b"\r\n--7a9cbec02ceef655--")
        self.assertEqual(signature.body, data[start:end])
        self.assertEqual(len(signature.body), 342)

    def test_fields(self) -> None:
        """
        A part has header fields of its own, in any case, folded or not.
        """
        (part,) = parse_multipart(
            MIXED,
            b"--b\r\n"
            b"CONTENT-TYPE : application/sdp\r\n"
            b"Content-Disposition: session;\r\n handling=optional\r\n"
            b"Content-ID: <1@example.com>\r\n"
            b"X-Y:  z \r\n"
            b"\r\n"
            b"v=0\r\n"
            b"\r\n--b--",
        )
        self.assertEqual(part.content_type, SDP)
        self.assertEqual(
            part.disposition, Parameterised.parse("session;handling=optional")
        )
        self.assertEqual(part.content_id, "1@example.com")
        self.assertEqual(part.get("x-y"), "z")
        self.assertIs(part.get("X-Z"), None)
        self.assertEqual(part.body, b"v=0\r\n")

    def test_defaults(self) -> None:
        """
        A part without fields is text, in a digest a message (RFC 2046, 5.1).
        """
        body = b"--b\r\n\r\nHello\r\n--b--\r\n"
        (part,) = parse_multipart(MIXED, body)
        self.assertEqual((part.head, part.body), ("", b"Hello"))
        self.assertEqual(part.content_type, TEXT)
        self.assertIs(part.disposition, None)
        self.assertIs(part.content_id, None)
        (part,) = parse_multipart(MediaType.parse("multipart/digest;boundary=b"), body)
        self.assertEqual(str(part.content_type), "message/rfc822")

    def test_preamble_and_epilogue(self) -> None:
        """
        What stands before the first and behind the last boundary means nothing.
        """
        self.assertEqual(
            bodies(b"hello\r\n --b\r\n--b\r\n\r\na\r\n--b--\r\nbye\r\n--b\r\n\r\nb"),
            [b"a"],
        )

    def test_blanks_behind_the_boundary(self) -> None:
        """
        Blanks and tabs may fill the line of a boundary.
        """
        self.assertEqual(
            bodies(b"--b \t\r\n\r\na\r\n--b  \r\n\r\nb\r\n--b--\t "), [b"a", b"b"]
        )

    def test_boundary_that_goes_on(self) -> None:
        """
        A longer line that begins like the boundary is content.
        """
        self.assertEqual(
            bodies(b"--b\r\n\r\n--bb\r\n--b-\r\n--b- -\r\n --b--\n--b--\r\n--b--"),
            [b"--bb\r\n--b-\r\n--b- -\r\n --b--\n--b--"],
        )

    def test_line_ends_are_content(self) -> None:
        """
        Only the one line end in front of a boundary belongs to it.
        """
        self.assertEqual(
            bodies(
                b"--b\r\n\r\n\r\na\n\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\n\r\n\r\n--b--"
            ),
            [b"\r\na\n\r\n", b"", b"\r\n"],
        )

    def test_part_without_body(self) -> None:
        """
        A part may end with its fields, or have nothing at all.
        """
        for body in (
            b"--b\r\nX-Y: z\r\n\r\n--b--",
            b"--b\r\nX-Y: z\r\n\r\n\r\n--b--",
            b"--b\r\nX-Y: z\r\n--b--",
        ):
            (part,) = parse_multipart(MIXED, body)
            self.assertEqual((part.head, part.body), ("X-Y: z\r\n", b""))
        for body in (b"--b\r\n--b--", b"--b\r\n\r\n--b--"):
            (part,) = parse_multipart(MIXED, body)
            self.assertEqual((part.head, part.body), ("", b""))

    def test_boundaries(self) -> None:
        """
        A boundary is up to 70 characters, quoted where it must be.
        """
        for boundary in ("'()+_,-./:=?", "x" * 70, "a b", "--", "1"):
            content_type = MediaType.parse(f'multipart/mixed;Boundary="{boundary}"')
            body = f"--{boundary}\r\n\r\na\r\n--{boundary}--".encode()
            self.assertEqual(bodies(body, content_type), [b"a"])

    def test_bad_boundaries(self) -> None:
        """
        Without a boundary there is nothing to read; nor with one that is too long, ends
        with a blank or has other characters.
        """
        for parameters in (
            "",
            ";boundary",
            ';boundary=""',
            ';boundary="a "',
            ';boundary="\u00e9"',
            ';boundary="a*"',
            f";boundary={'x' * 71}",
        ):
            content_type = MediaType.parse(f"multipart/mixed{parameters}")
            with self.assertRaises(ParseError) as caught:
                parse_multipart(content_type, b"--\r\n\r\na\r\n----")
            self.assertEqual(caught.exception.status, 400)

    def test_unterminated(self) -> None:
        """
        A body without its last boundary is a 400: who knows what was cut off.
        """
        for body in (
            b"",
            b"--b",
            b"--b\r\n",
            b"--b\r\n\r\na",
            b"--b\r\n\r\na\r\n--b\r\n",
            b"--b\r\n\r\na\r\n--b",
            b"--b\r\n\r\na\r\n--b-",
            b"--b\r\n\r\na\r\n--b--x",
            b"--b\r\n\r\na--b--",
            b"--b\n\na\n--b--\n",
        ):
            with self.assertRaises(ParseError, msg=str(body)) as caught:
                bodies(body)
            self.assertEqual(caught.exception.status, 400)

    def test_no_part(self) -> None:
        """
        There is one part at least.
        """
        for body in (b"--b--", b"preamble\r\n--b--\r\n--b\r\n\r\na\r\n--b--"):
            with self.assertRaises(ParseError):
                bodies(body)

    def test_number_of_parts(self) -> None:
        """
        64 parts are read, no more.
        """
        self.assertEqual((MAX_PARTS, MAX_DEPTH), (64, 4))
        part = b"--b\r\n\r\na\r\n"
        self.assertEqual(bodies(part * MAX_PARTS + b"--b--"), [b"a"] * MAX_PARTS)
        with self.assertRaises(ParseError):
            bodies(part * (MAX_PARTS + 1) + b"--b--")

    def test_broken_fields(self) -> None:
        """
        A broken field of a part is an error to whoever reads it.
        """
        (part,) = parse_multipart(MIXED, b"--b\r\nContent-Type: text\r\n\r\na\r\n--b--")
        self.assertEqual(part.body, b"a")
        with self.assertRaises(ParseError):
            _ = part.content_type

    def test_other_types(self) -> None:
        """
        Only multipart bodies have parts.
        """
        with self.assertRaises(LocalProtocolError):
            parse_multipart(SDP, b"--b\r\n\r\na\r\n--b--")
        (part,) = parse_multipart(MIXED, b"--b\r\n\r\na\r\n--b--")
        with self.assertRaises(LocalProtocolError):
            part.parts()

    @given(
        st.lists(
            st.sampled_from(
                [
                    b"\r\n",
                    b"--b",
                    b"--",
                    b"-",
                    b"b",
                    b" ",
                    b"\n",
                    b"\r",
                    b"X: y",
                    b"\xff",
                ]
            )
        ).map(b"".join)
    )
    def test_nothing_escapes(self, body: bytes) -> None:
        """
        Whatever a body holds, it is read or refused, and what is read stands in it.
        """
        try:
            parts = parse_multipart(MIXED, body)
        except ParseError:
            return
        place = 0
        for part in parts:
            place = body.index(part.body, place)


class NestedTests(SynchronousTestCase):
    """
    Bodies within bodies.
    """

    def nest(self, depth: int) -> tuple[MediaType, bytes]:
        """
        Put a body into a body, *depth* times.
        """
        content_type, body = TEXT, b"core"
        for _ in range(depth):
            part = Part.make(body, [(CONTENT_TYPE, content_type)])
            content_type, body = write_multipart([part], "alternative")
        return content_type, body

    def test_nested(self) -> None:
        """
        Parts have parts, down to the fourth level.
        """
        (part,) = parse_multipart(*self.nest(MAX_DEPTH))
        for depth in range(1, MAX_DEPTH):
            self.assertEqual(part.depth, depth)
            self.assertEqual(part.content_type.type, "multipart")
            (part,) = part.parts()
        self.assertEqual((part.content_type, part.body), (TEXT, b"core"))
        self.assertEqual(part, Part.make(b"core", [(CONTENT_TYPE, TEXT)]))

    def test_too_deep(self) -> None:
        """
        The fifth level is not read; its body is still there.
        """
        (part,) = parse_multipart(*self.nest(MAX_DEPTH + 1))
        for _ in range(1, MAX_DEPTH):
            (part,) = part.parts()
        with self.assertRaises(ParseError):
            part.parts()
        self.assertIn(b"core", part.body)

    def test_boundaries_that_begin_alike(self) -> None:
        """
        The boundary inside may be that outside with more behind it.
        """
        (part,) = parse_multipart(
            MIXED,
            b"--b\r\nContent-Type: multipart/mixed;boundary=bb\r\n\r\n"
            b"--bb\r\n\r\nx\r\n--bb--\r\n--b--",
        )
        self.assertEqual([inner.body for inner in part.parts()], [b"x"])


parts = st.lists(
    st.builds(
        Part.make,
        st.binary(max_size=40)
        | st.lists(st.sampled_from([b"\r\n", b"--", b"-", b"a", b"\0"])).map(b"".join),
        st.lists(
            st.sampled_from(
                [
                    (CONTENT_TYPE, SDP),
                    (CONTENT_DISPOSITION, Parameterised("session")),
                    ("Content-ID", "<1@a>"),
                    ("X-Y", "\u00e9 z"),
                ]
            ),
            unique_by=lambda pair: str(pair[0]),
        ),
    ),
    min_size=1,
    max_size=5,
)


class WriteTests(SynchronousTestCase):
    """
    Writing multipart bodies.
    """

    def test_write(self) -> None:
        """
        A body of two parts goes into a message and comes back.
        """
        content_type, body = write_multipart(
            [
                Part.make(b"v=0\r\n", [(CONTENT_TYPE, SDP)]),
                Part.make(b"\0\xff", [("Content-Type", "application/isup")]),
            ]
        )
        made = request(method="INVITE")
        made.set(CONTENT_TYPE, content_type)
        made.body = body
        again = parse(made.to_bytes())
        self.assertEqual(str(again[CONTENT_TYPE])[:26], 'multipart/mixed;boundary="')
        self.assertEqual(
            bodies(again.body, again[CONTENT_TYPE]), [b"v=0\r\n", b"\0\xff"]
        )

    def test_same_octets(self) -> None:
        """
        The same parts are the same octets.
        """
        part = Part.make(b"a")
        self.assertEqual(write_multipart([part]), write_multipart([part]))
        self.assertNotEqual(write_multipart([part]), write_multipart([part, part]))

    def test_boundary_in_a_part(self) -> None:
        """
        The boundary stands in no part, not even in one that has foreseen it.
        """
        content_type, inner = write_multipart([Part.make(b"a")])
        outer_type, outer = write_multipart([Part.make(b"a"), Part.make(inner)])
        boundary = (outer_type.parameters.get("boundary") or "").strip('"').encode()
        self.assertNotIn(boundary, inner)
        self.assertEqual(bodies(outer, outer_type), [b"a", inner])
        self.assertNotEqual(content_type, outer_type)

    def test_what_cannot_be_written(self) -> None:
        """
        No part, too many, or a field that is more than a line.
        """
        for wrong in ([], [Part.make(b"")] * (MAX_PARTS + 1)):
            with self.assertRaises(LocalProtocolError):
                write_multipart(wrong)
        with self.assertRaises(LocalProtocolError):
            Part.make(b"", [("X-Y", "a\r\nX-Evil: b")])

    @given(parts)
    def test_round_trip(self, made: list[Part]) -> None:
        """
        What is written is read again, octet by octet.
        """
        self.assertEqual(list(parse_multipart(*write_multipart(made))), made)
