"""
Hostile session descriptions: mutations of good ones, line by line and at random.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import NotAcceptable, ParseError, SessionDescription
from tests import LONG
from tests.sdp.hostile import read_everything
from tests.sdp.samples import SAMPLES, body

# A description with every type of line and every attribute that is understood.
EVERY_LINE = body("""
v=0
o=jdoe 3724394400 3724394405 IN IP4 10.0.0.1
s=Call to John Smith
i=SDP Offer #1
u=http://www.example.com/home.html
e=Jane Doe <jane@example.com>
p=+1 617 555-0111
c=IN IP4 10.0.0.1
b=AS:128
t=0 0
r=604800 3600 0 90000
z=2882844526 -1h 2898848070 0
k=prompt
a=sendonly
a=ice-ufrag:8hhY
m=audio 49170/2 RTP/AVP 0 96 101
i=speech
c=IN IP4 224.2.1.1/127/3
b=TIAS:64000
k=prompt
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1;stereo=0
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp-fb:96 nack
a=ptime:20
a=rtcp:49175 IN IP6 fd00::1
a=mid:0
a=recvonly
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA
m=image 4004 udptl t38
c=IN IP6 fd00::2
a=T38FaxVersion:0
""")

# What to put in place of a part of a line, or between two of them.
EDGES = (
    *(b"", b" ", b"  ", b"\t", b"\0", b"\r", b"\n", b"\r\n", b"\r\r\n", b"=", b":"),
    *(b"/", b"/0", b"/255/1", b"-1", b"0", b"65535", b"65536", b"9" * 19, b"9" * 21),
    *(b"9" * 5000, b"0x10", b"1e9", b"+1", b"1_0", b"\xd9\xa3", b"\xff\xfe", b"*"),
    *(b"\xc2\xa0", b"\xe2\x80\xa8", b"\x1c", b"\x85", b"%s%n", b"{0}", b"nan", b"inf"),
    *(b"::", b"::1", b"[::1]", b"fe80::1%eth0", b"0.0.0.0", b"1.2.3", b"IP6", b"in"),
    *(b"m=", b"m=audio 1 RTP/AVP 0", b"v=0", b"a=sendrecv", b";" * 3000, b"a" * 9000),
)


class LineTests(SynchronousTestCase):
    """
    Each line of a description with every type of line, spoilt in every way.
    """

    def survive(self, data: bytes) -> None:
        """
        Do all to a body that a server does; nothing but our own errors may come.
        """
        try:
            SessionDescription.parse(data)
        except ParseError as error:
            self.assertIn(error.status, (400, 488))
            self.assertLess(len(str(error)), 200)
            if error.line is not None:
                self.assertIn(error.line, range(1, data.count(b"\n") + 2))
            return
        # What can be read can also be changed, written and answered.
        try:
            read_everything(data)
        except NotAcceptable as error:
            self.assertEqual(error.status, 488)
            self.assertLess(len(str(error)), 200)

    def test_every_line_spoilt(self) -> None:
        """
        An edge value in place of any part of any line does no harm.

        The short run tries each line with every third of them.
        """
        lines = EVERY_LINE.split(b"\r\n")
        for place, line in enumerate(lines):
            parts = line.replace(b"=", b" ").replace(b":", b" ").split(b" ")
            for part in dict.fromkeys(parts):
                for edge in EDGES if LONG else EDGES[place % 3 :: 3]:
                    spoilt = [*lines]
                    spoilt[place] = line.replace(part, edge, 1) if part else edge + line
                    with self.subTest(line=line, part=part, edge=edge[:20]):
                        self.survive(b"\r\n".join(spoilt))

    def test_every_line_cut_or_moved(self) -> None:
        """
        A line that is cut short, left out, doubled or moved does no harm.
        """
        lines = EVERY_LINE.split(b"\r\n")
        for place, line in enumerate(lines):
            before, after = lines[:place], lines[place + 1 :]
            for variant in (
                *([*before, line[:length], *after] for length in range(len(line))),
                [*before, *after],
                [*before, line, line, *after],
                [*before, *after, line],
                [line, *before, *after],
                [*before, line],
            ):
                with self.subTest(line=line, variant=variant):
                    self.survive(b"\r\n".join(variant))

    def test_every_type_of_line(self) -> None:
        """
        The tests above leave out no type of line that there is.
        """
        types = {line[:1].decode() for line in EVERY_LINE.split(b"\r\n") if line}
        self.assertEqual(types, set("vosiuepcbtrzkam"))

    @given(
        st.sampled_from(sorted(SAMPLES.values())),
        st.lists(
            st.tuples(
                st.floats(0, 1),
                st.integers(0, 12),
                st.sampled_from(EDGES) | st.binary(),
            ),
            max_size=4,
        ),
    )
    def test_random_damage(
        self, data: bytes, damages: list[tuple[float, int, bytes]]
    ) -> None:
        """
        Octets replaced, inserted or removed anywhere do no harm.
        """
        for where, length, piece in damages:
            start = int(where * len(data))
            data = data[:start] + piece + data[start + length :]
        self.survive(data)

    @given(
        st.lists(
            st.sampled_from(
                [
                    line
                    for data in (EVERY_LINE, *SAMPLES.values())
                    for line in data.split(b"\n")
                ]
            )
        )
    )
    def test_random_lines(self, lines: list[bytes]) -> None:
        """
        Good lines in any number and order do no harm.
        """
        self.survive(b"\n".join([b"v=0", *lines]))

    @given(st.binary())
    def test_noise(self, data: bytes) -> None:
        """
        What is no description at all does no harm.
        """
        self.survive(data)
        self.survive(EVERY_LINE + data)
