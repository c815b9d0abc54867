"""
Tests for :mod:`sipsorcery.sdp.offer_answer`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import (
    G722,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Codec,
    Connection,
    Direction,
    Media,
    NotAcceptable,
    Origin,
    RemoteProtocolError,
    SessionDescription,
    check_answer,
    create_answer,
)
from tests.sdp.samples import SAMPLES, body

ORIGIN = Origin("-", "20518", 5, "203.0.113.1")
HERE = Connection("203.0.113.1")
AUDIO = Media("audio", 4000).with_codecs([PCMA, PCMU, TELEPHONE_EVENT])
LOCAL = SessionDescription.create(ORIGIN, HERE, [AUDIO])

DIRECTIONS = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)


def offer(media: str, session: str = "c=IN IP4 192.0.2.1\nt=0 0") -> SessionDescription:
    """
    Make an offer of the lines of its media sections.
    """
    return SessionDescription.parse(
        body(f"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\n{session}\n{media}")
    )


def local(*media: Media) -> SessionDescription:
    """
    Describe what we can do.
    """
    return SessionDescription.create(ORIGIN, HERE, media)


class CodecTests(SynchronousTestCase):
    def test_whole_answer(self) -> None:
        """
        An answer has our lines, and of the formats those that both sides know.
        """
        answer = create_answer(
            offer(
                "m=audio 49170 RTP/AVP 0 18 8 97\n"
                "a=rtpmap:97 telephone-event/8000\n"
                "a=fmtp:97 0-11"
            ),
            LOCAL,
        )
        self.assertEqual(
            bytes(answer),
            body("""
