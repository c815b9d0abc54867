"""
Tests for :mod:`sipsorcery.sdp.usual`.

What is read on the hot path must be what the parser reads step by step.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import example, given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.errors import ParseError
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.parser import MAX_MEDIA, parse_sections
from sipsorcery.sdp.usual import parse_usual

START = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
USUAL = (
    START + b"c=IN IP4 192.0.2.1\r\nb=AS:64\r\nt=0 0\r\na=sendrecv\r\n"
    b"m=audio 4000 RTP/AVP 0 101\r\nb=TIAS:64000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=fmtp:101 0-15\r\na=ptime:20\r\n"
    b"m=video 0 RTP/AVP 96\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\na=rtcp-mux\r\n"
)
# What may stand in a body, is odd, or breaks it, put anywhere.
oddities = st.sampled_from(
    [
        *(b"", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"\xc3\xa9"),
        *(b"0", b"x", b"/", b":", b"=", b" =", b"a=", b"m=", b"65536", b"-1"),
        *(b"\r\nv=0", b"\r\no=x 2 2 IN IP4 y", b"\r\ns=x", b"\r\ni=x", b"\r\nk=x"),
        *(b"\r\nc=IN IP4 192.0.2.2", b"\r\nc=IN IP4 x/y", b"\r\nc=IN", b"\r\nt=1"),
        *(b"\r\nb=x", b"\r\nt=1 2", b"\r\na=crypto:1 x", b"\r\na=mid:1", b"\r\na"),
        *(b"\r\n a=ptime:20", b"\r\nm=audio 1 x y", b"\r\nm=audio 1", b"\r\nM=x"),
    ]
)


def spelled(
    sections: tuple[tuple[Line, ...], tuple[Media, ...]],
) -> list[tuple[str, str, str, str]]:
    """
    Give all there is to every line.
    """
    lines, media = sections
    every = [*lines]
    for one in media:
        every += (one.heading, *one.lines)
    return [(line.type, line.value, line.indent, line.end) for line in every]


class UsualTests(SynchronousTestCase):
    def assertSame(self, body: bytes) -> None:
        """
        Check that *body* is read as the parser reads it, or left to it.
        """
        usual = parse_usual(body)
        if usual is None:
            return
        slow = parse_sections(body)
        self.assertEqual(usual, slow)
        self.assertEqual(spelled(usual), spelled(slow))

    def test_usual(self) -> None:
        """
        What telephones send is usual, with and without media.
        """
        for body in (USUAL, START, START + b"m=image 0 udptl t38\r\n"):
            with self.subTest(body=body):
                self.assertIsNotNone(parse_usual(body))
                self.assertSame(body)

    @given(
        st.integers(0, len(USUAL)),
        st.integers(0, 40),
        oddities,
        st.integers(0, len(USUAL)),
        oddities,
    )
    @example(len(START), 0, b"c=IN IP4 192.0.2.2\r\n", 0, b"")
    @example(0, 0, b"", len(USUAL), b"a=ptime:20")
    def test_odd(
        self, place: int, gap: int, new: bytes, other: int, more: bytes
    ) -> None:
        """
        What is odd is read as the parser reads it, or left to it.
        """
        body = USUAL[:place] + new + USUAL[place + gap :]
        self.assertSame(body[:other] + more + body[other:])

    def test_session_of_media(self) -> None:
        """
        Each media section knows its session level.
        """
        usual = parse_usual(USUAL)
        assert usual is not None
        lines, media = usual
        self.assertTrue(all(one.session.lines is lines for one in media))

    def test_broken(self) -> None:
        """
        What the parser refuses is left to it, the second time as well.
        """
        for bad in (b"t=1\r\n", b"b=x\r\n", b"c=x\r\n", b"m=audio x y z\r\n"):
            for _ in range(2):
                with self.subTest(bad=bad):
                    self.assertIsNone(parse_usual(START + bad))
                    self.assertRaises(ParseError, parse_sections, START + bad)

    def test_limits(self) -> None:
        """
        What is long is left to the parser, and so is what has too many streams.
        """
        self.assertIsNone(parse_usual(USUAL + 200 * b"a=ptime:20\r\n"))
        self.assertIsNone(parse_usual(START + (MAX_MEDIA + 1) * b"m=a 0 b c\r\n"))
        self.assertIsNotNone(parse_usual(START + MAX_MEDIA * b"m=a 0 b c\r\n"))
