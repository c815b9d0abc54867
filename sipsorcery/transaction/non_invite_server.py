"""
The non-INVITE server transaction (:rfc:`3261#section-17.2.2`, :rfc:`4320`).
"""

from __future__ import annotations

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import Send, TimedOut
from sipsorcery.transaction.machine import NEVER
from sipsorcery.transaction.server_machine import ServerMachine
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers


class NonInviteServerTransaction(ServerMachine):
    """
    Answer a request, and answer it again whenever it is repeated.

    It sends a 100 by itself when :rfc:`4320` demands one, and ends without an answer
    when the client has given up.

    :param request: any but INVITE and ACK.
    :param reliable: whether it came by a reliable transport.
    """

    __slots__ = ()

    def __init__(
        self,
        request: Request,
        *,
        reliable: bool,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__(State.Trying, timers, request, reliable)
        self._repeat_at = now + timers.trying_non_invite
        self._end_at = now + timers.timer_f  # when the client stops to wait

    def respond(self, response: Response, now: float) -> None:
        """
        Send a response of the user; one that comes too late is dropped.

        :raises LocalProtocolError: after a final response; and for what
            :rfc:`4320#section-4` forbids: a 408, a provisional response other than 100,
            and over an unreliable transport a 100 before its time.
        """
        if self.state is State.Terminated:
            return
        if self.state is State.Completed:
            raise LocalProtocolError(f"{response!r} comes after a final response")
        if response.is_provisional:
            self._respond_provisionally(response, now)
        elif response.status == 408:
            raise LocalProtocolError(f"{response!r} to a request other than INVITE")
        else:
            self._respond_finally(response, now)

    def receive(self, request: Request, now: float) -> None:
        """
        Take the request once more.
        """
        self._send_again()

    def _respond_provisionally(self, response: Response, now: float) -> None:
        too_early = now < self._repeat_at and not self._reliable
        if response.status != 100 or (too_early and self.state is State.Trying):
            raise LocalProtocolError(f"{response!r} to a request other than INVITE")
        self._proceed(response)

    def _proceed(self, response: Response) -> None:
        self.state = State.Proceeding
        self._repeat_at = NEVER
        self._keep(response)
        self._act(Send(response))

    def _respond_finally(self, response: Response, now: float) -> None:
        self.request = None
        self._act(Send(response))
        if self._reliable:
            self._drop_response()
            self._terminate()
            return
        self.state = State.Completed
        self._keep(response)
        self._repeat_at = NEVER
        self._end_at = now + self._timers.timer_j

    def _repeat(self, now: float) -> None:
        assert self.request is not None  # there was no final response
        self._proceed(self.request.respond(100))

    def _end(self) -> None:
        self._drop_response()
        if self.state is State.Completed:
            self._terminate()
        else:
            self._terminate(TimedOut())
