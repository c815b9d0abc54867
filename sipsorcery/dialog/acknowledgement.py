"""
The ACK for a 2xx, sent again for each repetition (:rfc:`3261#section-13.2.2.4`).
"""

from __future__ import annotations

from typing import TypeAlias

from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.machine import Machine
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers

AcknowledgementEffect: TypeAlias = Send | Terminated


class Acknowledgement(Machine[AcknowledgementEffect]):
    """
    Send an ACK, and again for each 2xx that shows that it was lost.

    64*T1 after the first 2xx the server has given up, and so it is over.

    :ivar ack: the ACK.
    """

    __slots__ = ("ack",)

    def __init__(
        self,
        ack: Request,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__()
        self.ack = ack
        self._due = now + timers.timer_m
        self._act(Send(ack))

    def receive(self, response: Response) -> None:
        """
        Take a 2xx of the dialog, which is repeated if it is for the same INVITE.
        """
        try:
            number, method = response[CSEQ]
        except ParseError:
            return
        if self._due is not None and (number, method) == (
            self.ack[CSEQ].number,
            "INVITE",
        ):
            self._act(Send(self.ack))

    def _fire(self, now: float) -> None:
        self._act(Terminated())
