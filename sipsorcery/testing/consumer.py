"""
A consumer of the transport layer that remembers.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.flow import Flow


class RecordingConsumer:
    """
    Keep everything that a transport layer hands on, each with its flow.

    :param on_request: is called with each request as well, so that a test can answer.
    """

    def __init__(
        self, on_request: Callable[[Request, Flow], object] | None = None
    ) -> None:
        self.on_request = on_request
        self.requests: list[tuple[Request, Flow]] = []
        self.responses: list[tuple[Response, Flow]] = []
        self.stun: list[tuple[bytes, Flow]] = []
        self.errors: list[tuple[ParseError, Flow]] = []
        self.closed: list[tuple[Flow, str]] = []

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Keep a request.
        """
        self.requests.append((request, flow))
        if self.on_request is not None:
            self.on_request(request, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Keep a response.
        """
        self.responses.append((response, flow))

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Keep a STUN message.
        """
        self.stun.append((data, flow))

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Keep an error.
        """
        self.errors.append((error, flow))

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Keep a flow and why it closed.
        """
        self.closed.append((flow, reason))
