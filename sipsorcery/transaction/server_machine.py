"""
What the two server machines share: the request, and the response that is repeated.
"""

from __future__ import annotations

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import Failed, Send, ServerEffect
from sipsorcery.transaction.machine import Machine
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers


class ServerMachine(Machine[ServerEffect]):
    """
    A transaction that answers.

    :param request: what it answers.
    :param reliable: whether it came by a reliable transport.

    :ivar request: the request; None after the final response, to hold less.
    """

    __slots__ = ("_body", "_head", "_reliable", "request")

    request: Request | None
    _head: str | None  # of the last response that can be asked for again
    _body: bytes

    def __init__(
        self, state: State, timers: Timers, request: Request, reliable: bool
    ) -> None:
        super().__init__(state, timers)
        self.request = request
        self._reliable = reliable
        self._head = None
        self._body = b""

    def transport_failed(self, now: float) -> None:
        """
        Hear that a response could not be sent.

        "the server transaction SHOULD inform the TU that a failure has occurred, and
        MUST remain in the current state" (:rfc:`6026#section-8.8`).
        """
        if self.state is not State.Terminated:
            self._act(Failed())

    def _keep(self, response: Response) -> None:
        """
        Keep a response, to be asked for again; only its text, which is all that it is.
        """
        self._head = response.head
        self._body = response.body

    def _drop_response(self) -> None:
        self._head = None
        self._body = b""

    def _send_again(self) -> None:
        """
        Repeat the response, if there is one.
        """
        if self._head is not None:
            self._act(Send(Response.from_head(self._head, self._body)))
