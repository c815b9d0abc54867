"""
Tests for :mod:`sipsorcery.sdp.session`.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import (
    PCMU,
    TELEPHONE_EVENT,
    Connection,
    Direction,
    Line,
    LocalProtocolError,
    Media,
    Origin,
    SessionDescription,
)
from tests.sdp.samples import ASTERISK, BRIA_INDENTED, PION, SAMPLES, UNTIDY, body
from tests.vectors import vectors

ORIGIN = Origin("-", "20518", 1, "203.0.113.1")


def written(description: SessionDescription) -> bytes:
    """
    Write a description, whatever it remembers of the body that it was read from.
    """
    return str(description).encode("utf-8", "surrogateescape")


class RoundTripTests(SynchronousTestCase):
    def test_untouched(self) -> None:
        """
        What nobody changes is sent octet for octet as it came.
        """
        for name, data in SAMPLES.items():
            with self.subTest(name=name):
                self.assertEqual(written(SessionDescription.parse(data)), data)

    def test_line_ends(self) -> None:
        """
        CRLF, bare LF and a mixture are kept; so is a missing end of the last line.
        """
        for end in (b"\n", b"\r\n"):
            data = ASTERISK.replace(b"\r\n", end)
            mixed = data.replace(end, b"\n", 3)
            for shape in (data, mixed, data.rstrip(), data + end + end):
                with self.subTest(shape=shape):
                    self.assertEqual(written(SessionDescription.parse(shape)), shape)

    def test_every_octet(self) -> None:
        """
        Every octet but NUL, CR and LF survives, in UTF-8 or not.
        """
        octets = bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
        data = ASTERISK + b"a=octets:" + octets + b"\r\n"
        self.assertEqual(written(SessionDescription.parse(data)), data)

    def test_rfc_4475(self) -> None:
        """
        Each description in RFC 4475 is read and written unchanged.
        """
        seen = 0
        for path in sorted((vectors() / "rfc4475").glob("*.dat")):
            data = path.read_bytes()
            start = data.find(b"v=0\r\no=")
            # dblreq's "m =video" stands behind the message, and is cut off with it.
            if start < 0 or path.name == "dblreq.dat":
                continue
            with self.subTest(name=path.name):
                sdp = data[start:]
                self.assertEqual(written(SessionDescription.parse(sdp)), sdp)
                seen += 1
        self.assertGreaterEqual(seen, 18)

    @given(
        st.lists(
            st.builds(
                lambda type, value, end: type + b"=" + value + end,
                st.sampled_from([b"i", b"u", b"e", b"p", b"k", b"r", b"z", b"a", b"x"]),
                st.binary(max_size=40).map(
                    lambda value: bytes(
                        octet for octet in value if octet not in b"\0\r\n"
                    )
                ),
                st.sampled_from([b"\r\n", b"\n"]),
            ),
            max_size=20,
        )
    )
    def test_any_lines(self, lines: list[bytes]) -> None:
        """
        Lines of free text survive, whatever they hold, at both levels.
        """
        data = ASTERISK + b"".join(lines)
        self.assertEqual(written(SessionDescription.parse(data)), data)
        start, media = ASTERISK.split(b"m=")
        data = start + b"".join(lines) + b"m=" + media
        self.assertEqual(written(SessionDescription.parse(data)), data)


class ValueTests(SynchronousTestCase):
    def test_remembered_body(self) -> None:
        """
        A description remembers its body; one made of it has another.
        """
        read = SessionDescription.parse(ASTERISK)
        self.assertIs(bytes(read), ASTERISK)
        changed = read.with_origin(ORIGIN)
        self.assertEqual(bytes(changed), written(changed))
        self.assertIs(bytes(changed), bytes(changed))
        self.assertNotEqual(bytes(changed), ASTERISK)

    def test_equality(self) -> None:
        """
        Two descriptions are equal if they say the same, however their lines end.
        """
        one = SessionDescription.parse(ASTERISK)
        for data in (
            ASTERISK.replace(b"\r\n", b"\n"),
            ASTERISK.replace(b"m=audio ", b" m=audio  "),
            ASTERISK.rstrip(),
        ):
            with self.subTest(data=data):
                self.assertEqual(SessionDescription.parse(data), one)
        other = SessionDescription.parse(ASTERISK.replace(b"ptime:20", b"ptime:30"))
        self.assertNotEqual(other, one)

    def test_frozen(self) -> None:
        """
        Nothing in a description can be changed behind the back of who holds it.
        """
        sdp = SessionDescription.parse(ASTERISK)
        for value, name in (
            (sdp, "lines"),
            (sdp.lines[0], "value"),
            (sdp.media[0], "port"),
            (sdp.media[0].codecs[0], "name"),
            (sdp.origin, "version"),
            (sdp.own_connection, "address"),
        ):
            with self.subTest(name=name):
                self.assertRaises(FrozenInstanceError, setattr, value, name, None)

    def test_views(self) -> None:
        """
        The session level tells its origin, name, connection and bandwidth.
        """
        sdp = SessionDescription.parse(SAMPLES["BRIA_STRAY"])
        self.assertEqual(sdp.origin, Origin("-", "13064410000000000", 3, "192.0.2.33"))
        self.assertEqual(sdp.name, "Bria 4 release 4.0.0 stamp 70000")
        self.assertEqual(sdp.own_connection, Connection("192.0.2.33"))
        self.assertEqual(sdp.bandwidth, {"AS": 2064})
        self.assertEqual(
            [media.type for media in sdp.media], ["audio", "video", "text"]
        )

    def test_first_of_a_type(self) -> None:
        """
        The first live stream of a type is found, or the first dead one, or none.
        """
        head = ASTERISK.split(b"m=")[0]
        sdp = SessionDescription.parse(
            head
            + b"m=audio 0 RTP/AVP 8\r\n"
            + b"m=audio 4000 RTP/AVP 0\r\n"
            + b"m=video 0 RTP/AVP 31\r\n"
        )
        self.assertIs(sdp.audio, sdp.media[1])
        self.assertIs(sdp.video, sdp.media[2])
        self.assertIsNone(sdp.first("image"))

    def test_media_know_their_session(self) -> None:
        """
        A section that is put into a description falls back on that description.
        """
        held = SessionDescription.parse(ASTERISK).with_direction(Direction.INACTIVE)
        audio = Media("audio", 4000).with_codecs([PCMU])
        self.assertIs(audio.direction, Direction.SENDRECV)
        moved = replace(held, media=(audio,))
        self.assertIs(moved.media[0].direction, Direction.INACTIVE)
        self.assertEqual(moved.media[0].address, ("192.0.2.10", 4000))
        changed = moved.with_connection(Connection("192.0.2.99"))
        self.assertEqual(changed.media[0].address, ("192.0.2.99", 4000))


class ChangeTests(SynchronousTestCase):
    def test_create(self) -> None:
        """
        A description of our own has the five lines that each has, then its media.
        """
        audio = Media("audio", 4000).with_codecs([PCMU, TELEPHONE_EVENT])
        sdp = SessionDescription.create(ORIGIN, Connection("203.0.113.1"), [audio])
        expected = body("""
