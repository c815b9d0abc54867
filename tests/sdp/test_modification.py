"""
Tests for :mod:`sipsorcery.sdp.modification`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import (
    Direction,
    Media,
    Origin,
    RemoteProtocolError,
    SessionDescription,
    check_offer,
    hold,
    reissue,
    resume,
)
from tests.sdp.samples import ASTERISK, EDGE, SAMPLES

OWN = Origin("-", "20518", 1, "203.0.113.1")


def directions(description: SessionDescription) -> list[Direction]:
    """
    Give the direction of each stream.
    """
    return [media.direction for media in description.media]


class ReissueTests(SynchronousTestCase):
    def test_first(self) -> None:
        """
        The first description on a leg gets our origin; all else stays as it came.
        """
        for name, data in SAMPLES.items():
            with self.subTest(name=name):
                foreign = SessionDescription.parse(data)
                ours = reissue(foreign, OWN)
                self.assertEqual(ours.origin, OWN)
                self.assertEqual(ours.with_origin(foreign.origin), foreign)

    def test_unchanged(self) -> None:
        """
        What says nothing new is what we sent before, octet for octet.

        Whether the other side raised its own version is its affair.
        """
        first = reissue(SessionDescription.parse(ASTERISK), OWN)
        again = ASTERISK.replace(b"4711 4711", b"4711 4712").replace(b"\r\n", b"\n")
        self.assertIs(reissue(SessionDescription.parse(again), OWN, first), first)

    def test_changed(self) -> None:
        """
        Any change raises the version by one; the rest of the origin is constant.
        """
        first = reissue(SessionDescription.parse(ASTERISK), OWN)
        for old, new in (
            (b"a=sendrecv", b"a=inactive"),
            (b"14002", b"14004"),
            (b"c=IN IP4 192.0.2.10", b"c=IN IP4 192.0.2.11"),
            (b"s=session", b"s=another"),
        ):
            with self.subTest(new=new):
                changed = SessionDescription.parse(ASTERISK.replace(old, new))
                second = reissue(changed, replace(OWN, username="ignored"), first)
                self.assertEqual(second.origin, OWN.with_next_version())
                self.assertIn(new, bytes(second))

    def test_chain(self) -> None:
        """
        There and back again is two changes.
        """
        one = SessionDescription.parse(ASTERISK)
        two = one.with_direction(Direction.INACTIVE)
        sent = reissue(one, OWN)
        versions = []
        for description in (two, two, one, one):
            sent = reissue(description, OWN, sent)
            versions.append(sent.origin.version)
        self.assertEqual(versions, [2, 2, 3, 3])

    def test_after_storage(self) -> None:
        """
        What was stored and read again goes on where it was.
        """
        foreign = SessionDescription.parse(ASTERISK)
        stored = SessionDescription.parse(bytes(reissue(foreign, OWN)))
        self.assertEqual(bytes(reissue(foreign, OWN, stored)), bytes(stored))


class HoldTests(SynchronousTestCase):
    def described(self, direction: Direction) -> SessionDescription:
        """
        Make a description with one stream of that direction.
        """
        sdp = SessionDescription.parse(ASTERISK)
        return replace(sdp, media=(sdp.media[0].with_direction(direction),))

    def test_hold(self) -> None:
        """
        What was sendrecv becomes sendonly, and recvonly inactive (RFC 3264, 8.4).
        """
        for before, after in (
            (Direction.SENDRECV, Direction.SENDONLY),
            (Direction.RECVONLY, Direction.INACTIVE),
        ):
            with self.subTest(before=before):
                talking = self.described(before)
                held = hold(talking)
                self.assertEqual(directions(held), [after])
                self.assertEqual(held.origin, talking.origin.with_next_version())

    def test_resume(self) -> None:
        """
        Resuming undoes the hold, under a new version.
        """
        for direction in (Direction.SENDRECV, Direction.RECVONLY):
            with self.subTest(direction=direction):
                talking = self.described(direction)
                resumed = resume(hold(talking))
                self.assertEqual(resumed.media, talking.media)
                self.assertEqual(resumed.origin.version, talking.origin.version + 2)

    def test_nothing_to_do(self) -> None:
        """
        Holding twice, or resuming what is not held, changes nothing.
        """
        for direction in (Direction.SENDONLY, Direction.INACTIVE):
            held = self.described(direction)
            self.assertIs(hold(held), held)
        for direction in (Direction.SENDRECV, Direction.RECVONLY):
            talking = self.described(direction)
            self.assertIs(resume(talking), talking)

    def test_direction_of_the_session(self) -> None:
        """
        A direction at session level is overridden for each stream.
        """
        sdp = SessionDescription.parse(ASTERISK.replace(b"a=sendrecv\r\n", b""))
        held = hold(sdp.with_direction(Direction.SENDRECV))
        self.assertEqual(directions(held), [Direction.SENDONLY])
        self.assertIs(held.own_direction, Direction.SENDRECV)

    def test_refused_streams(self) -> None:
        """
        A refused stream is left alone.
        """
        sdp = SessionDescription.parse(EDGE)
        self.assertIs(hold(resume(sdp)).media[1].own_direction, Direction.INACTIVE)


class CheckOfferTests(SynchronousTestCase):
    AUDIO = Media("audio", 4000, "RTP/AVP", ("0",))
    VIDEO = Media("video", 4002, "RTP/AVP", ("31",))

    def test_good(self) -> None:
        """
        A new offer keeps the streams, adds some, reuses the place of a dead one, or
        gives a stream another type, as to send a fax (RFC 3264, 8.3.3).
        """
        dead = replace(self.AUDIO, port=0)
        fax = Media("image", 4000, "udptl", ("t38",))
        for new, old in (
            ((self.AUDIO,), (self.AUDIO,)),
            ((self.AUDIO, self.VIDEO), (self.AUDIO,)),
            ((dead, self.VIDEO), (self.AUDIO, self.VIDEO)),
            ((self.VIDEO,), (dead,)),
            ((fax,), (self.AUDIO,)),
        ):
            with self.subTest(new=new, old=old):
                check_offer(SessionDescription(new), SessionDescription(old))

    def test_bad(self) -> None:
        """
        Streams are not left out (RFC 3264, 8).
        """
        for new, old in (
            ((), (self.AUDIO,)),
            ((self.AUDIO,), (self.AUDIO, self.VIDEO)),
        ):
            with self.subTest(new=new, old=old):
                error = self.assertRaises(
                    RemoteProtocolError,
                    check_offer,
                    SessionDescription(new),
                    SessionDescription(old),
                )
                self.assertEqual(error.status, 488)
