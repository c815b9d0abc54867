"""
Legs with a call detail record each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session


class RecordedLeg:
    """
    One leg, and what becomes of it in its record.

    :param listener: of the leg.
    :param begin: begins the record.
    :param answered: is given the session and the record of who answers.
    """

    def __init__(
        self,
        listener: Listener,
        begin: Callable[[], LegCDR],
        answered: Callable[[Session, LegCDR], object],
    ) -> None:
        self._listener = listener
        self._begin = begin
        self._answered = answered
        self._leg: CallLeg | None = None
        self._cdr: LegCDR | None = None
        self._is_cancelled = False

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
        self._leg = None  # nothing more is wanted of it, and nobody finds a cycle
        self._listener.answered(session, target)

    def delivered(self, delivered: Delivered) -> None:
        """
        Hear that somebody has taken what is no call, and has no record.
        """
        self._leg = None
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
        self._leg = None
        self._listener.failed(status, reason, contacts, fields)
