"""
Media sections: an ``m=`` line and the lines that follow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sipsorcery.sdp.codec import MAX_PAYLOAD_TYPE, STATIC_CODECS, Codec
from sipsorcery.sdp.connection import RTCP, Connection
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sdp.line import Attribute, Line, fields, number
from sipsorcery.sdp.section import Section, line_end

#: Formats of one ``m=`` line: as many as RTP has payload types. Other protocols name
#: one or two.
MAX_FORMATS = 128
_MAX_PORT = 65535

# ptime-value = non-zero-int-or-real; of milliseconds, four digits are ten seconds.
_PTIME = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?").fullmatch
# Attributes whose value begins with a payload type, or with "*" for all of them.
_PER_FORMAT = frozenset({"imageattr", "rtcp-fb"})


@dataclass(frozen=True, slots=True)
class Media(Section):
    """
    One media section (:rfc:`8866#section-5.14`).

    What it says of itself is in the fields and in :attr:`lines`. Connection and
    direction fall back on the session that it belongs to.

    :ivar type: ``audio``, ``video``, ``image``, ``text``, ``message``, ...
    :ivar port: where media goes; 0 means that the stream is refused or over.
    :ivar proto: such as ``RTP/AVP``, ``udptl``, ``TCP/MSRP``.
    :ivar formats: in the order of preference; for RTP the payload types.
    :ivar count: how many ports (RTP: pairs of ports) in a row are meant.
    :ivar session: the session level, set when a description takes the section in.
    :ivar spelled: the ``m=`` line as it came; sent while it still says the same.
    """

    type: str
    port: int
    proto: str = "RTP/AVP"
    formats: tuple[str, ...] = ()
    count: int = 1
    session: Section = field(default=Section(), kw_only=True, compare=False, repr=False)
    spelled: Line | None = field(default=None, kw_only=True, compare=False, repr=False)

    @classmethod
    def parse(
        cls,
        heading: Line,
        lines: Iterable[Line] = (),
        session: Section = Section(),  # noqa: B008  # frozen
    ) -> Media:
        """
        Make a section of its ``m=`` line and the lines after it.

        :param session: the session level, if it is known.
        :raises ParseError: if the ``m=`` line breaks the grammar.
        """
        type, port, proto, formats, count = _read(heading.value)
        return cls(
            type,
            port,
            proto,
            formats,
            count,
            lines=tuple(lines),
            session=session,
            spelled=heading,
        )

    def within(
        self, session: Section, port: int | None = None, spelled: Line | None = None
    ) -> Media:
        """
        Return the section as one of a description with this session level.

        :param port: another one than it has.
        :param spelled: likewise.
        """
        # What replace() does, at a third of its cost: each description needs it.
        return Media(
            self.type,
            self.port if port is None else port,
            self.proto,
            self.formats,
            self.count,
            lines=self.lines,
            session=session,
            spelled=spelled or self.spelled,
        )

    @property
    def heading(self) -> Line:
        """
        Give the ``m=`` line.

        :raises LocalProtocolError: if the fields make no line that can be read again.
        """
        own = (self.type, self.port, self.proto, self.formats, self.count)
        if self.spelled and _read(self.spelled.value) == own:
            return self.spelled
        port = f"{self.port}" if self.count == 1 else f"{self.port}/{self.count}"
        text = " ".join([self.type, port, self.proto, *self.formats])
        try:
            if _read(text) == own:
                return Line("m", text, end=self.line_end)
        except ParseError:
            pass
        raise LocalProtocolError(f"{excerpt(text)} is no media line")

    @property
    def line_end(self) -> str:
        """
        Give the line end for new lines.
        """
        return line_end((self.spelled, *self.lines) if self.spelled else self.lines)

    @property
    def is_rejected(self) -> bool:
        """
        Tell whether the port is 0: no such stream, please.
        """
        return self.port == 0

    @property
    def is_rtp(self) -> bool:
        """
        Tell whether the formats are RTP payload types.
        """
        return "RTP/" in self.proto.upper()

    @property
    def connection(self) -> Connection | None:
        """
        Give the connection: the section's own, or else that of the session.
        """
        return self.own_connection or self.session.own_connection

    @property
    def address(self) -> tuple[str, int] | None:
        """
        Give the host and port to send to; ``None`` if there is none.
        """
        connection = self.connection
        if self.is_rejected or connection is None or connection.is_unspecified:
            return None
        return connection.address, self.port

    @property
    def direction(self) -> Direction:
        """
        Give the direction: the section's own, or else that of the session.

        Where neither states one it is sendrecv (:rfc:`8866#section-6.7`).
        """
        for section in (self, self.session):
            direction = section.own_direction
            if direction is not None:
                return direction
        return Direction.SENDRECV

    @property
    def uses_ice(self) -> bool:
        """
        Tell whether the section or its session has the credentials of ICE.
        """
        return any(
            section.attribute("ice-ufrag") is not None
            for section in (self, self.session)
        )

    @property
    def is_held(self) -> bool:
        """
        Tell whether the writer wants no media: on hold, in the new way or the old.

        The old way is the address ``0.0.0.0`` (:rfc:`3264#section-8.4`). Where ICE
        finds the address it means nothing: browsers send it before they have a
        candidate (:rfc:`8840`).
        """
        if not self.direction.receives:
            return True
        connection = self.connection
        return bool(connection and connection.is_unspecified and not self.uses_ice)

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """
        Give the formats of an RTP stream that have a name, in order.

        An ``fmtp`` may stand before its ``rtpmap``. Of two for one payload type, as in
        an INVITE of a Netgear phone, the first counts. A malformed one counts as
        absent: "If an attribute is received that is not understood, it MUST be ignored"
        (:rfc:`8866#section-5.13`).
        """
        if not self.is_rtp:
            return ()
        rtpmaps = self.attribute_values("rtpmap")
        return _codecs(self.formats, rtpmaps, self.attribute_values("fmtp"))

    def with_codecs(self, codecs: Iterable[Codec]) -> Media:
        """
        Return the section with these formats only.

        Each gets an ``rtpmap``, the static ones too, for there are peers that look for
        it, and an ``fmtp`` if it has parameters. Attributes of the formats that go,
        such as ``rtcp-fb``, go with them.
        """
        codecs = tuple(codecs)
        formats = tuple(str(codec.payload_type) for codec in codecs)
        new = []
        for codec in codecs:
            new.append(Attribute("rtpmap", codec.rtpmap))
            if codec.fmtp is not None:
                new.append(Attribute("fmtp", f"{codec.payload_type} {codec.fmtp}"))
        media = self._with_attributes(new, {"rtpmap", "fmtp"})
        lines = [line for line in media.lines if _concerns(line, formats)]
        return replace(media, formats=formats, lines=tuple(lines))

    def fmtp(self, format: str) -> str | None:
        """
        Give the parameters of a format of any protocol, such as those of ``MCPTT``.
        """
        return _fmtps(self.attribute_values("fmtp")).get(format)

    @property
    def ptime(self) -> float | None:
        """
        Give the length of media in a packet, in milliseconds.
        """
        text = self.attribute("ptime") or ""
        return float(text) or None if _PTIME(text) else None

    @property
    def mid(self) -> str | None:
        """
        Give the name of the stream (:rfc:`5888#section-4`).
        """
        return self.attribute("mid")

    @property
    def rtcp(self) -> RTCP | None:
        """
        Give where RTCP goes, if the section says so (:rfc:`3605`).
        """
        try:
            return RTCP.parse(self.attribute("rtcp") or "")
        except ParseError:
            return None


# Telephones of one model say the same in every call. As many as the models that are
# around; 16 MB if hostile peers fill it with the longest bodies.
@lru_cache(maxsize=256)
def _codecs(
    formats: tuple[str, ...], rtpmaps: tuple[str, ...], fmtps: tuple[str, ...]
) -> tuple[Codec, ...]:
    named, parameters = _rtpmaps(rtpmaps), _fmtps(fmtps)
    found: dict[int, Codec] = {}
    for format in filter(_is_payload_type, formats):
        codec = named.get(int(format)) or STATIC_CODECS.get(int(format))
        if codec is not None:
            codec = replace(codec, fmtp=parameters.get(format))
            found.setdefault(codec.payload_type, codec)
    return tuple(found.values())


def _rtpmaps(values: Iterable[str]) -> dict[int, Codec]:
    found: dict[int, Codec] = {}
    for value in values:
        try:
            codec = Codec.parse(value)
        except ParseError:
            continue
        found.setdefault(codec.payload_type, codec)
    return found


def _fmtps(values: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        format, _, parameters = value.partition(" ")
        found.setdefault(format, parameters.strip(" "))
    return found


def _read(text: str) -> tuple[str, int, str, tuple[str, ...], int]:
    """
    Read the value of an ``m=`` line.

    :return: type, port, protocol, formats and count.
    :raises ParseError: if *text* breaks the grammar.
    """
    parts = fields(text)
    if len(parts) < 3:
        raise ParseError(f"the media line {excerpt(text)} is too short")
    type, ports, proto, *formats = parts
    port, slash, ports_in_a_row = ports.partition("/")
    count = number(ports_in_a_row, _MAX_PORT, "count of ports") if slash else 1
    if count == 0:
        raise ParseError("a media line with no ports at all")
    media = type, number(port, _MAX_PORT, "port"), proto, tuple(formats), count
    # Microsoft Edge leaves out the formats of a stream that it refuses.
    if not formats and media[1] != 0:
        raise ParseError(f"the media line {excerpt(text)} has no format")
    if len(formats) > MAX_FORMATS:
        raise ParseError(f"more than {MAX_FORMATS} formats", status=488)
    return media


def _is_payload_type(format: str) -> bool:
    return (
        format.isascii()
        and format.isdecimal()
        and len(format) <= 3
        and int(format) <= MAX_PAYLOAD_TYPE
    )


def _concerns(line: Line, formats: tuple[str, ...]) -> bool:
    """
    Tell whether a line has anything to say where these are the only formats.
    """
    if line.type != "a":
        return True
    attribute = Attribute.parse(line.value)
    if attribute.name not in _PER_FORMAT:
        return True
    return (attribute.value or "").partition(" ")[0] in ("*", *formats)
