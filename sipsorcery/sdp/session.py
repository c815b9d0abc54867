"""
The whole of a session description.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sipsorcery.sdp.connection import Connection
from sipsorcery.sdp.errors import LocalProtocolError
from sipsorcery.sdp.line import CRLF, Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.parser import parse_sections
from sipsorcery.sdp.section import Section
from sipsorcery.sdp.usual import parse_usual


@dataclass(frozen=True, slots=True)
class SessionDescription(Section):
    """
    A session description: the lines of the session level, then the media sections.

    It is a value: methods that change something return another one. Two are equal if
    they say the same, however their lines end and their ``m=`` lines are spaced.
    ``bytes()`` makes the body; of a parsed description that nobody changed, octet for
    octet the one that came.
    """

    media: tuple[Media, ...] = ()
    # What it is as a body, once somebody has asked.
    _body: bytes | None = field(default=None, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if any(media.session.lines is not self.lines for media in self.media):
            level = Section(lines=self.lines)
            media = tuple(media.within(level) for media in self.media)
            object.__setattr__(self, "media", media)

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """
        Read the body of a message, of type ``application/sdp``.

        :raises ParseError: if it breaks the grammar or a limit; the error knows the
            line and the status to answer.
        """
        lines, media = parse_usual(body) or parse_sections(body)
        description = cls(media, lines=lines)
        object.__setattr__(description, "_body", body)
        return description

    @classmethod
    def create(
        cls,
        origin: Origin,
        connection: Connection,
        media: Iterable[Media] = (),
        name: str = "-",
    ) -> SessionDescription:
        """
        Make a description of one's own, with the five lines that each has.

        :param name: of the session. Calls have none (:rfc:`3264#section-5`).
        :raises LocalProtocolError: if a part cannot be written.
        """
        lines = (Line("v", "0"), Line("s", name), Line("t", "0 0"))
        bare = cls(tuple(media), lines=lines)
        return bare.with_origin(origin).with_connection(connection)

    @property
    def origin(self) -> Origin:
        """
        Give the ``o=`` value.

        :raises LocalProtocolError: if there is none, which no parsed description is.
        """
        for line in self.lines:
            if line.type == "o":
                return Origin.parse(line.value.strip(" "))
        raise LocalProtocolError("a description without an o= line")

    @property
    def name(self) -> str:
        """
        Give the name of the session, which many devices fill with their own.
        """
        return next(iter(self.values("s")), "")

    @property
    def audio(self) -> Media | None:
        """
        Give the first audio section that is not refused, or else the first.
        """
        return self.first("audio")

    @property
    def video(self) -> Media | None:
        """
        Give the first video section that is not refused, or else the first.
        """
        return self.first("video")

    def first(self, type: str) -> Media | None:
        """
        Give the first section of a type that is not refused, or else the first.
        """
        sections = [media for media in self.media if media.type == type]
        return min(sections, key=lambda media: media.is_rejected, default=None)

    def __str__(self) -> str:
        lines = list(self.lines)
        for media in self.media:
            lines.append(media.heading)
            lines.extend(media.lines)
        if not lines:
            return ""
        # Where something was put after a last line without line end, it gets one.
        missing = lines[0].end or CRLF
        last = lines.pop()
        ended = [
            f"{line.indent}{line.type}={line.value}{line.end or missing}"
            if line.type
            else f"{line}{line.end or missing}"
            for line in lines
        ]
        return "".join(ended) + f"{last}{last.end}"

    def __bytes__(self) -> bytes:
        if self._body is None:
            body = str(self).encode("utf-8", "surrogateescape")
            object.__setattr__(self, "_body", body)
            return body
        return self._body
