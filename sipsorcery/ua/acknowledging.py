"""
ACKs of ours to a 2xx.
"""

from __future__ import annotations

from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import URI
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.client import Way
from sipsorcery.ua.core import Core


class AckSender:
    """
    Send the ACKs of one dialog to one INVITE, always the same way.

    :param hop: where they go first.
    :param flow: the last way to try, if it is a connection.
    """

    __slots__ = ("_core", "_flow", "_hop", "_sent")

    def __init__(self, core: Core, hop: URI, flow: Flow | None) -> None:
        self._core = core
        self._hop = hop
        self._flow = flow
        self._sent: tuple[Request, Way] | None = None

    def send(self, ack: Request) -> None:
        """
        Send the ACK; the first one sets the way and the Via of all.
        """
        if self._sent is None:
            self._core.spawn(self._send_first(ack))
        else:
            # One that gets lost is asked for again.
            sending = self._core.transactions.send_ack(*self._sent)
            sending.addErrback(lambda reason: reason.trap(TransportError))

    async def _send_first(self, ack: Request) -> None:
        transactions = self._core.transactions
        for way in await self._ways(ack):
            try:
                with_via = transactions.with_via(ack, way)
                self._sent = (with_via, way)
                await transactions.send_ack(with_via, way)
                return
            except TransportError:
                continue

    async def _ways(self, ack: Request) -> list[Way]:
        last = [self._flow] if self._flow is not None and self._flow.number else []
        try:
            return [*await self._core.ways(self._hop, ack), *last]
        except TransportError:
            return [*last]
