"""
Tests for :mod:`sipsorcery.sdp.media`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.codec import PCMA, PCMU, TELEPHONE_EVENT, Codec
from sipsorcery.sdp.connection import RTCP, Connection
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import LocalProtocolError, ParseError
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.media import MAX_FORMATS, Media
from sipsorcery.sdp.section import Section


def media(heading: str, *texts: str, session: tuple[str, ...] = ()) -> Media:
    """
    Make a media section of the texts of its lines, the first without its ``m=``.
    """
    section = Media.parse(Line("m", heading), map(Line.parse, texts))
    level = Section(lines=tuple(map(Line.parse, session)))
    return replace(section, session=level)


def texts(section: Media) -> list[str]:
    """
    Give the texts of the lines of a section, the ``m=`` line first.
    """
    return [str(line) for line in (section.heading, *section.lines)]


class HeadingTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """
        Media, port, count, protocol and formats (RFC 8866, 5.14).
        """
        for heading, expected in (
            (
                "audio 49170 RTP/AVP 0 8 97",
                Media("audio", 49170, "RTP/AVP", ("0", "8", "97")),
            ),
            (
                "video 49170/2 RTP/AVP 31",
                Media("video", 49170, "RTP/AVP", ("31",), count=2),
            ),
            ("image 50594 udptl t38", Media("image", 50594, "udptl", ("t38",))),
            ("message 7654 TCP/MSRP *", Media("message", 7654, "TCP/MSRP", ("*",))),
            ("application 9 udp MCPTT", Media("application", 9, "udp", ("MCPTT",))),
            ("audio 0 RTP/AVP 0", Media("audio", 0, "RTP/AVP", ("0",))),
        ):
            with self.subTest(heading=heading):
                self.assertEqual(media(heading), expected)
                self.assertEqual(str(expected.heading), f"m={heading}")

    def test_no_formats_in_refused_stream(self) -> None:
        """
        Microsoft Edge refuses a stream without naming a format.
        """
        self.assertEqual(media("video 0 UDP/TLS/RTP/SAVPF").formats, ())

    def test_bad(self) -> None:
        """
        Too short, no port, one that is too large, none at all: refused with 400.
        """
        for heading in (
            *("", "audio", "audio 1", "audio 1 RTP/AVP", "audio RTP/AVP 0 8"),
            *("audio -1 RTP/AVP 0", "audio 65536 RTP/AVP 0", "audio 1/ RTP/AVP 0"),
            *("audio 1/0 RTP/AVP 0", "audio 1/2/3 RTP/AVP 0", "audio /2 RTP/AVP 0"),
            *("audio 1/65536 RTP/AVP 0", "audio 0x1 RTP/AVP 0", "audio ٣ RTP/AVP 0"),
            "audio " + "9" * 8000 + " RTP/AVP 0",
            " " * 8000,
        ):
            with self.subTest(heading=heading[:40]):
                error = self.assertRaises(ParseError, media, heading)
                self.assertEqual(error.status, 400)

    def test_too_many_formats(self) -> None:
        """
        More formats than RTP has payload types are too many: 488.
        """
        formats = " ".join(map(str, range(MAX_FORMATS)))
        self.assertEqual(len(media(f"audio 1 RTP/AVP {formats}").formats), MAX_FORMATS)
        error = self.assertRaises(ParseError, media, f"audio 1 RTP/AVP {formats} x")
        self.assertEqual(error.status, 488)

    def test_spelling_is_kept(self) -> None:
        """
        The line is sent as it came while the fields still say the same.
        """
        spaced = media("audio  4000 RTP/AVP 0 8 ")
        self.assertEqual(str(spaced.heading), "m=audio  4000 RTP/AVP 0 8 ")
        self.assertEqual(
            str(replace(spaced, port=4002).heading), "m=audio 4002 RTP/AVP 0 8"
        )
        self.assertEqual(spaced, media("audio 4000 RTP/AVP 0 8"))

    def test_line_end_is_kept(self) -> None:
        """
        A changed line ends as the one that came.
        """
        bare = Media.parse(Line.parse("m=audio 4000 RTP/AVP 0", "\n"))
        self.assertEqual(replace(bare, port=0).heading.end, "\n")
        self.assertEqual(bare.with_attribute("x").lines[-1].end, "\n")

    def test_what_cannot_be_written(self) -> None:
        """
        Fields that would read back as something else, or not at all, are refused.
        """
        for broken in (
            Media("audio", 4000),  # no format
            Media("audio", 65536, "RTP/AVP", ("0",)),
            Media("audio", -1, "RTP/AVP", ("0",)),
            Media("audio", 4000, "RTP/AVP", ("0",), count=0),
            Media("audio video", 4000, "RTP/AVP", ("0",)),
            Media("audio", 4000, "RTP/AVP", ("0 8",)),
            Media("audio", 4000, "RTP/AVP", ("0\r\na=x",)),
            Media("", 4000, "RTP/AVP", ("0",)),
        ):
            with self.subTest(broken=broken):
                self.assertRaises(LocalProtocolError, lambda m=broken: m.heading)


class CodecTests(SynchronousTestCase):
    def test_order_of_formats(self) -> None:
        """
        Codecs come in the order of the m= line, whatever that of the attributes.
        """
        section = media(
            "audio 4000 RTP/AVP 8 0 101",
            *("a=rtpmap:101 telephone-event/8000", "a=rtpmap:0 PCMU/8000"),
        )
        self.assertEqual([codec.payload_type for codec in section.codecs], [8, 0, 101])

    def test_fmtp_before_rtpmap(self) -> None:
        """
        An fmtp belongs to its rtpmap also where it stands first (Firefox).
        """
        section = media(
            "video 4000 RTP/AVP 96",
            *("a=fmtp:96 max-fs=12288;max-fr=60", "a=rtpmap:96 VP8/90000"),
        )
        self.assertEqual(
            section.codecs, (Codec(96, "VP8", 90000, fmtp="max-fs=12288;max-fr=60"),)
        )

    def test_static_codecs(self) -> None:
        """
        Static payload types need no rtpmap, and one that they have counts.
        """
        self.assertEqual(media("audio 1 RTP/AVP 0 8").codecs, (PCMU, PCMA))
        self.assertEqual(
            media("audio 1 RTP/AVP 0", "a=rtpmap:0 X-ODD/16000").codecs,
            (Codec(0, "X-ODD", 16000),),
        )
        self.assertEqual(
            media("audio 1 RTP/AVP 18", "a=fmtp:18 annexb=no").codecs,
            (Codec(18, "G729", 8000, fmtp="annexb=no"),),
        )

    def test_two_rtpmaps(self) -> None:
        """
        Of two rtpmap for one payload type the first counts (Netgear).
        """
        section = media(
            "audio 1 RTP/AVP 101",
            *("a=rtpmap:101 telephone-event/8000", "a=rtpmap:101 X-NSE/8000"),
        )
        self.assertEqual([codec.name for codec in section.codecs], ["telephone-event"])

    def test_malformed_attributes_are_ignored(self) -> None:
        """
        An attribute that cannot be understood is as good as absent (RFC 8866, 5.13).
        """
        section = media(
            "audio 1 RTP/AVP 0 97 98 99",
            *("a=rtpmap:xyz nonsense/1", "a=rtpmap:97 iLBC", "a=rtpmap:999 a/1"),
            *("a=rtpmap", "a=rtpmap:", "a=fmtp", "a=fmtp:98", "a=rtpmap:98 A/8000"),
            *("a=ptime:soon", "a=rtcp:here"),
        )
        self.assertEqual(section.codecs, (PCMU, Codec(98, "A", 8000, fmtp="")))
        self.assertIsNone(section.ptime)
        self.assertIsNone(section.rtcp)

    def test_formats_that_are_no_payload_types(self) -> None:
        """
        Formats beyond 127 or without a number are no codecs; a doubled one is one.
        """
        section = media("audio 1 RTP/AVP 0 0 128 8888 x ٣ 0")
        self.assertEqual(section.codecs, (PCMU,))

    def test_other_protocols_have_no_codecs(self) -> None:
        """
        Only RTP has payload types; others have formats, some with parameters.
        """
        section = media("application 9 udp MCPTT", "a=fmtp:MCPTT mc_queueing;mc_x=4")
        self.assertEqual(section.codecs, ())
        self.assertEqual(section.fmtp("MCPTT"), "mc_queueing;mc_x=4")
        self.assertIsNone(section.fmtp("other"))

    def test_every_kind_of_rtp(self) -> None:
        """
        RTP is known by its name in all profiles.
        """
        for proto, expected in (
            ("RTP/AVP", True),
            ("RTP/SAVPF", True),
            ("UDP/TLS/RTP/SAVPF", True),
            ("TCP/RTP/AVP", True),
            ("udptl", False),
            ("TCP/MSRP", False),
            ("UDP/DTLS/SCTP", False),
        ):
            with self.subTest(proto=proto):
                self.assertIs(media(f"audio 1 {proto} 0").is_rtp, expected)

    def test_with_codecs(self) -> None:
        """
        Other codecs replace formats, rtpmap and fmtp, and leave the other lines.
        """
        section = media(
            "audio 4000 RTP/AVP 0 96",
            *("c=IN IP4 192.0.2.1", "a=rtpmap:0 PCMU/8000", "a=ptime:20"),
            *("a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1"),
            *("a=rtcp-fb:96 nack", "a=rtcp-fb:* ccm fir", "a=rtcp-fb:0 nack"),
        ).with_codecs([PCMU, TELEPHONE_EVENT])
        self.assertEqual(
            texts(section),
            [
                "m=audio 4000 RTP/AVP 0 101",
                "c=IN IP4 192.0.2.1",
                "a=rtpmap:0 PCMU/8000",
                "a=rtpmap:101 telephone-event/8000",
                "a=fmtp:101 0-15",
                "a=ptime:20",
                "a=rtcp-fb:* ccm fir",
                "a=rtcp-fb:0 nack",
            ],
        )
        self.assertEqual(section.codecs, (PCMU, TELEPHONE_EVENT))


class FallbackTests(SynchronousTestCase):
    def test_direction(self) -> None:
        """
        A section has its own direction, else the session's, else sendrecv.
        """
        for own, session, expected in (
            ((), (), Direction.SENDRECV),
            ((), ("a=recvonly",), Direction.RECVONLY),
            (("a=sendonly",), ("a=recvonly",), Direction.SENDONLY),
            (("a=inactive",), (), Direction.INACTIVE),
        ):
            with self.subTest(own=own, session=session):
                section = media("audio 1 RTP/AVP 0", *own, session=session)
                self.assertIs(section.direction, expected)

    def test_connection(self) -> None:
        """
        A section has its own connection, else the session's, else none.
        """
        four, six = "c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1"
        for own, session, expected in (
            ((), (), None),
            ((), (four,), Connection("192.0.2.1")),
            ((six,), (four,), Connection("2001:db8::1")),
        ):
            with self.subTest(own=own, session=session):
                section = media("audio 1 RTP/AVP 0", *own, session=session)
                self.assertEqual(section.connection, expected)

    def test_address(self) -> None:
        """
        The place to send to is host and port, if there is one.
        """
        for heading, connection, expected in (
            ("audio 4000 RTP/AVP 0", "c=IN IP4 192.0.2.1", ("192.0.2.1", 4000)),
            ("audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1", ("2001:db8::1", 4000)),
            ("audio 0 RTP/AVP 0", "c=IN IP4 192.0.2.1", None),
            ("audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", None),
            ("audio 4000 RTP/AVP 0", "i=none", None),
        ):
            with self.subTest(heading=heading, connection=connection):
                self.assertEqual(media(heading, connection).address, expected)

    def test_hold(self) -> None:
        """
        A stream is on hold by its direction or by the address 0.0.0.0.
        """
        for lines, expected in (
            (("c=IN IP4 192.0.2.1",), False),
            (("c=IN IP4 192.0.2.1", "a=recvonly"), False),
            (("c=IN IP4 192.0.2.1", "a=sendonly"), True),
            (("c=IN IP4 192.0.2.1", "a=inactive"), True),
            (("c=IN IP4 0.0.0.0",), True),
            (("c=IN IP6 ::", "a=sendrecv"), True),
            ((), False),
        ):
            with self.subTest(lines=lines):
                self.assertIs(media("audio 9 RTP/AVP 0", *lines).is_held, expected)

    def test_unspecified_address_with_ice(self) -> None:
        """
        With ICE 0.0.0.0 only means that there is no candidate yet (Chrome).
        """
        nowhere, ufrag = "c=IN IP4 0.0.0.0", "a=ice-ufrag:8hhY"
        heading = "audio 9 UDP/TLS/RTP/SAVPF 0"
        self.assertFalse(media(heading, nowhere, ufrag).is_held)
        self.assertFalse(media(heading, nowhere, session=(ufrag,)).is_held)
        self.assertTrue(media(heading, nowhere, ufrag, "a=inactive").is_held)


class AttributeTests(SynchronousTestCase):
    def test_ptime(self) -> None:
        """
        The packet time is a number of milliseconds, with or without fraction.
        """
        for text, expected in (
            *(("20", 20.0), ("2.5", 2.5), ("20 ", 20.0)),
            *(("0", None), ("", None), ("nan", None), ("1e3", None), ("-20", None)),
            ("9" * 400, None),
        ):
            with self.subTest(text=text[:20]):
                section = media("audio 1 RTP/AVP 0", f"a=ptime:{text}")
                self.assertEqual(section.ptime, expected)

    def test_mid_and_rtcp(self) -> None:
        """
        The name of the stream and the port of its RTCP are found.
        """
        section = media(
            "audio 1 RTP/AVP 0", "a=mid:audio0", "a=rtcp:53020 IN IP4 192.0.2.1"
        )
        self.assertEqual(section.mid, "audio0")
        self.assertEqual(section.rtcp, RTCP(53020, Connection("192.0.2.1")))
        self.assertIsNone(media("audio 1 RTP/AVP 0").mid)
