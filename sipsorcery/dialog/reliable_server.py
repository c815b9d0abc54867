"""
Reliable provisional responses, for who sends them (:rfc:`3262#section-3`).
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from sipsorcery.dialog.effects import Acknowledged, Released, Send, Unacknowledged
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.extensions import RELIABLE
from sipsorcery.dialog.machine import Machine
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.cseq import RAck
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, RACK, REQUIRE, RSEQ
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers

#: Responses that wait for their turn. Phones send two or three; more come of a peer on
#: the other leg of a call who repeats himself while this one says nothing.
MAX_WAITING = 16

ReliableEffect: TypeAlias = Send | Acknowledged | Released | Unacknowledged


class ReliableResponses(Machine[ReliableEffect]):
    """
    Send the provisional responses to one INVITE so that each arrives, and in order.

    Each goes out when the one before has its PRACK: "the UAS MUST NOT send a second
    reliable provisional response until the first is acknowledged". After 64*T1 without
    one the INVITE is to be rejected "with a 5xx response".
    """

    __slots__ = (
        "_end_at",
        "_final",
        "_interval",
        "_is_finished",
        "_rseq",
        "_sent",
        "_timers",
        "_waiting",
    )

    def __init__(
        self,
        first_rseq: int,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        """
        Begin without a response.

        :param first_rseq: chosen at random from 1 to 2**31 - 1.
        """
        super().__init__()
        self._timers = timers
        self._rseq = first_rseq - 1
        self._interval = 0.0
        self._end_at = 0.0
        self._sent: Response | None = None  # and not acknowledged
        self._waiting: deque[Response] = deque()
        self._final: Response | None = None  # which waits, too
        self._is_finished = False

    def send(self, response: Response, now: float) -> None:
        """
        Send a provisional response, now or in its turn.

        Where too many wait, it takes the place of the last one that has no body: of
        several that only tell how far the call is, the last one is enough.

        :param response: not 100; gets its RSeq and Require when it is sent.
        :raises LocalProtocolError: if it cannot be sent any more.
        """
        if not 100 < response.status < 200:
            raise LocalProtocolError(f"{response.status} cannot be sent reliably")
        if self._is_finished:
            raise LocalProtocolError("a provisional response after the final one")
        if len(self._waiting) == MAX_WAITING:
            self._make_room()
        self._waiting.append(response)
        self._send_next(now)

    def finish(self, response: Response, now: float) -> None:
        """
        Release the final response, or let it wait for PRACK.

        A 2xx waits while a provisional response with a session description is on its
        way, or waits itself: "it MUST NOT send a final response until those provisional
        responses are acknowledged". Otherwise what waits is not sent any more.
        """
        self._is_finished = True
        if response.is_success and self._has_bodies():
            self._final = response
        else:
            self._release(response)

    def receive(self, prack: Request, now: float) -> Refusal | None:
        """
        Take a PRACK.

        :returns: how to refuse it; ``None`` says that it gets a 2xx.
        """
        try:
            rack = prack[RACK]
        except ParseError as error:
            return Refusal.of(error)
        if self._sent is None or rack != RAck(self._rseq, self._sent[CSEQ]):
            return Refusal(481)
        self._sent = None
        self._due = None
        self._act(Acknowledged(prack))
        if self._final is not None and not self._has_bodies():
            self._release(self._final)
        else:
            self._send_next(now)
        return None

    def _send_next(self, now: float) -> None:
        if self._sent is not None or not self._waiting:
            return
        response = self._waiting.popleft()
        self._rseq += 1
        response.add(REQUIRE, RELIABLE)
        response.set(RSEQ, self._rseq)
        self._sent = response
        self._interval = self._timers.t1
        self._end_at = now + 64 * self._timers.t1
        self._due = now + self._interval
        self._act(Send(response))

    def _release(self, response: Response) -> None:
        # What is on its way "SHOULD NOT" be repeated, but its PRACK may still come.
        self._waiting.clear()
        self._final = None
        self._due = None
        self._act(Released(response))

    def _has_bodies(self) -> bool:
        sent = [] if self._sent is None else [self._sent]
        return any(response.body for response in (*sent, *self._waiting))

    def _make_room(self) -> None:
        for place in range(MAX_WAITING - 1, -1, -1):
            if not self._waiting[place].body:
                del self._waiting[place]
                return
        raise LocalProtocolError("too many responses wait for PRACK")

    def _fire(self, now: float) -> None:
        if self._sent is None:
            return
        if now >= self._end_at:
            self._sent = self._final = None
            self._waiting.clear()
            self._act(Unacknowledged())
            return
        self._interval *= 2
        self._due = min(now + self._interval, self._end_at)
        self._act(Send(self._sent))
