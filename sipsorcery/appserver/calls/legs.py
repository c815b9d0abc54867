"""
What a dial knows of its legs, be they calls to phones or dialplans that run here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sipsorcery.appserver.calls.inquiry import Inquiry
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session
from sipsorcery.ua.onward import SentHook


@dataclass(frozen=True, slots=True)
class Delivered:
    """
    Says that somebody has taken a request that is no INVITE.

    :ivar fields: what the response tells beside its status.
    """

    status: int
    reason: str
    fields: tuple[FieldValue, ...] = ()


class Listener(Protocol):
    """
    Hears what becomes of a leg.
    """

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response.

        :param session: the early session that it is of; None: it is of none.
        """

    def answered(self, session: Session, target: Target) -> None:
        """
        Hear that somebody has answered.

        :param target: whom we have called in the end.
        """

    def delivered(self, delivered: Delivered) -> None:
        """
        Hear that somebody has taken what is no INVITE.
        """

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[FieldValue] = (),
    ) -> None:
        """
        Hear that nobody will; of what led nowhere, the status that stands for that.

        :param contacts: where a redirection leads, the best first.
        :param fields: what the caller may be told beside the status.
        """


class CallLeg(Protocol):
    """
    One leg, which tells its listener what becomes of it, the end at most once.
    """

    def start(self) -> None:
        """
        Call.
        """

    def cancel(self) -> None:
        """
        Give up; after its end, do nothing.
        """

    def abandon(self) -> None:
        """
        Likewise, where there has been no response: the CANCEL may have to wait.
        """


#: Makes the leg to a target, not started.
MakeLeg: TypeAlias = Callable[[Target, Listener], CallLeg]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """
    What every leg of a call says.

    :ivar call: the identifier of the call.
    :ivar owner: the user whose leg it is.
    :ivar name: the display name of From, where the target has no other.
    :ivar hops: how many the INVITE may take.
    :ivar inquiry: what is asked in the name of who calls; None: we have begun the call.
    :ivar description: what is offered then; None: nothing that SDP describes.
    :ivar headers: lines to add to the INVITE.
    :ivar sent: is given each INVITE as it was sent, and where it went.
    """

    call: str
    owner: str
    name: str
    hops: int
    inquiry: Inquiry | None = None
    description: SessionDescription | None = None
    headers: tuple[str, ...] = ()
    sent: SentHook = lambda invite, to: None
