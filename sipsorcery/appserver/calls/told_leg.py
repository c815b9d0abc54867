"""
Legs that the monitor hears of.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.appserver.calls.legs import Delivered, Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.trace_owners import Belonging, TraceOwners
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session
from sipsorcery.ua.onward import SentHook


class ToldLeg:
    """
    Tells what becomes of a leg, and passes it on to who listens to it.

    :param listener: of the leg.
    :param whose: the user whose leg it is, and the call.
    :param sent: is given each INVITE as it was sent, and where it went.
    """

    __slots__ = (
        "_call_id",
        "_events",
        "_listener",
        "_owners",
        "_sent",
        "_target",
        "_whose",
    )

    def __init__(
        self,
        listener: Listener,
        events: Events,
        owners: TraceOwners,
        *,
        target: Target,
        whose: Belonging,
        sent: SentHook = lambda invite, to: None,
    ) -> None:
        self._listener = listener
        self._events = events
        self._owners = owners
        self._target = target
        self._whose = whose
        self._sent = sent
        self._call_id = ""

    # What the leg tells

    def sent(self, invite: Request, to: Endpoint) -> None:
        """
        Hear that its INVITE is on its way, this time or again.
        """
        self._owners.sent(invite, self._whose)
        if not self._call_id:
            self.begun(invite.get("Call-ID") or "", "")
        self._sent(invite, to)

    def begun(self, call_id: str, tag: str) -> None:
        """
        Hear what its requests will have.

        :param tag: ours; "": it is known already.
        """
        self._call_id = call_id
        self._owners.remember(call_id, tag, self._whose)
        self._tell(EventKind.LEG_STARTED, f"{self._target.uri} is called")

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response.
        """
        if response.status > 100:
            self._tell(
                EventKind.LEG_PROGRESS,
                f"{self._target.uri}: {response.status} {response.reason}",
                status=str(response.status),
            )
        self._listener.progressed(response, session)

    def answered(self, session: Session, target: Target) -> None:
        """
        Hear that somebody has answered.
        """
        self._tell(EventKind.LEG_ANSWERED, f"{target.uri} has answered")
        self._listener.answered(session, target)

    def delivered(self, delivered: Delivered) -> None:
        """
        Hear that somebody has taken what is no INVITE.
        """
        self._tell(
            EventKind.LEG_ANSWERED,
            f"{self._target.uri} has taken it: {delivered.status} {delivered.reason}",
            status=str(delivered.status),
        )
        self._listener.delivered(delivered)

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[FieldValue] = (),
    ) -> None:
        """
        Hear that nobody will.
        """
        self._tell(
            EventKind.LEG_FAILED,
            f"{self._target.uri} has not answered: {status} {reason}",
            status=str(status),
        )
        self._listener.failed(status, reason, contacts, fields)

    # Inside

    def _tell(self, kind: EventKind, message: str, **detail: str) -> None:
        self._events.emit(
            kind,
            message,
            call=self._whose.call,
            call_id=self._call_id,
            owner=self._whose.owner,
            remote=None,
            to=str(self._target.uri),
            **detail,
        )
