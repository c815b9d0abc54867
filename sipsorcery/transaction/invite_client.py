"""
The INVITE client transaction (:rfc:`3261#section-17.1.1`, :rfc:`6026#section-7.2`).
"""

from __future__ import annotations

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.derived import make_ack, make_cancel
from sipsorcery.transaction.effects import (
    Cancel,
    ClientEffect,
    Deliver,
    Failed,
    Send,
    TimedOut,
)
from sipsorcery.transaction.machine import NEVER, Machine
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers


class InviteClientTransaction(Machine[ClientEffect]):
    """
    Send an INVITE until somebody answers, and acknowledge a failure.

    A 2xx is acknowledged by the transaction user, and every 2xx is delivered: each may
    be of another fork, and a repeated one asks for another ACK.

    :param request: the INVITE with its top Via.
    :param reliable: whether the transport is.
    :param is_sent: whether a process before this one has sent it, which was heard.
    """

    __slots__ = ("_cancel_wanted", "_interval", "_reliable", "request")

    def __init__(
        self,
        request: Request,
        *,
        reliable: bool,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
        is_sent: bool = False,
    ) -> None:
        super().__init__(State.Proceeding if is_sent else State.Calling, timers)
        self.request = request
        self._reliable = reliable
        self._cancel_wanted = False
        self._interval = timers.timer_a
        if is_sent:
            return
        if not reliable:
            self._repeat_at = now + self._interval
        self._end_at = now + timers.timer_b
        self._act(Send(request))

    def receive(self, response: Response, now: float) -> None:
        """
        Take a response that matches.

        :raises ParseError: if it is a failure that cannot be acknowledged.
        """
        if response.is_provisional:
            self._receive_provisional(response, now)
        elif response.is_success:
            self._receive_success(response, now)
        else:
            self._receive_failure(response, now)

    def cancel(self, now: float) -> None:
        """
        Cancel the INVITE, as soon as that is allowed; after a final response, nothing.

        "If no provisional response has been received, the CANCEL request MUST NOT be
        sent" (:rfc:`3261#section-9.1`): then it waits for one.
        """
        if self._cancel_wanted:
            return
        self._cancel_wanted = True
        if self.state is State.Proceeding:
            self._send_cancel(now)

    def transport_failed(self, now: float) -> None:
        """
        Hear that the request, or the ACK, could not be sent.
        """
        if self.state not in (State.Accepted, State.Terminated):
            self._terminate(Failed())

    def _receive_provisional(self, response: Response, now: float) -> None:
        if self.state is State.Calling:
            self.state = State.Proceeding
            self._end_at = self._repeat_at = NEVER
            self._act(Deliver(response))
            if self._cancel_wanted:
                self._send_cancel(now)
        elif self.state is State.Proceeding:
            self._act(Deliver(response))

    def _receive_success(self, response: Response, now: float) -> None:
        if self.state in (State.Calling, State.Proceeding):
            self.state = State.Accepted
            self._repeat_at = NEVER
            self._end_at = now + self._timers.timer_m
            self._act(Deliver(response))
        elif self.state is State.Accepted:
            self._act(Deliver(response))

    def _receive_failure(self, response: Response, now: float) -> None:
        if self.state in (State.Calling, State.Proceeding):
            ack = make_ack(self.request, response)
            self._repeat_at = NEVER
            if self._reliable:
                self._act(Send(ack))
                self._terminate(Deliver(response))
            else:
                self.state = State.Completed
                self._end_at = now + self._timers.timer_d
                self._act(Send(ack), Deliver(response))
        elif self.state is State.Completed:
            self._act(Send(make_ack(self.request, response)))

    def _send_cancel(self, now: float) -> None:
        # "If there is no final response for the original request in 64*T1 seconds, the
        # client SHOULD then consider the original transaction cancelled" (9.1).
        self._end_at = now + self._timers.timer_b
        self._act(Cancel(make_cancel(self.request)))

    def _repeat(self, now: float) -> None:
        self._interval *= 2
        self._repeat_at = now + self._interval
        self._act(Send(self.request))

    def _end(self) -> None:
        if self.state in (State.Calling, State.Proceeding):
            self._terminate(TimedOut())
        else:
            self._terminate()
