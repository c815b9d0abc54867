"""
Changing a session that is under way (:rfc:`3264#section-8`).

Every description that one side sends in a dialog has the same ``o=`` line but for its
version, which rises by one if anything else changes, and only then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import RemoteProtocolError
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.session import SessionDescription


def reissue(
    description: SessionDescription,
    origin: Origin,
    previous: SessionDescription | None = None,
) -> SessionDescription:
    """
    Send a description as one's own: that of the other leg, or a changed one.

    :param origin: who we are on this leg, for the first description there.
    :param previous: what we sent last on this leg. Its origin then counts, whatever
        *origin* says, and it is returned itself if *description* says nothing else.
    """
    if previous is None:
        return description.with_origin(origin)
    if description.with_origin(previous.origin) == previous:
        return previous
    return description.with_origin(previous.origin.with_next_version())


def hold(description: SessionDescription) -> SessionDescription:
    """
    Make the offer that puts the peer on hold.

    What was sendrecv becomes sendonly, and recvonly inactive (:rfc:`3264#section-8.4`).

    :param description: what we sent last; returned itself if it holds already.
    """
    return _redirect(description, lambda direction: direction & Direction.SENDONLY)


def resume(description: SessionDescription) -> SessionDescription:
    """
    Make the offer that takes the peer off hold: we receive again.

    :param description: what we sent last; returned itself if it does not hold.
    """
    return _redirect(description, lambda direction: direction | Direction.RECVONLY)


def check_offer(offer: SessionDescription, previous: SessionDescription) -> None:
    """
    Make sure that a new offer fits the session that it changes.

    A stream may become one of another type, as where audio turns into a fax
    (:rfc:`3264#section-8.3.3`).

    :param previous: what the same side sent last.
    :raises RemoteProtocolError: if streams are left out.
    """
    if len(offer.media) < len(previous.media):
        raise RemoteProtocolError("the offer leaves out streams of the session")


def _redirect(
    description: SessionDescription, change: Callable[[Direction], Direction]
) -> SessionDescription:
    def turned(media: Media) -> Media:
        direction = change(media.direction)
        if media.is_rejected or direction is media.direction:
            return media
        return media.with_direction(direction)

    changed = replace(description, media=tuple(map(turned, description.media)))
    return reissue(changed, description.origin, description)
