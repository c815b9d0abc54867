"""
Messages with session descriptions, and a base for tests of a session.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.bodies import described
from sipsorcery.dialog.exchange import (
    Agreed,
)
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sdp import (
    PCMA,
    PCMU,
    Connection,
    Media,
    Origin,
    SessionDescription,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.dialog.messages import BOB_TAG, request
from tests.dialog.messages import from_bob as bobs_request

ORIGIN = Origin("-", "7", 1, "192.0.2.1")
AUDIO = Media("audio", 4000).with_codecs([PCMA, PCMU])
VIDEO = Media("video", 4002, formats=("99",))

#: What Alice can do, and what Bob can.
ALICE = SessionDescription.create(ORIGIN, Connection("192.0.2.1"), [AUDIO])
BOB = SessionDescription.create(
    Origin("-", "9", 1, "192.0.2.4"), Connection("192.0.2.4"), [AUDIO]
)
WITH_VIDEO = replace(ALICE, media=(AUDIO, VIDEO))

Body = SessionDescription | bytes | None


def carrying(message: Message, body: Body) -> None:
    """
    Put a body into a message.
    """
    fields, content = described(body if isinstance(body, SessionDescription) else None)
    for field, value in fields:
        message.set(field, value)
    if isinstance(body, bytes):
        message.set("Content-Type", "application/sdp")
        content = body
    message.body = content


def ours(method: str, body: Body = None, *more: str, cseq: int = 1) -> Request:
    """
    Make a request of Alice.
    """
    made = request(method, *more, cseq=cseq, to_tag=BOB_TAG)
    carrying(made, body)
    return made


def theirs(method: str, body: Body = None, *more: str, cseq: int = 1) -> Request:
    """
    Make a request of Bob.
    """
    made = bobs_request(method, *more, cseq=cseq)
    carrying(made, body)
    return made


def answer(
    to: Request, status: int, body: Body = None, *, rseq: int | None = None
) -> Response:
    """
    Make a response to a request, a reliable one if it has a number.
    """
    made = to.respond(status, to_tag=BOB_TAG)
    if rseq is not None:
        made.set("Require", "100rel")
        made.set("RSeq", f"{rseq}")
    carrying(made, body)
    return made


class OfferAnswerTestCase(SynchronousTestCase):
    """
    Alice's state of the session.
    """

    def setUp(self) -> None:
        self.session = OfferAnswer(ORIGIN)

    def assert_effects(self, *expected: object) -> None:
        """
        Check what has come of the messages.
        """
        self.assertEqual(self.session.take_effects(), list(expected))

    def assert_agreed(self, local: Body, remote: Body) -> None:
        """
        Check that the last message has made this the session.
        """
        assert not isinstance(local, bytes) and not isinstance(remote, bytes)
        self.assert_effects(Agreed(local, remote))
        self.assertEqual((self.session.local, self.session.remote), (local, remote))
        self.assertFalse(self.session.must_answer)

    def receive(self, message: Request | Response) -> None:
        """
        Let a message come that is not refused.
        """
        self.assertIsNone(self.session.receive(message))

    def assert_refused(self, message: Request, status: int) -> Refusal:
        """
        Check that a request is refused, and changes nothing.
        """
        before = (self.session.local, self.session.remote, self.session.may_offer)
        refusal = self.session.receive(message, retry_after=7)
        assert refusal is not None
        self.assertEqual(refusal.status, status)
        self.assert_effects()
        after = (self.session.local, self.session.remote, self.session.may_offer)
        self.assertEqual(after, before)
        return refusal

    def call(self) -> None:
        """
        Establish a session: Alice offers, Bob answers.
        """
        invite = ours("INVITE", ALICE)
        self.session.sent(invite)
        self.session.receive(answer(invite, 200, BOB))
        self.session.sent(ours("ACK"))
        self.session.take_effects()
