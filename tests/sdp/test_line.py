"""
Tests for :mod:`sipsorcery.sdp.line`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.errors import LocalProtocolError, ParseError
from sipsorcery.sdp.line import Attribute, Line, fields, number


class LineTests(SynchronousTestCase):
    def test_type_and_value(self) -> None:
        """
        A line is a letter, an equals sign and a value (RFC 8866, 5).
        """
        line = Line.parse("s=A session = one")
        self.assertEqual((line.type, line.value), ("s", "A session = one"))

    def test_empty_value(self) -> None:
        """
        The value may be empty: "s=" is what some devices send.
        """
        self.assertEqual(Line.parse("s="), Line("s", ""))

    def test_type_is_case_significant(self) -> None:
        """
        "exactly one case-significant character": V is not v, but it is kept.
        """
        self.assertEqual(Line.parse("V=0").type, "V")

    def test_stray_lines_are_kept(self) -> None:
        """
        What is no line of SDP has no type and is written as it came.
        """
        for text in ("", "mid:1", "x", "=", "9=1", "testing=123", "  stray ", "é=1"):
            with self.subTest(text=text):
                line = Line.parse(text)
                self.assertEqual(line.type, "")
                self.assertEqual(str(line), text)

    def test_indent_is_kept(self) -> None:
        """
        Blanks before the type belong to the spelling, not to the value (Bria).
        """
        line = Line.parse("  s=Bria")
        self.assertEqual((line.type, line.value), ("s", "Bria"))
        self.assertEqual(str(line), "  s=Bria")

    def test_blanks_before_equals_sign(self) -> None:
        """
        "m =" is an error: passed over, its lines would belong to another stream.
        """
        for type in "vosctm":
            for gap in (" ", "\t", "   "):
                with self.subTest(type=type, gap=gap):
                    self.assertRaises(ParseError, Line.parse, f"{type}{gap}=1")

    def test_usual_lines_are_shared(self) -> None:
        """
        Lines that come in call after call are kept once; those with secrets are not.
        """
        for text in ("v=0", "t=0 0", "a=rtpmap:0 PCMU/8000", "a=sendrecv"):
            self.assertIs(Line.parse(text), Line.parse(text))
            self.assertEqual(Line.parse(text, "\n").end, "\n")
            self.assertEqual(Line.parse(text).end, "\r\n")
        for text in ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:key", "a=ice-pwd:word"):
            self.assertIsNot(Line.parse(text), Line.parse(text))

    def test_control_characters(self) -> None:
        """
        A value is "any byte except NUL, CR, or LF" (RFC 8866, 9).
        """
        for character in "\0\r\n":
            with self.subTest(character=character):
                self.assertRaises(ParseError, Line.parse, f"s=a{character}b")

    def test_no_injection(self) -> None:
        """
        Our own code cannot write a value that ends its line early.
        """
        for value in ("a\r\nm=audio 1 RTP/AVP 0", "a\nb", "a\rb", "a\0b"):
            with self.subTest(value=value):
                self.assertRaises(LocalProtocolError, Line, "s", value)

    def test_unencodable_value(self) -> None:
        """
        Text that no UTF-8 can hold is refused when the line is made, not when sent.
        """
        self.assertRaises(LocalProtocolError, Line, "s", "\ud800")
        self.assertEqual(Line("s", "\udcff é").value, "\udcff é")

    def test_equality(self) -> None:
        """
        Lines that say the same are equal, however they end or are indented.
        """
        self.assertEqual(Line.parse(" a=mid:0", "\n"), Line("a", "mid:0"))
        self.assertNotEqual(Line("a", "mid:0"), Line("a", "mid:1"))


class AttributeTests(SynchronousTestCase):
    def test_property(self) -> None:
        """
        A property is a name alone; that is not the same as an empty value.
        """
        self.assertEqual(Attribute.parse("rtcp-mux"), Attribute("rtcp-mux", None))
        self.assertEqual(Attribute.parse("label:"), Attribute("label", ""))

    def test_value_with_colons(self) -> None:
        """
        The first colon ends the name.
        """
        self.assertEqual(
            Attribute.parse("path:msrp://192.0.2.1:1/a;tcp"),
            Attribute("path", "msrp://192.0.2.1:1/a;tcp"),
        )

    def test_blanks_are_cut(self) -> None:
        """
        Blanks round name and value are none of either.
        """
        self.assertEqual(
            Attribute.parse(" rtpmap : 8 PCMA/8000 "),
            Attribute("rtpmap", "8 PCMA/8000"),
        )

    def test_text(self) -> None:
        """
        The text of an attribute reads back as the same attribute.
        """
        for attribute in (
            Attribute("inactive"),
            Attribute("a", ""),
            Attribute("a", "b"),
        ):
            with self.subTest(attribute=attribute):
                self.assertEqual(Attribute.parse(str(attribute)), attribute)


class FieldTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """
        Any number of blanks parts two fields; nothing else does.
        """
        self.assertEqual(fields(" a  b\tc d\xa0e "), ["a", "b\tc", "d\xa0e"])
        self.assertEqual(fields("  "), [])

    def test_numbers(self) -> None:
        """
        Numbers are decimal digits up to a limit, leading zeros included.
        """
        for text, value in (("0", 0), ("65535", 65535), ("00080", 80)):
            with self.subTest(text=text):
                self.assertEqual(number(text, 65535, "port"), value)

    def test_bad_numbers(self) -> None:
        """
        Signs, blanks, other scripts' digits, what is too large or too long: refused.
        """
        for text in (
            *("", "-1", "+1", " 1", "1 ", "1_0", "0x1", "1.0", "٣", "²", "65536"),
            "0" * 21,
            "9" * 8000,
        ):
            with self.subTest(text=text[:30]):
                self.assertRaises(ParseError, number, text, 65535, "port")