v=0
o=- 20518 1 IN IP4 203.0.113.1
s=-
c=IN IP4 203.0.113.1
t=0 0
m=audio 4000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
""")
        self.assertEqual(bytes(sdp), expected)
        self.assertEqual(SessionDescription.parse(expected), sdp)

    def test_create_with_what_cannot_be_written(self) -> None:
        """
        A name, origin or address that would break the description is refused.
        """
        good = (ORIGIN, Connection("203.0.113.1"))
        for arguments in (
            (*good, (), "a\r\nm=audio 1 RTP/AVP 0"),
            (Origin("", "1", 1, "203.0.113.1"), good[1]),
            (ORIGIN, Connection("nowhere at all")),
        ):
            with self.subTest(arguments=arguments):
                self.assertRaises(
                    LocalProtocolError, SessionDescription.create, *arguments
                )

    def test_other_lines_stay(self) -> None:
        """
        A change touches its own line only, down to the blanks of the others.
        """
        sdp = SessionDescription.parse(UNTIDY).with_origin(ORIGIN)
        before, after = UNTIDY.split(b"\n"), bytes(sdp).split(b"\n")
        self.assertEqual(after[1], b"o=- 20518 1 IN IP4 203.0.113.1\r")
        self.assertEqual(before[:1] + before[2:], after[:1] + after[2:])

    def test_changed_media(self) -> None:
        """
        A changed port rewrites the m= line and no other.
        """
        sdp = SessionDescription.parse(ASTERISK)
        changed = replace(sdp, media=(replace(sdp.media[0], port=0),))
        self.assertEqual(
            bytes(changed), ASTERISK.replace(b"m=audio 14002", b"m=audio 0")
        )

    def test_new_lines_end_like_the_others(self) -> None:
        """
        In a description with bare line feeds new lines have them, too.
        """
        sdp = SessionDescription.parse(PION).with_origin(ORIGIN)
        sdp = replace(sdp, media=(replace(sdp.media[0].with_attribute("x"), port=0),))
        self.assertNotIn(b"\r", bytes(sdp))
        self.assertTrue(bytes(sdp).endswith(b"a=x\n"))

    def test_line_after_unended_line(self) -> None:
        """
        Where something follows a last line without end, that line gets one.
        """
        sdp = SessionDescription.parse(BRIA_INDENTED)
        sdp = replace(sdp, media=(*sdp.media, Media("image", 0, "udptl", ("t38",))))
        self.assertTrue(
            bytes(sdp).endswith(b" a=sendonly\r\nm=image 0 udptl t38\r\n"), bytes(sdp)
        )
        sdp = SessionDescription.parse(PION.rstrip())
        sdp = replace(sdp, media=(*sdp.media, Media("image", 0, "udptl", ("t38",))))
        self.assertIn(b"1024\nm=image", bytes(sdp))

    def test_no_origin(self) -> None:
        """
        Asking a description made by hand for an origin that it has not is our fault.
        """
        bare = SessionDescription(lines=(Line("v", "0"),))
        self.assertRaises(LocalProtocolError, lambda: bare.origin)
        self.assertEqual(bytes(SessionDescription()), b"")
