"""
Answers to offers (:rfc:`3264#section-6`).

What we can do is itself a description: the one that we would offer. An answer takes
its streams, in the order of the offer, and its lines; formats, payload types and
``mid`` follow the offer. Keys (``crypto``, ``fingerprint``), candidates and feedback
(``rtcp-fb``) are not negotiated here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sipsorcery.sdp.codec import Codec
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import NotAcceptable, RemoteProtocolError, excerpt
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.modification import reissue
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.section import Section
from sipsorcery.sdp.session import SessionDescription

# Attributes that an answer has only if the offer has them (RFC 5761, 5506).
_IF_OFFERED = ("rtcp-mux", "rtcp-rsize")
# Attributes of ours that speak of our own payload types, not of theirs.
_OWN_ONLY = ("imageattr", "rtcp-fb")
# Answers to streams that are remembered: each model of telephone offers the same codecs
# in every call, and we do the same things. 16 MB if hostile peers fill it with the
# longest bodies.
_REMEMBERED = 256


def create_answer(
    offer: SessionDescription,
    local: SessionDescription,
    previous: SessionDescription | None = None,
    *,
    origin: Origin | None = None,
    local_order: bool = False,
) -> SessionDescription:
    """
    Answer an offer.

    Each of our streams serves the first offered one that it fits: same media type,
    same protocol, a codec in common. What is left of the offer is refused with port 0.
    The same offer gets the same answer, octet for octet.

    :param local: what we can do, at which addresses, under which origin; its direction
        is what we want (sendrecv, or sendonly to keep the peer on hold).
    :param origin: another one than that of *local*.
    :param previous: what we sent last in this dialog, whose origin goes on.
    :param local_order: put the formats in our order of preference rather than in that
        of the offer, which is the recommended one (:rfc:`3264#section-6.1`).
    :raises NotAcceptable: if streams are offered and none of them fits.
    """
    spare = [media for media in local.media if not media.is_rejected]
    media = tuple(_answer(offered, spare, local_order) for offered in offer.media)
    wanted = [offered for offered in offer.media if not offered.is_rejected]
    if wanted and all(answered.is_rejected for answered in media):
        kinds = ", ".join(f"{offered.type} by {offered.proto}" for offered in wanted)
        raise NotAcceptable(f"nothing of what is offered fits: {excerpt(kinds)}")
    # 'The "t=" line in the answer MUST equal that of the offer.' (6)
    times = offer.values("t") or ("0 0",)
    level = Section(lines=local.lines).with_values("t", *times)
    level = level.without_attribute("group").with_origin(origin or local.origin)
    answer = SessionDescription(media, lines=level.lines)
    return answer if previous is None else reissue(answer, previous.origin, previous)


def check_answer(answer: SessionDescription, offer: SessionDescription) -> None:
    """
    Make sure that an answer fits its offer.

    A direction that does not fit is let pass: many a phone answers a hold without one.
    What then flows is what both sides allow.

    :raises RemoteProtocolError: if streams are missing, added, of another kind, or
        accepted without an address or a format that was offered.
    """
    if len(answer.media) != len(offer.media):
        raise RemoteProtocolError(
            f"{len(answer.media)} streams answer an offer of {len(offer.media)}"
        )
    for answered, offered in zip(answer.media, offer.media, strict=True):
        kind = excerpt(offered.type)
        if not _same_kind(answered, offered):
            raise RemoteProtocolError(f"{excerpt(answered.type)} answers {kind}")
        if answered.is_rejected:
            continue
        if offered.is_rejected:
            raise RemoteProtocolError(f"the answer revives a dead {kind}")
        if answered.connection is None:
            raise RemoteProtocolError(f"the answer has no address for {kind}")
        if not _have_common_format(answered, offered):
            raise RemoteProtocolError(f"no format of the offer for {kind}")


def _answer(offered: Media, spare: list[Media], local_order: bool) -> Media:
    """
    Answer one stream with the first of ours that fits, which is then taken.
    """
    # Without any c= line, which some leave out, there is nowhere to send to.
    if not offered.is_rejected and offered.connection is not None:
        for place, ours in enumerate(spare):
            if _same_kind(ours, offered):
                fitted = _fit_formats(ours, offered, local_order)
                if fitted is not None:
                    del spare[place]
                    return _finish(fitted, ours.direction, offered)
    refused = Media(offered.type, 0, offered.proto, offered.formats or ("0",))
    return _with_mid(refused, offered.mid)


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


@lru_cache(maxsize=_REMEMBERED)
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
    stated = direction if fitted.is_rtp or direction is not own else None
    missing = tuple(name for name in _IF_OFFERED if offered.attribute(name) is None)
    return _with_attributes(fitted, stated, missing, offered.mid)


@lru_cache(maxsize=_REMEMBERED)
def _with_attributes(
    fitted: Media,
    direction: Direction | None,
    missing: tuple[str, ...],
    mid: str | None,
) -> Media:
    if direction is not None:
        fitted = fitted.with_direction(direction)
    return _with_mid(fitted.without_attribute(*missing), mid)


def _with_mid(media: Media, mid: str | None) -> Media:
    return media.with_attribute("mid", mid) if mid else media.without_attribute("mid")


def _same_kind(one: Media, other: Media) -> bool:
    return (one.type, one.proto.upper()) == (other.type, other.proto.upper())


def _have_common_format(answered: Media, offered: Media) -> bool:
    """
    Tell whether a format of the answer was offered.

    The same number under the same name will do, and so will the number alone where
    the answer gives it no name: phones are brief in what they answer.
    """
    numbers = {format.lower() for format in offered.formats}
    named = {str(codec.payload_type): codec for codec in answered.codecs}
    for format in answered.formats:
        codec = named.get(format)
        if codec is None and format.lower() in numbers:
            return True
        if codec is not None and any(
            codec.matches(known)
            or (known.payload_type, known.name.lower())
            == (codec.payload_type, codec.name.lower())
            for known in offered.codecs
        ):
            return True
    return False
