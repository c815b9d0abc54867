"""
Answers to offers (:rfc:`3264#section-6`).

What we can do is itself a description: the one that we would offer. An answer takes
its streams, in the order of the offer, and its lines; formats, payload types and
``mid`` follow the offer. Keys (``crypto``, ``fingerprint``), candidates and feedback
(``rtcp-fb``) are not negotiated here.
"""

from __future__ import annotations

from sipsorcery.sdp.errors import NotAcceptable, RemoteProtocolError, excerpt
from sipsorcery.sdp.fitting import Fitted, fit, same_kind
from sipsorcery.sdp.line import Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.modification import reissue
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.section import Section
from sipsorcery.sdp.session import SessionDescription


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
    fitted = fit(offer, local, local_order)
    wanted = [offered for offered in offer.media if not offered.is_rejected]
    if wanted and all(place is None for _, place in fitted.media):
        kinds = ", ".join(f"{offered.type} by {offered.proto}" for offered in wanted)
        raise NotAcceptable(f"nothing of what is offered fits: {excerpt(kinds)}")
    answer = _completed(fitted, local, origin or local.origin)
    return answer if previous is None else reissue(answer, previous.origin, previous)


def _completed(
    fitted: Fitted, local: SessionDescription, origin: Origin
) -> SessionDescription:
    """
    Add what is another in each call: our ports, and the ``o=`` line.
    """
    origin.check()
    own_line = Line("o", str(origin), end=local.line_end)
    level = Section(lines=(*fitted.before, own_line, *fitted.after))
    ours = [media for media in local.media if not media.is_rejected]
    media = tuple(
        answered.within(level)
        if place is None
        else answered.within(level, ours[place].port, ours[place].spelled)
        for answered, place in fitted.media
    )
    return SessionDescription(media, lines=level.lines)


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
        if not same_kind(answered, offered):
            raise RemoteProtocolError(f"{excerpt(answered.type)} answers {kind}")
        if answered.is_rejected:
            continue
        if offered.is_rejected:
            raise RemoteProtocolError(f"the answer revives a dead {kind}")
        if answered.connection is None:
            raise RemoteProtocolError(f"the answer has no address for {kind}")
        if not _have_common_format(answered, offered):
            raise RemoteProtocolError(f"no format of the offer for {kind}")


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
