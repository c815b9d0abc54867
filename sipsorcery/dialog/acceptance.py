"""
The 2xx to an INVITE, repeated until its ACK comes (:rfc:`3261#section-13.3.1.4`).
"""

from __future__ import annotations

from typing import TypeAlias

from sipsorcery.dialog.effects import Acknowledged, Send, Unacknowledged
from sipsorcery.dialog.machine import Machine
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers

AcceptanceEffect: TypeAlias = Send | Acknowledged | Unacknowledged


class Acceptance(Machine[AcceptanceEffect]):
    """
    Send a 2xx, and again after T1, doubled up to T2, whatever the transport is.

    After 64*T1 without an ACK it is :class:`Unacknowledged`: "the dialog is confirmed,
    but the session SHOULD be terminated", by a BYE.

    :ivar response: the 2xx.
    :ivar is_done: whether it is repeated no more.
    """

    __slots__ = ("_end_at", "_interval", "_timers", "is_done", "response")

    def __init__(
        self,
        response: Response,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__()
        self.response = response
        self.is_done = False
        self._timers = timers
        self._interval = timers.t1
        self._end_at = now + 64 * timers.t1
        self._due = now + self._interval
        self._act(Send(response))

    def receive(self, ack: Request) -> bool:
        """
        Take an ACK of the dialog.

        :returns: whether it is the first for this 2xx, and what is in it counts.
        """
        try:
            number = ack[CSEQ].number
        except ParseError:
            return False
        if self.is_done or number != self.response[CSEQ].number:
            return False
        self._finish(Acknowledged(ack))
        return True

    def stop(self) -> None:
        """
        Repeat it no more, because the call has ended otherwise.
        """
        self._finish()

    def _fire(self, now: float) -> None:
        if now >= self._end_at:
            self._finish(Unacknowledged())
            return
        self._interval = min(2 * self._interval, self._timers.t2)
        self._due = min(now + self._interval, self._end_at)
        self._act(Send(self.response))

    def _finish(self, *effects: AcceptanceEffect) -> None:
        self.is_done = True
        self._due = None
        self._act(*effects)
