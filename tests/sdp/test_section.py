"""
Tests for :mod:`sipsorcery.sdp.section`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.connection import Connection
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import LocalProtocolError, ParseError
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.section import Section, parse_bandwidth


def section(*texts: str, end: str = "\r\n") -> Section:
    """
    Make a section of the texts of its lines.
    """
    return Section(lines=tuple(Line.parse(text, end) for text in texts))


def texts(section: Section) -> list[str]:
    """
    Give the texts of the lines of a section.
    """
    return [str(line) for line in section.lines]


class ViewTests(SynchronousTestCase):
    def test_attributes(self) -> None:
        """
        Attributes are found by their whole name, in order; a property is empty.
        """
        found = section("a=mid:0", "a=ssrc:1 a:b", "a=ssrc:2", "a=rtcp-mux", "b=mid:1")
        self.assertEqual(found.attribute("mid"), "0")
        self.assertEqual(found.attribute("rtcp-mux"), "")
        self.assertIsNone(found.attribute("rtcp"))
        self.assertIsNone(found.attribute("MID"))
        self.assertEqual(found.attribute_values("ssrc"), ("1 a:b", "2"))
        self.assertEqual(
            [str(attribute) for attribute in found.attributes],
            ["mid:0", "ssrc:1 a:b", "ssrc:2", "rtcp-mux"],
        )

    def test_values(self) -> None:
        """
        Values come without the blanks around them.
        """
        self.assertEqual(section("e= a@b ", "e=c@d", "x=1").values("e"), ("a@b", "c@d"))

    def test_information(self) -> None:
        """
        The text of i= is found, or nothing.
        """
        self.assertEqual(section("i=a title").information, "a title")
        self.assertIsNone(section("s=-").information)

    def test_bandwidth(self) -> None:
        """
        Rates are found by their type; of two the first counts.
        """
        self.assertEqual(
            section("b=AS:64", "b=TIAS:64000", "b=RS:0", "b=AS:1").bandwidth,
            {"AS": 64, "TIAS": 64000, "RS": 0},
        )

    def test_bad_bandwidth(self) -> None:
        """
        No type, no rate, or one that is no number: refused.
        """
        for text in (
            "",
            "AS",
            "AS:",
            ":64",
            "AS:x",
            "AS:-1",
            "AS:6.4",
            f"AS:{'9' * 21}",
        ):
            with self.subTest(text=text):
                self.assertRaises(ParseError, parse_bandwidth, text)

    def test_first_counts(self) -> None:
        """
        Of several connections or directions the first counts.
        """
        found = section("c=IN IP4 224.2.1.1/127", "c=IN IP4 224.2.1.2/127")
        self.assertEqual(found.own_connection, Connection("224.2.1.1", ttl=127))
        found = section("a=sendonly ", "a=recvonly")
        self.assertIs(found.own_direction, Direction.SENDONLY)

    def test_silent_section(self) -> None:
        """
        A section that says nothing has neither connection nor direction.
        """
        self.assertIsNone(section("a=sendonlyish", "a=label:sendonly").own_direction)
        self.assertIsNone(section().own_connection)


class ChangeTests(SynchronousTestCase):
    def test_replaced_in_place(self) -> None:
        """
        A new line stands where the old one stood, and takes all others of its kind.
        """
        old = section("a=mid:0", "a=sendonly", "a=rtcp-mux", "a=inactive", "x=1")
        self.assertEqual(
            texts(old.with_direction(Direction.SENDRECV)),
            ["a=mid:0", "a=sendrecv", "a=rtcp-mux", "x=1"],
        )
        self.assertEqual(
            texts(old.with_attribute("mid", "audio")),
            ["a=mid:audio", "a=sendonly", "a=rtcp-mux", "a=inactive", "x=1"],
        )

    def test_added_where_it_belongs(self) -> None:
        """
        A new line goes where the order of RFC 8866, section 9, has it.
        """
        old = section("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "t=0 0", "a=mid:0", "")
        self.assertEqual(
            texts(old.with_connection(Connection("192.0.2.1")))[2:5],
            ["s=-", "c=IN IP4 192.0.2.1", "t=0 0"],
        )
        self.assertEqual(texts(old.with_attribute("x"))[4:], ["a=mid:0", "a=x", ""])
        self.assertEqual(
            texts(old.with_values("k", "prompt"))[3:5], ["t=0 0", "k=prompt"]
        )
        self.assertEqual(texts(section("").with_values("i", "t")), ["i=t", ""])

    def test_several_values(self) -> None:
        """
        Several lines of one type replace the old ones; none at all removes them.
        """
        old = section("s=-", "b=AS:1", "t=0 0", "b=RS:0")
        self.assertEqual(
            texts(old.with_values("b", "AS:2", "TIAS:3")),
            ["s=-", "b=AS:2", "b=TIAS:3", "t=0 0"],
        )
        self.assertEqual(texts(old.with_values("b")), ["s=-", "t=0 0"])

    def test_removed(self) -> None:
        """
        Attributes go by name; where none is left to go, nothing changes.
        """
        old = section("a=group:BUNDLE 0", "a=groups:1", "a=mid:0")
        self.assertEqual(texts(old.without_attribute("group", "mid")), ["a=groups:1"])
        untouched = section("a=mid:0")
        self.assertIs(untouched.without_attribute("group"), untouched)

    def test_original_stays(self) -> None:
        """
        A section is a value: changing it makes another.
        """
        old = section("a=mid:0")
        old.with_attribute("mid", "1")
        self.assertEqual(texts(old), ["a=mid:0"])

    def test_line_end(self) -> None:
        """
        New lines end as the first line of the section does.
        """
        self.assertEqual(
            section("s=-", end="\n").with_attribute("x").lines[-1].end, "\n"
        )
        self.assertEqual(
            section("s=-", end="").with_attribute("x").lines[-1].end, "\r\n"
        )
        self.assertEqual(section().with_attribute("x").lines[-1].end, "\r\n")

    def test_what_cannot_be_written(self) -> None:
        """
        Line breaks, connections that are none and unknown types are refused.
        """
        for change in (
            lambda: section().with_attribute("x", "1\r\nm=audio 1 RTP/AVP 0"),
            lambda: section().with_attribute("x\n"),
            lambda: section().with_connection(Connection("not an address")),
            lambda: section().with_values("q", "1"),
            lambda: section().with_values("m", "audio 1 RTP/AVP 0"),
        ):
            self.assertRaises(LocalProtocolError, change)
