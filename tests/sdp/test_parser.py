"""
Tests for :mod:`sipsorcery.sdp.parser`: what is refused, where and with what status.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.errors import ParseError
from sipsorcery.sdp.media import MAX_FORMATS
from sipsorcery.sdp.parser import (
    MAX_ATTRIBUTES,
    MAX_BODY,
    MAX_LINE,
    MAX_LINES,
    MAX_MEDIA,
    parse_sections,
)
from tests.sdp.samples import ASTERISK, body

START = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
AUDIO = b"m=audio 4000 RTP/AVP 0\r\n"


class ParserTests(SynchronousTestCase):
    def assertRefused(self, data: bytes, status: int, line: int | None) -> None:
        """
        Check that *data* is refused with this status, at this line.
        """
        error = self.assertRaises(ParseError, parse_sections, data)
        self.assertEqual((error.status, error.line), (status, line))

    def test_sections(self) -> None:
        """
        Lines up to the first m= are the session's, each m= begins a section.
        """
        session, media = parse_sections(START + AUDIO + b"a=x\r\n" + AUDIO)
        self.assertEqual("".join(line.type for line in session), "vosct")
        self.assertEqual([len(section.lines) for section in media], [1, 0])

    def test_mandatory_lines(self) -> None:
        """
        A description begins with v= and has an o=.
        """
        self.assertRefused(b"", 400, None)
        self.assertRefused(b"\r\n" + START, 400, 1)
        self.assertRefused(b"s=-\r\n" + START, 400, 1)
        self.assertRefused(b"v=0\r\ns=-\r\nt=0 0\r\n", 400, None)
        self.assertRefused(b"v=0", 400, None)

    def test_version(self) -> None:
        """
        Another version of SDP may be sound, but is none that we know: 488.
        """
        for version, status in ((b"1", 488), (b"00", 488), (b"x", 400), (b"", 400)):
            with self.subTest(version=version):
                self.assertRefused(START.replace(b"v=0", b"v=" + version), status, 1)

    def test_lines_that_come_once(self) -> None:
        """
        Two of v=, o=, s= or c= at session level leave open which counts: 400.
        """
        for line in START.splitlines()[:4]:
            with self.subTest(line=line):
                self.assertRefused(START + line + b"\r\n", 400, 6)

    def test_two_descriptions_in_one(self) -> None:
        """
        A media section has no v=, o= or s=: there a second description would begin.
        """
        for line in START.splitlines()[:3]:
            with self.subTest(line=line):
                self.assertRefused(START + AUDIO + line + b"\r\n", 400, 7)

    def test_several_groups(self) -> None:
        """
        A media section may have several c= lines, one for each group (RFC 8866, 5.7).
        """
        groups = b"c=IN IP4 224.2.1.1/127\r\nc=IN IP4 224.2.1.2/127\r\n"
        _, (media,) = parse_sections(START + AUDIO + groups)
        self.assertEqual(len(media.values("c")), 2)

    def test_malformed_lines(self) -> None:
        """
        A malformed v=, o=, c=, b=, t= or m= line is an error that names its line.
        """
        good = ASTERISK.decode().splitlines()
        for place, bad in (
            *((2, "o="), (2, "o=- 1 1 IN IP4"), (2, "o=- one 1 IN IP4 192.0.2.1")),
            *((4, "c="), (4, "c=IN IP4 ::1"), (4, "c=IN IP4 1.2.3.4/999")),
            *((5, "t="), (5, "t=0"), (5, "t=0 0 0"), (5, "t=0 -1"), (5, "t=now later")),
            *((5, "b=AS"), (5, "b=AS:much"), (3, "s =session"), (1, "v =0")),
            *((6, "m="), (6, "m=audio"), (6, "m=audio x RTP/AVP 0"), (6, "m =audio")),
            *((12, "c=IN IP4"), (12, "b=:1"), (12, "a=\0"), (12, "a=x\ry")),
        ):
            with self.subTest(bad=bad):
                lines = [*good]
                lines[place - 1] = bad
                self.assertRefused("\r\n".join(lines).encode(), 400, place)

    def test_bare_carriage_return(self) -> None:
        """
        A CR without LF ends no line, at the end of the body neither.
        """
        self.assertRefused(START + b"a=x\r", 400, 6)
        self.assertRefused(START + b"a=x\r\r\n", 400, 6)

    def test_order_of_lines(self) -> None:
        """
        Within a section any order is read: devices put c=, b= and i= last.
        """
        data = body(
            "v=0\nt=0 0\na=x\nc=IN IP4 192.0.2.1\nb=AS:1\no=- 1 1 IN IP4 192.0.2.1\ns=-"
        )
        session, _ = parse_sections(data)
        self.assertEqual("".join(line.type for line in session), "vtacbos")


class LimitTests(SynchronousTestCase):
    def assertLimit(self, within: bytes, beyond: bytes) -> None:
        """
        Check that *within* is read and *beyond* refused as too much: 488.
        """
        parse_sections(within)
        error = self.assertRaises(ParseError, parse_sections, beyond)
        self.assertEqual(error.status, 488)

    def test_figures(self) -> None:
        """
        The limits are those that the documentation names.
        """
        self.assertEqual(
            (MAX_BODY, MAX_LINES, MAX_LINE, MAX_MEDIA, MAX_ATTRIBUTES, MAX_FORMATS),
            (65536, 2048, 8192, 64, 512, 128),
        )

    def test_body(self) -> None:
        """
        A body may have 64 KiB.
        """
        lines = b"i=" + b"x" * 6000 + b"\r\n"
        full = START + lines * 10
        full += b"i=" + b"x" * (MAX_BODY - len(full) - 4) + b"\r\n"
        self.assertEqual(len(full), MAX_BODY)
        self.assertLimit(full, full + b"\n")

    def test_lines(self) -> None:
        """
        The number of lines is limited, whatever is in them.
        """
        spare = MAX_LINES - START.count(b"\n")
        for line in (b"i=\r\n", b"\r\n", b"stray\n"):
            with self.subTest(line=line):
                self.assertLimit(START + line * spare, START + line * (spare + 1))

    def test_line(self) -> None:
        """
        The length of a line is limited.
        """
        self.assertLimit(
            START + b"i=" + b"x" * (MAX_LINE - 2), START + b"i=" + b"x" * (MAX_LINE - 1)
        )

    def test_media(self) -> None:
        """
        The number of media sections is limited.
        """
        self.assertLimit(START + AUDIO * MAX_MEDIA, START + AUDIO * (MAX_MEDIA + 1))

    def test_attributes(self) -> None:
        """
        The number of attributes is limited, in each section anew.
        """
        most = b"a=x\r\n" * MAX_ATTRIBUTES
        self.assertLimit(START + most, START + most + b"a=x\r\n")
        self.assertLimit(
            START + most + AUDIO + most, START + most + AUDIO + most + b"a=x\r\n"
        )
