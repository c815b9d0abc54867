"""
What the layer above has to offer to the transport layer.
"""

from __future__ import annotations

from typing import Protocol

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.flow import Flow


class TransportConsumer(Protocol):
    """
    Take what the transport layer receives.

    The methods are called from the reactor and must not block. A `ParseError` that one
    of the first two lets escape is treated as if the layer had found it: a request is
    answered with its status. Any other exception is logged and counted.
    """

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Take a request, whose top Via says where it came from.

        The layer has read that Via and the framing; nothing else has been checked.
        """

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Take a response.

        Whether its top Via is ours is for the consumer to see, as soon as it looks
        there for the branch: `TransportLayer.is_own` tells.
        """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Take a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Hear of a message that broke the grammar or a limit.

        It has been answered, if it was a request that could be; there is nothing to do
        but to remember who sends such things.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Hear that a connection is gone, and why, in a sentence.
        """