v=0
o=- 20518 5 IN IP4 203.0.113.1
s=-
c=IN IP4 203.0.113.1
t=0 0
m=audio 4000 RTP/AVP 0 8 97
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:97 telephone-event/8000
a=fmtp:97 0-15
a=sendrecv
"""),
        )

    def test_session_level(self) -> None:
        """
        What our session level says counts, whatever was answered before with the same
        streams.
        """
        offered = offer("m=audio 49170 RTP/AVP 0 8")
        for direction in DIRECTIONS:
            answer = create_answer(offered, LOCAL.with_direction(direction))
            self.assertEqual(answer.media[0].direction, direction)

    def test_origin(self) -> None:
        """
        The origin is ours, or the one that we say.
        """
        other = replace(ORIGIN, session_id="7", version=1)
        offered = offer("m=audio 49170 RTP/AVP 0 8")
        self.assertEqual(create_answer(offered, LOCAL).origin, ORIGIN)
        self.assertEqual(create_answer(offered, LOCAL, origin=other).origin, other)

    def test_order(self) -> None:
        """
        Formats come in the order of the offer, or in ours if we insist.
        """
        offered = offer("m=audio 49170 RTP/AVP 0 8")
        answer = create_answer(offered, LOCAL)
        self.assertEqual(answer.media[0].formats, ("0", "8"))
        answer = create_answer(offered, LOCAL, local_order=True)
        self.assertEqual(answer.media[0].formats, ("8", "0"))

    def test_payload_types_follow_the_offer(self) -> None:
        """
        A dynamic codec, and telephone events, get the number that the offer gives them.
        """
        ours = Media("audio", 4000).with_codecs(
            [Codec(96, "opus", 48000, 2, "useinbandfec=1"), TELEPHONE_EVENT]
        )
        answer = create_answer(
            offer(
                "m=audio 49170 RTP/AVP 111 96\n"
                "a=rtpmap:111 OPUS/48000/2\n"
                "a=rtpmap:96 telephone-event/8000"
            ),
            local(ours),
        )
        self.assertEqual(
            answer.media[0].codecs,
            (
                Codec(111, "OPUS", 48000, 2, "useinbandfec=1"),
                Codec(96, "telephone-event", 8000, fmtp="0-15"),
            ),
        )

    def test_no_common_codec(self) -> None:
        """
        Nothing in common is refused as a whole, with 488 (RFC 3261, 21.4.26).
        """
        error = self.assertRaises(
            NotAcceptable, create_answer, offer("m=audio 49170 RTP/AVP 18"), LOCAL
        )
        self.assertEqual(error.status, 488)
        self.assertIn("audio", error.text)

    def test_errors_are_short(self) -> None:
        """
        An error repeats little of what the peer sent, and no control characters.
        """
        strange = offer(f"m=\x1b[31m{'x' * 5000} 5000 RTP/AVP 0")
        for error in (
            self.assertRaises(NotAcceptable, create_answer, strange, LOCAL),
            self.assertRaises(RemoteProtocolError, check_answer, strange, LOCAL),
        ):
            self.assertLess(len(str(error)), 200)
            self.assertNotIn("\x1b", str(error))

    def test_tones_alone_are_no_call(self) -> None:
        """
        Telephone events and comfort noise in common make no stream.
        """
        ours = local(Media("audio", 4000).with_codecs([PCMU, TELEPHONE_EVENT]))
        self.assertRaises(
            NotAcceptable,
            create_answer,
            offer("m=audio 4000 RTP/AVP 18 101\na=rtpmap:101 telephone-event/8000"),
            ours,
        )

    def test_variants(self) -> None:
        """
        Of several H.264 formats those are taken that we can read.
        """
        h264 = Codec(
            99, "H264", 90000, fmtp="packetization-mode=1;profile-level-id=42e01f"
        )
        ours = local(Media("video", 4002, "UDP/TLS/RTP/SAVPF").with_codecs([h264]))
        chrome = SessionDescription.parse(SAMPLES["CHROME"])
        answer = create_answer(chrome, ours)
        self.assertEqual([media.port for media in answer.media], [0, 4002])
        self.assertEqual(answer.media[1].formats, ("102",))
        self.assertEqual(answer.media[1].codecs[0].fmtp, h264.fmtp)

    def test_retransmission_is_left_out(self) -> None:
        """
        Formats that point at payload types of ours are not answered.
        """
        rtx = Codec(97, "rtx", 90000, fmtp="apt=96")
        ours = Media("video", 4002).with_codecs([Codec(96, "VP8", 90000), rtx])
        ours = ours.with_attribute("rtcp-fb", "* nack")
        answer = create_answer(
            offer(
                "m=video 4000 RTP/AVP 120 121\na=rtpmap:120 VP8/90000\n"
                "a=rtpmap:121 rtx/90000\na=fmtp:121 apt=120"
            ),
            local(ours),
        )
        self.assertEqual(answer.media[0].formats, ("120",))
        self.assertNotIn(b"apt=", bytes(answer))
        self.assertNotIn(b"rtcp-fb", bytes(answer))

    def test_other_protocols(self) -> None:
        """
        Formats of other protocols are compared by name, in any case.
        """
        fax = Media("image", 4004, "udptl", ("t38",)).with_attribute(
            "T38FaxVersion", "0"
        )
        answer = create_answer(offer("m=image 5000 UDPTL T38"), local(fax))
        self.assertEqual(answer.media[0].formats, ("T38",))
        self.assertEqual(answer.media[0].port, 4004)
        self.assertEqual(answer.media[0].attribute("T38FaxVersion"), "0")
        self.assertIsNone(answer.media[0].own_direction)


class StreamTests(SynchronousTestCase):
    def test_order_of_streams(self) -> None:
        """
        The answer has a stream for each offered one, in the same order (RFC 3264, 6).
        """
        video = Media("video", 4002).with_codecs([Codec(96, "VP8", 90000)])
        answer = create_answer(
            offer(
                "m=image 5000 udptl t38\n"
                "m=video 5002 RTP/AVP 120\na=rtpmap:120 VP8/90000\n"
                "m=audio 5004 RTP/AVP 0\n"
                "m=audio 5006 RTP/AVP 8"
            ),
            local(AUDIO, video),
        )
        self.assertEqual(
            [(media.type, media.port, media.formats) for media in answer.media],
            [
                ("image", 0, ("t38",)),
                ("video", 4002, ("120",)),
                ("audio", 4000, ("0",)),
                ("audio", 0, ("8",)),
            ],
        )

    def test_each_of_ours_serves_once(self) -> None:
        """
        A second offered stream needs a second one of ours.
        """
        two = offer("m=audio 5000 RTP/AVP 0\nm=audio 5002 RTP/AVP 0")
        second = replace(AUDIO, port=4010)
        self.assertEqual(
            [media.port for media in create_answer(two, local(AUDIO, second)).media],
            [4000, 4010],
        )

    def test_best_of_ours_for_each(self) -> None:
        """
        A stream of ours that does not fit is left for a later one that it does.
        """
        wide = Media("audio", 4000).with_codecs([G722])
        narrow = Media("audio", 4010).with_codecs([PCMU])
        answer = create_answer(
            offer("m=audio 5000 RTP/AVP 0\nm=audio 5002 RTP/AVP 9"), local(wide, narrow)
        )
        self.assertEqual([media.port for media in answer.media], [4010, 4000])

    def test_protocol_must_be_the_same(self) -> None:
        """
        A secure stream is not answered with a plain one.
        """
        self.assertRaises(
            NotAcceptable, create_answer, offer("m=audio 5000 RTP/SAVP 0"), LOCAL
        )

    def test_refused_stays_refused(self) -> None:
        """
        A stream that is offered with port 0 is answered with port 0 (RFC 3264, 6).
        """
        answer = create_answer(
            offer("m=audio 0 RTP/AVP 0\nm=audio 5000 RTP/AVP 0"), LOCAL
        )
        self.assertEqual([media.port for media in answer.media], [0, 4000])

    def test_nothing_wanted(self) -> None:
        """
        An offer without any live stream is answered, not refused.
        """
        for media, expected in (
            ("", []),
            ("m=audio 0 RTP/AVP 0", [("0",)]),
            ("m=video 0 UDP/TLS/RTP/SAVPF", [("0",)]),
        ):
            with self.subTest(media=media):
                answer = create_answer(offer(media), LOCAL)
                self.assertEqual([media.formats for media in answer.media], expected)
                self.assertTrue(all(media.is_rejected for media in answer.media))

    def test_no_address(self) -> None:
        """
        A stream without any c= line is refused: there is nowhere to send to.
        """
        answer = create_answer(
            offer(
                "m=audio 5000 RTP/AVP 0\nm=audio 5002 RTP/AVP 0\nc=IN IP4 192.0.2.7",
                session="t=0 0",
            ),
            LOCAL,
        )
        self.assertEqual([media.port for media in answer.media], [0, 4000])

    def test_our_refusal(self) -> None:
        """
        A stream that we describe with port 0 serves none.
        """
        dead = local(replace(AUDIO, port=0))
        offered = offer("m=audio 5000 RTP/AVP 0")
        self.assertRaises(NotAcceptable, create_answer, offered, dead)

    def test_time(self) -> None:
        """
        "The "t=" line in the answer MUST equal that of the offer" (RFC 3264, 6).
        """
        media, address = "m=audio 5000 RTP/AVP 0", "c=IN IP4 192.0.2.1"
        for session, expected in (
            (f"{address}\nt=3724394400 3724398000", ("3724394400 3724398000",)),
            (address, ("0 0",)),
        ):
            with self.subTest(session=session):
                answer = create_answer(offer(media, session), LOCAL)
                self.assertEqual(answer.values("t"), expected)

    def test_names_of_streams(self) -> None:
        """
        An answered or refused stream has the mid of the offered one, if it has any.
        """
        ours = local(AUDIO.with_attribute("mid", "ours")).with_attribute(
            "group", "BUNDLE ours"
        )
        answer = create_answer(
            offer(
                "m=audio 5000 RTP/AVP 0\na=mid:a\n"
                "m=video 5002 RTP/AVP 31\na=mid:v\n"
                "m=image 5004 udptl t38"
            ),
            ours,
        )
        self.assertEqual([media.mid for media in answer.media], ["a", "v", None])
        self.assertIsNone(answer.attribute("group"))
        nameless = create_answer(offer("m=audio 5000 RTP/AVP 0"), ours)
        self.assertIsNone(nameless.media[0].mid)

    def test_only_if_offered(self) -> None:
        """
        Some attributes are answered only if they are offered (RFC 5761, 5.1.1).
        """
        ours = AUDIO.with_attribute("ptime", "20")
        for name in ("rtcp-mux", "rtcp-rsize"):
            ours = ours.with_attribute(name)
        for name, other in (("rtcp-mux", "rtcp-rsize"), ("rtcp-rsize", "rtcp-mux")):
            with self.subTest(name=name):
                offered = offer(f"m=audio 5000 RTP/AVP 0\na={name}")
                (answered,) = create_answer(offered, local(ours)).media
                self.assertEqual(answered.attribute(name), "")
                self.assertIsNone(answered.attribute(other))
                self.assertEqual(answered.ptime, 20)


class DirectionTests(SynchronousTestCase):
    def answered(self, offered: SessionDescription, ours: Direction) -> Direction:
        """
        Give the direction of the answer of one who wants *ours*.
        """
        answer = create_answer(offered, local(AUDIO.with_direction(ours)))
        return answer.media[0].direction

    def test_hold_rules(self) -> None:
        """
        A sendonly offer is answered recvonly or inactive, and so on (RFC 3264, 6.1).
        """
        sendrecv, sendonly, recvonly, inactive = DIRECTIONS
        table = {
            sendrecv: (sendrecv, sendonly, recvonly, inactive),
            sendonly: (recvonly, inactive, recvonly, inactive),
            recvonly: (sendonly, sendonly, inactive, inactive),
            inactive: (inactive, inactive, inactive, inactive),
        }
        for offered, row in table.items():
            for ours, expected in zip(DIRECTIONS, row, strict=True):
                with self.subTest(offered=offered, ours=ours):
                    asked = offer(f"m=audio 5000 RTP/AVP 0\na={offered}")
                    self.assertIs(self.answered(asked, ours), expected)

    def test_direction_of_the_session(self) -> None:
        """
        A hold at session level is a hold of each stream.
        """
        held = offer("m=audio 5000 RTP/AVP 0", "c=IN IP4 192.0.2.1\nt=0 0\na=sendonly")
        self.assertIs(self.answered(held, Direction.SENDRECV), Direction.RECVONLY)

    def test_hold_of_old(self) -> None:
        """
        The address 0.0.0.0 is answered like sendonly: nothing can be sent there.
        """
        for direction, expected in (
            ("sendrecv", Direction.RECVONLY),
            ("inactive", Direction.INACTIVE),
        ):
            with self.subTest(direction=direction):
                held = offer(
                    f"m=audio 5000 RTP/AVP 0\na={direction}", "c=IN IP4 0.0.0.0\nt=0 0"
                )
                self.assertIs(self.answered(held, Direction.SENDRECV), expected)

    def test_browser_is_not_on_hold(self) -> None:
        """
        With ICE the address 0.0.0.0 does not change the direction (Chrome).
        """
        ours = Media("audio", 4000, "UDP/TLS/RTP/SAVPF").with_codecs([PCMU])
        chrome = SessionDescription.parse(SAMPLES["CHROME"])
        answer = create_answer(chrome, local(ours))
        self.assertIs(answer.media[0].direction, Direction.SENDRECV)

    def test_held_fax(self) -> None:
        """
        A stream of another protocol states a direction where it matters.
        """
        fax = Media("image", 4004, "udptl", ("t38",))
        held = offer("m=image 5000 udptl t38\na=sendonly")
        answer = create_answer(held, local(fax))
        self.assertIs(answer.media[0].own_direction, Direction.RECVONLY)


class VersionTests(SynchronousTestCase):
    def test_twice_the_same(self) -> None:
        """
        The same offer gets the same answer, octet for octet, first and later.
        """
        offered = offer("m=audio 5000 RTP/AVP 0")
        first = create_answer(offered, LOCAL)
        self.assertEqual(bytes(create_answer(offered, LOCAL)), bytes(first))
        self.assertIs(create_answer(offered, LOCAL, first), first)

    def test_version_rises_with_a_change(self) -> None:
        """
        Hold and resume change the answer, and so its version, by one each.
        """
        talk = offer("m=audio 5000 RTP/AVP 0")
        held = offer("m=audio 5000 RTP/AVP 0\na=sendonly")
        first = create_answer(talk, LOCAL)
        second = create_answer(held, LOCAL, first)
        third = create_answer(talk, LOCAL, second)
        self.assertEqual(
            [answer.origin.version for answer in (first, second, third)], [5, 6, 7]
        )
        self.assertEqual(third.media, first.media)

    def test_offers_are_answered_in_every_shape(self) -> None:
        """
        An answer to any real offer fits it, or says that nothing does.
        """
        ours = local(
            AUDIO,
            replace(AUDIO, proto="UDP/TLS/RTP/SAVPF", port=4010),
            Media("image", 4002, "udptl", ("t38",)),
            Media("message", 4004, "TCP/MSRP", ("*",)),
        )
        refused = set()
        for name, data in SAMPLES.items():
            with self.subTest(name=name):
                offered = SessionDescription.parse(data)
                try:
                    answer = create_answer(offered, ours)
                except NotAcceptable:
                    refused.add(name)
                else:
                    check_answer(SessionDescription.parse(bytes(answer)), offered)
        self.assertEqual(
            refused, {"CRYPTO", "FIREFOX", "IPV6", "MCPTT", "NETGEAR", "PION"}
        )


class CheckAnswerTests(SynchronousTestCase):
    OFFER = offer(
        "m=audio 5000 RTP/AVP 0 96\na=rtpmap:96 opus/48000/2\n"
        "m=video 0 RTP/AVP 31\n"
        "m=image 5004 udptl t38"
    )
    REST = "m=video 0 RTP/AVP 31\nm=image 0 udptl t38"

    def test_good(self) -> None:
        """
        Formats under the same or another number, a sloppy answer, a refusal: all fit.
        """
        for audio in (
            "m=audio 4000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 0",
            "m=audio 4000 RTP/AVP 18 0",
            "m=audio 4000 RTP/AVP 111\na=rtpmap:111 opus/48000/2",
            "m=audio 4000 RTP/AVP 96",
            "m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000",
            "m=audio 4000 rtp/avp 0\na=sendonly",
        ):
            with self.subTest(audio=audio):
                check_answer(offer(f"{audio}\n{self.REST}"), self.OFFER)

    def test_bad(self) -> None:
        """
        Missing, added, changed or revived streams, no common format, no address.
        """
        good = "m=audio 4000 RTP/AVP 0"
        for media in (
            "",
            good,
            f"{good}\n{self.REST}\nm=text 4000 RTP/AVP 98",
            f"m=video 4000 RTP/AVP 0\n{self.REST}",
            f"m=audio 4000 RTP/SAVP 0\n{self.REST}",
            f"{good}\nm=video 4002 RTP/AVP 31\nm=image 0 udptl t38",
            f"m=audio 4000 RTP/AVP 18\n{self.REST}",
            f"m=audio 4000 RTP/AVP 96\na=rtpmap:96 speex/8000\n{self.REST}",
            f"{good}\nm=video 0 RTP/AVP 31\nm=image 4004 udptl t30",
        ):
            with self.subTest(media=media):
                error = self.assertRaises(
                    RemoteProtocolError, check_answer, offer(media), self.OFFER
                )
                self.assertEqual(error.status, 488)
        nowhere = offer(f"{good}\n{self.REST}", session="t=0 0")
        self.assertRaises(RemoteProtocolError, check_answer, nowhere, self.OFFER)
