"""
What must be understood of the shapes that real devices send.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import Connection, Direction, Media, SessionDescription
from tests.sdp.samples import SAMPLES

# Of each sample: type, port, address, direction, codecs of each stream.
STREAMS: dict[str, list[tuple[str, int, str | None, str, str]]] = {
    "ASTERISK": [
        ("audio", 14002, "192.0.2.10", "sendrecv", "PCMU telephone-event"),
    ],
    "BRIA_ALT": [
        ("audio", 40100, "198.51.100.7", "sendrecv", "PCMU PCMA telephone-event"),
    ],
    "BRIA_INDENTED": [
        ("audio", 40100, "198.51.100.7", "sendonly", "PCMU PCMA telephone-event"),
    ],
    "BRIA_STRAY": [
        ("audio", 50010, "192.0.2.33", "sendrecv", "PCMU"),
        ("video", 50012, "192.0.2.33", "sendrecv", "VP8"),
        ("text", 50014, "192.0.2.33", "sendrecv", "T140"),
    ],
    "NETGEAR": [
        ("audio", 30000, "192.0.2.44", "sendrecv", "G729 telephone-event"),
    ],
    "ICE_SESSION": [("audio", 45664, "203.0.113.3", "sendrecv", "PCMU")],
    "CISCO_MEDIA_CONNECTIONS": [
        ("audio", 19586, "203.0.113.134", "sendrecv", "PCMU"),
        ("video", 0, "10.0.0.10", "sendrecv", ""),
        ("text", 11000, "203.0.113.135", "sendrecv", "t140 red"),
    ],
    "T38": [("image", 50594, "192.0.2.110", "sendrecv", "")],
    "EDGE": [
        ("audio", 7038, "10.0.75.1", "recvonly", "PCMU"),
        ("video", 0, "0.0.0.0", "inactive", ""),
    ],
    "IPV6": [
        ("audio", 6000, "ff1e:03ad::7f2e:172a:1e24", "sendrecv", "G726-32"),
        ("video", 6024, "ff1e:03ad::7f2e:172a:1e24", "sendrecv", "H263-1998"),
    ],
    "CHROME": [
        (
            *("audio", 9, "0.0.0.0", "sendrecv"),
            "opus ISAC G722 PCMU PCMA CN telephone-event telephone-event",
        ),
        ("video", 9, "0.0.0.0", "sendrecv", "VP8 rtx H264 rtx H264"),
    ],
    "FIREFOX": [("video", 9, "0.0.0.0", "recvonly", "VP8 rtx H264")],
    "PION": [("application", 9, "0.0.0.0", "sendrecv", "")],
    "MCPTT": [
        ("audio", 55316, None, "sendrecv", "PCMU telephone-event"),
        ("application", 55317, None, "sendrecv", ""),
    ],
    "TITLES": [
        ("audio", 55316, "192.0.2.50", "sendrecv", "PCMU"),
        ("video", 61682, "192.0.2.51", "sendrecv", "VP8"),
    ],
    "MSRP": [("message", 57102, "192.0.2.60", "sendrecv", "")],
    "PORT_COUNT": [
        ("audio", 12228, "192.0.2.61", "sendrecv", "PCMA PCMU telephone-event"),
    ],
    "NO_TIME": [
        ("audio", 49217, "192.0.2.1", "sendrecv", "PCMU QCELP"),
        ("video", 3227, "192.0.2.1", "sendrecv", "H261"),
    ],
    "UNTIDY": [("audio", 4000, "192.0.2.62", "sendonly", "PCMU PCMA")],
    "CRYPTO": [("audio", 4000, "192.0.2.63", "sendrecv", "PCMU")],
}


def described(media: Media) -> tuple[str, int, str | None, str, str]:
    """
    Say of a stream what the table says of it.
    """
    connection = media.connection
    return (
        media.type,
        media.port,
        connection.address if connection else None,
        str(media.direction),
        " ".join(codec.name for codec in media.codecs),
    )


def parse(name: str) -> SessionDescription:
    """
    Read a sample.
    """
    return SessionDescription.parse(SAMPLES[name])


class CapturedTests(SynchronousTestCase):
    def test_table_is_complete(self) -> None:
        """
        No sample is left out of the table.
        """
        self.assertEqual(set(STREAMS), set(SAMPLES))

    def test_streams(self) -> None:
        """
        Of each shape the streams are understood.
        """
        for name, expected in STREAMS.items():
            with self.subTest(name=name):
                self.assertEqual(list(map(described, parse(name).media)), expected)

    def test_asterisk(self) -> None:
        """
        Asterisk: the range of telephone events, the packet time, other attributes.
        """
        audio = parse("ASTERISK").media[0]
        self.assertEqual(audio.codecs[1].fmtp, "0-16")
        self.assertEqual(audio.ptime, 20)
        self.assertEqual(audio.attribute("silenceSupp"), "off - - - -")

    def test_bria_alt(self) -> None:
        """
        Bria: a=alt is kept as an attribute like any other.
        """
        audio = parse("BRIA_ALT").media[0]
        self.assertEqual(
            audio.attribute("alt"), "1 1 : q1W2e3R4 t5Y6u7I8 10.9.8.7 40100"
        )

    def test_bria_indented(self) -> None:
        """
        Bria: blanks before a line do not hide it.
        """
        self.assertEqual(parse("BRIA_INDENTED").name, "CounterPath Bria")

    def test_bria_stray_line(self) -> None:
        """
        Bria 4: a line that is none ("mid:1") is passed over.
        """
        text = parse("BRIA_STRAY").media[2]
        self.assertIsNone(text.mid)
        self.assertEqual(text.attribute("ssrc"), "1234567890 cname:composed")

    def test_netgear(self) -> None:
        """
        Netgear: the first of two rtpmap for one payload type counts.
        """
        event = parse("NETGEAR").media[0].codecs[1]
        self.assertEqual((event.name, event.fmtp), ("telephone-event", "0-15"))

    def test_ice(self) -> None:
        """
        Credentials at session level serve its streams; candidates are kept in order.
        """
        sdp = parse("ICE_SESSION")
        self.assertEqual(sdp.attribute("ice-ufrag"), "9uB6")
        self.assertTrue(sdp.media[0].uses_ice)
        self.assertEqual(len(sdp.media[0].attribute_values("candidate")), 2)
        self.assertEqual(sdp.media[0].bandwidth, {"RS": 0, "RR": 0})
        self.assertEqual(sdp.name, "")

    def test_bandwidth(self) -> None:
        """
        Bria 4: b=AS for the session, b=TIAS for one stream.
        """
        sdp = parse("BRIA_STRAY")
        self.assertEqual(sdp.bandwidth, {"AS": 2064})
        self.assertEqual(sdp.media[1].bandwidth, {"TIAS": 2000000})

    def test_t38(self) -> None:
        """
        A fax gateway: an image stream of format t38 over udptl.
        """
        image = parse("T38").media[0]
        self.assertEqual((image.proto, image.formats), ("udptl", ("t38",)))
        self.assertEqual(image.attribute("T38FaxRateManagement"), "transferredTCF")

    def test_edge(self) -> None:
        """
        Microsoft Edge: a refused stream needs no format.
        """
        video = parse("EDGE").media[1]
        self.assertTrue(video.is_rejected)
        self.assertEqual(video.formats, ())

    def test_ipv6(self) -> None:
        """
        RFC 8866: a group of IPv6, an origin, a phone number, start and end.
        """
        sdp = parse("IPV6")
        self.assertEqual(sdp.own_connection, Connection("ff1e:03ad::7f2e:172a:1e24"))
        self.assertEqual(sdp.origin.addrtype, "IP6")
        self.assertEqual(sdp.values("p"), ("+1 713 555 0100",))
        self.assertEqual(sdp.values("t"), ("3338481189 3370017201",))

    def test_chrome(self) -> None:
        """
        Chrome: not on hold though its address is 0.0.0.0; opus in stereo.
        """
        sdp = parse("CHROME")
        audio, video = sdp.media
        self.assertFalse(audio.is_held)
        opus = audio.codecs[0]
        self.assertEqual((opus.channels, opus.rtpmap), (2, "111 opus/48000/2"))
        self.assertEqual(opus.parameters["useinbandfec"], "1")
        self.assertEqual(sdp.attribute("group"), "BUNDLE 0 1")
        self.assertEqual((audio.mid, video.mid), ("0", "1"))
        self.assertEqual(
            video.attribute_values("ssrc-group"), ("FID 3966011000 1316862000",)
        )

    def test_firefox(self) -> None:
        """
        Firefox: fmtp before rtpmap, sendrecv for the session, recvonly for the stream.
        """
        sdp = parse("FIREFOX")
        self.assertIs(sdp.own_direction, Direction.SENDRECV)
        self.assertIs(sdp.media[0].direction, Direction.RECVONLY)
        self.assertEqual(sdp.media[0].codecs[0].fmtp, "max-fs=12288;max-fr=60")

    def test_mcptt(self) -> None:
        """
        Push-to-talk: the parameters of an application stream.
        """
        application = parse("MCPTT").media[1]
        self.assertEqual(application.fmtp("MCPTT"), "mc_queueing;mc_priority=4")

    def test_titles(self) -> None:
        """
        Titles are found at both levels, though they stand in the wrong place.
        """
        sdp = parse("TITLES")
        self.assertEqual(sdp.information, "A session with titles")
        self.assertEqual(
            [media.information for media in sdp.media], ["speech", "picture"]
        )
        self.assertEqual(sdp.media[1].bandwidth, {"TIAS": 256000})

    def test_msrp(self) -> None:
        """
        MSRP: any format, a path and the types it takes.
        """
        message = parse("MSRP").media[0]
        self.assertEqual((message.proto, message.formats), ("TCP/MSRP", ("*",)))
        self.assertEqual(
            message.attribute("path"), "msrp://192.0.2.60:57102/7a8b9c;tcp"
        )
        self.assertEqual(
            message.attribute("accept-types"), "text/plain text/x-msrp-heartbeat"
        )

    def test_port_count(self) -> None:
        """
        A number of ports is told apart from the port.
        """
        audio = parse("PORT_COUNT").media[0]
        self.assertEqual((audio.port, audio.count), (12228, 2))

    def test_no_time(self) -> None:
        """
        RFC 4475: s= and t= may be missing; a malformed rtpmap does no harm.
        """
        sdp = parse("NO_TIME")
        self.assertEqual((sdp.name, sdp.values("t")), ("", ()))

    def test_untidy(self) -> None:
        """
        Blanks at line ends, in a row and in a user name; octets that are no UTF-8.
        """
        sdp = parse("UNTIDY")
        self.assertEqual(sdp.origin.username, "J\udcfcrgen M")
        self.assertEqual(sdp.media[0].formats, ("0", "8"))

    def test_crypto(self) -> None:
        """
        SRTP: the keys are kept, in order.
        """
        keys = parse("CRYPTO").media[0].attribute_values("crypto")
        self.assertEqual([key[:1] for key in keys], ["1", "2"])
