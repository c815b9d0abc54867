"""
What the tests of bridged calls share: a server between two phones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.caller_side import CallerSide
from sipsorcery.appserver.calls.leg import Leg
from sipsorcery.appserver.calls.legs import Delivered
from sipsorcery.appserver.dial.options import NO_OPTIONS
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.address import Address
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import Ending, ServerCall, Session
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_URI,
    PEER,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

__all__ = ["ALICE", "ALICE_MEDIA", "BOB", "PEER", "PEER_MEDIA", "BridgedCase"]


class OneLeg:
    """
    One call through the server: a caller, one leg, and the bridge between them.
    """

    def __init__(self, case: BridgedCase, incoming: ServerCall) -> None:
        self.case = case
        self.incoming = incoming
        self.failures: list[tuple[int, str, Sequence[SIPURI]]] = []
        self.side = CallerSide(incoming, **case.side)
        self.callee: Session | None = None
        self.bridge: Bridge | None = None
        incoming.contact = Address.parse(f"<sip:name-of-a@{BOB}>")
        self.leg = Leg(
            case.server,
            case.target,
            self,
            self.side.inquiry(),
            proxy=SIPURI.parse(f"{PEER_URI};lr"),
            contact=Address.parse(f"<sip:name-of-b@{BOB}>"),
        )
        incoming.answered().addErrback(lambda failure: self.leg.cancel())
        self.leg.start()

    # What the leg tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Tell the caller.
        """
        self.side.progress(response, session)

    def answered(self, session: Session, target: Target) -> None:
        """
        Answer the caller, and end each leg with the other one.
        """
        self.callee = session
        self.side.join(session)
        answered = self.side.answer(session, storing=self.case.storing)
        answered.addErrback(lambda failure: None)
        self.bridge = self.side.bridge
        session.ended().addCallback(self._ended, self.incoming.session)
        self.incoming.session.ended().addCallback(self._ended, session)

    def delivered(self, delivered: Delivered) -> None:
        """
        Hear of no MESSAGE: there is none.
        """

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[FieldValue] = (),
    ) -> None:
        """
        Refuse the call.
        """
        self.failures.append((status, reason, contacts))
        if self.incoming.is_pending:
            self.incoming.reject(status, reason)

    def _ended(self, ending: Ending, other: Session) -> None:
        other.core.spawn(other.bye())


class BridgedCase(AgentCase):
    """
    A server that calls the peer for everybody.

    :ivar calls: what has come to it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.side: dict[str, Any] = {}
        self.storing: Any = None
        uri = SIPURI.parse(PEER_URI)
        self.target = Target(
            Kind.ANYBODY,
            uri,
            uri,
            SIPURI.parse("sip:alice@example.com"),
            NO_OPTIONS,
        )
        self.calls: list[OneLeg] = []
        self.server = self.agent(BOB, any_body=True, session_expires=0)
        self.server.on("MESSAGE", _refuse)
        self.server.on_invite(lambda call: self.calls.append(OneLeg(self, call)))

    def pair(self) -> tuple[Session, Session]:
        """
        Establish a call from alice to the peer, both user agents.
        """
        self.alice, self.carol = self.agent(ALICE), self.agent(PEER)
        taken = self.answering(self.carol, PEER_MEDIA)
        call = self.alice.invite(BOB_URI, ALICE_MEDIA)
        caller = self.given(call.answered())
        return caller, taken[0].session

    @property
    def bridge(self) -> Bridge:
        """
        The bridge of the last call.
        """
        bridge = self.calls[-1].side.bridge
        assert bridge is not None  # somebody has been heard
        return bridge

    def hang_up(self, session: Session) -> None:
        """
        End a call, and check that nothing is left on either side.
        """
        self.run_through(session.bye())
        self.assert_settled()


def _refuse(transaction: ServerTransaction) -> None:
    transaction.respond(405)
