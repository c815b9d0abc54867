"""
The proxy's own answers, which leave nothing behind.
"""

from __future__ import annotations

from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.errors import Refused, bear_loss
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from sipsorcery.transaction.stateless import StatelessAnswers
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.transactions.server import Fields


class Answers:
    """
    Answers requests, and knows the ACKs to its failures.

    :param core: makes the answers to what is for the proxy itself.
    :param secret: the key of the To tags, at most 32 octets.
    """

    def __init__(
        self, transport: TransportLayer, core: ProxyCore, secret: bytes
    ) -> None:
        self._transport = transport
        self._core = core
        self._stateless = StatelessAnswers(secret)

    def own(self, request: Request, flow: Flow) -> None:
        """
        Answer a request that is for us.
        """
        response = self._core.answer(request)
        if response is not None:
            self._send(response, flow)

    def respond(
        self,
        request: Request,
        flow: Flow,
        status: int,
        reason: str | None = None,
        fields: Fields = (),
    ) -> None:
        """
        Answer any request but an ACK, which nobody may answer.
        """
        if request.method == "ACK":
            return
        try:
            response = self._stateless.answer(request, status, fields)
            if reason is not None:
                tag = response.get("To")
                response = request.respond(status, reason, fields)
                if tag is not None:
                    response.set("To", tag)
        except ParseError as error:
            self.explain(error, flow)
        else:
            self._send(response, flow)

    def refuse(self, request: Request, flow: Flow, refused: Refused) -> None:
        """
        Answer a request that goes no further.
        """
        self.respond(request, flow, refused.status, None, refused.fields)

    def explain(self, error: ParseError, flow: Flow) -> None:
        """
        Answer a request that cannot be read, as far as that is possible.
        """
        response = error_response(error)
        if response is not None:
            self._send(response, flow)

    def end_here(self, ack: Request) -> bool:
        """
        Tell whether an ACK is for a failure of ours.
        """
        try:
            return self._stateless.is_acknowledged_by(ack)
        except ParseError:
            return True  # nobody could do anything with it

    def _send(self, response: Response, flow: Flow) -> None:
        self._transport.send_response(response, flow).addErrback(bear_loss)
