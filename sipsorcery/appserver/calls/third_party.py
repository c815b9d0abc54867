"""
Connecting two who are in a session with us each (:rfc:`3725`).

What either has said before was said to somebody else, or was an answer to an offer that
the other one has never seen. So the first one is asked for an offer, which the second
one answers; both are established, and their programs answer at once.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.appserver.calls.bridge import Rewrite
from sipsorcery.appserver.calls.rewriting import NO_REWRITING
from sipsorcery.sdp import Connection, Direction, Media, SessionDescription
from sipsorcery.ua import Session

# Where nobody hears: the port that throws everything away, at no address.
_DISCARD, _NOWHERE = 9, "0.0.0.0"  # nothing is bound to it


def proposal(session: Session) -> SessionDescription | None:
    """
    Give what a session is to its peer, for a call that is made in its name.

    Nobody waits for an answer there: when there is one, `introduce` follows.

    :return: None if the session is not described by SDP.
    """
    return None if session.remote is None else _opened(session.remote)


def silence(offer: SessionDescription) -> SessionDescription:
    """
    Make the answer of nobody, for who is to wait until there is somebody.
    """
    streams = [
        Media(each.type, 0 if each.is_rejected else _DISCARD, each.proto, each.formats)
        .with_codecs(each.codecs)
        .with_direction(Direction.INACTIVE)
        for each in offer.media
    ]
    return SessionDescription.create(offer.origin, Connection(_NOWHERE), streams)


async def introduce(
    one: Session, other: Session, rewrite: Rewrite = NO_REWRITING
) -> None:
    """
    Let two peers agree with each other what their session is.

    :param rewrite: makes of what the first one says what the second one is told.
    :raises RequestFailed: if either refuses; the first one is left as it was.
    :raises SessionEnded: if either is over.
    """

    async def answer(offer: SessionDescription) -> SessionDescription:
        await other.reinvite(rewrite(_opened(offer)))
        assert other.remote is not None  # the answer
        return _fitted(other.remote, offer)

    await one.solicit(answer)
    if one.remote is not None and _opened(one.remote) != one.remote:
        await _wake(one, other, rewrite)


async def _wake(one: Session, other: Session, rewrite: Rewrite) -> None:
    """
    Take one off the hold that it was put on by somebody who is gone.

    Phones that are held, and are asked for an offer, offer what the hold has left.
    """
    assert other.remote is not None  # it has just answered
    await one.reinvite(_opened(other.remote))
    if one.remote is not None:
        await other.reinvite(rewrite(one.remote))


def _opened(description: SessionDescription) -> SessionDescription:
    """
    Let every stream flow both ways whose writer does not send because it is held.
    """
    media = tuple(
        each
        if each.is_rejected or each.direction.sends
        else each.with_direction(Direction.SENDRECV)
        for each in description.media
    )
    return replace(description, media=media)


def _fitted(
    answer: SessionDescription, offer: SessionDescription
) -> SessionDescription:
    """
    Make an answer fit an offer that asks for less than the one it was made for.
    """
    pairs = zip(answer.media, offer.media, strict=False)
    return replace(answer, media=tuple(_narrowed(*pair) for pair in pairs))


def _narrowed(answer: Media, offer: Media) -> Media:
    direction = answer.direction & offer.direction.reversed
    if answer.is_rejected or direction is answer.direction:
        return answer
    return answer.with_direction(direction)
