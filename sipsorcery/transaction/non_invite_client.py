"""
The non-INVITE client transaction (:rfc:`3261#section-17.1.2`).
"""

from __future__ import annotations

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import ClientEffect, Deliver, Failed, Send, TimedOut
from sipsorcery.transaction.machine import NEVER, Machine
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers


class NonInviteClientTransaction(Machine[ClientEffect]):
    """
    Send a request until its final response comes, which is delivered once.

    :param request: any but INVITE and ACK, with its top Via.
    :param reliable: whether the transport is.
    """

    __slots__ = ("_interval", "_reliable", "request")

    def __init__(
        self,
        request: Request,
        *,
        reliable: bool,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__(State.Trying, timers)
        self.request = request
        self._reliable = reliable
        self._interval = timers.timer_e
        if not reliable:
            self._repeat_at = now + self._interval
        self._end_at = now + timers.timer_f
        self._act(Send(request))

    def receive(self, response: Response, now: float) -> None:
        """
        Take a response that matches.
        """
        if self.state not in (State.Trying, State.Proceeding):
            return
        self._act(Deliver(response))
        if response.is_provisional:
            self.state = State.Proceeding
        elif self._reliable:
            self._terminate()
        else:
            self.state = State.Completed
            self._repeat_at = NEVER
            self._end_at = now + self._timers.timer_k

    def transport_failed(self, now: float) -> None:
        """
        Hear that the request could not be sent.
        """
        if self.state in (State.Trying, State.Proceeding):
            self._terminate(Failed())

    def _repeat(self, now: float) -> None:
        if self.state is State.Proceeding:
            self._interval = self._timers.t2
        else:
            self._interval = min(2 * self._interval, self._timers.t2)
        self._repeat_at = now + self._interval
        self._act(Send(self.request))

    def _end(self) -> None:
        if self.state is State.Completed:
            self._terminate()
        else:
            self._terminate(TimedOut())
