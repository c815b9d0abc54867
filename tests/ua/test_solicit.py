"""
Tests for `sipsorcery.ua.session`: offers that a third party asks for.
"""

from __future__ import annotations

from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.request import Request
from sipsorcery.ua import RequestFailed, Session
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)


class SolicitTests(AgentCase):
    """
    Offers asked for by a re-INVITE without one (RFC 3725).
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.agent(), self.agent(BOB)
        self.calls = self.answering(self.bob)
        self.ours: Session = self.given(
            self.alice.invite(BOB_URI, ALICE_MEDIA).answered()
        )
        self.theirs: Session = self.calls[0].session

    def test_answered_by_another(self) -> None:
        """
        The peer offers what it can do, and gets somebody else's answer word for word.
        """
        offers: list[SessionDescription] = []

        async def answer(offer: SessionDescription) -> SessionDescription:
            offers.append(offer)
            return PEER_MEDIA

        self.run_through(self.ours.solicit(answer))
        self.assertEqual(offers[0].media, BOB_MEDIA.media)
        assert self.theirs.remote is not None
        self.assertEqual(self.theirs.remote.media[0].address, (PEER, 6000))
        # The origin is ours, one version further (RFC 3264, 8).
        self.assertEqual(self.theirs.remote.origin.version, 2)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_nobody_answers(self) -> None:
        """
        If the other one fails, the session stays as it was, and the failure is told.
        """

        async def fail(offer: SessionDescription) -> SessionDescription:
            raise RequestFailed("nobody is there")

        failed = self.begin(self.ours.solicit(fail))
        self.assertEqual(str(self.refused(failed, RequestFailed)), "nobody is there")
        assert self.theirs.remote is not None
        self.assertEqual(self.theirs.remote.media[0].address, (ALICE, 4000))
        self.assertTrue(self.theirs.is_established)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_another_refuses(self) -> None:
        """
        How the other one has refused says nothing to this peer: it is asked but once.
        """
        asked: list[SessionDescription] = []
        invite = Request("INVITE", PEER_URI, [(CSEQ, CSeq(1, "INVITE"))])
        glare = invite.respond(491)

        async def fail(offer: SessionDescription) -> SessionDescription:
            asked.append(offer)
            raise RequestFailed("491 Request Pending", glare)

        failed = self.begin(self.ours.solicit(fail))
        self.assertEqual(self.refused(failed, RequestFailed).status, 491)
        self.network.advance(30.0)
        self.assertEqual(len(asked), 1)
        self.run_through(self.ours.bye())
        self.assert_settled()

    def test_refused(self) -> None:
        """
        Where the peer refuses, nobody is asked for an answer.
        """
        peer = self.peer()
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        self.network.advance()
        peer.respond(peer.last("INVITE"), 200, body=bytes(PEER_MEDIA))
        session: Session = self.given(call.answered())

        async def answer(offer: SessionDescription) -> SessionDescription:
            raise AssertionError("there is no offer")

        asked = self.begin(session.solicit(answer))
        invite = peer.last("INVITE")
        self.assertEqual(invite.body, b"")
        peer.respond(invite, 488)
        self.assertEqual(self.refused(asked, RequestFailed).status, 488)
        self.assertTrue(session.is_established)
