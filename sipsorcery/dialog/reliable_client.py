"""
Reliable provisional responses, for who receives them (:rfc:`3262#section-4`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.dialog.extensions import RELIABLE, requires
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, RSEQ
from sipsorcery.sip.response import Response


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    Says that a provisional response counts.

    :ivar rack: what the PRACK says that it asks for, ``None`` if it asks for none.
    """

    rack: RAck | None = None


class ReliableReceiver:
    """
    Put the reliable responses of one dialog to one INVITE in order.

    One that is repeated, or comes before another one that is missing, does not count:
    it "MUST NOT be acknowledged with a PRACK, and MUST NOT be processed further". The
    missing one is repeated, and then the others are.
    """

    __slots__ = ("_cseq", "_rseq")

    def __init__(self) -> None:
        self._cseq: CSeq | None = None
        self._rseq = 0

    def receive(self, response: Response) -> Receipt | None:
        """
        Take a provisional response.

        :returns: ``None`` if it does not count.
        """
        try:
            if response.status == 100 or not requires(response, RELIABLE):
                return Receipt()
            cseq, rseq = response[CSEQ], response[RSEQ]
        except ParseError:
            return None
        if cseq == self._cseq and rseq != self._rseq + 1:
            return None
        self._cseq, self._rseq = cseq, rseq
        return Receipt(RAck(rseq, cseq))
