"""
From what a socket heard to the consumer: parse, note the source in the Via, hand on.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.framing import Kind, demultiplex
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from sipsorcery.transaction.stateless import make_tag
from sipsorcery.transport.consumer import TransportConsumer
from sipsorcery.transport.counters import OTHER, Counters
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.watch import Watch


class Reception:
    """
    Stand between the channels and the consumer: no exception gets past it.

    :param respond: sends a response on the flow of its request.
    """

    _log = Logger()

    def __init__(
        self,
        consumer: TransportConsumer,
        counters: Counters,
        respond: Callable[[Response, Flow], Deferred[Flow]],
        watch: Watch,
    ) -> None:
        self._consumer = consumer
        self._counters = counters
        self._respond = respond
        self._watch = watch
        self._key = secrets.token_bytes(16)

    def datagram_received(self, data: bytes, flow: Flow) -> None:
        """
        Take one datagram.
        """
        watch = self._watch
        if watch.admits is not None and not watch.admits(flow):
            return
        kind = demultiplex(data)
        if kind is Kind.SIP:
            if watch.trace is not None:
                watch.trace(data, flow, True)
            try:
                message = parse(data)
            except ParseError as error:
                self.parse_failed(error, flow)
            else:
                self._hand_on(message, flow)
        elif kind is Kind.STUN:
            self._counters.stun += 1
            self._guard(self._consumer.stun_received, data, flow)
        else:
            # Over UDP a keep-alive asks for no answer (RFC 5626, 3.5.2, has STUN).
            self._counters.pings += 1

    def message_received(self, message: Request | Response, flow: Flow) -> None:
        """
        Take one message of a connection.
        """
        watch = self._watch
        if watch.admits is not None and not watch.admits(flow):
            return
        if watch.trace is not None:
            watch.trace(message.to_bytes(), flow, True)
        self._hand_on(message, flow)

    def _hand_on(self, message: Request | Response, flow: Flow) -> None:
        try:
            if isinstance(message, Request):
                self._counters.requests_received += 1
                methods, method = self._counters.methods, message.method
                methods[method if method in methods else OTHER] += 1
                message.note_source(*flow.address)
                self._consumer.request_received(message, flow)
            else:
                self._counters.responses_received += 1
                self._counters.classes[message.status // 100] += 1
                self._consumer.response_received(message, flow)
        except ParseError as error:
            self.parse_failed(error, flow)
        except Exception:
            self._fail(flow)

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Answer what can be answered, and tell the consumer.
        """
        self._counters.unparsable += 1
        self._guard(self._answer, error, flow)
        self._guard(self._consumer.parse_failed, error, flow)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Tell the consumer that a connection is gone.
        """
        self._guard(self._consumer.flow_closed, flow, reason)

    def _answer(self, error: ParseError, flow: Flow) -> None:
        request = error.partial
        if not isinstance(request, Request):
            return
        try:
            request.note_source(*flow.address)
        except ParseError:
            return  # nothing says where an answer goes
        response = error_response(error, make_tag(request, self._key))
        if response is not None:
            self._counters.answered += 1
            self._respond(response, flow).addErrback(_ignore)

    def _guard(self, hook: Callable[..., None], *arguments: object) -> None:
        try:
            hook(*arguments)
        except Exception:
            self._fail(arguments[-1])

    def _fail(self, cause: object) -> None:
        self._counters.consumer_failures += 1
        self._log.failure("Failed on what came by {cause}", cause=cause)


def _ignore(failure: Failure) -> None:
    # Whoever sent what cannot be read may not hear of it.
    failure.trap(TransportError)
