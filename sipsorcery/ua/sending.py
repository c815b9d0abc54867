"""
Sending a request of ours until it has its final response.

It is sent again with credentials when a server or proxy asks for them, and to the next
target when one fails (:rfc:`3261#section-22`, :rfc:`3263#section-4.3`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction, Way
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.ua.core import Core
from sipsorcery.ua.errand import Errand
from sipsorcery.ua.errors import RequestFailed

#: Sends a request one way and waits for the final response; the third argument says
#: whether to wait to the end, because there is no other way. Raises
#: `TransactionTimeout` or `TransportError`.
Ask: TypeAlias = Callable[[Request, Way, bool], Awaitable[Response]]

# What counts as if a target had not answered at all (RFC 3263, 4.3).
_UNAVAILABLE = 503


async def send(core: Core, errand: Errand, ask: Ask | None = None) -> Response:
    """
    Send a request until it has a final response.

    :param ask: for an INVITE, of which more comes than one response.
    :return: that response, whatever its status.
    :raises RequestFailed: if there is none.
    """
    ask = ask or (lambda *arguments: Question(core).ask(*arguments))
    while True:
        response = await _walk(core, errand, errand.make(), ask)
        if not errand.is_wanted_again(response):
            return response


async def _walk(core: Core, errand: Errand, request: Request, ask: Ask) -> Response:
    """
    Send a request one way after the other, until somebody answers.
    """
    problem: Failure | None = None
    response: Response | None = None
    try:
        ways = await errand.ways(core, request)
    except TransportError as error:
        ways, problem = [], error
    for way in ways:
        is_last = way is ways[-1]
        try:
            response = await ask(errand.on(core, request, way), way, is_last)
        except (TransactionTimeout, TransportError) as error:
            problem = error
            _note_failure(core, way)
            continue
        if response.status != _UNAVAILABLE:
            break
        _note_failure(core, way, response)
    if response is not None:
        return response
    text = f"{request.method} {request.request_uri}: {problem}"
    raise RequestFailed(text) from problem


def _note_failure(core: Core, way: Way, response: Response | None = None) -> None:
    """
    Let the locator know that a target has failed.

    :param response: its 503, which may say how long it wants to be left alone.
    """
    if not isinstance(way, Target):
        return
    try:
        retry_after = None if response is None else response.get(RETRY_AFTER)
    except ParseError:
        retry_after = None
    core.locator.failed(way, None if retry_after is None else retry_after.seconds)


class Question:
    """
    One client transaction, waited for.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._answer: Deferred[Response] = Deferred(self._give_up)
        self._silence: IDelayedCall | None = None

    def ask(self, request: Request, way: Way, is_last: bool) -> Deferred[Response]:
        """
        Send the request.

        :param is_last: whether to wait to the end, because there is no other way.
        :return: fires with the final response; fails with `TransactionTimeout` or
            `TransportError`.
        """
        self._core.transactions.request(request, way, self)
        if not is_last:
            seconds = self._core.settings.target_time
            self._silence = self._core.clock.callLater(seconds, self._hear_nothing)
        return self._answer

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Hear from the transaction layer.
        """
        self._end_silence()
        if not response.is_provisional and not self._answer.called:
            self._answer.callback(response)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear from the transaction layer that there is no answer.
        """
        self._end_silence()
        if not self._answer.called:
            self._answer.errback(error)

    def _hear_nothing(self) -> None:
        self._silence = None
        seconds = self._core.settings.target_time
        self._answer.errback(TransactionTimeout(f"nothing heard for {seconds:g} s"))

    def _give_up(self, _: Deferred[Response]) -> None:
        self._end_silence()

    def _end_silence(self) -> None:
        silence, self._silence = self._silence, None
        if silence is not None:
            silence.cancel()
