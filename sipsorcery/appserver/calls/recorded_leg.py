"""
Legs with a call detail record each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.ringing import RingingLeg
from sipsorcery.ua import Session
from sipsorcery.ua.resuming import essence


class RecordedLeg:
    """
    One leg, and what becomes of it in its record.

    :param listener: of the leg.
    :param begin: begins the record.
    :param answered: is given the session and the record of who answers.
    :param changed: is called when its INVITE was sent, this time or again.
    """

    def __init__(
        self,
        listener: Listener,
        begin: Callable[[], LegCDR],
        answered: Callable[[Session, LegCDR], object],
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._listener = listener
        self._begin = begin
        self._answered = answered
        self._leg: CallLeg | None = None
        self._cdr: LegCDR | None = None
        self._is_cancelled = False
        self._changed = changed
        self._sent: tuple[Request, Endpoint] | None = None

    @property
    def is_over(self) -> bool:
        """
        Whether nothing is wanted of it any more.
        """
        return self._leg is None

    @property
    def ringing(self) -> RingingLeg | None:
        """
        What it takes to end it from another process; None: it does not ring.
        """
        if self._sent is None or self._leg is None:
            return None
        invite, to = self._sent
        cdr = None if self._cdr is None else self._cdr.now
        return RingingLeg(invite=essence(invite).to_bytes(), to=str(to), cdr=cdr)

    def of(self, leg: CallLeg) -> RecordedLeg:
        """
        Record a leg, whose listener this is.
        """
        self._leg = leg
        return self

    # What the dial does

    def start(self) -> None:
        """
        Call.
        """
        assert self._leg is not None  # it was given one when it was made
        self._cdr = self._begin()
        self._leg.start()

    def cancel(self) -> None:
        """
        Give up.
        """
        self._is_cancelled = True
        if self._leg is not None:
            self._leg.cancel()

    def abandon(self) -> None:
        """
        Give up before there has been a response.
        """
        self._is_cancelled = True
        if self._leg is not None:
            self._leg.abandon()

    # What the leg tells

    def sent(self, invite: Request, to: Endpoint) -> None:
        """
        Hear that its INVITE is on its way.
        """
        self._sent = invite, to
        self._changed()

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response.
        """
        if self._cdr is not None:
            self._cdr.progress(response.status, response.reason)
        self._listener.progressed(response, session)

    def answered(self, session: Session, target: Target) -> None:
        """
        Hear that somebody has answered.
        """
        if self._cdr is not None:
            self._cdr.note(call_id=session.dialog.id.call_id)
            self._cdr.answered()
            self._answered(session, self._cdr)
            if self._is_cancelled:
                self._cdr.ended("answered too late")
        self._leave()
        self._listener.answered(session, target)

    def delivered(self, delivered: Delivered) -> None:
        """
        Hear that somebody has taken what is no call, and has no record.
        """
        self._leave()
        self._listener.delivered(delivered)

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[FieldValue] = (),
    ) -> None:
        """
        Hear that nobody will answer.
        """
        if self._cdr is not None:
            why = "cancelled" if self._is_cancelled else reason
            self._cdr.ended(why, status)
        self._leave()
        self._listener.failed(status, reason, contacts, fields)

    def _leave(self) -> None:
        """
        Want nothing more of it, so that nobody has to find a cycle.
        """
        self._leg = self._sent = None
