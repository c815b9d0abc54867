"""
What an offer/answer exchange consists of: its sides, its messages, its outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sipsorcery.dialog.extensions import RELIABLE, requires
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.fields import CSEQ, RACK, RSEQ
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response


@dataclass(frozen=True, slots=True)
class Offered:
    """
    Tell of an offer of the peer, which waits for our answer.
    """

    description: SessionDescription


@dataclass(frozen=True, slots=True)
class Previewed:
    """
    Tell of an answer that came in an unreliable response, ahead of the one that counts.
    """

    description: SessionDescription


@dataclass(frozen=True, slots=True)
class Agreed:
    """
    Tell what the session is from now on.
    """

    local: SessionDescription | None
    remote: SessionDescription | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """
    Tell that an offer came to nothing; the session is what it was.
    """


@dataclass(frozen=True, slots=True)
class Broken:
    """
    Tell that the peer has not kept the rules, and nothing can be refused any more.

    The offer came to nothing. Where that leaves no session, the call is hung up.
    """

    text: str


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """
    Ask for another offer, so that both sides think the same again.

    A re-INVITE of ours has failed after something in it had been agreed upon
    (:rfc:`6141#section-3.5`).
    """


OfferAnswerEffect: TypeAlias = (
    Offered | Previewed | Agreed | Withdrawn | Broken | OutOfStep
)


class Side(Enum):
    """
    Name who sends something.
    """

    Local = "Local"
    Remote = "Remote"

    @property
    def other(self) -> Side:
        """
        The one across.
        """
        return Side.Remote if self is Side.Local else Side.Local


@dataclass(frozen=True, slots=True)
class PendingOffer:
    """
    An offer without its answer.

    :ivar cseq: of the request that it was in, or in a response to which.
    :ivar rack: what the PRACK with the answer says.
    """

    side: Side
    description: SessionDescription
    cseq: CSeq
    in_request: bool = True
    rack: RAck | None = None

    def goes_with(self, side: Side, cseq: CSeq) -> bool:
        """
        Tell whether the offer is in this request of *side*, or in a response to it.
        """
        return self.cseq == cseq and self.in_request is (self.side is side)

    def is_answered_by(self, side: Side, message: Message) -> bool:
        """
        Tell whether *message* is where the answer belongs.
        """
        if side is self.side:
            return False
        if isinstance(message, Response):
            return (
                self.in_request and message[CSEQ] == self.cseq and is_binding(message)
            )
        if self.in_request or not isinstance(message, Request):
            return False
        if self.rack is not None:
            return message.method == "PRACK" and message[RACK] == self.rack
        return message.method == "ACK" and message[CSEQ].number == self.cseq.number


@dataclass(slots=True)
class PendingInvite:
    """
    An INVITE without its final response.

    :ivar is_described: whether there has been an offer since.
    :ivar is_first: whether there was no session before.
    :ivar has_changed: whether something in it has been agreed upon.
    :ivar undo: the session before an answer of ours, in a reliable response that no
        PRACK has acknowledged yet.
    """

    side: Side
    cseq: CSeq
    is_described: bool
    is_first: bool
    has_changed: bool = False
    undo: Agreed | None = None


def is_binding(response: Response) -> bool:
    """
    Tell whether a response is one that may carry an offer or a binding answer.
    """
    if response.status == 100 or not response.is_provisional:
        return response.is_success
    return RSEQ in response and requires(response, RELIABLE)
