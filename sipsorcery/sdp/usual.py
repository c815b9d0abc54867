"""
The hot path: a description as nearly all telephones write it.

Telephones of one model say the same in every call, but for who calls, an address and
a port. Those lines are read one by one; the rows of lines between them are read once,
by `sipsorcery.sdp.parser`, and remembered. ``benchmarks/calls.py`` says what that buys.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sipsorcery.sdp import origin
from sipsorcery.sdp.connection import Connection
from sipsorcery.sdp.errors import ParseError
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.parser import MAX_MEDIA, parse_sections
from sipsorcery.sdp.section import Section

# Octets of a body. What is longer comes from a browser, and is new in every call. So
# short a body breaks no limit but that of media sections.
_SHORT = 2048

_TEXT = r"[^\r\n\0]*+"
_CONNECTION = rf"(?:c=({_TEXT})\r\n)?+"
# Lines that are the same in call after call, and hold no secret.
_ROW = (
    r"((?:(?:[bt]=|a=(?:rtpmap:|fmtp:|(?:max)?ptime:|rtcp-(?:mux|fb:)"
    rf"|sendrecv|sendonly|recvonly|inactive|silenceSupp:)){_TEXT}\r\n)*+)"
)
_LEVEL = re.compile(
    rf"v=0\r\no=({origin.USUAL})\r\n(s={_TEXT})\r\n{_CONNECTION}{_ROW}"
).match
_MEDIA = re.compile(rf"m=({_TEXT})\r\n{_CONNECTION}{_ROW}").match
_VERSION = Line("v", "0")
_START = b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n"


def parse_usual(body: bytes) -> tuple[tuple[Line, ...], tuple[Media, ...]] | None:
    """
    Read a body as :func:`~sipsorcery.sdp.parser.parse_sections` does.

    :return: None if it is anything but usual, or breaks the grammar.
    """
    if len(body) > _SHORT:
        return None
    text = body.decode("utf-8", "surrogateescape")
    match = _LEVEL(text)
    if match is None:
        return None
    maker, name, connection, row = match.groups()
    media = []
    try:
        lines = (
            *(_VERSION, Line("o", maker), Line.parse(name)),
            *_section(connection, row),
        )
        session = Section(lines=lines)
        while (place := match.end()) < len(text):
            match = _MEDIA(text, place)
            if match is None:
                return None
            heading, connection, row = match.groups()
            section = _section(connection, row)
            media.append(Media.parse(Line("m", heading), section, session))
    except ParseError:
        return None  # the parser says what is wrong, and where
    return None if len(media) > MAX_MEDIA else (lines, tuple(media))


def _section(connection: str | None, row: str) -> tuple[Line, ...]:
    if connection is None:
        return _lines(row)
    Connection.parse(connection)
    return (Line("c", connection), *_lines(row))


# As many as the models that are around; 13 MB if hostile peers fill it with the longest
# bodies.
@lru_cache(maxsize=256)
def _lines(row: str) -> tuple[Line, ...]:
    lines, _ = parse_sections(_START + row.encode("utf-8", "surrogateescape"))
    return lines[2:]
