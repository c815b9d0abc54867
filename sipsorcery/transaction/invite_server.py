"""
The INVITE server transaction (:rfc:`3261#section-17.2.1`, :rfc:`6026#section-7.1`).
"""

from __future__ import annotations

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import Deliver, Send, TimedOut
from sipsorcery.transaction.machine import NEVER
from sipsorcery.transaction.server_machine import ServerMachine
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers


class InviteServerTransaction(ServerMachine):
    """
    Answer an INVITE, and repeat a failure until it is acknowledged.

    The transaction user repeats a 2xx itself (:rfc:`3261#section-13.3.1.4`).

    :param request: the INVITE.
    :param reliable: whether it came by a reliable transport.
    """

    __slots__ = ("_interval",)

    def __init__(
        self,
        request: Request,
        *,
        reliable: bool,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__(State.Proceeding, timers, request, reliable)
        self._interval = timers.timer_g
        self._repeat_at = now + timers.trying

    def respond(self, response: Response, now: float) -> None:
        """
        Send a response of the user; one that comes too late is dropped.

        :raises LocalProtocolError: after a final response; but after a 2xx there may
            be more of them.
        """
        if self.state is State.Proceeding:
            self._respond_first(response, now)
        elif self.state is State.Accepted and response.is_success:
            self._act(Send(response))
        elif self.state is not State.Terminated:
            raise LocalProtocolError(f"{response!r} comes after a final response")

    def receive(self, request: Request, now: float) -> None:
        """
        Take the INVITE once more, or an ACK.
        """
        if request.method == "ACK":
            self._receive_ack(request, now)
        else:
            self._send_again()

    def _respond_first(self, response: Response, now: float) -> None:
        self._repeat_at = NEVER
        self._act(Send(response))
        if response.is_provisional:
            self._keep(response)
            return
        self.request = None
        if response.is_success:
            self._drop_response()
            self.state = State.Accepted
            self._end_at = now + self._timers.timer_l
            return
        self._keep(response)
        self.state = State.Completed
        self._end_at = now + self._timers.timer_h
        if not self._reliable:
            self._repeat_at = now + self._interval

    def _receive_ack(self, ack: Request, now: float) -> None:
        if self.state is State.Accepted:
            # "Any ACKs received from the network while in the "Accepted" state MUST be
            # passed directly to the TU" (RFC 6026, 7.1). Those of clients of RFC 2543
            # match, and those of clients that send every ACK with the old branch.
            self._act(Deliver(ack))
        elif self.state is State.Completed:
            self._drop_response()
            if self._reliable:
                self._terminate()
            else:
                self.state = State.Confirmed
                self._repeat_at = NEVER
                self._end_at = now + self._timers.timer_i

    def _repeat(self, now: float) -> None:
        if self.state is State.Proceeding:
            assert self.request is not None  # there was no final response
            self._repeat_at = NEVER
            self._keep(self.request.respond(100))
        else:
            self._interval = min(2 * self._interval, self._timers.t2)
            self._repeat_at = now + self._interval
        self._send_again()

    def _end(self) -> None:
        self._drop_response()
        if self.state is State.Completed:
            self._terminate(TimedOut())
        else:
            self._terminate()
