"""
From the octets of a body to the sections of a description.

All that the other modules read as numbers, addresses or names outside ``a=`` lines is
checked here, once, so that the views of a parsed description never raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sipsorcery.sdp.connection import Connection
from sipsorcery.sdp.errors import ParseError, excerpt
from sipsorcery.sdp.line import CRLF, Line, fields, number
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.section import parse_bandwidth

#: Octets of a body; no message of ours is larger, whole.
MAX_BODY = 64 * 1024
#: Lines of a body: as many as it holds at 32 octets each, which is what lines have on
#: average.
MAX_LINES = 2048
#: Characters of a line, as many as a header field may have. The longest to be expected
#: are certificates and keys in one attribute, of 2 to 4 KiB.
MAX_LINE = 8 * 1024
#: Media sections. A phone sends one to three, a browser in a conference some dozens.
MAX_MEDIA = 64
#: Attributes of one section. A browser's video section has some 130.
MAX_ATTRIBUTES = 512

_MAX_TIME = 10**20 - 1


def parse_sections(body: bytes) -> tuple[tuple[Line, ...], tuple[Media, ...]]:
    """
    Read a body.

    :return: the lines of the session level, and the media sections.
    :raises ParseError: if the body breaks the grammar or a limit.
    """
    if len(body) > MAX_BODY:
        raise ParseError(f"a body of {len(body)} octets is too long", status=488)
    texts = body.decode("utf-8", "surrogateescape").split("\n")
    last = texts.pop()
    if len(texts) + bool(last) > MAX_LINES:
        raise ParseError(f"more than {MAX_LINES} lines", status=488)
    parser = _Parser()
    for text in texts:
        if text.endswith("\r"):
            parser.add(text[:-1], CRLF)
        else:
            # "parsers SHOULD be tolerant and also accept records terminated with a
            # single newline character" (RFC 8866, 5)
            parser.add(text, "\n")
    if last:
        parser.add(last, "")
    return parser.finish()


class _Parser:
    """
    Sorts lines into sections and checks each as it comes.
    """

    def __init__(self) -> None:
        self._count = 0
        self._session: list[Line] = []
        self._media: list[tuple[Media, list[Line]]] = []
        self._section = self._session
        self._attributes = 0  # of the section
        self._types: set[str] = set()  # of the session level

    def add(self, text: str, end: str) -> None:
        self._count += 1
        try:
            if len(text) > MAX_LINE:
                raise ParseError(f"a line of {len(text)} characters", status=488)
            self._add(Line.parse(text, end))
        except ParseError as error:
            raise error.at(self._count) from None

    def finish(self) -> tuple[tuple[Line, ...], tuple[Media, ...]]:
        if "o" not in self._types:
            raise ParseError("a description without an o= line")
        media = (replace(media, lines=tuple(lines)) for media, lines in self._media)
        return tuple(self._session), tuple(media)

    def _add(self, line: Line) -> None:
        if self._count == 1 and line.type != "v":
            raise ParseError("a description that does not begin with v=")
        if line.type == "a":
            self._attributes += 1
            if self._attributes > MAX_ATTRIBUTES:
                raise ParseError(f"more than {MAX_ATTRIBUTES} attributes", status=488)
            self._section.append(line)
            return
        if line.type == "m":
            self._begin_section(line)
            return
        check = _CHECKS.get(line.type)
        if check is not None:
            check(line.value)
        if not self._media:
            # s= and t= say nothing that a call needs, and are missing here and there
            # (RFC 4475 itself has such bodies); but which of two would count?
            if line.type in _ONCE and line.type in self._types:
                raise ParseError(f"a second {line.type}= line")
            self._types.add(line.type)
        elif line.type in _SESSION_ONLY:
            raise ParseError(f"a {line.type}= line in a media section")
        self._section.append(line)

    def _begin_section(self, heading: Line) -> None:
        if len(self._media) == MAX_MEDIA:
            raise ParseError(f"more than {MAX_MEDIA} media sections", status=488)
        self._section = []
        self._attributes = 0
        self._media.append((Media.parse(heading), self._section))


def _check_version(text: str) -> None:
    text = text.strip(" ")
    if text != "0":
        status = 488 if text.isascii() and text.isdecimal() else 400
        raise ParseError(f"version {excerpt(text)} of SDP", status=status)


def _check_time(text: str) -> None:
    times = fields(text)
    if len(times) != 2:
        raise ParseError(f"bad time {excerpt(text)}")
    for time in times:
        number(time, _MAX_TIME, "time")


_CHECKS: dict[str, Callable[[str], object]] = {
    "b": parse_bandwidth,
    "c": Connection.parse,
    "o": Origin.parse,
    "t": _check_time,
    "v": _check_version,
}
# Of these the session level has one at most, and of the second row media has none.
_ONCE = frozenset("vosc")
_SESSION_ONLY = frozenset("vos")
