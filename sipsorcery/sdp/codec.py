"""
Codecs: what an RTP payload type stands for, and when two of them are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipsorcery.sdp.errors import ParseError, excerpt
from sipsorcery.sdp.line import number

#: Payload types have seven bits (:rfc:`3550#section-5.1`).
MAX_PAYLOAD_TYPE = 127
_MAX_CLOCK_RATE = 2**32 - 1

# payload-type SP encoding-name "/" clock-rate [ "/" channels ]
_RTPMAP = re.compile(r"([0-9]{1,3}) ++([^/ ]++)/([0-9]{1,10})(?:/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Codec:
    """
    One format of an RTP stream: its payload type, ``rtpmap`` and ``fmtp`` in one.

    :ivar name: the encoding name as it was spelled; its case does not matter.
    :ivar channels: 1 where the ``rtpmap`` does not say.
    :ivar fmtp: the format's own parameters, as they came.
    """

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    fmtp: str | None = None

    @classmethod
    def parse(cls, text: str, fmtp: str | None = None) -> Codec:
        """
        Read the value of an ``a=rtpmap`` attribute (:rfc:`8866#section-6.6`).

        :raises ParseError: if *text* breaks the grammar.
        """
        match = _RTPMAP.fullmatch(text)
        if match is None:
            raise ParseError(f"bad rtpmap {excerpt(text)}")
        payload_type, name, clock_rate, channels = match.groups()
        return cls(
            number(payload_type, MAX_PAYLOAD_TYPE, "RTP payload type"),
            name,
            number(clock_rate, _MAX_CLOCK_RATE, "clock rate"),
            int(channels or 1),
            fmtp,
        )

    @property
    def rtpmap(self) -> str:
        """
        Give the value of the ``a=rtpmap`` attribute that says the same.
        """
        tail = "" if self.channels == 1 else f"/{self.channels}"
        return f"{self.payload_type} {self.name}/{self.clock_rate}{tail}"

    @property
    def parameters(self) -> dict[str, str]:
        """
        Give the ``name=value`` pairs of the ``fmtp``, names in lower case.

        A piece without ``=``, such as the ``0-15`` of telephone events, is a name with
        an empty value.
        """
        found: dict[str, str] = {}
        for piece in (self.fmtp or "").split(";"):
            name, _, value = piece.partition("=")
            if name.strip():
                found.setdefault(name.strip().lower(), value.strip())
        return found

    @property
    def carries_media(self) -> bool:
        """
        Tell whether a stream can live on this format alone.
        """
        return self.name.lower() not in _COMPANIONS

    @property
    def is_derived(self) -> bool:
        """
        Tell whether the format's ``fmtp`` names other payload types.
        """
        return self.name.lower() in _DERIVED

    def matches(self, other: Codec) -> bool:
        """
        Tell whether both are the same encoding, under whatever payload type.

        Name, clock rate and channels decide, and the few parameters that say which of
        several incompatible streams is meant.
        """
        return (
            self.name.lower() == other.name.lower()
            and self.clock_rate == other.clock_rate
            and self.channels == other.channels
            and self._variant() == other._variant()
        )

    def _variant(self) -> tuple[str, ...]:
        defaults = _VARIANTS.get(self.name.lower())
        if defaults is None:
            return ()
        given = self.parameters
        return tuple(
            given.get(name, default)[:length].lower()
            for name, default, length in defaults
        )


# Parameters that both sides must share: name, value if absent, characters that count.
# Of an H.264 profile-level-id the profile matters; level and constraints differ from
# phone to phone (42801f, 42e01f), and their baseline decoders read each other.
_VARIANTS = {
    "amr": (("octet-align", "0", 1),),  # RFC 4867, 8.3.1
    "amr-wb": (("octet-align", "0", 1),),
    "g7221": (("bitrate", "", 6),),  # RFC 5577: no default, and never negotiated
    "h264": (  # RFC 6184, 8.2.2
        ("packetization-mode", "0", 1),
        ("profile-level-id", "42000a", 2),
    ),
    "vp9": (("profile-id", "0", 2),),  # RFC 9628, 6
}

# Formats whose fmtp points at other payload types (RFC 2198, 4588).
_DERIVED = frozenset({"red", "rtx"})
# Formats that only accompany a codec: tones, silence, repair.
_COMPANIONS = _DERIVED | {"cn", "flexfec-03", "telephone-event", "ulpfec"}

PCMU = Codec(0, "PCMU", 8000)
PCMA = Codec(8, "PCMA", 8000)
G722 = Codec(9, "G722", 8000)  # sampled at 16 kHz, but so it is (RFC 3551, 4.5.2)
#: DTMF digits and flash (:rfc:`4733`), under the number that most phones give it.
TELEPHONE_EVENT = Codec(101, "telephone-event", 8000, fmtp="0-15")

#: The payload types that need no ``rtpmap`` (:rfc:`3551#section-6`).
STATIC_CODECS = {
    codec.payload_type: codec
    for codec in (
        PCMU,
        Codec(3, "GSM", 8000),
        Codec(4, "G723", 8000),
        Codec(5, "DVI4", 8000),
        Codec(6, "DVI4", 16000),
        Codec(7, "LPC", 8000),
        PCMA,
        G722,
        Codec(10, "L16", 44100, 2),
        Codec(11, "L16", 44100),
        Codec(12, "QCELP", 8000),
        Codec(13, "CN", 8000),
        Codec(14, "MPA", 90000),
        Codec(15, "G728", 8000),
        Codec(16, "DVI4", 11025),
        Codec(17, "DVI4", 22050),
        Codec(18, "G729", 8000),
        Codec(25, "CelB", 90000),
        Codec(26, "JPEG", 90000),
        Codec(28, "nv", 90000),
        Codec(31, "H261", 90000),
        Codec(32, "MPV", 90000),
        Codec(33, "MP2T", 90000),
        Codec(34, "H263", 90000),
    )
}
