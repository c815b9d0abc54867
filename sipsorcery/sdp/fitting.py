"""
What of ours fits what is offered: the answer but for the ``o=`` line and our ports.

Each model of telephone offers the same codecs in every call, and we do the same things.
So an answer is made once, of what of both sides decides about it, and remembered; who
calls, from where, and where our media goes are left out. Of the offer only lines that
are read here are kept, so no key or password is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from sipsorcery.sdp.codec import Codec
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.section import Section
from sipsorcery.sdp.session import SessionDescription

# Attributes that an answer has only if the offer has them (RFC 5761, 5506).
_IF_OFFERED = ("rtcp-mux", "rtcp-rsize")
# Attributes of ours that speak of our own payload types, not of theirs.
_OWN_ONLY = ("imageattr", "rtcp-fb")
# Answers that are remembered, about as many as the models that are around, and octets
# of an offer that is: 18 MB if hostile peers fill all with the shortest lines.
_REMEMBERED = 128
_SHORT = 8 * 1024

# Attributes of an offer that decide about the answer.
_DECIDES = re.compile(
    r" *+(?:rtpmap|fmtp|mid|rtcp-mux|rtcp-rsize|sendrecv|sendonly|recvonly|inactive)"
).match
# Where an offer wants media, as far as it matters: somewhere, or nowhere (on hold).
_SOMEWHERE = Line("c", "IN IP4 192.0.2.1")
_NOWHERE = Line("c", "IN IP4 0.0.0.0")
_PORT = 9  # likewise, the one that means nothing

#: A line, how it is spelled included: type, value, indent, end.
_Spelled: TypeAlias = tuple[str, str, str, str]
_spelled = attrgetter("type", "value", "indent", "end")
_ORIGIN: _Spelled = ("o", "", "", "\r\n")


class Offered(NamedTuple):
    """
    What of an offered stream decides about the answer.

    :ivar connection: stands for the address; None: there is none.
    """

    type: str
    proto: str
    formats: tuple[str, ...]
    is_rejected: bool
    connection: Line | None
    lines: tuple[tuple[str, str], ...]


class Ours(NamedTuple):
    """
    A stream of ours, but for where its ports begin.
    """

    type: str
    proto: str
    formats: tuple[str, ...]
    ports: int
    lines: tuple[_Spelled, ...]


class Question(NamedTuple):
    """
    All that decides about an answer.

    :ivar offered_level: lines of the session level.
    :ivar our_level: likewise.
    """

    offered_level: tuple[tuple[str, str], ...]
    offered: tuple[Offered, ...]
    our_level: tuple[_Spelled, ...]
    ours: tuple[Ours, ...]
    local_order: bool

    @classmethod
    def of(
        cls, offer: SessionDescription, local: SessionDescription, local_order: bool
    ) -> Question:
        """
        Take from an offer, and from what we can do, what decides about the answer.
        """
        return cls(
            _deciding(offer.lines),
            tuple(map(_offered, offer.media)),
            tuple(
                _ORIGIN if line.type == "o" else _spelled(line) for line in local.lines
            ),
            tuple(_ours(media) for media in local.media if not media.is_rejected),
            local_order,
        )


class Fitted(NamedTuple):
    """
    An answer, but for the ``o=`` line and our ports.

    :ivar before: the lines of the session level before ``o=``.
    :ivar after: those behind it.
    :ivar media: the streams, each with the place of ours that serves it, counted
        without those that are over; None: it is refused.
    """

    before: tuple[Line, ...]
    after: tuple[Line, ...]
    media: tuple[tuple[Media, int | None], ...]


def fit(
    offer: SessionDescription, local: SessionDescription, local_order: bool
) -> Fitted:
    """
    Find what of ours fits what is offered.

    :param local_order: put the formats in our order rather than in that of the offer.
    """
    question = Question.of(offer, local, local_order)
    return _known(question) if len(bytes(offer)) <= _SHORT else _fit(question)


@lru_cache(maxsize=_REMEMBERED)
def _known(question: Question) -> Fitted:
    return _fit(question)


def _fit(question: Question) -> Fitted:
    level = Section(lines=tuple(Line(*line) for line in question.our_level))
    spare = [
        (place, _media_of(ours, level)) for place, ours in enumerate(question.ours)
    ]
    offered_level = _lines_of(question.offered_level)
    media = tuple(
        _answer(_media_offered(offered, offered_level), spare, question.local_order)
        for offered in question.offered
    )
    # 'The "t=" line in the answer MUST equal that of the offer.' (6)
    times = Section(lines=offered_level).values("t") or ("0 0",)
    level = level.with_values("t", *times).without_attribute("group")
    lines = level.with_values("o", "").lines
    place = next(place for place, line in enumerate(lines) if line.type == "o")
    return Fitted(lines[:place], lines[place + 1 :], media)


def _deciding(lines: Iterable[Line]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (line.type, line.value)
        for line in lines
        if line.type == "t" or (line.type == "a" and _DECIDES(line.value))
    )


def _offered(media: Media) -> Offered:
    connection, stands_for = media.connection, None
    if connection is not None:
        is_nowhere = connection.is_unspecified and not media.uses_ice
        stands_for = _NOWHERE if is_nowhere else _SOMEWHERE
    return Offered(
        media.type,
        media.proto,
        media.formats,
        media.is_rejected,
        stands_for,
        _deciding(media.lines),
    )


def _ours(media: Media) -> Ours:
    lines = tuple(map(_spelled, media.lines))
    return Ours(media.type, media.proto, media.formats, media.count, lines)


def _lines_of(lines: Iterable[tuple[str, str]]) -> tuple[Line, ...]:
    return tuple(Line(type, value) for type, value in lines)


def _media_offered(offered: Offered, level: tuple[Line, ...]) -> Media:
    connection = () if offered.connection is None else (offered.connection,)
    return Media(
        offered.type,
        0 if offered.is_rejected else _PORT,
        offered.proto,
        offered.formats,
        lines=(*connection, *_lines_of(offered.lines)),
        session=Section(lines=level),
    )


def _media_of(ours: Ours, level: Section) -> Media:
    lines = tuple(Line(*line) for line in ours.lines)
    return Media(
        ours.type,
        _PORT,
        ours.proto,
        ours.formats,
        ours.ports,
        lines=lines,
        session=level,
    )


def _answer(
    offered: Media, spare: list[tuple[int, Media]], local_order: bool
) -> tuple[Media, int | None]:
    """
    Answer one stream with the first of ours that fits, which is then taken.
    """
    # Without any c= line, which some leave out, there is nowhere to send to.
    if not offered.is_rejected and offered.connection is not None:
        for one in spare:
            place, ours = one
            if same_kind(ours, offered):
                fitted = _fit_formats(ours, offered, local_order)
                if fitted is not None:
                    spare.remove(one)
                    return _finish(fitted, ours.direction, offered), place
    refused = Media(offered.type, 0, offered.proto, offered.formats or ("0",))
    return _with_mid(refused, offered.mid), None


def _fit_formats(ours: Media, offered: Media, local_order: bool) -> Media | None:
    """
    Reduce one of our streams to the formats that were offered, under their numbers.

    :return: ``None`` if none is left.
    """
    if ours.is_rtp:
        return _fit_codecs(ours, offered.codecs, local_order)
    known = {format.lower() for format in ours.formats}
    formats = tuple(format for format in offered.formats if format.lower() in known)
    return replace(ours, formats=formats) if formats else None


def _fit_codecs(
    ours: Media, offered: tuple[Codec, ...], local_order: bool
) -> Media | None:
    pairs = _common_codecs(ours, offered)
    if not any(theirs.carries_media for theirs, _ in pairs):
        return None
    if local_order:
        order = {codec: place for place, codec in enumerate(ours.codecs)}
        pairs.sort(key=lambda pair: order[pair[1]])
    return ours.without_attribute(*_OWN_ONLY).with_codecs(
        replace(theirs, fmtp=mine.fmtp) for theirs, mine in pairs
    )


def _common_codecs(
    ours: Media, offered: tuple[Codec, ...]
) -> list[tuple[Codec, Codec]]:
    """
    Pair each offered codec with ours, in the order of the offer.
    """
    pairs, known = [], ours.codecs
    for theirs in offered:
        mine = next((mine for mine in known if mine.matches(theirs)), None)
        if mine is not None and not theirs.is_derived:
            pairs.append((theirs, mine))
    return pairs


def _finish(fitted: Media, own: Direction, offered: Media) -> Media:
    """
    Give one of our streams, its formats fitted, the direction and name of the offered.

    :param own: the direction that we want.
    """
    wanted = offered.direction
    if offered.is_held:
        wanted &= Direction.SENDONLY
    direction = wanted.reversed & own
    if fitted.is_rtp or direction is not own:
        fitted = fitted.with_direction(direction)
    missing = [name for name in _IF_OFFERED if offered.attribute(name) is None]
    return _with_mid(fitted.without_attribute(*missing), offered.mid)


def _with_mid(media: Media, mid: str | None) -> Media:
    return media.with_attribute("mid", mid) if mid else media.without_attribute("mid")


def same_kind(one: Media, other: Media) -> bool:
    """
    Tell whether two streams are of the same media type and protocol.
    """
    return (one.type, one.proto.upper()) == (other.type, other.proto.upper())
