"""
Tests for :mod:`sipsorcery.sdp.codec`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.codec import G722, PCMU, STATIC_CODECS, TELEPHONE_EVENT, Codec
from sipsorcery.sdp.errors import ParseError


class CodecTests(SynchronousTestCase):
    def test_rtpmap(self) -> None:
        """
        Payload type, name, clock rate, and channels where there are several.
        """
        for text, codec in (
            ("0 PCMU/8000", PCMU),
            ("111 opus/48000/2", Codec(111, "opus", 48000, 2)),
            ("96 H263-1998/90000", Codec(96, "H263-1998", 90000)),
            ("127 X-long.name_1/1", Codec(127, "X-long.name_1", 1)),
        ):
            with self.subTest(text=text):
                self.assertEqual(Codec.parse(text), codec)
                self.assertEqual(codec.rtpmap, text)

    def test_one_channel(self) -> None:
        """
        "/1" says nothing, and is not written.
        """
        self.assertEqual(Codec.parse("97 iLBC/8000/1").rtpmap, "97 iLBC/8000")

    def test_bad_rtpmap(self) -> None:
        """
        No number, one too large, no name, no clock rate: refused.
        """
        for text in (
            *("", "0", "0 PCMU", "0 PCMU/", "0 /8000", "PCMU/8000", "x PCMU/8000"),
            *("128 a/1", "1000 a/1", "-1 a/1", "0 a/b", "0 a/8000/", "0 a/8000/2/2"),
            *("0 a/4294967296", "0 a/8000/stereo", "0 a b/8000", "٣ a/8000"),
            "0 " + "a" * 8000,
            "0" + " " * 8000,
        ):
            with self.subTest(text=text[:40]):
                self.assertRaises(ParseError, Codec.parse, text)

    def test_parameters(self) -> None:
        """
        The parameters are pairs by name in lower case; of two the first counts.
        """
        codec = Codec(
            *(96, "H264", 90000),
            fmtp="Profile-Level-ID=42e01f; packetization-mode=1;;x",
        )
        self.assertEqual(
            codec.parameters,
            {"profile-level-id": "42e01f", "packetization-mode": "1", "x": ""},
        )
        self.assertEqual(TELEPHONE_EVENT.parameters, {"0-15": ""})
        self.assertEqual(PCMU.parameters, {})
        self.assertEqual(Codec(1, "a", 1, fmtp="b=1;b=2").parameters, {"b": "1"})

    def test_static_types(self) -> None:
        """
        The numbers of RFC 3551, tables 4 and 5.
        """
        self.assertEqual(
            {number: codec.rtpmap for number, codec in STATIC_CODECS.items()},
            {
                0: "0 PCMU/8000",
                3: "3 GSM/8000",
                4: "4 G723/8000",
                5: "5 DVI4/8000",
                6: "6 DVI4/16000",
                7: "7 LPC/8000",
                8: "8 PCMA/8000",
                9: "9 G722/8000",
                10: "10 L16/44100/2",
                11: "11 L16/44100",
                12: "12 QCELP/8000",
                13: "13 CN/8000",
                14: "14 MPA/90000",
                15: "15 G728/8000",
                16: "16 DVI4/11025",
                17: "17 DVI4/22050",
                18: "18 G729/8000",
                25: "25 CelB/90000",
                26: "26 JPEG/90000",
                28: "28 nv/90000",
                31: "31 H261/90000",
                32: "32 MPV/90000",
                33: "33 MP2T/90000",
                34: "34 H263/90000",
            },
        )


class MatchTests(SynchronousTestCase):
    def assertMatch(self, one: Codec, other: Codec, expected: bool) -> None:
        """
        Check that *one* and *other* match, or do not, whichever is asked.
        """
        self.assertIs(one.matches(other), expected)
        self.assertIs(other.matches(one), expected)

    def test_payload_type_does_not_matter(self) -> None:
        """
        The number is a matter of each description.
        """
        self.assertMatch(Codec(96, "VP8", 90000), Codec(120, "VP8", 90000), True)
        self.assertMatch(Codec(96, "VP8", 90000), Codec(96, "H264", 90000), False)

    def test_case_does_not_matter(self) -> None:
        """
        Encoding names are case-insensitive (RFC 4855, 3).
        """
        self.assertMatch(Codec(98, "T140", 1000), Codec(98, "t140", 1000), True)

    def test_rate_and_channels_matter(self) -> None:
        """
        The same name at another clock rate or in stereo is another codec.
        """
        self.assertMatch(G722, Codec(9, "G722", 16000), False)
        self.assertMatch(Codec(10, "L16", 44100, 2), Codec(11, "L16", 44100), False)

    def test_parameters_mostly_do_not_matter(self) -> None:
        """
        Most parameters say what one side likes to receive.
        """
        self.assertMatch(
            Codec(18, "G729", 8000, fmtp="annexb=no"), Codec(18, "G729", 8000), True
        )
        self.assertMatch(
            TELEPHONE_EVENT, Codec(97, "telephone-event", 8000, fmtp="0-16"), True
        )

    def test_variants(self) -> None:
        """
        Some parameters tell incompatible streams apart; each has its default.
        """
        for name, one, other, expected in (
            ("H264", "packetization-mode=1", "packetization-mode=0", False),
            ("H264", "packetization-mode=0", None, True),
            ("H264", "profile-level-id=42801f", "profile-level-id=42E01F", True),
            ("H264", "profile-level-id=42e01f", "profile-level-id=640032", False),
            ("H264", "profile-level-id=42e01f", None, True),
            ("AMR", "octet-align=1", None, False),
            ("AMR", "octet-align=0", None, True),
            ("AMR-WB", "octet-align=1; mode-set=0", "octet-align=1", True),
            ("VP9", "profile-id=2", None, False),
            ("VP9", "profile-id=0", None, True),
            ("G7221", "bitrate=24000", "bitrate=32000", False),
        ):
            with self.subTest(name=name, one=one, other=other):
                self.assertMatch(
                    Codec(96, name, 90000, fmtp=one),
                    Codec(97, name.lower(), 90000, fmtp=other),
                    expected,
                )

    def test_companions(self) -> None:
        """
        Tones, comfort noise and repair are no media on their own.
        """
        for name in ("telephone-event", "CN", "red", "rtx", "ulpfec", "flexfec-03"):
            with self.subTest(name=name):
                self.assertFalse(Codec(96, name, 8000).carries_media)
        self.assertTrue(PCMU.carries_media)
