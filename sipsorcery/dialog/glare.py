"""
INVITE and UPDATE that are under way at the same time (:rfc:`3261#section-14`).
"""

from __future__ import annotations

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

_RESTRICTED = ("INVITE", "UPDATE")


def retry_delay(owns_call_id: bool, fraction: float) -> float:
    """
    Give how long to wait after a 491, in seconds, before the request is sent again.

    The windows of the two sides do not overlap, so that one of them is first
    (:rfc:`3261#section-14.1`).

    :param owns_call_id: whether we began the dialog.
    :param fraction: chosen at random from 0 to 1.
    """
    low, high = (2.1, 4.0) if owns_call_id else (0.0, 2.0)
    # "in units of 10 ms"
    return round(low + fraction * (high - low), 2)


class Overlap:
    """
    Know which INVITE and UPDATE of a dialog are under way, and which may begin.

    Tell it of both methods and of all their final responses: when they are sent, and
    when they are received.
    """

    __slots__ = ("_answered", "_received", "_sent")

    def __init__(self) -> None:
        self._sent: dict[str, CSeq] = {}
        self._received: dict[str, CSeq] = {}
        self._answered: CSeq | None = None  # INVITE whose 2xx has no ACK

    def may_send(self, method: str) -> bool:
        """
        Tell whether we may begin a request now.

        An INVITE waits until no other one is under way, in either direction, and one of
        the peer has its ACK.
        """
        if method in self._sent and method in _RESTRICTED:
            return False
        return method != "INVITE" or not ("INVITE" in self._received or self._answered)

    def sent(self, message: Request | Response) -> None:
        """
        Take note of a message that we send.

        :raises LocalProtocolError: if it may not be sent now.
        """
        cseq = message[CSEQ]
        if isinstance(message, Request):
            if not self.may_send(message.method):
                raise LocalProtocolError(f"{message.method} while one is under way")
            if message.method in _RESTRICTED:
                self._sent[message.method] = cseq
        elif not message.is_provisional and self._received.get(cseq.method) == cseq:
            del self._received[cseq.method]
            if cseq.method == "INVITE" and message.is_success:
                self._answered = cseq

    def receive(self, request: Request, retry_after: int) -> Refusal | None:
        """
        Judge a request of the peer.

        :param retry_after: chosen at random from 0 to 10 seconds.
        :returns: how to refuse it, ``None`` if it may be acted upon.
        """
        method = request.method
        if method == "ACK":
            self._acknowledged(request)
        if method not in _RESTRICTED:
            return None
        if method in self._received:
            # "MUST return a 500 (Server Internal Error) response to the second INVITE
            # and MUST include a Retry-After header field" (14.2); RFC 3311, 5.2
            # says the same of UPDATE.
            return Refusal.later(f"a second {method}", retry_after)
        if method == "INVITE" and "INVITE" in self._sent:
            return Refusal(491)
        try:
            self._received[method] = request[CSEQ]
        except ParseError as error:
            return Refusal.of(error)
        return None

    def done(self, request: Request) -> None:
        """
        Take note that a request of ours has its final response, or will have none.

        Of an INVITE that was answered that is when the ACK goes out.
        """
        if self._sent.get(request.method) == request[CSEQ]:
            del self._sent[request.method]

    def _acknowledged(self, ack: Request) -> None:
        try:
            number = ack[CSEQ].number
        except ParseError:
            return
        if self._answered is not None and self._answered.number == number:
            self._answered = None
